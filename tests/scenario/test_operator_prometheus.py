#!/usr/bin/env python3
"""The live view of several runners: native histograms in Prometheus give percentiles of the whole."""
import sys
import unittest

from operator_harness import Pods
from prometheus_server import PROGRAM, Prometheus

SCRIPT = """
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Trend } from 'k6/metrics';
const size = new Trend('size', true);
export const options = { vus: 4, iterations: 80 };
export default function () { size.add(exec.vu.idInTest * 100, { name: 'n' + exec.scenario.iterationInTest % 2 }); }
"""


class PrometheusTest(unittest.TestCase):
    def test_percentiles_of_four_runners(self):
        with Pods() as pods, Prometheus() as server:
            env = {'K6_PROMETHEUS_RW_SERVER_URL': server.write_url, 'K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM': 'true',
                   'K6_PROMETHEUS_RW_PUSH_INTERVAL': '200ms'}
            runners = pods.start_runners(pods.script(SCRIPT), 4, '-o', 'experimental-prometheus-rw', '--tag', 'testid=one', env=env)
            pods.wait_until_paused()
            pods.start_test()
            for runner in runners:
                done = runner.finish()
                self.assertEqual(done.code, 0, done)
            # One VU on each runner: 100, 200, 300 and 400 ms, 20 times each.
            self.assertEqual(server.value('sum(k6_iterations_total{testid="one"})'), 80)
            self.assertEqual(server.value('count(count by (instance_id) (k6_iterations_total{testid="one"}))'), 4)
            self.assertEqual(server.value('histogram_count(sum(k6_size_seconds{testid="one"}))'), 80)
            self.assertAlmostEqual(server.value('histogram_quantile(0.95, sum(k6_size_seconds{testid="one"}))'), 0.4, delta=0.02)
            self.assertAlmostEqual(server.value('histogram_quantile(0.5, sum(k6_size_seconds{testid="one"}))'), 0.2, delta=0.02)
            # What an average of the runners' own percentiles would say.
            self.assertAlmostEqual(server.value('avg(histogram_quantile(0.95, sum by (instance_id) (k6_size_seconds{testid="one"})))'), 0.25, delta=0.02)


if __name__ == '__main__':
    if PROGRAM is None:
        print('skipped: there is no prometheus')
        sys.exit(77)
    unittest.main(verbosity=1)
