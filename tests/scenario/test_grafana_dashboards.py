#!/usr/bin/env python3
"""The Grafana dashboards in deploy/: a real Prometheus, filled by a run, answers each of their queries with data.
Environment: KILN and QUICKPIZZA, paths of the programs."""
import json
import math
import os
import re
import subprocess
import sys
import time
import unittest

from kiln_runner import Started, script
from prometheus_server import PROGRAM, Prometheus
from quickpizza_server import QuickPizza

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'deploy', 'grafana')
DASHBOARDS = ('k6-prometheus.json', 'k6-prometheus-native-histograms.json')

SCRIPT = """
import http from 'k6/http';
import ws from 'k6/ws';
import { check, group, sleep } from 'k6';
export const options = { scenarios: {
    browse: { executor: 'constant-vus', vus: 2, duration: '4s' },
    rush: { executor: 'constant-arrival-rate', rate: 100, duration: '4s', preAllocatedVUs: 1, exec: 'rush' } } };
const url = __ENV.BASE_URL;
export default function () {
    group('shop', () => {
        check(http.get(url + '/api/config'), { 'is ok': (r) => r.status === 200 });
        http.get(url + '/api/ratings');
    });
    ws.connect(url.replace('http', 'ws') + '/ws', (socket) => {
        socket.on('open', () => socket.send('{"user": "me", "msg": "hello"}'));
        socket.on('message', () => socket.close());
        socket.setTimeout(() => socket.close(), 200);
    });
    sleep(0.05);
}
export function rush() { sleep(0.1); }
"""

# What a dashboard's variables stand for when it is opened, and Grafana's own.
DEFAULTS = {'testid': '.*', 'scenario': '.*', 'url': '.*', '__range': '15m', '__interval': '1s'}


def filled(text, values):
    out = re.sub(r'\$(\w+)', lambda m: values[m.group(1)], text)
    assert '$' not in out, out
    return out


def numbers(series):
    for one in series:
        for _, value in one.get('values', [one['value']] if 'value' in one else []):
            yield float(value)
        for _, value in one.get('histograms', []):
            yield float(value['count'])


class Dashboards(unittest.TestCase):
    def load(self, name):
        with open(os.path.join(FOLDER, 'dashboards', name), encoding='utf-8') as f:
            return json.load(f)

    def test_the_files_are_what_their_script_writes(self):
        run = subprocess.run([sys.executable, os.path.join(FOLDER, 'make_dashboards.py'), '--check'], capture_output=True)
        self.assertEqual((run.returncode, run.stdout), (0, b''))

    def test_the_workshop_finds_its_dashboard(self):
        self.assertEqual(self.load(DASHBOARDS[0])['uid'], 'ccbb2351-2ae2-462f-ae0e-f2c893ad1028')

    def test_panels_do_not_overlap(self):
        for name in DASHBOARDS:
            taken, ids = set(), set()
            for panel in self.load(name)['panels']:
                g = panel['gridPos']
                cells = {(x, y) for x in range(g['x'], g['x'] + g['w']) for y in range(g['y'], g['y'] + g['h'])}
                self.assertFalse(cells & taken, panel['title'])
                self.assertLessEqual(g['x'] + g['w'], 24)
                taken |= cells
                ids.add(panel['id'])
            self.assertEqual(len(ids), len(self.load(name)['panels']))

    def test_every_query_has_data_after_a_run(self):
        with Prometheus() as server, QuickPizza() as pizza:
            begin = time.time()
            env = {'K6_PROMETHEUS_RW_SERVER_URL': server.write_url, 'K6_PROMETHEUS_RW_PUSH_INTERVAL': '1s',
                   'K6_PROMETHEUS_RW_TREND_STATS': 'p(95),p(99),min,max',
                   'BASE_URL': 'http://%s:%d' % (pizza.host, pizza.port)}
            run = ['run', '--quiet', '--out=experimental-prometheus-rw', script(self, SCRIPT), '--tag']
            with Started(*run, 'testid=1', env=env) as gauges, \
                    Started(*run, 'testid=2', env={**env, 'K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM': 'true'}) as native:
                for started in (gauges, native):
                    done = started.finish(60)
                    self.assertEqual(done.code, 0, done.err)
                    self.assertEqual([line for line in done.log if line[0] == 'error'], [])
            end = time.time()
            for name in DASHBOARDS:
                board = self.load(name)
                values = dict(DEFAULTS, **self.check_variables(server, board))
                for panel in board['panels']:
                    for target in panel.get('targets', []):
                        self.check_target(server, name, panel, filled(target['expr'], values), target, begin, end)

    def check_variables(self, server, board):
        """Their values; each finds what the run wrote."""
        found = {}
        for variable in board['templating']['list']:
            name = variable['name']
            if variable['type'] == 'custom':
                found[name] = variable['current']['value']
            if variable['type'] != 'query':
                continue
            query = filled(variable['query']['query'], DEFAULTS)
            labels = re.fullmatch(r'label_values\((.*), (\w+)\)', query)
            if labels:
                got = {s[labels.group(2)] for s in server.get('series', **{'match[]': labels.group(1)}) if labels.group(2) in s}
            else:
                part = re.fullmatch(r'metrics\((.*)\)', query).group(1)
                regex = re.compile(variable['regex'].strip('/'))
                got = {regex.search(m).group(1) for m in server.get('label/__name__/values') if part in m and regex.search(m)}
                found[name] = variable['current']['value']
                self.assertIn(found[name], got)
            self.assertEqual(got, {'testid': {'1', '2'}, 'scenario': {'browse', 'rush'}, 'stat': {'p95', 'p99', 'min', 'max'}}.get(
                name, got))
            self.assertTrue(got, name)
        return found

    def check_target(self, server, name, panel, expression, target, begin, end):
        if target['instant']:
            series = server.query(expression, time=end + 10)  # a subquery has a point every 5 s
        else:
            series = server.get('query_range', query=expression, start=begin, end=end + 1, step=1)['result']
        words = '%s: %s: %s' % (name, panel['title'], expression)
        values = list(numbers(series))
        self.assertTrue(values, words + ' has no data')
        self.assertTrue(any(math.isfinite(v) for v in values), words + ' has no numbers')


if __name__ == '__main__':
    if not PROGRAM:
        print('prometheus is missing')
        sys.exit(77)
    unittest.main()
