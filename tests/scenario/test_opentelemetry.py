#!/usr/bin/env python3
"""--out opentelemetry against receivers that decode what comes: Python's HTTP server, and gRPC's own.
Environment: KILN, path of the program."""
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import unittest

from debian_python import with_modules
from kiln_runner import Started, kiln, script
from otlp_receiver import GrpcReceiver, HttpReceiver, decode

HAS_GRPC = with_modules('grpc')

SCRIPT = """
import { check, group } from 'k6';
import exec from 'k6/execution';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const counter = new Counter('my_counter'), gauge = new Gauge('my_gauge'), rate = new Rate('my_rate');
const trend = new Trend('my_trend'), time = new Trend('my_time', true);
const bytes = new Counter('my_bytes', false), data = new Trend('my_wide');
export default function () {
    group('shop', () => check(null, { fine: () => exec.scenario.iterationInTest % 4 !== 0 }));
    counter.add(2, { kind: 'a b', empty: '' });
    gauge.add(exec.scenario.iterationInTest);
    rate.add(exec.scenario.iterationInTest % 4 === 0);
    for (const v of [-3, 0, 5, 5.0001, 70, 20000]) trend.add(v);
    time.add(12.5);
    data.add(1e-30); data.add(1e30);
}
"""

# ExportMetricsServiceResponse { partial_success { rejected_data_points: 3, error_message: "too old" } }
PARTIAL = b'\x0a\x0b\x08\x03\x12\x07too old'


def values(metrics, name):
    return {tuple(sorted(p['attributes'].items())): p['value'] for p in metrics[name].points}


