#!/usr/bin/env python3
"""What a run leaves behind: reports, and saved runs with their comparison."""
import os
import signal
import tempfile
import unittest
import xml.etree.ElementTree as ET

from kiln_runner import Started, kiln, script

SCRIPT = '''
import { check, group, sleep } from 'k6';
import { Trend, Counter } from 'k6/metrics';
const took = new Trend('took', true), orders = new Counter('orders');
export const options = { thresholds: { took: ['p(95)<1000', 'max<1'], orders: ['count>0'] } };
export default function () {
  for (let i = 0; i < 20; i++) took.add((10 + i %% 5) * %s);
  orders.add(1);
  group('shop', () => check(1, { 'one & <only>': (v) => v === 1, never: () => false }));
  console.log('iterated');
  sleep(%s);
}
'''


class ResultsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def script(self, factor=1, sleep=0):
        return script(self, SCRIPT % (factor, sleep))

    def read(self, name):
        with open(self.path(name), encoding='utf-8') as f:
            return f.read()

    def test_reports_say_what_the_summary_says(self):
        run = kiln('run', '--address', '', '-i', '2', '--report', 'html=%s,junit=%s' % (self.path('a.html'), self.path('a.xml')),
                   '--report', 'md=' + self.path('a.md'), self.script())
        self.assertEqual(run.code, 99, run.err)
        self.assertIn('<script id="kiln-data"', self.read('a.html'))
        suites = ET.parse(self.path('a.xml')).getroot()
        self.assertEqual([s.get('name') for s in suites], ['run', 'thresholds', 'checks'])
        self.assertEqual((suites.get('tests'), suites.get('failures'), suites.get('errors')), ('6', '2', '0'))
        failed = {c.get('name') for c in suites.iter('testcase') if c.find('failure') is not None}
        self.assertEqual(failed, {'max<1', 'never'})
        self.assertIn('one & <only>', {c.get('name') for c in suites.iter('testcase')})
        text = self.read('a.md')
        self.assertIn('| took | max\\<1 | ❌ |', text)
        self.assertIn('| ❌ shop › never | 0 | 2 | 0.00% |', text)
        self.assertIn('| orders | 2 |', text)
        self.assertEqual(os.listdir(self.folder.name).count('a.html'), 1)
        self.assertEqual([n for n in os.listdir(self.folder.name) if n.endswith('.part')], [])

    def test_wrong_reports_are_refused(self):
        for report in ('pdf=x', 'html', 'html='):
            run = kiln('run', '--report', report, self.script())
            self.assertEqual(run.code, 104)
            self.assertIn('invalid report', run.err)
        run = kiln('run', '--address', '', '-i', '1', '--save', '/nowhere/x.kiln', self.script())
        self.assertNotEqual(run.code, 0)
        self.assertIn('open /nowhere/x.kiln', run.err)

    def test_saved_runs_are_compared(self):
        # On a machine that is very busy there may be too few seconds to judge by.
        a, b = self.path('before.kiln'), self.path('after.kiln')
        with Started('run', '--address', '', '-d', '7s', '--no-thresholds', '--save', a, self.script(1, 0.1)) as first, \
                Started('run', '--address', '', '-d', '7s', '--no-thresholds', '--save', b, self.script(1.5, 0.1)) as second:
            self.assertEqual(first.finish(60).code, 0)
            self.assertEqual(second.finish(60).code, 0)
        run = kiln('compare', a, b, '--gate', 'took:p95=+60%', '--gate', 'took:avg=+1s,orders:count=-99%')
        self.assertEqual(run.code, 0, run.out + run.err)
        self.assertRegex(run.out, r'avg +12ms → +18ms +\+50\.0%  (slower|too short to tell)')
        run = kiln('compare', a, b, '--gate', 'took:p95=+10%', '--json')
        self.assertEqual(run.code, 99)
        self.assertRegex(run.out, '"verdict": "(worse|unsure)"')
        self.assertEqual(kiln('compare', b, a, '--gate', 'took:p95=+10%').code, 0)
        run = kiln('compare', a, b, '--gate', 'took{group:}:avg=+6.1ms,checks{check:never,group:::shop}:rate=+0%,took:max=+1s', '--all')
        self.assertEqual(run.code, 0, run.out)
        self.assertEqual(kiln('compare', a, a, '--gate', 'nothing:p95=+10%').code, 99)
        run = kiln('compare', a, b, '--gate', 'best=1')
        self.assertEqual(run.code, 104)
        self.assertIn("invalid gate 'best=1'", run.err)

    def test_a_run_that_is_stopped_is_saved(self):
        saved = self.path('stopped.kiln')
        with Started('run', '--address', '', '-d', '5m', '--save', saved, self.script(1, 0.05)) as run:
            run.wait_for('iterated')
            self.assertFalse(os.path.exists(saved))  # there whole or not at all
            run.process.send_signal(signal.SIGINT)
            self.assertEqual(run.finish(60).code, 105)
        run = kiln('compare', saved, saved)
        self.assertEqual(run.code, 0, run.err)
        with open(saved, 'rb') as f:
            data = f.read()
        with open(self.path('cut.kiln'), 'wb') as f:
            f.write(data[:-10])
        run = kiln('compare', saved, self.path('cut.kiln'))
        self.assertEqual(run.code, 255)
        self.assertIn('is cut off', run.err)


if __name__ == '__main__':
    unittest.main(verbosity=1)
