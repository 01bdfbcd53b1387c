#!/usr/bin/env python3
"""The command lines of runner pods: the lines R1 to R9 of the checklist."""
import json
import os
import signal
import stat
import unittest

from kiln_runner import ANSI, free_port, run_tests_together
from operator_harness import ENDED, PAUSED, Pods, busybox

COUNTS = """
import exec from 'k6/execution';
export const options = { scenarios: {
  shared: { executor: 'shared-iterations', vus: 7, iterations: 45, exec: 'one' },
  each: { executor: 'per-vu-iterations', vus: 5, iterations: 3, exec: 'two' } } };
export function one() { console.log('shared ' + exec.scenario.iterationInTest); }
export function two() { console.log('each ' + exec.vu.idInTest); }
"""
SMALL = "export const options = { vus: 2, iterations: 2 }; export default function () { console.log('ran'); }"


class RunnerTest(unittest.TestCase):
    def setUp(self):
        self.pods = self.enterContext(Pods(as_user=True))

    def run_all(self, script, n, *user):
        runners = self.pods.start_runners(script, n, *user)
        self.pods.wait_until_paused(runners)
        started = self.pods.start_test(runners)
        self.assertEqual(started.returncode, 0, started.stderr)
        return [r.finish() for r in runners]

    def test_r1_the_exact_command_line(self):
        script = self.pods.script("export const options = { vus: 15, iterations: 15 }; export default function () { }")
        for n in (1, 2, 4, 15):
            with self.subTest(n):
                out = os.path.join(self.pods.results, 'r1-%d' % n)
                runners = []
                for i in range(1, n + 1):
                    # User arguments come before the script; what is given twice: the last counts, tags add up.
                    runners.append(self.pods.start_runner(script, i, n, '--out', 'json=%s-%d' % (out, i), '--tag', 'mine=1',
                                                          '--address', 'localhost:%d' % free_port(), '--tag', 'instance_id=0'))
                self.pods.wait_until_paused(runners)
                self.assertEqual(self.pods.start_test(runners).returncode, 0)
                for i, runner in enumerate(runners, 1):
                    done = runner.finish()
                    self.assertEqual(done.code, 0, done)
                    self.check_tags('%s-%d' % (out, i), {'instance_id': str(i), 'testrun_name': self.pods.name, 'mine': '1'})

    def check_tags(self, path, wanted):
        with open(path, encoding='utf-8') as f:
            points = [point for point in map(json.loads, f) if point['type'] == 'Point']
        self.assertTrue(points)
        for point in points:
            self.assertEqual({k: point['data']['tags'].get(k) for k in wanted}, wanted, point)

    def test_r2_the_parts_add_up(self):
        script = self.pods.script(COUNTS)
        single = self.pods.run('k6', 'run', '-q', script)
        wanted = sorted(line.split('msg=')[1] for line in single.err.splitlines() if 'msg=' in line)
        self.assertEqual(len(wanted), 60)
        for n in (2, 4):
            lines = [line.split('msg=')[1] for done in self.run_all(script, n) for line in done.err.splitlines() if 'msg=' in line]
            self.assertEqual(sorted(lines), wanted)

    def test_r2_rates_and_vus_add_up(self):
        script = self.pods.script("""export const options = { scenarios: {
            r: { executor: 'constant-arrival-rate', rate: 30, duration: '2s', preAllocatedVUs: 9 },
            v: { executor: 'constant-vus', vus: 10, duration: '1s', exec: 'idle' } } };
            import { sleep } from 'k6'; import { Counter } from 'k6/metrics'; const c = new Counter('arrived');
            export default function () { c.add(1); } export function idle() { sleep(1); }""")
        arrived = vus = 0
        for done in self.run_all(script, 4):
            self.assertEqual(done.code, 0, done)
            arrived += int(self.metric(done, 'arrived').split()[0])
            vus += int(self.metric(done, 'vus_max').split()[0])
        self.assertAlmostEqual(arrived, 60, delta=4)  # each may begin one more, or one less, at its end
        self.assertEqual(vus, 19)

    def metric(self, done, name):
        return next(line.split(': ')[1] for line in done.out.splitlines() if line.strip(' ✓✗').startswith(name + '.'))

    def test_r3_an_empty_segment_waits_and_ends_well(self):
        script = self.pods.script("""export const options = { vus: 1, iterations: 1 };
            export function setup() { console.log('set up'); } export function teardown() { console.log('torn down'); }
            export default function () { console.log('worked'); }""")
        runners = self.pods.start_runners(script, 4)
        self.pods.wait_until_paused(runners)
        self.pods.start_test(runners)
        done = [r.finish() for r in runners]
        self.assertEqual([d.code for d in done], [0] * 4, done)
        self.assertEqual(sum(d.err.count('worked') for d in done), 1)
        for d in done:
            self.assertEqual((d.err.count('set up'), d.err.count('torn down')), (1, 1), d)
            self.assertEqual('level=warning' in d.err, 'worked' not in d.err, d)

    def test_r4_a_config_map_with_its_links(self):
        folder = self.pods.config_map({
            'test.js': "import { name } from './lib.js'; const data = JSON.parse(open('./data.json'));"
                       "export const options = { vus: 1, iterations: 1 };"
                       "export default function () { console.log(name + data.x + ' ' + import.meta.resolve('./data.json')); }",
            'lib.js': "export const name = 'lib';", 'data.json': '{"x": 5}'}, 'map')
        script = os.path.join(folder, 'test.js')
        done, = self.run_all(script, 1)
        self.assertEqual(done.code, 0, done)
        self.assertIn('lib5 file://%s/data.json' % folder, done.err)
        tar = os.path.join(self.pods.results, 'a.tar')
        done = self.pods.run('k6', 'archive', script, '-O', tar)
        self.assertEqual(done.code, 0, done)
        with open(tar, 'rb') as f:
            content = f.read()
        self.assertNotIn(b'2026_11_30', content)
        self.assertNotIn(b'..data', content)

    def test_r5_variables_of_services_mean_nothing(self):
        junk = {'K6_PORT': 'tcp://1.2.3.4:6565', 'K6_SERVICE_HOST': '1.2.3.4', 'K6_SERVICE_PORT': '6565', 'K6_PORT_6565_TCP': 'tcp://1.2.3.4:6565',
                'K6_SAMPLE_SERVICE_1_PORT': 'tcp://10.0.0.7:6565', 'K6_SAMPLE_SERVICE_1_SERVICE_HOST': '10.0.0.7',
                'K6_SAMPLE_SERVICE_1_PORT_6565_TCP_ADDR': '10.0.0.7', 'KILN_PORT': 'tcp://1.2.3.4:1', 'KILN_SERVICE_HOST': '1.2.3.4'}
        script = self.pods.script("export const options = { vus: 1, iterations: 1 }; export default function () { }")
        runner = self.pods.start_runner(script, env=junk)
        self.pods.wait_until_paused([runner])
        self.pods.start_test([runner])
        done = runner.finish()
        self.assertEqual((done.code, done.err), (0, ''), done)

    def test_r6_quiet_is_quiet(self):
        runner = self.pods.start_runner(self.pods.script("export const options = { vus: 1, duration: '1s' }; import { sleep } from 'k6';"
                                                         "export default function () { sleep(0.2); }"))
        self.pods.wait_until_paused([runner])
        self.pods.start_test([runner])
        done = runner.finish()
        self.assertEqual((done.code, done.err), (0, ''))
        self.assertIn('iterations...', done.out)
        self.assertNotRegex(done.out, ANSI)
        for word in ('execution:', 'running (', '%', 'k6 '):
            self.assertNotIn(word, done.out.split('data_received')[0])

    def test_r7_scripts_of_the_image(self):
        script = self.pods.script(SMALL)
        check = 'if [ ! -f "$1" ]; then echo "there is no $1"; exit 1; fi; '
        shells = ['dash'] + ([busybox() + ' sh'] if busybox() else [])
        for shell in shells:
            port = free_port()
            argv = self.pods.runner_argv(script, address='127.0.0.1:%d' % port, paused=False)
            wrapped = (['sh', '-c', check + 'shift; "$@"', 'sh', script, *shell.split(), '-c', ' '.join(argv)],
                       [*shell.split(), '-c', check + 'shift; exec "$@"', 'sh', script, *argv])
            for form in wrapped:
                with self.subTest(form[:3]):
                    done = self.pods.run(*form)
                    self.assertEqual(done.code, 0, done)
                    self.assertEqual(done.err.count('ran'), 2)
            done = self.pods.run(*shell.split(), '-c', check + 'shift; exec "$@"', 'sh', '/nowhere/test.js', *argv)
            self.assertEqual((done.code, done.out), (1, 'there is no /nowhere/test.js\n'))

    def test_r8_nothing_is_written_that_was_not_asked_for(self):
        before = self.everything()
        script = self.pods.script(SMALL)
        seen = self.everything() - before
        runner = self.pods.start_runner(script, 1, 1, '--out', 'json=' + self.pods.results + '/out.json')
        self.pods.wait_until_paused([runner])
        self.pods.start_test([runner])
        done = runner.finish()
        self.assertEqual(done.code, 0, done)
        self.assertEqual(self.everything() - before - seen, {self.pods.results + '/out.json'})
        mode = stat.S_IMODE(os.stat(self.pods.results + '/out.json').st_mode)
        self.assertEqual(mode & stat.S_IRUSR, stat.S_IRUSR)

    def everything(self):
        return {os.path.join(folder, name) for folder, _, names in os.walk(self.pods.folder) for name in names}

    def test_r8_read_only_root_without_home_or_user(self):
        if not self.pods.can_unshare:
            self.skipTest('mount namespaces need root')
        runner = self.pods.start_runner(self.pods.script(SMALL), prefix=self.pods.read_only_root())
        self.pods.wait_until_paused([runner])
        self.pods.start_test([runner])
        done = runner.finish()
        self.assertEqual((done.code, done.err.count('ran')), (0, 2), done)

    def test_r9_linger_until_sigterm(self):
        for threshold, wanted in (('count>0', 0), ('count>5', 99)):
            script = self.pods.script("export const options = { vus: 1, iterations: 1, thresholds: { iterations: ['%s'] } };"
                                      "export function setup() { console.log('set up'); } export function teardown() { console.log('torn down'); }"
                                      "export default function () { console.log('X is ' + __ENV.X); }" % threshold, 'test-%d' % wanted)
            port = free_port()
            argv = self.pods.runner_argv(script, address='0.0.0.0:%d' % port) + ['--no-setup', '--no-teardown', '--linger', '-e', 'X=1']
            runner = self.pods.start(argv, address='127.0.0.1:%d' % port)
            runner.wait_for_status(PAUSED)
            self.pods.start_test([runner])
            runner.wait_for_status(ENDED)
            attributes = runner.attributes()
            self.assertEqual((attributes['running'], attributes['stopped']), (False, False))
            runner.process.send_signal(signal.SIGTERM)
            done = runner.finish(10)
            self.assertEqual(done.code, wanted, done)
            self.assertIn('X is 1', done.err)
            self.assertNotIn('set up', done.err)
            self.assertNotIn('torn down', done.err)
            self.assertIn('iterations...', done.out)


if __name__ == '__main__':
    run_tests_together(3)
