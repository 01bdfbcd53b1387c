#!/usr/bin/env python3
"""--out influxdb into a real InfluxDB 1, over HTTP with a user and over UDP, and into a stand-in for the API of version 2.
Environment: KILN, path of the program."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

from http_server import HttpServer
from kiln_runner import kiln, script

PROGRAM = shutil.which('influxd')

CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{ports[0]}"
[meta]
  dir = "{dir}/meta"
[data]
  dir = "{dir}/data"
  wal-dir = "{dir}/wal"
[http]
  bind-address = "127.0.0.1:{ports[1]}"
  auth-enabled = true
  log-enabled = false
[monitor]
  store-enabled = false
[[udp]]
  enabled = true
  bind-address = "127.0.0.1:{ports[2]}"
  database = "datagrams"
  batch-size = 1
"""

SCRIPT = """
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const counter = new Counter('my_counter'), gauge = new Gauge('my_gauge'), rate = new Rate('my_rate');
const trend = new Trend('my_trend', true);
export default function () {
    group('shop', () => check(null, { 'is, fine': () => __ITER % 4 !== 0 }));
    counter.add(2, { 'tag a': 'v,1 =', n: `${__ITER}` });
    gauge.add(__ITER); rate.add(__ITER % 4 === 0); trend.add(__ITER * 1.5);
}
"""


