#!/usr/bin/env python3
"""One result of N runners: the lines M1 to M5 of the checklist for k6-operator."""
import json
import os
import shutil
import signal
import threading
import time
import unittest

from kiln_runner import run_tests_together
from operator_harness import STOP, Pods, dotted, until

# Values that do not depend on time: what is merged must equal what one run measures, to the last digit.
EXACT = """
import exec from 'k6/execution';
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const spent = new Trend('spent', true), orders = new Counter('orders'), odd = new Rate('odd'), last = new Gauge('last');
export const options = {
  scenarios: { all: { executor: 'shared-iterations', vus: 8, iterations: 1200 } },
  summaryTrendStats: ['min', 'avg', 'med', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'max', 'count'],
  thresholds: { spent: ['p(99)<100000'], orders: ['count==1200'], 'spent{part:0}': ['med<100000'] },
};
export default function () {
  const i = exec.scenario.iterationInTest;
  spent.add(1 + (i * 7919 % 1201) * 1.618, { part: String(i % 2) });
  orders.add(1);
  odd.add(i % 3 === 0);
  group('shop', () => { check(i, { 'is even': (n) => n % 2 === 0, 'is number': (n) => n >= 0 }); });
}
"""
SHORT = """
import { sleep } from 'k6';
export const options = { vus: 4, duration: '%s', thresholds: { iterations: ['%s'] } };
export default function () { console.log('iterating'); sleep(0.1); }
"""


def rounded(values):
    """Sums depend on the order of adding in their last digit."""
    return {k: round(v, 9) if isinstance(v, float) else v for k, v in values.items()}