class Metrics(unittest.TestCase):
    def run_kiln(self, *arguments, env, text=SCRIPT, code=0):
        run = kiln('run', '--quiet', *arguments, script(self, text), env=env)
        self.assertEqual(run.code, code, run.err)
        return run

    def over_http(self, *arguments, env=None, statuses=(), answer=b'', output='opentelemetry'):
        with HttpReceiver(statuses, answer) as receiver:
            run = self.run_kiln('-i', '4', '-o', output, *arguments,
                                env={'K6_OTEL_EXPORTER_PROTOCOL': 'http/protobuf',
                                     'K6_OTEL_HTTP_EXPORTER_ENDPOINT': receiver.endpoint,
                                     'K6_OTEL_HTTP_EXPORTER_INSECURE': 'true', **(env or {})})
            return run, receiver

    def check_values(self, metrics):
        scenario = ('scenario', 'default'), ('testid', '7')
        self.assertEqual(values(metrics, 'my_counter'), {(('kind', 'a b'), *scenario): 8})
        self.assertEqual(values(metrics, 'iterations'), {scenario: 4})
        self.assertEqual(values(metrics, 'my_gauge'), {scenario: 3})
        self.assertEqual(values(metrics, 'my_rate.total'),
                         {(('condition', 'nonzero'), *scenario): 1, (('condition', 'zero'), *scenario): 3})
        self.assertEqual(values(metrics, 'checks.total'),
                         {(('check', 'fine'), ('condition', 'nonzero'), ('group', '::shop'), *scenario): 3,
                          (('check', 'fine'), ('condition', 'zero'), ('group', '::shop'), *scenario): 1})
        self.assertEqual([(metrics[n].kind, metrics[n].unit) for n in ('my_counter', 'data_sent', 'my_gauge', 'my_time',
                                                                       'my_trend', 'checks.total')],
                         [('sum', ''), ('sum', 'By'), ('gauge', ''), ('histogram', 'ms'), ('histogram', ''), ('sum', '')])
        self.assertTrue(metrics['my_counter'].is_monotonic)
        self.assertEqual({m.temporality for m in metrics.values() if m.kind != 'gauge'}, {2})
        point, = metrics['my_trend'].points
        self.assertEqual((point['count'], point['min'], point['max']), (24, -3, 20000))
        self.assertAlmostEqual(point['sum'], 4 * 20077.0001, places=6)
        self.assertEqual(point['bounds'], [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000])
        self.assertEqual(point['counts'], [8, 4, 4, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4])
        self.assertLess(point['start'], point['time'])

    def test_http_carries_every_kind_of_metric(self):
        run, receiver = self.over_http('--tag', 'testid=7', env={
            'K6_OTEL_HEADERS': 'x-first=a%20b,X-Second=2', 'OTEL_RESOURCE_ATTRIBUTES': 'env=my%20lab,service.name=no'})
        self.assertEqual(run.log, [])
        request, = receiver.requests
        self.assertEqual(request.path, '/v1/metrics')
        self.assertEqual([request.headers[n] for n in ('Content-Type', 'x-first', 'X-Second')],
                         ['application/x-protobuf', 'a b', '2'])
        resource = {}
        self.check_values(decode(request.body, resource=resource))
        self.assertEqual(resource, {'env': 'my lab', 'service.name': 'k6', 'service.version': '2.2.1'})

    @unittest.skipUnless(HAS_GRPC, 'python3-grpcio is missing')
    def test_grpc_carries_every_kind_of_metric(self):
        for compression in ('none', 'gzip'):
            with GrpcReceiver() as receiver:
                run = self.run_kiln('-i', '4', '-o', 'opentelemetry', '--tag', 'testid=7', env={
                    'K6_OTEL_GRPC_EXPORTER_ENDPOINT': receiver.endpoint, 'K6_OTEL_GRPC_EXPORTER_INSECURE': 'true',
                    'K6_OTEL_HEADERS': 'x-first=a%20b', 'OTEL_EXPORTER_OTLP_COMPRESSION': compression,
                    'K6_OTEL_SERVICE_NAME': 'shop', 'K6_OTEL_SERVICE_VERSION': '9', 'OTEL_SERVICE_NAME': 'other'})
            self.assertEqual(run.log, [])
            request, = receiver.requests
            self.assertEqual(request.headers['x-first'], 'a b')
            resource = {}
            self.check_values(decode(request.body, resource=resource))
            self.assertEqual(resource, {'service.name': 'shop', 'service.version': '9'})

    def test_values_are_exported_each_interval_and_are_cumulative(self):
        text = """import { Counter } from 'k6/metrics'; import { sleep } from 'k6';
                  const c = new Counter('my_counter'); export default function () { c.add(1); sleep(0.01); }"""
        with HttpReceiver() as receiver:
            env = {'K6_OTEL_EXPORTER_TYPE': 'http', 'K6_OTEL_HTTP_EXPORTER_ENDPOINT': receiver.endpoint,
                   'K6_OTEL_HTTP_EXPORTER_INSECURE': 'true', 'K6_OTEL_EXPORT_INTERVAL': '1s',
                   'K6_OTEL_HTTP_EXPORTER_URL_PATH': '/other/path'}
            with Started('run', '--quiet', '-u', '1', '-d', '60s', '-o', 'opentelemetry', script(self, text), env=env) as run:
                end = time.monotonic() + 60
                while len(receiver.requests) < 3 and time.monotonic() < end:
                    time.sleep(0.01)
                run.process.terminate()
                run.finish(30)
        series = [decode(r.body)['my_counter'].points for r in receiver.requests]
        counts = [p['value'] for p, in series]
        self.assertGreaterEqual(len(counts), 4)
        self.assertEqual(counts, sorted(counts))
        self.assertLess(counts[0], counts[2])
        self.assertEqual(len({p['start'] for p, in series}), 1)
        self.assertEqual({r.path for r in receiver.requests}, {'/other/path'})

    def test_a_failure_that_may_pass_is_tried_again(self):
        run, receiver = self.over_http(statuses=[503, 429])
        self.assertEqual(len(receiver.requests), 3)
        self.assertEqual([r.body for r in receiver.requests[1:]], [receiver.requests[0].body] * 2)
        self.assertIn('status 503: not now', run.err)
        self.assertIn('answers again', run.err)
        self.assertNotIn('lost', run.err)

    def test_what_the_server_refuses_is_counted_as_lost(self):
        run, receiver = self.over_http(statuses=[400])
        self.assertEqual(len(receiver.requests), 1)
        self.assertIn('the OTLP endpoint answered with status 400: not now', run.err)
        self.assertRegex(run.err, r'The output opentelemetry lost \d+ data points')

    def test_a_part_that_was_refused_is_told(self):
        run, _ = self.over_http(answer=PARTIAL)
        self.assertIn('took the metrics only in part', run.err)
        self.assertIn('too old (3 data points rejected)', run.err)

    @unittest.skipUnless(HAS_GRPC, 'python3-grpcio is missing')
    def test_grpc_errors_that_may_pass_are_tried_again_and_others_told(self):
        import grpc
        for code, n_requests, is_lost in ((grpc.StatusCode.UNAVAILABLE, 2, False),
                                          (grpc.StatusCode.INVALID_ARGUMENT, 1, True)):
            with GrpcReceiver([code]) as receiver:
                run = self.run_kiln('-i', '1', '-o', 'opentelemetry', env={
                    'K6_OTEL_GRPC_EXPORTER_ENDPOINT': receiver.endpoint, 'K6_OTEL_GRPC_EXPORTER_INSECURE': 'true'})
            self.assertEqual(len(receiver.requests), n_requests)
            self.assertIn('rpc error: code = %d desc = not now, 100%% sure' % code.value[0], run.err)
            self.assertEqual('lost' in run.err, is_lost, run.err)

    @unittest.skipUnless(HAS_GRPC and shutil.which('openssl'), 'python3-grpcio or openssl is missing')
    def test_tls_with_certificates_of_both_sides(self):
        import grpc
        with tempfile.TemporaryDirectory() as folder:
            cert, key = os.path.join(folder, 'cert.pem'), os.path.join(folder, 'key.pem')
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
                            '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
                           check=True, stderr=subprocess.DEVNULL)
            with open(cert, 'rb') as c, open(key, 'rb') as k:
                pair, root = (k.read(), c.read()), None
                root = pair[1]
            own = {'K6_OTEL_TLS_CERTIFICATE': cert, 'K6_OTEL_TLS_CLIENT_CERTIFICATE': cert, 'K6_OTEL_TLS_CLIENT_KEY': key}
            with GrpcReceiver(credentials=grpc.ssl_server_credentials([pair], root, True)) as receiver:
                env = {'K6_OTEL_GRPC_EXPORTER_ENDPOINT': receiver.endpoint}
                run = self.run_kiln('-i', '4', '-o', 'opentelemetry', '--tag', 'testid=7', env={**env, **own})
                self.assertEqual(run.log, [])
                self.check_values(decode(receiver.requests[0].body))
                run = self.run_kiln('-i', '1', '-o', 'opentelemetry', env=env)
                self.assertIn('failed to upload metrics', run.err)
                self.assertEqual(len(receiver.requests), 1)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            with HttpReceiver(context=context) as receiver:
                run = self.run_kiln('-i', '1', '-o', 'opentelemetry', env={
                    'K6_OTEL_EXPORTER_PROTOCOL': 'http/protobuf', 'K6_OTEL_HTTP_EXPORTER_ENDPOINT': receiver.endpoint,
                    'K6_OTEL_TLS_INSECURE_SKIP_VERIFY': 'true', 'K6_OTEL_HTTP_EXPORTER_USERNAME': 'me',
                    'K6_OTEL_HTTP_EXPORTER_PASSWORD': 'secret'})
                self.assertEqual(run.log, [])
                self.assertEqual(receiver.requests[0].headers['Authorization'], 'Basic bWU6c2VjcmV0')

    def test_an_endpoint_without_tls_gets_a_hint(self):
        with HttpReceiver() as receiver:
            run = self.run_kiln('-i', '1', '-o', 'opentelemetry', env={'K6_OTEL_EXPORTER_PROTOCOL': 'http/protobuf',
                                                                       'K6_OTEL_HTTP_EXPORTER_ENDPOINT': receiver.endpoint})
        self.assertIn('if the endpoint has no TLS, set K6_OTEL_HTTP_EXPORTER_INSECURE=true', run.err)

    def test_older_forms_still_work(self):
        run, receiver = self.over_http(output='experimental-opentelemetry',
                                       env={'K6_OTEL_SINGLE_COUNTER_FOR_RATE': 'false', 'K6_OTEL_METRIC_PREFIX': 'k6.'})
        self.assertIn('You can now use just', run.err)
        metrics = decode(receiver.requests[0].body)
        self.assertEqual(values(metrics, 'k6.my_rate.occurred'), {(('scenario', 'default'),): 1})
        self.assertEqual(values(metrics, 'k6.my_rate.total'), {(('scenario', 'default'),): 4})

    def test_exponential_histograms(self):
        _, receiver = self.over_http(
            env={'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION': 'base2_exponential_bucket_histogram'})
        metrics = decode(receiver.requests[0].body)
        point, = metrics['my_trend'].points
        self.assertEqual((metrics['my_trend'].kind, point['scale'], point['zeros']), ('exponential', 3, 4))
        self.assertEqual((sum(point['positive'].values()), point['negative']), (16, {12: 4}))
        for index, n in point['positive'].items():  # (2^(i/8), 2^((i+1)/8)]
            inside = [v for v in (5, 5.0001, 70, 20000) if 2 ** (index / 8) < v <= 2 ** ((index + 1) / 8)]
            self.assertEqual(n, 4 * len(inside), index)
        wide, = metrics['my_wide'].points
        self.assertEqual(sum(wide['positive'].values()), 8)
        self.assertLess(max(wide['positive']) - min(wide['positive']), 160)

    def test_the_run_header_and_wrong_settings(self):
        run = kiln('run', '-i', '1', '-o', 'opentelemetry', script(self, 'export default function () {}'),
                   env={'K6_OTEL_GRPC_EXPORTER_ENDPOINT': '127.0.0.1:9', 'K6_OTEL_GRPC_EXPORTER_INSECURE': 'true'})
        self.assertIn('output: opentelemetry (grpc (insecure), 127.0.0.1:9)', run.out)
        self.assertIn('connection refused', run.err)
        self.assertRegex(run.err, r'lost \d+ data points')
        self.assertEqual(run.code, 0)
        for env, words in (({'K6_OTEL_EXPORTER_PROTOCOL': 'socket'}, 'unsupported exporter protocol \\"socket\\"'),
                           ({'K6_OTEL_EXPORTER_PROTOCOL': 'http/protobuf', 'K6_OTEL_HTTP_EXPORTER_ENDPOINT': 'http://a'},
                            'HTTP exporter endpoint must only be host and port, no scheme'),
                           ({'K6_OTEL_HEADERS': 'nothing'}, 'expected format key=value'),
                           ({'K6_OTEL_TLS_CERTIFICATE': '/no/such'}, 'no such file or directory'),
                           ({'K6_OTEL_EXPORT_INTERVAL': 'soon'}, 'K6_OTEL_EXPORT_INTERVAL'),
                           ({'K6_OTEL_EXPORT_INTERVAL': '0'}, 'should be positive'),
                           ({'K6_OTEL_GRPC_EXPORTER_INSECURE': 'maybe'}, 'K6_OTEL_GRPC_EXPORTER_INSECURE')):
            run = self.run_kiln('-i', '1', '-o', 'opentelemetry', env=env, code=255)
            self.assertIn(words, run.err)


if __name__ == '__main__':
    unittest.main()
