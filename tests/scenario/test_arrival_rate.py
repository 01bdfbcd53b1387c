#!/usr/bin/env python3
"""What can be measured of an arrival rate beyond k6: how late iterations begin, and latency from when they should have.
Environment: KILN."""
import json
import unittest

from http_server import HttpServer
from kiln_runner import kiln, script

SCRIPT = '''
import http from 'k6/http';
export const options = {
    scenarios: {
        rate: { executor: 'constant-arrival-rate', rate: 50, duration: '1s', preAllocatedVUs: 5, exec: 'get' },
        loop: { executor: 'per-vu-iterations', vus: 1, iterations: 7, exec: 'get' },
        burn: { executor: 'per-vu-iterations', vus: 2, iterations: 1, exec: 'burn' },
    },
    thresholds: { %s: ['p(95)<60000'] },
};
export function get() { http.get('%s/', { tags: { kind: 'x' } }); }
export function burn() { for (const end = Date.now() + 900; Date.now() < end;); }
export function handleSummary(data) { return { stdout: JSON.stringify(data.metrics) }; }
'''


def serve(http):
    http.begin(200, 'text/plain')
    http.chunk('')


class ArrivalRate(unittest.TestCase):
    def metrics(self, metric, *arguments, env=None):
        with HttpServer(serve) as server:
            run = kiln('run', '--quiet', '--summary-trend-stats', 'min,avg,max,count', *arguments, script(self, SCRIPT % (metric, server.url)), env=env)
        return run, json.loads(run.out) if run.code == 0 else {}

    def test_latency_counts_from_when_the_request_was_due(self):
        for arguments, env in ((['--corrected-latency', '--workers', '1'], None), (['--workers', '1'], {'KILN_CORRECTED_LATENCY': '1'})):
            run, metrics = self.metrics('http_req_duration_corrected', *arguments, env=env)
            self.assertEqual(run.code, 0, run.err)
            corrected, duration = metrics['http_req_duration_corrected']['values'], metrics['http_req_duration']['values']
            self.assertEqual(duration['count'], corrected['count'] + 7)  # those of the loop had no time
            self.assertGreaterEqual(corrected['max'], corrected['avg'])
            self.assertGreater(corrected['min'], 0)

    def test_lateness(self):
        run, metrics = self.metrics('iteration_start_lateness', '--iteration-start-lateness')
        self.assertEqual(run.code, 0, run.err)
        lateness = metrics['iteration_start_lateness']['values']
        self.assertEqual(lateness['count'], metrics['iterations']['values']['count'] - 9)
        self.assertGreaterEqual(lateness['min'], 0)

    def test_neither_is_there_unless_it_is_asked_for(self):
        run, metrics = self.metrics('http_req_duration')
        self.assertEqual(run.code, 0, run.err)
        self.assertNotIn('http_req_duration_corrected', metrics)
        self.assertNotIn('iteration_start_lateness', metrics)


if __name__ == '__main__':
    unittest.main()
