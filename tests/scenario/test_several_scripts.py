#!/usr/bin/env python3
"""Several scripts in one run, and what kiln says beyond k6 about a run."""
import os
import subprocess
import tempfile
import unittest

from kiln_runner import kiln, run_tests_together

A = """
import { Counter } from 'k6/metrics';
import exec from 'k6/execution';
const count = new Counter('a_count'), text = open('./sub/data.txt');
export const options = { vus: 2, iterations: 4, tags: { team: 'x' }, thresholds: { a_count: ['count==4'] } };
export function setup() { return { from: 'a' }; }
export default function (data) {
  count.add(1);
  console.log('a', data.from, exec.scenario.name, text, exec.vu.metrics.tags.team);
}
export function teardown(data) { console.log('teardown', data.from); }
"""
B = """
export const options = {
  scenarios: { one: { executor: 'per-vu-iterations', vus: 1, iterations: 2, exec: 'go' } },
  thresholds: { iterations: 'count>5' },
};
export function go(data) { console.log('b', data, __ENV.X); }
export default function () { console.log('b default'); }
"""
THROWS = "export default function () { throw new Error('no'); }"


class SeveralScripts(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.a = self.write('a.js', A)
        self.b = self.write('sub/b.js', B)
        self.write('sub/data.txt', 'words')

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return path

    def check_both(self, run):
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(sorted(run.messages), ['a a a words x'] * 4 + ['b undefined 1'] * 2 + ['teardown a'])

    def test_their_scenarios_run_together_under_their_names(self):
        run = kiln('run', '-e', 'X=1', self.a, self.b)
        self.check_both(run)
        self.assertIn('* a: 4 iterations shared among 2 VUs', run.out)
        self.assertIn('* b_one: 2 iterations for each of 1 VUs', run.out)
        self.assertIn('script: %s, %s' % (self.a, self.b), run.out)

    def test_an_archive_holds_them_all(self):
        archive = os.path.join(self.directory, 'both.tar')
        self.assertEqual(kiln('archive', '-O', archive, self.a, self.b).code, 0)
        os.remove(self.b)
        self.check_both(kiln('run', '-e', 'X=1', archive))

    def test_flags_that_replace_the_scenarios_go_round_the_files(self):
        run = kiln('run', '-i', '4', '--no-thresholds', self.a, self.b)
        self.assertEqual(sorted(run.messages), ['a a default words undefined'] * 2 + ['b default'] * 2 + ['teardown a'], run.err)

    def test_what_cannot_be_combined_is_said(self):
        one = self.write('one.js', "export const options = { batch: 3 }; export default function () {}")
        two = self.write('two.js', "export const options = { batch: 4 }; export default function () {}")
        self.assertIn('set the option batch to different values', kiln('run', one, two).err)
        self.assertIn('standard input', kiln('run', one, '-', stdin='').err)
        both = self.write('both.js', "export const options = { duration: '1s', stages: [] }; export default function () {}")
        self.assertIn('using `duration` and `stages` options simultaneously', kiln('run', one, both).err)

    def test_a_run_in_which_everything_threw_fails_when_asked_to(self):
        path = self.write('throws.js', THROWS)
        self.assertEqual(kiln('run', '-i', '3', path).code, 0)
        run = kiln('run', '-i', '3', '--fail-if-all-throw', path)
        self.assertEqual(run.code, 107)
        self.assertIn('all of the 3 iterations ended with an exception', run.err)
        once = self.write('once.js', "export default function () { if (__ITER === 0) throw new Error('no'); }")
        self.assertEqual(kiln('run', '-i', '2', once, env={'KILN_FAIL_IF_ALL_THROW': 'true'}).code, 0)

    def test_limits_of_the_machine_are_told_before_the_run(self):
        script = self.write('idle.js', 'export default function () {}')
        few = self.write('few.sh', 'ulimit -n 100; exec "$@"')
        program = os.environ.get('KILN', 'build/kiln')
        done = subprocess.run(['sh', few, program, 'run', '-q', '-u', '90', '-i', '90', script], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('file descriptors, and 100 are allowed: raise the limit', done.stderr)
        self.assertNotIn('descriptors', kiln('run', '-u', '10', '-i', '10', script).err)

    @unittest.skipUnless(os.path.exists('/proc/thread-self/schedstat'), 'the kernel does not say how long threads wait')
    def test_a_generator_at_its_limit_says_so_below_the_summary(self):
        busy = self.write('busy.js', 'export default function () { for (let i = 0, x = 0; i < 1e5; i++) x += i; }')
        calm = self.write('calm.js', "import { sleep } from 'k6'; export default function () { sleep(1); }")
        self.assertIn('the load generator itself was at its limit', kiln('run', '-u', '2', '-d', '7s', '--workers', '1', busy).out)
        self.assertNotIn('at its limit', kiln('run', '-u', '2', '-d', '1s', '--workers', '1', calm).out)


if __name__ == '__main__':
    run_tests_together()