def free_ports():
    """One for TCP, one for TCP, one for UDP."""
    kinds = (socket.SOCK_STREAM, socket.SOCK_STREAM, socket.SOCK_DGRAM)
    sockets = [socket.socket(socket.AF_INET, kind) for kind in kinds]
    for s in sockets:
        s.bind(('127.0.0.1', 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class InfluxDB:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='kiln-influxdb-')
        self.ports = free_ports()
        self.address = '127.0.0.1:%d' % self.ports[1]
        config = os.path.join(self.folder, 'influxdb.conf')
        with open(config, 'w') as f:
            f.write(CONFIG.format(dir=self.folder, ports=self.ports))
        with open(os.path.join(self.folder, 'log'), 'wb') as log:
            self.process = subprocess.Popen([PROGRAM, '-config', config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.wait()
            self.request("CREATE USER me WITH PASSWORD 'p@ss' WITH ALL PRIVILEGES")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def wait(self):
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen('http://%s/ping' % self.address, timeout=5).close()
                return
            except OSError:
                with open(os.path.join(self.folder, 'log')) as f:
                    assert self.process.poll() is None and time.monotonic() < end, f.read()[-4000:]
                time.sleep(0.05)

    def request(self, query, db=''):
        who = urllib.parse.urlencode({'db': db, 'u': 'me', 'p': 'p@ss', 'epoch': 'ns'})
        body = urllib.parse.urlencode({'q': query}).encode()
        with urllib.request.urlopen('http://%s/query?%s' % (self.address, who), body, timeout=30) as answer:
            result, = json.load(answer)['results']
        assert 'error' not in result, result
        return result.get('series', [])

    def rows(self, query, db='k6'):
        """[{column: value}] of all the series of an answer."""
        return [dict(zip(s['columns'], row), **s.get('tags', {})) for s in self.request(query, db) for row in s['values']]


@unittest.skipUnless(PROGRAM, 'influxd is missing')
class RealInfluxDB(unittest.TestCase):
    def run_kiln(self, output, *arguments, env=None):
        run = kiln('run', '--quiet', '-i', '8', '-o', output, *arguments, script(self, SCRIPT), env=env)
        self.assertEqual(run.code, 0, run.err)
        return run

    def test_every_sample_arrives_over_http(self):
        with InfluxDB() as server:
            run = self.run_kiln('influxdb=http://me:p%%40ss@%s/my_db' % server.address, '--tag', 'testid=run-1',
                                env={'K6_INFLUXDB_TAGS_AS_FIELDS': 'n:int'})
            self.assertEqual(run.log, [])
            rows = server.rows('SELECT * FROM my_counter', 'my_db')
            self.assertEqual(sorted(r['n'] for r in rows), list(range(8)))
            self.assertEqual({(r['value'], r['tag a'], r['testid'], r['scenario']) for r in rows},
                             {(2, 'v,1 =', 'run-1', 'default')})
            self.assertEqual([r['value'] for r in server.rows('SELECT value FROM my_trend', 'my_db')],
                             [i * 1.5 for i in range(8)])
            self.assertEqual(server.rows('SELECT sum(value) FROM checks', 'my_db')[0]['sum'], 6)
            self.assertEqual({r['check'] for r in server.rows('SELECT * FROM checks', 'my_db')}, {'is, fine'})
            names = {r['name'] for r in server.rows('SHOW MEASUREMENTS', 'my_db')}
            self.assertGreaterEqual(names, {'iterations', 'iteration_duration', 'checks', 'group_duration', 'data_sent',
                                            'data_received', 'my_counter', 'my_gauge', 'my_rate', 'my_trend'})
            now = time.time()
            self.assertTrue(all(abs(r['time'] / 1e9 - now) < 600 for r in rows))

    def test_precision_and_user_by_variables(self):
        with InfluxDB() as server:
            run = self.run_kiln('influxdb', env={
                'K6_INFLUXDB_ADDR': 'http://' + server.address, 'K6_INFLUXDB_USERNAME': 'me', 'K6_INFLUXDB_PASSWORD': 'p@ss',
                'K6_INFLUXDB_DB': 'other', 'K6_INFLUXDB_PRECISION': 's'})
            self.assertEqual(run.log, [])
            rows = server.rows('SELECT * FROM my_counter', 'other')
            self.assertTrue(rows)
            self.assertEqual({r['time'] % 10 ** 9 for r in rows}, {0})

    def test_a_wrong_password_is_told_with_what_is_lost(self):
        with InfluxDB() as server:
            run = self.run_kiln('influxdb=http://me:wrong@%s/my_db' % server.address)
        self.assertIn("Couldn't write stats", run.err)
        self.assertIn('authorization failed', run.err)
        self.assertRegex(run.err, r'The output influxdb lost \d+ samples')

    def test_samples_arrive_over_udp(self):
        with InfluxDB() as server:
            server.request('CREATE DATABASE datagrams')
            run = self.run_kiln('influxdb=udp://127.0.0.1:%d' % server.ports[2])
            self.assertEqual(run.log, [])
            end = time.monotonic() + 30
            while len(server.rows('SELECT * FROM my_trend', 'datagrams')) < 8:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)


class Version2(unittest.TestCase):
    """Debian has no InfluxDB 2: a stand-in that keeps what it gets."""

    def setUp(self):
        self.requests, self.status = [], [204]

        def write(http):
            self.requests.append((http.path, dict(http.headers.items()), http.body().decode()))
            http.answer(self.status.pop(0) if len(self.status) > 1 else self.status[0])

        server = HttpServer(write)
        server.__enter__()
        self.addCleanup(server.__exit__)
        self.env = {'K6_INFLUXDB_ADDR': server.url, 'K6_INFLUXDB_TOKEN': 'secret',
                    'K6_INFLUXDB_ORGANIZATION': 'my org', 'K6_INFLUXDB_BUCKET': 'my&bucket'}

    def test_the_token_makes_it_speak_the_newer_api(self):
        run = kiln('run', '-i', '8', '-o', 'influxdb', script(self, SCRIPT), env=self.env)
        self.assertEqual(run.log, [])
        self.assertIn('output: InfluxDBv2 (%s)' % self.env['K6_INFLUXDB_ADDR'], run.out)
        path, headers, body = self.requests[0]
        self.assertEqual(path, '/api/v2/write?org=my%20org&bucket=my%26bucket&precision=ns')
        self.assertEqual(headers['Authorization'], 'Token secret')
        self.assertIn('my_counter,n=0,scenario=default,tag\\ a=v\\,1\\ \\= value=2 ', body)

    def test_a_busy_server_gets_everything_in_the_end(self):
        self.status[:] = [503, 429, 204]
        run = kiln('run', '--quiet', '-i', '8', '-o', 'influxdb', script(self, SCRIPT), env=self.env)
        self.assertIn('unexpected status 503', run.err)
        self.assertIn('answers again', run.err)
        self.assertNotIn('lost', run.err)
        self.assertGreaterEqual(len(self.requests), 3)


if __name__ == '__main__':
    unittest.main()
