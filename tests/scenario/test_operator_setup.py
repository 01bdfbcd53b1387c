#!/usr/bin/env python3
"""setup() once for all instances: --setup-from."""
import signal
import unittest

from kiln_runner import free_port, run_tests_together
from operator_harness import Pods

SCRIPT = """
import { sleep } from 'k6';
export const options = { vus: 4, duration: '2s' };
export function setup() { console.log('set up'); sleep(__ENV.SLOW || 0.5); if (__ENV.THROWS) throw new Error('no'); return %s; }
export default function (data) { console.log('data ' + JSON.stringify(data)); sleep(0.2); }
export function teardown() { console.log('torn down'); }
"""
DATA = "{ token: 'secret-' + Date.now(), list: [1, 2] }"


class SetupTest(unittest.TestCase):
    def setUp(self):
        self.pods = self.enterContext(Pods())

    def start(self, text, *user, n=4):
        """All with one command line, as the operator has it."""
        script = self.pods.script(text)
        port = free_port()
        runners = []
        for i in range(1, n + 1):
            own = port if i == 1 else free_port()
            argv = self.pods.runner_argv(script, i, n, '--setup-from', 'http://127.0.0.1:%d' % port, *user, address='0.0.0.0:%d' % own)
            runners.append(self.pods.start(argv, address='127.0.0.1:%d' % own))
        self.pods.wait_until_paused(runners)
        return runners

    def test_the_first_sets_up_and_all_have_its_data(self):
        runners = self.start(SCRIPT % DATA)
        self.pods.start_test(list(reversed(runners)))
        done = [r.finish() for r in runners]
        self.assertEqual([d.code for d in done], [0] * 4, done)
        self.assertEqual([(d.err.count('set up'), d.err.count('torn down')) for d in done], [(1, 1)] + [(0, 0)] * 3)
        data = {line.split('msg=')[1] for d in done for line in d.err.splitlines() if 'data ' in line}
        self.assertEqual(len(data), 1, data)
        self.assertIn('secret-', data.pop())
        for d in done:
            self.assertIn('data {', d.err)

    def test_no_data_is_data(self):
        runners = self.start(SCRIPT % 'undefined', n=2)
        self.pods.start_test(runners)
        for done in [r.finish() for r in runners]:
            self.assertEqual(done.code, 0, done)
            self.assertIn('data undefined', done.err)

    def test_a_first_that_fails_ends_the_others(self):
        runners = self.start(SCRIPT % DATA, '-e', 'THROWS=1', n=2)
        self.pods.start_test(runners)
        done = [r.finish() for r in runners]
        self.assertEqual(done[0].code, 107)
        self.assertNotEqual(done[1].code, 0)
        self.assertIn('no set-up data came from 127.0.0.1', done[1].err)
        self.assertNotIn('data {', done[1].err)

    def test_a_first_that_is_away_ends_the_others_in_time(self):
        script = self.pods.script((SCRIPT % DATA).replace("duration: '2s'", "duration: '2s', setupTimeout: '700ms'"))
        done = self.pods.run('k6', 'run', '-q', '--setup-from', 'http://127.0.0.1:%d' % free_port(), script)
        self.assertEqual(done.code, 100, done)
        self.assertIn('connection refused', done.err)
        self.assertIn('setupTimeout', done.err)

    def test_waiting_can_be_ended(self):
        runners = self.start(SCRIPT % DATA, '-e', 'SLOW=30', n=2)
        self.pods.start_test(runners)
        runners[1].wait_for_status(6)
        runners[1].process.send_signal(signal.SIGTERM)
        self.assertEqual(runners[1].finish(5).code, 105)
        self.assertEqual(runners[0].attributes()['status'], 6)

    def test_wrong_addresses_are_refused(self):
        script = self.pods.script(SCRIPT % DATA)
        for url, words in (('http://a/b', 'expected the REST API'), ('http://%x:1', "unknown '%x'")):
            done = self.pods.run('k6', 'run', '-q', '--setup-from', url, script)
            self.assertEqual(done.code, 104)
            self.assertIn(words, done.err)


if __name__ == '__main__':
    run_tests_together(3)
