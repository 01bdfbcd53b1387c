#!/usr/bin/env python3
"""k6-summary of jslib, as kiln brings it along: its text is kiln's own summary."""
import os
import tempfile
import unittest
import xml.etree.ElementTree as xml

from kiln_runner import kiln, script

TEST = """
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { textSummary, jUnit, humanizeValue } from 'https://jslib.k6.io/k6-summary/0.1.0/index.js';
const time = new Trend('my_time', true), plain = new Trend('my_trend'), gauge = new Gauge('my_gauge'), rate = new Rate('my_rate'), bytes = new Counter('bytes');
export const options = {
  vus: 1, iterations: 4, summaryTrendStats: ['avg', 'count', 'p(99.9)', 'max'],
  thresholds: { my_time: ['max<1', 'min>0'], 'my_time{part:a}': ['max>1'], iterations: ['count==4'] },
};
export default function () {
  group('one', () => { check(__ITER, { 'is even': (i) => i %% 2 === 0 }); group('two', () => check(1, { fine: () => true })); });
  check(1, { root: () => true });
  time.add(0.0004 + 61234.5678 * __ITER, { part: 'a' }); plain.add(1 / 3); gauge.add(__ITER); rate.add(__ITER > 0); bytes.add(12345);
}
export function handleSummary(data) {
  console.log(humanizeValue(1234.5, { type: 'trend', contains: 'time' }, 'ms'), humanizeValue(0.5, { type: 'rate' }));
  return { %s: textSummary(data, { enableColors: false }), [__ENV.JUNIT]: jUnit(data, { name: 'a & b' }) };
}
"""


class Summary(unittest.TestCase):
    def test_the_text_is_what_kiln_prints_itself_and_thresholds_are_test_cases(self):
        with tempfile.TemporaryDirectory() as directory:
            text, junit, export = (os.path.join(directory, name) for name in ('text', 'junit.xml', 'export.json'))
            with_jslib = kiln('run', '--quiet', '--offline', '-e', 'JUNIT=' + junit, script(self, TEST % repr(text)))
            self.assertEqual(with_jslib.code, 99, with_jslib.err)
            self.assertEqual(with_jslib.messages, ['1234.50ms 50.00%'])
            own = kiln('run', '--quiet', script(self, (TEST % repr(text)).split('export function handleSummary')[0]))
            with open(text, encoding='utf-8') as f:
                lines = f.read().splitlines()
            own_lines = own.out.strip('\n').splitlines()
            varying = ('iteration_duration', 'group_duration', 'iterations', 'bytes', 'data_')
            self.assertEqual([self.stable(line, varying) for line in lines], [self.stable(line, varying) for line in own_lines])
            suite = xml.parse(junit).getroot()[0]
            self.assertEqual((suite.get('name'), suite.get('tests'), suite.get('failures')), ('a & b', '4', '1'))
            self.assertIn('my_time - max<1', [case.get('name') for case in suite if len(case) > 0])

    @staticmethod
    def stable(line, varying):
        """Without the figures that differ from run to run."""
        head = line.split(':')[0]
        if any(name in head for name in varying):
            return head
        inset = len(line) - len(line.lstrip())  # the columns are as wide as the widest of those figures
        return line[:inset] + ' '.join(line.split())


if __name__ == '__main__':
    unittest.main()
