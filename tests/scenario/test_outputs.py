#!/usr/bin/env python3
"""Outputs together: several at once, from every place that names them, tagged alike, and how they fail.
Environment: KILN, path of the program."""
import base64
import csv
import gzip
import json
import os
import re
import signal
import socket
import tempfile
import time
import unittest

from kiln_runner import Started, kiln, script
from otlp_receiver import HttpReceiver

SCRIPT = """
import { check } from 'k6';
import { Counter, Trend } from 'k6/metrics';
const counter = new Counter('my_counter'), trend = new Trend('my_trend');
export default function () { counter.add(1, { own: 'yes' }); trend.add(__ITER); check(1, { 'it is': (x) => x === 1 }); }
"""


class Datagrams:
    """A UDP server: the lines that came so far."""

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(('127.0.0.1', 0))
        self.socket.settimeout(30)
        self.address = '127.0.0.1:%d' % self.socket.getsockname()[1]
        return self

    def __exit__(self, *_):
        self.socket.close()

    def lines_until(self, pattern):
        text = ''
        while not re.search(pattern, text):
            text += self.socket.recv(65536).decode()
        return text.splitlines()


class Outputs(unittest.TestCase):
    def run_kiln(self, *arguments, env=None, code=0):
        run = kiln('run', '-i', '5', *arguments, script(self, SCRIPT), env=env)
        self.assertEqual(run.code, code, run.err)
        return run

    def test_several_at_once_all_get_every_sample_and_tag(self):
        with HttpReceiver() as receiver, tempfile.TemporaryDirectory() as folder:
            url = 'http://' + receiver.endpoint
            files = [os.path.join(folder, name) for name in ('a.json', 'b.json.gz', 'c.csv', 'd.csv.gz')]
            env = {'K6_OUT': 'json=%s,json=%s,csv=%s,csv=%s,influxdb=%s/db,experimental-prometheus-rw,opentelemetry' % (
                       *files, url),
                   'K6_PROMETHEUS_RW_SERVER_URL': url + '/api/v1/write', 'K6_OTEL_EXPORTER_PROTOCOL': 'http/protobuf',
                   'K6_OTEL_HTTP_EXPORTER_ENDPOINT': receiver.endpoint, 'K6_OTEL_HTTP_EXPORTER_INSECURE': 'true'}
            run = self.run_kiln('--tag', 'testid=run-77', env=env)
            self.assertEqual(run.log, [])
            output = re.search(r'output: (.*)', run.out).group(1)
            self.assertEqual(output, 'json (%s), json (%s), csv (%s), csv (%s), InfluxDBv1 (%s), Prometheus remote write '
                             '(%s/api/v1/write), opentelemetry (http/protobuf, %s/v1/metrics)' % (*files, url, url, url))
            for name, opener in ((files[0], open), (files[1], gzip.open)):
                with opener(name, 'rt') as f:
                    points = [p for p in map(json.loads, f) if p['type'] == 'Point']
                self.assertEqual({p['data']['tags'].get('testid') for p in points}, {'run-77'})
                self.assertEqual([p['data']['value'] for p in points if p['metric'] == 'my_trend'], [0, 1, 2, 3, 4])
            for name, opener in ((files[2], open), (files[3], gzip.open)):
                with opener(name, 'rt') as f:
                    rows = list(csv.DictReader(f))
                self.assertTrue(all('testid=run-77' in r['extra_tags'] for r in rows))
                self.assertEqual([float(r['metric_value']) for r in rows if r['metric_name'] == 'my_trend'], [0, 1, 2, 3, 4])
            bodies = {path: b''.join(r.body for r in receiver.requests if r.path.startswith(path))
                      for path in ('/write', '/api/v1/write', '/v1/metrics')}
            lines = bodies['/write'].decode().splitlines()
            self.assertTrue(all(',testid=run-77' in line for line in lines))
            self.assertEqual(len([line for line in lines if line.startswith('my_counter,own=yes,')]), 5)
            for body in bodies.values():
                self.assertIn(b'run-77', body)

    def test_flags_take_the_place_of_the_variable(self):
        with tempfile.TemporaryDirectory() as folder:
            a, b = os.path.join(folder, 'a'), os.path.join(folder, 'b')
            self.run_kiln('--out', 'json=' + a, env={'K6_OUT': 'json=' + b})
            self.assertEqual(sorted(os.listdir(folder)), ['a'])

    def test_the_config_file_may_hold_their_settings(self):
        with HttpReceiver() as receiver, tempfile.NamedTemporaryFile('w', suffix='.json') as config:
            url = 'http://' + receiver.endpoint
            json.dump({'out': ['influxdb', 'experimental-prometheus-rw'], 'collectors': {
                'influxdb': {'addr': url, 'db': 'of_file'},
                'experimental-prometheus-rw': {'url': url + '/push', 'headers': {'X-Own': 'yes'}}}}, config)
            config.flush()
            run = self.run_kiln('--config', config.name, env={'K6_INFLUXDB_DB': 'of_env'})
            self.assertEqual(run.log, [])
            paths = [r.path for r in receiver.requests]
            self.assertIn('/write?consistency=&db=of_env&precision=ns&rp=', paths)
            self.assertEqual([r.headers['X-Own'] for r in receiver.requests if r.path == '/push'], ['yes'])

    def test_unknown_names_fail_with_the_list(self):
        for arguments, env in ((('-o', 'nothing=1'), None), ((), {'K6_OUT': 'json=/dev/null,nothing'})):
            run = self.run_kiln(*arguments, env=env, code=255)
            self.assertIn("invalid output type 'nothing', available types are: cloud, csv, experimental-opentelemetry, "
                          'experimental-prometheus-rw, influxdb, json, opentelemetry, statsd, web-dashboard', run.err)

    def test_the_cloud_says_what_to_do_instead(self):
        self.assertIn('kiln has no cloud to send to', self.run_kiln('-o', 'cloud', code=255).err)
        run = kiln('cloud', script(self, SCRIPT))
        self.assertEqual(run.code, 255)
        self.assertIn('run the test with `kiln run`', run.err)

    def test_statsd_sends_each_sample_with_its_tags(self):
        with Datagrams() as server:
            env = {'K6_STATSD_ADDR': server.address, 'K6_STATSD_ENABLE_TAGS': 'true', 'K6_STATSD_NAMESPACE': 'lab.',
                   'K6_STATSD_TAG_BLOCKLIST': 'scenario,group', 'KILN_COMPAT': 'v0.51'}
            run = self.run_kiln('-o', 'statsd', '--tag', 'testid=run-77', env=env)
            self.assertIn('output: statsd (%s)' % server.address, run.out)
            lines = server.lines_until(r'(?s)(lab\.iterations:.*){5}')
        for want in ('lab.my_counter:1|c|#own:yes,testid:run-77', 'lab.check.it is.pass:1|c|#check:it is,testid:run-77'):
            self.assertEqual(lines.count(want), 5, lines)
        self.assertEqual([line for line in lines if line.startswith('lab.my_trend')],
                         ['lab.my_trend:%d.000000|ms|#testid:run-77' % i for i in range(5)])

    def test_remote_write_authenticates(self):
        basic = 'Basic ' + base64.b64encode(b'me:secret').decode()
        user = {'K6_PROMETHEUS_RW_USERNAME': 'me', 'K6_PROMETHEUS_RW_PASSWORD': 'secret'}
        signed = {'K6_PROMETHEUS_RW_SIGV4_' + k: k.lower() for k in ('REGION', 'ACCESS_KEY', 'SECRET_KEY')}
        for env, want in ((user, basic), ({**user, 'K6_PROMETHEUS_RW_BEARER_TOKEN': 'abc'}, 'Bearer abc'),
                          (signed, 'AWS4-HMAC-SHA256 Credential=access_key/')):
            with HttpReceiver() as receiver:
                run = self.run_kiln('-o', 'experimental-prometheus-rw', env={
                    'K6_PROMETHEUS_RW_SERVER_URL': 'http://%s/push' % receiver.endpoint,
                    'K6_PROMETHEUS_RW_HTTP_HEADERS': 'X-Scope-OrgID:lab, X-Other:1', 'K6_PROMETHEUS_RW_HEADERS_X-Third': '3',
                    **env})
                self.assertEqual(run.log, [])
                headers = receiver.requests[0].headers
            self.assertTrue(headers['Authorization'].startswith(want), headers)
            self.assertEqual([headers[n] for n in ('X-Scope-OrgID', 'X-Other', 'X-Third', 'Content-Encoding', 'Content-Type',
                                                   'X-Prometheus-Remote-Write-Version')],
                             ['lab', '1', '3', 'snappy', 'application/x-protobuf', '0.1.0'])

    def test_statuses_that_may_pass_are_tried_again_and_others_are_lost(self):
        for statuses, n, words in (([500, 429], 3, 'answers again'), ([400], 1, 'lost')):
            with HttpReceiver(statuses) as receiver:
                run = self.run_kiln('-o', 'experimental-prometheus-rw', env={
                    'K6_PROMETHEUS_RW_SERVER_URL': 'http://%s/push' % receiver.endpoint})
            self.assertEqual(len(receiver.requests), n)
            self.assertIn('got status code: %d instead expected a 2xx' % statuses[0], run.err)
            self.assertIn(words, run.err)
            self.assertEqual(run.code, 0)

    def test_an_interrupt_ends_the_wait_for_a_server_but_not_the_report(self):
        text = script(self, "import { sleep } from 'k6'; export default function () { sleep(0.1); }")
        with HttpReceiver([200] + [503] * 1000) as away, HttpReceiver() as other:
            env = {'K6_PROMETHEUS_RW_SERVER_URL': 'http://%s/push' % away.endpoint, 'K6_PROMETHEUS_RW_PUSH_INTERVAL': '1s',
                   'K6_OTEL_EXPORTER_PROTOCOL': 'http/protobuf', 'K6_OTEL_HTTP_EXPORTER_ENDPOINT': other.endpoint,
                   'K6_OTEL_HTTP_EXPORTER_INSECURE': 'true', 'K6_OTEL_EXPORT_INTERVAL': '1h'}
            with Started('run', '--quiet', '-d', '3s', '-o', 'experimental-prometheus-rw', '-o', 'opentelemetry', text,
                         env=env) as run:
                end = time.monotonic() + 60
                while not other.requests:  # it exports at the end only: the test is over
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.01)
                begin = time.monotonic()
                run.process.send_signal(signal.SIGINT)
                done = run.finish(60)
            self.assertLess(time.monotonic() - begin, 8)  # it would have waited for 10 s
        self.assertEqual(done.code, 0, done.err)
        self.assertRegex(done.err, r'The output experimental-prometheus-rw lost \d+ values')
        self.assertIn('iterations', done.summary)

    def test_a_server_that_never_answers_does_not_hold_up_the_test(self):
        with socket.socket() as silent:
            silent.bind(('127.0.0.1', 0))
            silent.listen()
            begin = time.monotonic()
            run = self.run_kiln('-o', 'experimental-prometheus-rw', env={
                'K6_PROMETHEUS_RW_SERVER_URL': 'http://127.0.0.1:%d/' % silent.getsockname()[1]})
        self.assertIn('context deadline exceeded', run.err)
        self.assertRegex(run.err, r'lost \d+ values of time series')
        self.assertLess(time.monotonic() - begin, 60)


if __name__ == '__main__':
    unittest.main()
