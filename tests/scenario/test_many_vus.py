#!/usr/bin/env python3
"""Two thousand VUs on a small machine: all of them run, none fails, the run ends in time.
Environment: KILN, path of the program."""
import unittest

from kiln_runner import kiln, script

SLEEPERS = """
import { sleep } from 'k6';
export const options = { vus: 2000, duration: '5s' };
export default function () { sleep(1); }
"""

REACHED = """
import exec from 'k6/execution';
import { sleep } from 'k6';
export const options = { scenarios: { all: { executor: 'per-vu-iterations', vus: 2000, iterations: 1 } } };
export default function () {
  console.log(exec.vu.idInTest);
  sleep(0.5);
}
"""


class ManyVus(unittest.TestCase):
    def test_sleeping_vus_iterate_together(self):
        run = kiln('run', script(self, SLEEPERS))
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(run.log, [])
        # The first of the samples, one a second, may come before the last VU is initialised.
        value, _, highest = run.summary['vus_max'].split()
        self.assertEqual((value, highest), ('2000', 'max=2000'))
        # Five when the machine keeps up; two is what a slow one must do.
        self.assertTrue(2 * 2000 <= run.count('iterations') <= 5 * 2000, run.out)
        self.assertEqual(run.ticks[-1][4], 0, run.out)

    def test_every_vu_has_its_turn(self):
        run = kiln('run', script(self, REACHED))
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(sorted(map(int, run.messages)), list(range(1, 2001)))


if __name__ == '__main__':
    unittest.main()
