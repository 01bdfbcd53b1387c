#!/usr/bin/env python3
"""The workshop, chapter by chapter up to "Checks": its scripts against the playground, and what one sees.
Environment: KILN and QUICKPIZZA, paths of the programs."""
import re
import unittest

from kiln_runner import kiln, kiln_on_terminal
from quickpizza_server import QuickPizza

PIZZA = r'(A|An|The) [A-Z][A-Za-z-]* [A-Z][A-Za-z ]* \(\d+ ingredients\)'
DURATION = r'-?(?:\d+(?:\.\d+)?(?:ns|µs|ms|s)|\d+m\d+(?:\.\d+)?s) *'
RATE = r'\d+(?:\.\d+)?/s'
TREND = ' '.join(name + '=' + DURATION for name in ('avg', 'min', 'med', 'max', r'p\(90\)', r'p\(95\)')) + '$'
BYTES = r'\d+(?:\.\d+)? [kMG]?B +\d+(?:\.\d+)? [kMG]?B/s$'
COUNT = r'\d+ +' + RATE + '$'
FAILED = r'\d+\.\d\d% +✓ \d+ +✗ \d+ *$'
GAUGE = r'\d+ +min=\d+ +max=\d+ *$'

HTTP_SUMMARY = [
    ('     data_received..................: ', BYTES),
    ('     data_sent......................: ', BYTES),
    ('     http_req_blocked...............: ', TREND),
    ('     http_req_connecting............: ', TREND),
    ('     http_req_duration..............: ', TREND),
    ('       { expected_response:true }...: ', TREND),
    ('     http_req_failed................: ', FAILED),
    ('     http_req_receiving.............: ', TREND),
    ('     http_req_sending...............: ', TREND),
    ('     http_req_tls_handshaking.......: ', TREND),
    ('     http_req_waiting...............: ', TREND),
    ('     http_reqs......................: ', COUNT),
    ('     iteration_duration.............: ', TREND),
    ('     iterations.....................: ', COUNT),
]
CHECKS = ('     checks.........................: ', FAILED)
VUS = [
    ('     vus............................: ', GAUGE),
    ('     vus_max........................: ', GAUGE),
]


class WorkshopTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = QuickPizza()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.base_url = 'http://127.0.0.1:%d' % cls.server.port

    def run_example(self, name, *arguments, runner=kiln):
        run = runner('run', '-e', 'BASE_URL=' + self.base_url, *arguments, 'examples/' + name)
        self.assertEqual(run.code, 0, run.err + run.out)
        return run

    def assert_only_pizzas(self, run, count=None):
        """Nothing in the log but names of pizzas."""
        for message in run.messages:
            self.assertRegex(message, '^' + PIZZA + '$')
        self.assertEqual(len(run.log), len(run.messages), run.err)
        self.assertEqual({level for level, _, _ in run.log}, {'info'})
        if count is not None:
            self.assertEqual(len(run.messages), count)

    def assert_summary(self, run, expected):
        lines = run.summary_lines
        self.assertEqual([line.split(': ', 1)[0] + ': ' for line in lines], [name for name, _ in expected], run.out)
        for line, (name, pattern) in zip(lines, expected):
            self.assertRegex(line[len(name):], '^' + pattern)
        trends = [line for line in lines if 'avg=' in line]
        for column in ('min=', 'med=', 'max=', 'p(90)=', 'p(95)='):
            self.assertEqual(len({line.index(column) for line in trends}), 1, 'column %s of\n%s' % (column, run.out))

    def assert_header(self, run, script, vus, max_duration, line):
        lines = [text.rstrip() for text in run.out.splitlines()]
        for expected in ('     execution: local', '        script: ' + script, '        output: -', line,
                         '     scenarios: (100.00%%) 1 scenario, %d max VUs, %s max duration (incl. graceful stop):'
                         % (vus, max_duration)):
            self.assertIn(expected, lines)

    def assert_ends_with(self, run, running, bar):
        last = [line for line in run.out.splitlines() if line.strip()][-2:]
        self.assertRegex(last[0], '^running ' + running + '$')
        self.assertRegex(last[1], '^' + bar + '$')


