#!/usr/bin/env python3
"""The web dashboard of one runner follows the others: --follow."""
import http.server
import json
import os
import re
import threading
import unittest

from kiln_runner import free_port, run_tests_together
from operator_harness import START, STOP, Pods, curl, until

SCRIPT = """
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Trend } from 'k6/metrics';
const size = new Trend('size');
export const options = { vus: 3, duration: '60s', gracefulStop: '0s' };
export default function () {
  for (let i = 0; i < 20; i++) size.add(exec.vu.idInTest * 100);
  check(1, { fine: () => true });
  sleep(0.1);
}
"""


class FollowTest(unittest.TestCase):
    def setUp(self):
        self.pods = self.enterContext(Pods())
        self.events = os.path.join(self.pods.results, 'events.json')

    def start(self, *user, n=3):
        """All follow all, as they have one command line; one has a dashboard."""
        ports = [free_port() for _ in range(n)]
        self.page = free_port()
        script = self.pods.script(SCRIPT)
        everybody = ','.join('http://127.0.0.1:%d' % port for port in ports)
        for i, port in enumerate(ports, 1):
            argv = self.pods.runner_argv(script, i, n, *(['--follow', everybody] if i == 1 else []), *user, address='0.0.0.0:%d' % port)
            dashboard = {'K6_WEB_DASHBOARD': 'true', 'K6_WEB_DASHBOARD_PORT': str(self.page), 'K6_WEB_DASHBOARD_RECORD': self.events} if i == 1 else {}
            self.pods.start(argv, env=dashboard, address='127.0.0.1:%d' % port)
        self.pods.wait_until_paused()
        self.pods.start_test()
        return self.pods.runners

    def names(self, events):
        """Sorted names of all metrics that were told so far: the order of values."""
        names = set()
        for event in events:
            if event['event'] == 'metric':
                names |= set(event['data'])
        return sorted(names)

    def events_now(self):
        """What the page would be sent: all events so far."""
        text = curl('http://127.0.0.1:%d/events' % self.page, timeout=0.3).stdout
        found = re.findall(r'event: (\w+)\ndata: (.*)\n\n', text)
        return [{'event': name, 'data': json.loads(data)} for name, data in found]

    def recorded(self):
        with open(self.events, encoding='utf-8') as f:
            return [json.loads(line) for line in f]

    def latest(self, name, events):
        """The aggregates of the last cumulative event."""
        found, seen = None, []
        for event in events:
            seen.append(event)
            if event['event'] == 'cumulative':
                values = dict(zip(self.names(seen), event['data']))
                found = values.get(name) or found
        return found

    def test_percentiles_are_those_of_all(self):
        runners = self.start()

        def stats():
            events = self.events_now()
            trend = next((e['data']['aggregates']['trend'] for e in events if e['event'] == 'param'), [])
            found = dict(zip(trend, self.latest('size', events) or []))
            return [found.get(name) for name in ('min', 'med', 'p(95)', 'max')]
        # VU 1 measures 100s, VU 2 200s, VU 3 300s; each is on another runner.
        until(lambda: stats() == [100, 200, 300, 300], 'the percentiles of all')
        for runner in runners:
            runner.patch(STOP)
            self.assertEqual(runner.finish().code, 103)
        own = [line for line in runners[0].text('out').splitlines() if line.strip().startswith('size')][0]
        self.assertRegex(own, r'min=(\d+) +med=\1 +max=\1')  # its own summary is of its own share

    def test_vus_and_counts_add_up(self):
        runners = self.start()
        until(lambda: (self.latest('vus', self.events_now()) or [0])[0] == 3, 'three VUs')

        def are_added():
            own = json.loads(runners[0].get('/v1/metrics/iterations').stdout)['data']['attributes']['sample']['count']
            return own > 0 and (self.latest('iterations', self.events_now()) or [0])[0] > own * 2
        until(are_added, 'the iterations of all')
        for runner in runners[1:] + runners[:1]:
            runner.patch(STOP)
            runner.finish()
        counts = [int(next(line for line in r.text('out').splitlines() if line.strip().startswith('iterations.')).split()[1]) for r in runners]
        found = self.latest('iterations', self.recorded())[0]
        self.assertGreater(found, counts[0])
        self.assertLessEqual(found, sum(counts))
        with open(self.events, encoding='utf-8') as f:
            checks = [json.loads(line)['data'] for line in f if '"event":"checks"' in line][-1]
        self.assertGreater(checks[0]['passes'], counts[0])
        self.assertLessEqual(checks[0]['passes'], sum(counts) + 3)  # interrupted iterations have checked, too

    def test_one_that_goes_away_is_told(self):
        runners = self.start(n=2)
        until(lambda: (self.latest('vus', self.events_now()) or [0])[0] == 3, 'three VUs')
        runners[1].process.kill()
        runners[0].wait_for('does not answer: the web dashboard goes on without it')
        runners[0].patch(STOP)
        self.assertEqual(runners[0].finish().code, 103)

    def test_what_answers_nonsense_harms_nobody(self):
        class Nonsense(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'\x05\0\0\0\0\0\0\0\x08\0\0\0KILNRUN\n' + os.urandom(200))

            def log_message(self, *_):
                pass
        with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Nonsense) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            runner = self.pods.start_runner(self.pods.script(SCRIPT), 1, 1, '--follow', '127.0.0.1:%d' % server.server_port,
                                            env={'K6_WEB_DASHBOARD': 'true', 'K6_WEB_DASHBOARD_PORT': '0'})
            self.pods.wait_until_paused()
            runner.patch(START)
            runner.wait_for('cannot follow')
            runner.patch(STOP)
            self.assertEqual(runner.finish().code, 103)
            server.shutdown()

    def test_it_needs_a_dashboard(self):
        done = self.pods.run('k6', 'run', '-q', '--follow', 'http://127.0.0.1:1', self.pods.script(SCRIPT))
        self.assertNotEqual(done.code, 0)
        self.assertIn('--follow is for the web dashboard', done.err)
        done = self.pods.run('k6', 'run', '-q', '--follow', 'http://a/b', self.pods.script(SCRIPT, 'other'), env={
            'K6_WEB_DASHBOARD': 'true', 'K6_WEB_DASHBOARD_PORT': '-1'})
        self.assertNotEqual(done.code, 0)
        self.assertIn("invalid --follow 'a/b'", done.err)


if __name__ == '__main__':
    run_tests_together(3)
