#!/usr/bin/env python3
"""--out experimental-prometheus-rw into a real Prometheus.
Environment: KILN and QUICKPIZZA, paths of the programs."""
import json
import sys
import tempfile
import time
import unittest

from kiln_runner import Started, kiln, script
from prometheus_server import PROGRAM, Prometheus
from quickpizza_server import QuickPizza

SCRIPT = """
import http from 'k6/http';
import ws from 'k6/ws';
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
export const options = {
    scenarios: {
        browse: { executor: 'per-vu-iterations', vus: 2, iterations: 20 },
        rush: { executor: 'constant-arrival-rate', rate: 200, duration: '1s', preAllocatedVUs: 1, exec: 'rush' },
    },
    summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(90)', 'p(99)', 'p(99.9)', 'count'],
};
const counter = new Counter('my_counter'), gauge = new Gauge('my_gauge'), rate = new Rate('my_rate');
const time = new Trend('my_time', true), plain = new Trend('my_plain');
const url = __ENV.BASE_URL;
export default function () {
    group('shop', () => check(http.get(url + '/api/ratings'), { 'is refused': (r) => r.status === 401, never: () => false }));
    ws.connect(url.replace('http', 'ws') + '/ws', (socket) => {
        socket.on('open', () => { socket.send('hello'); socket.ping(); });
        socket.on('pong', () => socket.close());
        socket.setTimeout(() => socket.close(), 20000);
    });
    counter.add(2); gauge.add(7); rate.add(__ITER % 4 === 0); time.add(__ITER + 0.5); plain.add(-__ITER);
}
export function rush() { const end = Date.now() + 20; while (Date.now() < end); }
export function handleSummary(data) { return { [__ENV.SUMMARY]: JSON.stringify(data) }; }
"""

OUTAGE = """
import { Counter } from 'k6/metrics';
import { sleep } from 'k6';
const counter = new Counter('my_counter');
export default function () { counter.add(1); sleep(0.02); }
"""

TREND_STATS = {'avg': 'avg', 'min': 'min', 'med': 'med', 'max': 'max', 'p90': 'p(90)', 'p99': 'p(99)', 'p999': 'p(99.9)',
               'count': 'count'}