class RunYourFirstTest(WorkshopTest):
    def test_one_request_and_its_summary(self):
        run = self.run_example('test.js')
        self.assert_only_pizzas(run, 1)
        self.assert_header(run, 'examples/test.js', 1, '10m30s',
                           '              * default: 1 iterations for each of 1 VUs (maxDuration: 10m0s, gracefulStop: 30s)')
        self.assert_summary(run, HTTP_SUMMARY)
        self.assertEqual(run.count('http_reqs'), 1)
        self.assertRegex(run.summary['http_req_failed'], r'^0\.00% +✓ 0 +✗ 1$')
        self.assert_ends_with(run, r'\(00m0\d\.\ds\), 0/1 VUs, 1 complete and 0 interrupted iterations',
                              r'default ✓ \[ 100% \] 1 VUs  00m0\d\.\ds/10m0s  1/1 iters, 1 per VU')

    def test_the_log_line_on_a_terminal(self):
        run = self.run_example('test.js', runner=kiln_on_terminal)
        line = next(line for line in run.err.splitlines() if 'ingredients' in line)
        found = re.search(r'INFO\[000\d\] (.*?) *source=console$', line)
        self.assertTrue(found, run.err)
        self.assertRegex(found.group(1), '^' + PIZZA + '$')
        # The message is padded to 44 columns, as in the workshop's text.
        self.assertIn('%-44s  source=console' % found.group(1), line)

    def test_a_script_on_standard_input(self):
        with open('examples/test.js', encoding='utf-8') as f:
            run = kiln('run', '-e', 'BASE_URL=' + self.base_url, '-', stdin=f.read())
        self.assertEqual(run.code, 0, run.err)
        self.assert_only_pizzas(run, 1)

    def test_quiet_leaves_the_log_and_the_summary(self):
        run = self.run_example('test.js', '--quiet')
        self.assert_only_pizzas(run, 1)
        self.assert_summary(run, HTTP_SUMMARY)
        self.assertNotIn('execution: local', run.out)
        self.assertEqual(run.ticks, [])


class ModelTheLoad(WorkshopTest):
    def test_vus_and_iterations(self):
        run = self.run_example('vus_iterations.js')
        self.assert_only_pizzas(run, 30)
        self.assert_header(run, 'examples/vus_iterations.js', 10, '10m30s',
                           '              * default: 30 iterations shared among 10 VUs (maxDuration: 10m0s, gracefulStop: 30s)')
        self.assertEqual((run.count('http_reqs'), run.count('iterations')), (30, 30))
        self.assert_ends_with(run, r'\(00m\d\d\.\ds\), 00/10 VUs, 30 complete and 0 interrupted iterations',
                              r'default ✓ \[ 100% \] 10 VUs  00m\d\d\.\ds/10m0s  30/30 shared iters')

    def test_vus_and_duration(self):
        run = self.run_example('vus_duration.js')
        self.assert_only_pizzas(run)
        self.assert_header(run, 'examples/vus_duration.js', 10, '40s',
                           '              * default: 10 looping VUs for 10s (gracefulStop: 30s)')
        self.assert_summary(run, HTTP_SUMMARY + VUS)
        self.assertEqual(run.summary['vus'].split(), ['10', 'min=10', 'max=10'])
        self.assertEqual(run.count('iterations'), len(run.messages))
        self.assertGreaterEqual(run.count('iterations'), 10)
        self.assertTrue(10 <= run.seconds < 15, run.seconds)
        full = [tick for tick in run.ticks if tick[1:3] == (10, 10)]
        self.assertGreaterEqual(len(full), 8, run.out)
        self.assert_ends_with(run, r'\(1\d\.\ds\), 00/10 VUs, \d+ complete and 0 interrupted iterations',
                              r'default ✓ \[ 100% \] 10 VUs  10s')

    def test_stages(self):
        run = self.run_example('stages.js')
        self.assert_only_pizzas(run)
        self.assert_header(run, 'examples/stages.js', 20, '50s',
                           '              * default: Up to 20 looping VUs for 20s over 3 stages '
                           '(gracefulRampDown: 30s, gracefulStop: 30s)')
        self.assert_summary(run, HTTP_SUMMARY + VUS)
        self.assertTrue(20 <= run.seconds < 25, run.seconds)
        plan = lambda t: 4 * t if t < 5 else 20 if t < 15 else 4 * (20 - t)
        for seconds, active, total, _, _ in run.ticks[:-1]:
            self.assertEqual(total, 20)
            # On the way down a VU finishes the iteration it is in.
            self.assertTrue(plan(seconds) - 3 <= active <= plan(seconds) + (3 if seconds < 15 else 8),
                            '%d VUs after %.1f s' % (active, seconds))
        self.assertEqual(max(tick[1] for tick in run.ticks), 20)
        self.assert_ends_with(run, r'\(2\d\.\ds\), 00/20 VUs, \d+ complete and 0 interrupted iterations',
                              r'default ✓ \[ 100% \] 00/20 VUs  20s')

    def test_scenarios_constant_arrival_rate(self):
        run = self.run_example('scenarios.js')
        self.assert_only_pizzas(run)
        self.assert_header(run, 'examples/scenarios.js', 20, '40s',
                           '              * default: 20.00 iterations/s for 10s (maxVUs: 20, gracefulStop: 30s)')
        started = run.count('iterations') + int(run.summary.get('dropped_iterations', '0').split()[0])
        self.assertTrue(199 <= started <= 201, run.out)
        self.assertTrue(10 <= run.seconds < 14, run.seconds)
        self.assert_ends_with(run, r'\(1\d\.\ds\), 00/20 VUs, \d+ complete and 0 interrupted iterations',
                              r'default ✓ \[ 100% \] 00/20 VUs  10s  20\.00 iters/s')

    def test_think_time(self):
        run = self.run_example('think_time.js', '-d', '3s')
        self.assert_only_pizzas(run)
        # Each of the 10 VUs pauses a second in every iteration.
        self.assertTrue(10 <= run.count('iterations') <= 30, run.out)
        self.assertRegex(run.summary['iteration_duration'], r'min=1(\.\d+)?s')
        self.assertEqual(run.ticks[-1][4], 0)