class MergeTest(unittest.TestCase):
    def setUp(self):
        self.pods = Pods()
        self.pods.__enter__()
        self.addCleanup(self.pods.__exit__)

    def save_flag(self, pattern='%t/%i.kiln'):
        return ['--save', os.path.join(self.pods.results, pattern)]

    def run_quarters(self, script, *user, pattern='%t/%i.kiln'):
        runners = self.pods.start_runners(script, 4, *self.save_flag(pattern), *user)
        self.pods.wait_until_paused(runners)
        started = self.pods.start_test(runners)
        self.assertEqual(started.returncode, 0, started.stderr)
        return [r.finish() for r in runners]

    @property
    def folder(self):
        return os.path.join(self.pods.results, self.pods.name)

    def test_m1_four_runners_equal_one_run(self):
        script = self.pods.script(EXACT)
        for done in self.run_quarters(script, '--no-thresholds'):
            self.assertEqual(done.code, 0, done)
        one = os.path.join(self.pods.folder, 'one.json')
        single = self.pods.run('k6', 'run', '--quiet', '--summary-export', one, script)
        self.assertEqual(single.code, 0, single)
        done, merged = self.pods.merge(self.folder)
        self.assertEqual(done.code, 0, done)
        with open(one, encoding='utf-8') as f:
            metrics = json.load(f)['metrics']
        for name in ('spent', 'spent{part:0}', 'odd', 'checks'):
            self.assertEqual(rounded(merged[name]), rounded(metrics[name]), name)
        for name in ('orders', 'iterations'):
            self.assertEqual(merged[name]['count'], metrics[name]['count'], name)
        self.assertEqual(merged['spent']['count'], 1200)
        self.assertIn('✗ is even', done.out)
        self.assertIn('↳  50% — ✓ 600 / ✗ 600', done.out)
        # VUs are measured once a second: a run may be too short for that.
        self.assertEqual(*([name for name in dotted(out) if not name.startswith('vus')] for out in (done.out, single.out)))

    def test_m1_vus_and_rates_are_those_of_the_whole(self):
        script = self.pods.script(SHORT % ('3s', 'count>0'))
        for done in self.run_quarters(script):
            self.assertEqual(done.code, 0, done)
        html = os.path.join(self.pods.folder, 'all.html')
        again = os.path.join(self.pods.folder, 'all.kiln')
        done, merged = self.pods.merge('--report', 'html=' + html, '--save', again, self.folder)
        self.assertEqual(done.code, 0, done)
        self.assertEqual((merged['vus']['max'], merged['vus_max']['max']), (4, 4))
        self.assertAlmostEqual(merged['iterations']['rate'], merged['iterations']['count'] / 3, delta=merged['iterations']['rate'] / 4)
        with open(html, encoding='utf-8') as f:
            self.assertIn('id="kiln-data"', f.read())
        done, twice = self.pods.merge(again)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(rounded(twice['iteration_duration']), rounded(merged['iteration_duration']))
        done = self.pods.run('k6', 'compare', again, again)
        self.assertEqual(done.code, 0, done)

    def test_m2_a_threshold_that_each_passes_and_the_whole_fails(self):
        for done in self.run_quarters(self.pods.script(EXACT.replace('count==1200', 'count<1000'))):
            self.assertEqual(done.code, 0, done)
        done, _ = self.pods.merge(self.folder)
        self.assertEqual(done.code, 99, done)
        self.assertIn("thresholds on metrics 'orders' have been crossed", done.err)

    def test_m2_a_threshold_that_each_fails_and_the_whole_passes(self):
        for done in self.run_quarters(self.pods.script(EXACT)):
            self.assertEqual(done.code, 99, done)
        done, _ = self.pods.merge(self.folder)
        self.assertEqual(done.code, 0, done)

    def test_m2_handle_summary_gets_the_whole(self):
        text = EXACT + ("export function handleSummary(data) { return { stdout: 'ORDERS ' + data.metrics.orders.values.count + "
                        "' ' + data.root_group.groups[0].checks[0].passes + '\\n' }; }\n")
        self.run_quarters(self.pods.script(text))
        done, _ = self.pods.merge(self.folder)
        self.assertEqual(done.code, 0, done)
        self.assertIn('ORDERS 1200 600\n', done.out)

    def test_m2_a_handle_summary_that_is_too_large_is_told(self):
        script = self.pods.script("const data = open('./large.bin', 'b'); export const options = { vus: 1, iterations: 1 };"
                                  "export default function () { } export function handleSummary() { return { stdout: 'MINE' + data.byteLength }; }")
        with open(os.path.join(os.path.dirname(script), 'large.bin'), 'wb') as f:
            f.truncate(17 << 20)
        done = self.pods.run('k6', 'run', '-q', *self.save_flag('%i.kiln'), script)
        self.assertEqual((done.code, done.out), (0, 'MINE%d' % (17 << 20)), done)
        done, _ = self.pods.merge(self.pods.results)
        self.assertEqual(done.code, 0, done)
        self.assertIn('handleSummary() is left out: with its files', done.err)
        self.assertIn('iterations...', done.out)

    def test_m2_an_instance_that_was_stopped_decides_the_exit_code(self):
        runners = self.pods.start_runners(self.pods.script(SHORT % ('30s', 'count>=0')), 2, *self.save_flag())
        self.pods.wait_until_paused()
        self.pods.start_test()
        for runner in runners:
            runner.wait_for('iterating')
        runners[1].process.send_signal(signal.SIGTERM)
        runners[0].patch(STOP)
        self.assertEqual([r.finish().code for r in runners], [103, 105])
        done, _ = self.pods.merge(self.folder)
        self.assertEqual(done.code, 103, done)
        self.assertIn('instance 2 of 2', done.err)

    def test_m3_missing_stale_and_foreign_files_are_named(self):
        script = self.pods.script(SHORT % ('1s', 'count>0'))
        other = self.pods.script(SHORT % ('1s', 'count>1'), 'other')
        # What was left by a run of yesterday, and by somebody else.
        self.run_quarters(script, pattern='old-%i.kiln')
        old = os.path.join(self.pods.results, 'old-3.kiln')
        end = time.monotonic() + 3
        done = self.pods.run('k6', 'run', '-q', '--save', os.path.join(self.pods.results, 'foreign.kiln'), *(
            '--tag testrun_name=%s' % self.pods.name).split(), other)
        self.assertEqual(done.code, 0, done)
        until(lambda: time.monotonic() > end, 'the clocks to move on')
        self.run_quarters(script, pattern='%i.kiln')
        os.unlink(os.path.join(self.pods.results, '3.kiln'))
        with open(os.path.join(self.pods.results, 'broken.kiln'), 'wb') as f:
            f.write(b'KILNRUN\nxxxxxxxxxxxxx')
        done, merged = self.pods.merge(self.pods.results)
        self.assertEqual(done.code, 111, done)
        for words in ('instance 3 of 4 is missing', 'old-3.kiln is stale', 'foreign.kiln is foreign', 'broken.kiln is damaged',
                      '3 of 4 instances are whole'):
            self.assertIn(words, done.err)
        counts = [self.pods.merge(os.path.join(self.pods.results, '%d.kiln' % i))[1]['iterations']['count'] for i in (1, 2, 4)]
        self.assertEqual(merged['iterations']['count'], sum(counts))
        # A gap that is allowed makes yesterday's the missing one.
        done, _ = self.pods.merge('--allow-gaps', self.pods.results)
        self.assertEqual(done.code, 0, done)
        self.assertTrue(os.path.exists(old))

    def test_m3_a_killed_runner_is_named_and_the_rest_is_merged(self):
        runners = self.pods.start_runners(self.pods.script(SHORT % ('8s', 'count>0')), 4, *self.save_flag())
        self.pods.wait_until_paused()
        self.pods.start_test()
        part = os.path.join(self.folder, '3.kiln.%d.part' % runners[2].process.pid)

        def has_checkpoint():
            done, merged = self.pods.merge(part)
            return merged and merged['iterations']['count']
        saved = until(has_checkpoint, 'a checkpoint')
        runners[2].process.kill()
        self.assertEqual(sorted(r.finish().code for r in runners), [-9, 0, 0, 0])
        done, merged = self.pods.merge(self.folder)
        self.assertEqual(done.code, 111, done)
        self.assertIn('instance 3 of 4', done.err)
        self.assertIn('did not end properly', done.err)
        self.assertIn('merged: 4 of 4 instances', done.out)
        whole = sum(self.pods.merge(os.path.join(self.folder, '%d.kiln' % i))[1]['iterations']['count'] for i in (1, 2, 4))
        self.assertGreaterEqual(merged['iterations']['count'], whole + saved)
        self.assertLess(merged['iterations']['count'], whole + 8 * 10 + 2)

    def test_m4_names_from_host_and_tags(self):
        script = self.pods.script(SHORT % ('1s', 'count>0'))
        self.run_quarters(script, pattern='%t/%h-%i.kiln')
        self.assertEqual(sorted(os.listdir(self.folder)), ['%s-%d.kiln' % (os.uname().nodename, i) for i in (1, 2, 3, 4)])
        done = self.pods.run('k6', 'run', '-q', '--tag', 'testid=../up', '--save', self.pods.results + '/%t/%p%%.kiln', '-u', '1', '-i', '1', script)
        self.assertEqual(done.code, 0, done)
        self.assertRegex(os.listdir(os.path.join(self.pods.results, '_._up'))[0], r'^\d+%\.kiln$')
        done = self.pods.run('k6', 'run', '--save', '%q.kiln', script)
        self.assertEqual(done.code, 104)
        self.assertIn("unknown '%q'", done.err)

    def test_m5_wait_ends_with_the_last_file(self):
        script = self.pods.script(SHORT % ('1s', 'count>0'))
        os.mkdir(self.folder)
        done = []
        begin = time.monotonic()
        waiting = threading.Thread(target=lambda: done.append(self.pods.merge('--expect', '4', '--wait', '60s', self.folder)[0]))
        waiting.start()
        self.run_quarters(script)
        waiting.join(40)
        self.assertEqual(done[0].code, 0, done[0])
        self.assertLess(time.monotonic() - begin, 40)

    def test_m5_wait_ends_in_time_with_what_there_is(self):
        script = self.pods.script(SHORT % ('1s', 'count>0'))
        self.run_quarters(script)
        os.unlink(os.path.join(self.folder, '2.kiln'))
        begin = time.monotonic()
        done, merged = self.pods.merge('--wait', '700ms', self.folder)
        self.assertGreaterEqual(time.monotonic() - begin, 0.7)
        self.assertEqual(done.code, 111)
        self.assertIn('instance 2 of 4 is missing', done.err)
        self.assertGreater(merged['iterations']['count'], 0)
        shutil.rmtree(self.folder)
        done, merged = self.pods.merge('--wait', '100ms', self.folder)
        self.assertEqual((done.code, merged), (111, None))
        self.assertIn('No such file', done.err)

    def test_wrong_flags_are_refused(self):
        for flags, words in ((['--wait', '5'], 'wait'), (['--only', 'x'], 'TAG=VALUE'), (['--expect', '-1'], '--expect')):
            done = self.pods.run('k6', 'merge', *flags, self.pods.results)
            self.assertNotEqual(done.code, 0)
            self.assertIn(words, done.err)
        done = self.pods.run('k6', 'merge')
        self.assertEqual(done.code, 255)


if __name__ == '__main__':
    run_tests_together(3)
