#!/usr/bin/env python3
"""Ctrl+C: once ends the test in good order, twice at once; exit code 105.
Environment: KILN, path of the program."""
import signal
import unittest

from kiln_runner import Started, script

LOOP = """
import { sleep } from 'k6';
export const options = { vus: 3, duration: '60s' };
export default function () {
  if (__ITER === 0) console.log('looping ' + __VU);
  sleep(0.05);
}
export function teardown() { console.log('teardown ran'); }
"""

LONG_ITERATION = """
import { sleep } from 'k6';
export const options = { vus: 2, iterations: 2 };
export default function () {
  console.log('asleep');
  sleep(60);
  console.log('woken');
}
"""

LONG_TEARDOWN = """
import { sleep } from 'k6';
export const options = { vus: 1, duration: '60s' };
export default function () { console.log('looping'); sleep(1); }
export function teardown() { console.log('teardown begins'); sleep(50); }
"""

BUSY = """
export const options = { vus: 2, duration: '60s' };
export default function () {
  console.log('spinning');
  for (;;) { }
}
"""


class Signals(unittest.TestCase):
    def start(self, text, *arguments):
        run = Started('run', *arguments, script(self, text))
        run.__enter__()
        self.addCleanup(run.__exit__)
        return run

    def interrupt(self, run, number=signal.SIGINT):
        run.process.send_signal(number)

    def test_once_ends_in_good_order(self):
        run = self.start(LOOP)
        run.wait_for('looping 3')
        self.interrupt(run)
        done = run.finish(10)
        self.assertEqual(done.code, 105, done.err)
        self.assertIn('teardown ran', done.messages)
        self.assertGreaterEqual(done.count('iterations'), 3)
        self.assertTrue(any(level == 'error' and "received a 'interrupt' signal" in message
                            for level, message, _ in done.log), done.err)

    def test_a_termination_ends_the_same_way(self):
        run = self.start(LOOP)
        run.wait_for('looping 3')
        self.interrupt(run, signal.SIGTERM)
        done = run.finish(10)
        self.assertEqual(done.code, 105, done.err)
        self.assertIn('teardown ran', done.messages)
        self.assertIn('iterations', done.summary)
        self.assertIn("received a 'terminated' signal", done.err)

    def test_iterations_that_wait_are_interrupted(self):
        run = self.start(LONG_ITERATION)
        run.wait_for('asleep')
        self.interrupt(run)
        done = run.finish(10)
        self.assertEqual(done.code, 105, done.err)
        self.assertNotIn('woken', done.messages)
        self.assertEqual(done.ticks[-1][3:], (0, 2), done.out)

    def test_iterations_that_never_wait_are_interrupted(self):
        run = self.start(BUSY)
        run.wait_for('spinning')
        self.interrupt(run)
        self.assertEqual(run.finish(10).code, 105)

    def test_twice_ends_at_once(self):
        run = self.start(LONG_TEARDOWN)
        run.wait_for('looping')
        self.interrupt(run)
        run.wait_for('teardown begins')
        self.interrupt(run)
        done = run.finish(5)
        self.assertEqual(done.code, 105, done.err)
        self.assertEqual(done.summary, {})


if __name__ == '__main__':
    unittest.main()