class Checks(WorkshopTest):
    def test_a_check_that_passes(self):
        run = self.run_example('checks.js', '-d', '1s')
        self.assert_only_pizzas(run)
        self.assert_summary(run, [CHECKS] + HTTP_SUMMARY + VUS)
        self.assertIn('     ✓ is status 200', run.out.splitlines())
        self.assertRegex(run.summary['checks'], r'^100\.00%% +✓ %d +✗ 0$' % run.count('iterations'))

    def test_a_check_that_fails_leaves_the_exit_code_0(self):
        run = self.run_example('checks_failing.js', '-d', '1s')
        lines = run.out.splitlines()
        at = lines.index('     ✗ is status 200')
        failed = run.count('iterations')
        self.assertEqual(lines[at + 1], '      ↳  0%% — ✓ 0 / ✗ %d' % failed)
        self.assertRegex(run.summary['checks'], r'^0\.00%% +✓ 0 +✗ %d$' % failed)
        self.assert_summary(run, [CHECKS] + HTTP_SUMMARY + VUS)

    def test_one_iteration_has_no_gauges_of_vus(self):
        # A run shorter than a second ends before VUs are counted.
        run = self.run_example('checks.js', '-i', '1', '-u', '1')
        self.assertEqual(run.count('iterations'), 1)
        self.assertIn('     ✓ is status 200', run.out.splitlines())


class TheServiceIsDown(WorkshopTest):
    def test_the_iteration_fails_and_the_exit_code_is_0(self):
        run = kiln('run', '-e', 'BASE_URL=http://127.0.0.1:1', 'examples/test.js')
        self.assertEqual(run.code, 0)
        self.assertEqual([level for level, _, _ in run.log], ['warning', 'error'])
        self.assertEqual(run.log[0][1], 'Request Failed')
        self.assertIn('connect: connection refused', run.log[0][2])
        self.assertIn("the body is null so we can't transform it to JSON", run.log[1][1])
        self.assertRegex(run.summary['http_req_failed'], r'^100\.00% +✓ 1 +✗ 0$')


if __name__ == '__main__':
    unittest.main()
