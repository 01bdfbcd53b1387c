#!/usr/bin/env python3
"""How runner pods end, and what they take of their machine: the lines E1 to E4 of the checklist."""
import contextlib
import os
import signal
import socket
import unittest

from kiln_runner import run_tests_together
from operator_harness import START, STOP, Pods, control_group, is_root, until

LOOP = """
import { sleep } from 'k6';
export const options = { vus: 2, duration: '60s' };
export default function () { console.log('looping'); sleep(__ENV.SLEEP || 0.1); }
export function teardown() { console.log('torn down'); }
"""


class EndsTest(unittest.TestCase):
    def setUp(self):
        self.pods = self.enterContext(Pods())

    def start_first(self, *user):
        """A runner that is PID 1 of its own namespace; (runner, its pid out here)."""
        if not is_root():
            self.skipTest('pid namespaces need root')
        # The parent must not die of the signals that are meant for the child.
        runner = self.pods.start_runner(self.pods.script(LOOP, 'test%d' % len(self.pods.runners)), 1, 1, *user,
                                        prefix=['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'])
        self.pods.wait_until_paused([runner])
        with open('/proc/%d/task/%d/children' % (runner.process.pid, runner.process.pid), encoding='ascii') as f:
            pid = int(f.read().split()[0])
        with open('/proc/%d/status' % pid, encoding='ascii') as f:
            self.assertRegex(f.read(), r'NSpid:\t\d+\t1\n')
        return runner, pid

    def test_e1_the_first_process_is_paused_and_terminated(self):
        runner, pid = self.start_first()
        os.kill(pid, signal.SIGTERM)
        done = runner.finish(5)
        self.assertEqual(done.code, 105, done)

    def test_e1_the_first_process_is_running_and_terminated(self):
        runner, pid = self.start_first()
        runner.patch(START)
        runner.wait_for('looping')
        os.kill(pid, signal.SIGTERM)
        done = runner.finish(30)
        self.assertEqual(done.code, 105, done)
        self.assertIn('torn down', done.err)
        self.assertIn('data_received...', done.out)

    def test_e2_a_second_signal_ends_at_once(self):
        slow = self.pods.script("import { sleep } from 'k6'; export const options = { vus: 1, duration: '60s' };"
                                "export default function () { console.log('looping'); sleep(60); }"
                                "export function teardown() { console.log('tearing down'); sleep(50); }", 'slow')
        runner = self.pods.start_runner(slow, paused=False)
        runner.wait_for('looping')
        runner.process.send_signal(signal.SIGTERM)
        runner.wait_for('tearing down')
        runner.process.send_signal(signal.SIGTERM)
        self.assertEqual(runner.finish(5).code, 105)

    def test_e2_a_killed_runner_leaves_what_it_had(self):
        runner = self.pods.start_runner(self.pods.script(LOOP), 1, 1, '--save', self.pods.results + '/%i.kiln', paused=False)
        part = '%s/1.kiln.%d.part' % (self.pods.results, runner.process.pid)
        until(lambda: os.path.exists(part) and (self.pods.merge(part)[1] or {}).get('iterations', {}).get('count'), 'a checkpoint')
        runner.process.kill()
        runner.process.wait()
        self.assertEqual(os.listdir(self.pods.results), [os.path.basename(part)])
        done, metrics = self.pods.merge(self.pods.results)
        self.assertEqual(done.code, 111)
        self.assertGreater(metrics['iterations']['count'], 10)

    def code(self, text, *user, env=None):
        return self.pods.run('k6', 'run', '-q', *user, self.pods.script(text, 'test%d' % len(os.listdir(self.pods.folder))), env=env).code

    def test_e3_exit_codes(self):
        one = "export const options = { vus: 1, iterations: 1%s };"
        run = 'export default function () { %s }'
        self.assertEqual(self.code(one % '' + run % ''), 0)
        self.assertEqual(self.code(one % ", thresholds: { iterations: ['count>5'] }" + run % ''), 99)
        self.assertEqual(self.code("import { sleep } from 'k6';" + one % ", setupTimeout: '100ms'" + run % '' + 'export function setup() { sleep(9); }'), 100)
        self.assertEqual(self.code("import { sleep } from 'k6';" + one % ", teardownTimeout: '100ms'" + run % '' + 'export function teardown() { sleep(9); }'), 101)
        self.assertEqual(self.code("export const options = { vus: -1 };" + run % ''), 104)
        self.assertEqual(self.code(one % '' + "throw new Error('no');" + run % ''), 107)
        self.assertEqual(self.code(one % '' + run % '' + "export function setup() { throw new Error('no'); }"), 107)
        self.assertEqual(self.code("import exec from 'k6/execution';" + one % '' + run % "exec.test.abort('no');"), 108)
        self.assertEqual(self.code("import exec from 'k6/execution';" + one % '' + run % "exec.test.fail('no');"), 110)
        self.assertEqual(self.pods.run('k6', 'run', '--no-such-flag', 'x.js').code, 255)
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            s.listen()
            self.assertEqual(self.code(one % '' + run % '', '--address', '127.0.0.1:%d' % s.getsockname()[1]), 106)
        # 103 by REST and 105 by a signal, on runners as they are.
        for number, act in ((103, lambda r: r.patch(STOP)), (105, lambda r: r.process.terminate())):
            runner = self.pods.start_runner(self.pods.script(LOOP, 'test-%d' % number), paused=False)
            runner.wait_for('looping')
            act(runner)
            self.assertEqual(runner.finish().code, number)

    def workers(self, pid):
        """Threads that run VUs."""
        names = []
        for task in os.listdir('/proc/%d/task' % pid):
            with contextlib.suppress(OSError), open('/proc/%d/task/%s/comm' % (pid, task), encoding='utf-8') as f:
                names.append(f.read().strip())
        return sum(name.startswith('worker') for name in names)

    def test_e4_workers_follow_the_control_group(self):
        group = self.enterContext(control_group(20000, self.pods.close))
        if group is None:
            self.skipTest('no control group can be made here')
        script = self.pods.script(LOOP)
        limited = self.pods.start_runner(script, prefix=['sh', '-c', 'echo $$ > %s/cgroup.procs && exec "$@"' % group, 'sh'])
        free = self.pods.start_runner(script)
        self.pods.wait_until_paused([limited, free])
        self.assertEqual(self.workers(limited.process.pid), 1)
        self.assertEqual(self.workers(free.process.pid), len(os.sched_getaffinity(0)))

    def test_e4_neither_capabilities_nor_privileges(self):
        prefix = ['setpriv', '--no-new-privs']
        if is_root():
            prefix += ['--bounding-set', '-all', '--inh-caps', '-all']
        runner = self.pods.start_runner(self.pods.script(LOOP), prefix=prefix)
        self.pods.wait_until_paused([runner])
        runner.patch(START)
        runner.wait_for('looping')
        # io_uring is not allowed in containers: nothing of it may be open.
        links = [os.readlink('/proc/%d/fd/%s' % (runner.process.pid, fd)) for fd in os.listdir('/proc/%d/fd' % runner.process.pid)]
        self.assertEqual([link for link in links if 'io_uring' in link], [])


if __name__ == '__main__':
    run_tests_together(3)