class RealPrometheus(unittest.TestCase):
    def summary_of_a_run(self, server, *arguments, env=None):
        with QuickPizza() as pizza, tempfile.NamedTemporaryFile() as summary:
            run = kiln('run', '--quiet', '--tag', 'testid=run-1', *arguments, script(self, SCRIPT),
                       env={'K6_PROMETHEUS_RW_SERVER_URL': server.write_url, 'SUMMARY': summary.name,
                            'BASE_URL': 'http://%s:%d' % (pizza.host, pizza.port), **(env or {})})
            self.assertEqual(run.code, 0, run.err)
            self.assertEqual([line for line in run.log if line[0] == 'error'], [])
            return json.load(summary)['metrics']

    def test_every_builtin_metric_is_there_and_agrees_with_the_summary(self):
        with Prometheus() as server:
            metrics = self.summary_of_a_run(server, '-o', 'experimental-prometheus-rw', env={
                'K6_PROMETHEUS_RW_TREND_STATS': 'count,sum,min,max,avg,med,p(90),p(99),p(99.9)'})
            for name in ('vus', 'vus_max', 'iterations', 'iteration_duration', 'dropped_iterations', 'checks', 'group_duration',
                         'data_sent', 'data_received', 'http_reqs', 'http_req_duration', 'http_req_blocked',
                         'http_req_connecting', 'http_req_tls_handshaking', 'http_req_sending', 'http_req_waiting',
                         'http_req_receiving', 'http_req_failed', 'ws_sessions', 'ws_connecting', 'ws_session_duration',
                         'ws_msgs_sent', 'ws_ping'):
                self.assertIn(name, metrics)
            self.check_all(server, metrics, {'counter': self.check_counter, 'gauge': self.check_gauge, 'rate': self.check_rate,
                                             'trend': self.check_trend})

    def test_native_histograms_agree_with_the_summary(self):
        with Prometheus() as server:
            metrics = self.summary_of_a_run(server, '-o', 'experimental-prometheus-rw=trendAsNativeHistogram=true')
            self.check_all(server, metrics, {'trend': self.check_native})
            self.assertEqual(server.query('k6_http_req_duration_p99'), [])

    def check_all(self, server, metrics, checks):
        checked = set()
        for name, metric in metrics.items():
            if '{' not in name and metric['type'] in checks:
                checks[metric['type']](server, name, metric)
                checked.add(metric['type'])
        self.assertEqual(checked, set(checks))

    def check_counter(self, server, name, metric):
        self.assertAlmostEqual(server.value('sum(k6_%s_total{testid="run-1"})' % name), metric['values']['count'], msg=name)

    def check_gauge(self, server, name, metric):
        self.assertEqual(server.value('sum(k6_%s{testid="run-1"})' % name), metric['values']['value'], name)

    def check_rate(self, server, name, metric):
        """A rate is one of each series; their mean is that of the metric where all series have as many samples."""
        values = [float(s['value'][1]) for s in server.query('k6_%s_rate{testid="run-1"}' % name)]
        self.assertAlmostEqual(sum(values) / len(values), metric['values']['rate'], msg=name)

    def check_trend(self, server, name, metric):
        values = metric['values']
        factor = 1e-3 if metric['contains'] == 'time' else 1
        series = server.query('k6_%s_count{testid="run-1"}' % name)
        self.assertAlmostEqual(sum(float(s['value'][1]) for s in series), values['count'] * factor, msg=name)
        total = server.value('sum(k6_%s_sum{testid="run-1"})' % name)
        self.assertAlmostEqual(total, values['avg'] * values['count'] * factor, msg=name)
        if len(series) == 1:
            for suffix, stat in TREND_STATS.items():
                self.assertAlmostEqual(server.value('k6_%s_%s' % (name, suffix)), values[stat] * factor, msg=name + suffix)

    def check_native(self, server, name, metric):
        values = metric['values']
        factor = 1e-3 if metric['contains'] == 'time' else 1
        unit = '_seconds' if metric['contains'] == 'time' else ''
        native = 'k6_%s%s{testid="run-1"}' % (name, unit)
        self.assertEqual(server.value('sum(histogram_count(%s))' % native), values['count'], name)
        self.assertAlmostEqual(server.value('sum(histogram_sum(%s))' % native), values['avg'] * values['count'] * factor,
                               msg=name)
        if values['max'] > 0:  # the bucket of the largest value, whose bounds are a factor of 2^(1/8) apart
            top = max(float(s['value'][1]) for s in server.query('histogram_quantile(1, %s)' % native))
            self.assertGreaterEqual(top * (1 + 1e-9), values['max'] * factor, name)
            self.assertLessEqual(top, values['max'] * factor * 2 ** (1 / 8) * (1 + 1e-9), name)

    def test_labels_are_the_tags(self):
        with Prometheus() as server:
            self.summary_of_a_run(server, '-o', 'experimental-prometheus-rw')
            series, = server.query('k6_http_req_duration_p99')
            labels = series['metric']
            self.assertEqual([labels[n] for n in ('testid', 'scenario', 'group', 'method', 'status', 'expected_response')],
                             ['run-1', 'browse', '::shop', 'GET', '401', 'false'])
            self.assertIn('/api/ratings', labels['name'])
            self.assertEqual(server.query('k6_http_req_duration_avg'), [])
            self.assertEqual({s['metric']['check'] for s in server.query('k6_checks_rate')}, {'is refused', 'never'})

    def test_stale_markers_end_the_series(self):
        text = script(self, 'import { Gauge } from "k6/metrics"; const g = new Gauge("my_gauge");'
                            'export default function () { g.add(1); }')
        with Prometheus() as server:
            for markers, n in (('true', 0), ('false', 1)):
                run = kiln('run', '--quiet', '-o', 'experimental-prometheus-rw', '--tag', 'stale=' + markers, text,
                           env={'K6_PROMETHEUS_RW_SERVER_URL': server.write_url, 'K6_PROMETHEUS_RW_STALE_MARKERS': markers})
                self.assertEqual(run.log, [])
                selector = 'k6_my_gauge{stale="%s"}' % markers
                # An instant a little later: the marker's time is some milliseconds after the value's.
                self.assertEqual(len(server.query(selector, time=time.time() + 1)), n)
                self.assertEqual(len(server.samples(selector)), 1)

    def test_a_restart_in_mid_run_loses_nothing(self):
        env = {'K6_PROMETHEUS_RW_PUSH_INTERVAL': '1s'}
        with Prometheus() as server:
            env['K6_PROMETHEUS_RW_SERVER_URL'] = server.write_url
            with Started('run', '--quiet', '-d', '100s', '-o', 'experimental-prometheus-rw', script(self, OUTAGE),
                         env=env) as run:
                end = time.monotonic() + 60
                while not server.query('k6_my_counter_total'):
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.05)
                server.kill()
                killed = time.time()
                run.wait_for('Failed to send the time series data', 60)
                time.sleep(3)  # the outage spans flushes; nothing is waited for
                restarted = time.time()
                server.start()
                run.wait_for('answers again', 60)
                run.process.terminate()
                done = run.finish(60)
            self.assertNotIn('lost', done.err)
            count = float(done.summary['my_counter'].split()[0])
            samples = server.samples('k6_my_counter_total')
            self.assertEqual(samples[-1][1], count)
            self.assertTrue([t for t, _ in samples if killed < t < restarted], samples)

    def test_a_server_that_never_comes_is_told_with_what_is_lost(self):
        run = kiln('run', '--quiet', '-i', '3', '-o', 'experimental-prometheus-rw', script(self, OUTAGE),
                   env={'K6_PROMETHEUS_RW_SERVER_URL': 'http://127.0.0.1:9/api/v1/write'})
        self.assertEqual(run.code, 0)
        self.assertIn('dial tcp 127.0.0.1:9: connect: connection refused', run.err)
        self.assertRegex(run.err, r'The output experimental-prometheus-rw lost \d+ values of time series')


if __name__ == '__main__':
    if not PROGRAM:
        print('prometheus is missing')
        sys.exit(77)
    unittest.main()
