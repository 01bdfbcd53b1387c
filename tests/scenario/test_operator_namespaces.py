#!/usr/bin/env python3
"""Four runners on four hosts: network namespaces with an interface of their own on one bridge, and port
6565 in each. Needs root, as namespaces do."""
import json
import os
import subprocess
import sys
import unittest

from operator_harness import Pods, is_root, until
from quickpizza_server import QuickPizza

N = 4
SCRIPT = """
import http from 'k6/http';
import { check, sleep } from 'k6';
export const options = {
  scenarios: { all: { executor: '%s', %s } },
  summaryTrendStats: ['min', 'med', 'p(95)', 'p(99)', 'max', 'count'],
  thresholds: { http_reqs: ['count<%d'] },
};
export default function () {
  check(http.get(__ENV.TARGET), { 'is 200': (r) => r.status === 200 });
  %s
}
"""
# One run that measures the same samples again.
AGAIN = """
import { Trend } from 'k6/metrics';
const values = JSON.parse(open('./values.json')), again = new Trend('again', true);
export const options = { summaryTrendStats: ['min', 'med', 'p(95)', 'p(99)', 'max', 'count'] };
export default function () { for (const v of values) again.add(v); }
"""


def ip(*arguments):
    subprocess.run(['ip', *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Hosts:
    """A bridge and N namespaces; removed by name whatever happens."""

    def __init__(self):
        self.name = 'kop%d' % (os.getpid() % 1000000)
        self.net = '10.%d.%d.' % (100 + os.getpid() % 100, os.getpid() // 100 % 250)
        self.gateway = self.net + '254'

    def space(self, i):
        return '%s-%d' % (self.name, i)

    def address(self, i):
        return self.net + str(i)

    def __enter__(self):
        try:
            ip('link', 'add', self.name, 'type', 'bridge')
            ip('addr', 'add', self.gateway + '/24', 'dev', self.name)
            ip('link', 'set', self.name, 'up')
            for i in range(1, N + 1):
                self.add(self.space(i), self.address(i))
        except BaseException:
            self.__exit__()
            raise
        return self

    def add(self, space, address):
        inside = ['netns', 'exec', space, 'ip']
        ip('netns', 'add', space)
        ip('link', 'add', space, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
        ip('link', 'set', space, 'master', self.name, 'up')
        ip(*inside, 'addr', 'add', address + '/24', 'dev', 'eth0')
        ip(*inside, 'link', 'set', 'eth0', 'up')
        ip(*inside, 'link', 'set', 'lo', 'up')

    def __exit__(self, *_):
        for i in range(1, N + 1):
            subprocess.run(['ip', 'netns', 'del', self.space(i)], stderr=subprocess.DEVNULL)
            subprocess.run(['ip', 'link', 'del', self.space(i)], stderr=subprocess.DEVNULL)
        subprocess.run(['ip', 'link', 'del', self.name], stderr=subprocess.DEVNULL)


class FourHosts(unittest.TestCase):
    def setUp(self):
        self.hosts = self.enterContext(Hosts())
        self.pods = self.enterContext(Pods())
        self.pizza = self.enterContext(QuickPizza('--listen', self.hosts.gateway + ':0', '--quiet'))
        self.folder = os.path.join(self.pods.results, self.pods.name)

    def start(self, script):
        runners = []
        for i in range(1, N + 1):
            argv = self.pods.runner_argv(script, i, N, '--save', self.pods.results + '/%t/%i.kiln',
                                         '--out', 'json=%s/%d.json' % (self.pods.folder, i), address='0.0.0.0:6565')
            runners.append(self.pods.start(argv, env={'TARGET': 'http://%s:%d/api/config' % (self.pizza.host, self.pizza.port)},
                                           prefix=['ip', 'netns', 'exec', self.hosts.space(i)],
                                           address=self.hosts.address(i) + ':6565'))
        self.pods.wait_until_paused(runners)
        started = self.pods.start_test(runners)
        self.assertEqual(started.returncode, 0, started.stderr)
        return runners

    def samples(self):
        values = []
        for i in range(1, N + 1):
            with open('%s/%d.json' % (self.pods.folder, i), encoding='utf-8') as f:
                for line in f:
                    point = json.loads(line)
                    if point['type'] == 'Point' and point['metric'] == 'http_req_duration':
                        values.append(point['data']['value'])
        return values

    def test_totals_are_exact_and_percentiles_those_of_one_run(self):
        script = self.pods.script(SCRIPT % ('shared-iterations', 'vus: 20, iterations: 2000', 2000, ''))
        runners = self.start(script)
        for done in [r.finish() for r in runners]:
            self.assertEqual(done.code, 0, done)  # each has a quarter of what is too much
        done, merged = self.pods.merge(self.folder)
        self.assertEqual(done.code, 99, done)
        self.assertIn("thresholds on metrics 'http_reqs' have been crossed", done.err)
        self.assertEqual((merged['http_reqs']['count'], merged['iterations']['count']), (2000, 2000))
        self.assertEqual((merged['checks']['passes'], merged['checks']['fails']), (2000, 0))
        self.assertEqual(merged['http_req_duration']['count'], 2000)
        values = self.samples()
        self.assertEqual(len(values), 2000)
        folder = self.pods.config_map({'test.js': AGAIN, 'values.json': json.dumps(values)}, 'again')
        single = self.pods.run('k6', 'run', '-q', '--summary-export', folder + '/../again.json', folder + '/test.js')
        self.assertEqual(single.code, 0, single)
        with open(folder + '/../again.json', encoding='utf-8') as f:
            again = json.load(f)['metrics']['again']
        for stat in ('count', 'min', 'med', 'p(95)', 'p(99)', 'max'):
            self.assertEqual(merged['http_req_duration'][stat], again[stat], stat)

    def test_a_killed_runner_is_named_and_the_rest_is_merged(self):
        script = self.pods.script(SCRIPT % ('constant-vus', "vus: 8, duration: '7s'", 1000000, 'sleep(0.05);'))
        runners = self.start(script)
        part = os.path.join(self.folder, '2.kiln.%d.part' % runners[1].process.pid)
        until(lambda: (self.pods.merge(part)[1] or {}).get('http_reqs', {}).get('count'), 'a checkpoint')
        runners[1].process.kill()
        self.assertEqual([r.finish().code for r in runners], [0, -9, 0, 0])
        done, merged = self.pods.merge(self.folder)
        self.assertEqual(done.code, 111, done)
        self.assertRegex(done.err, r'instance 2 of 4 .* did not end properly')
        rest = [self.pods.merge(os.path.join(self.folder, '%d.kiln' % i))[1]['http_reqs']['count'] for i in (1, 3, 4)]
        self.assertGreater(merged['http_reqs']['count'], sum(rest))
        self.assertEqual(merged['vus_max']['max'], 8)


def why_not():
    if not is_root():
        return 'network namespaces need root'
    try:
        ip('netns', 'add', 'kop-probe-%d' % os.getpid())
        ip('netns', 'del', 'kop-probe-%d' % os.getpid())
    except (OSError, subprocess.CalledProcessError) as error:
        return 'no network namespace can be made here: %s' % error
    return None


if __name__ == '__main__':
    reason = why_not()
    if reason:
        print('skipped: ' + reason)
        sys.exit(77)
    unittest.main(verbosity=1)
