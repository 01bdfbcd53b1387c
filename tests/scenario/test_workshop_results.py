#!/usr/bin/env python3
"""The workshop from "Thresholds" to "Custom metrics": verdicts and exit codes, a summary of one's own, overrides, the
lifecycle, test data and metrics. Environment: KILN and QUICKPIZZA, paths of the programs."""
import json
import os
import re
import shutil
import tempfile
import unittest

import test_workshop
from kiln_runner import kiln

STAGES = ('--stage', '1s:10', '--stage', '2s:10', '--stage', '1s:0')


class Thresholds(test_workshop.WorkshopTest):
    def run_with_code(self, code, name, *arguments):
        run = kiln('run', '-e', 'BASE_URL=' + self.base_url, *arguments, 'examples/' + name)
        self.assertEqual(run.code, code, run.err + run.out)
        return run

    def test_a_threshold_that_holds_gets_a_check_mark(self):
        run = self.run_with_code(0, 'thresholds.js', *STAGES)
        self.assertRegex(run.out, r'(?m)^   ✓ http_req_duration\.+: avg=')

    def test_a_threshold_that_fails_gets_a_cross_and_exit_code_99(self):
        run = self.run_with_code(99, 'thresholds_failing.js', *STAGES)
        self.assertRegex(run.out, r'(?m)^   ✗ http_req_duration\.+: avg=')
        self.assertEqual(run.log[-1][:2], ('error', "thresholds on metrics 'http_req_duration' have been crossed"))

    def test_abort_on_fail_stops_the_test_early(self):
        run = self.run_with_code(99, 'thresholds_abort.js')
        self.assertLess(run.seconds, 10)  # of 20
        self.assertEqual(run.log[-1][:2], (
            'error', "thresholds on metrics 'http_req_duration' were crossed; at least one has abortOnFail enabled, "
                     'stopping test prematurely'))
        self.assertRegex(run.out, r'(?m)^default ✗ \[')

    def test_no_thresholds_leaves_them_out(self):
        run = self.run_with_code(0, 'thresholds_failing.js', '--no-thresholds', '-i', '2', '-u', '1')
        self.assertNotIn('✗ http_req_duration', run.out)


class CustomSummary(test_workshop.WorkshopTest):
    def test_handle_summary_writes_the_data_to_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            script = shutil.copy('examples/custom_summary.js', folder)
            program, here = os.path.abspath(os.environ.get('KILN', 'build/kiln')), os.getcwd()
            os.chdir(folder)  # handleSummary's files are relative to the working directory
            try:
                run = self.run_in_folder(program, script)
            finally:
                os.chdir(here)
            with open(os.path.join(folder, 'summary.json')) as f:
                data = json.load(f)
        self.assertNotIn('iterations...', run.out)  # its map replaces the default text
        self.assertEqual(set(data), {'metrics', 'options', 'root_group', 'setup_data', 'state'})
        self.assertEqual(data['metrics']['iterations']['values']['count'], 3)
        self.assertEqual(data['root_group']['checks'][0]['passes'], 3)
        self.assertEqual(set(data['metrics']['http_req_duration']['values']),
                         {'avg', 'min', 'med', 'max', 'p(90)', 'p(95)'})

    def run_in_folder(self, program, script):
        import kiln_runner
        before, kiln_runner.PROGRAM = kiln_runner.PROGRAM, program
        try:
            run = kiln('run', '-e', 'BASE_URL=' + self.base_url, '-i', '3', '-u', '3', script)
        finally:
            kiln_runner.PROGRAM = before
        self.assertEqual(run.code, 0, run.err)
        return run


class Overrides(test_workshop.WorkshopTest):
    def described(self, *arguments, env=None):
        run = kiln('run', '-e', 'BASE_URL=' + self.base_url, *arguments, 'examples/overrides.js', env=env)
        self.assertEqual(run.code, 0, run.err)
        found = re.search(r'\* default: (.*)', run.out)
        return found.group(1), run

    def test_environment_beats_script_and_flags_beat_environment(self):
        text, _ = self.described(env={'K6_VUS': '3', 'K6_DURATION': '1s'})
        self.assertEqual(text, '3 looping VUs for 1s (gracefulStop: 30s)')
        text, _ = self.described('--vus', '4', env={'K6_VUS': '3', 'K6_DURATION': '1s'})
        self.assertEqual(text, '4 looping VUs for 1s (gracefulStop: 30s)')
        text, _ = self.described('-i', '2')
        self.assertEqual(text, '2 iterations shared among 2 VUs (maxDuration: 10m0s, gracefulStop: 30s)')

    def test_fewer_iterations_than_vus_are_refused_as_k6_does(self):
        run = kiln('run', '-i', '1', 'examples/overrides.js')
        self.assertEqual(run.code, 104)
        self.assertIn("the number of iterations (1) can't be less than the number of VUs (2)", run.log[-1][1])

    def test_variables_reach_the_script_in_both_ways(self):
        _, run = self.described('-i', '2', '-e', 'MY_ENV_VAR=123')
        self.assertEqual(run.messages[0], '123')
        _, run = self.described('-i', '2', env={'MY_ENV_VAR': '456'})
        self.assertEqual(run.messages[0], '456')


class Lifecycle(test_workshop.WorkshopTest):
    def test_setup_iterations_and_teardown_come_in_this_order(self):
        run = self.run_example('lifecycle.js', '-d', '1s')
        self.assertEqual(run.messages[-1], 'the test is over')
        self.assertGreaterEqual(len(run.messages), 2)

    def test_a_setup_that_throws_ends_the_test_with_107(self):
        run = kiln('run', '-e', 'BASE_URL=http://127.0.0.1:1', 'examples/lifecycle.js')
        self.assertEqual(run.code, 107)
        self.assertIn('Got unexpected status code 0 when trying to setup. Exiting.', run.log[-1][1])
        self.assertIn('hint="script exception"', run.log[-1][2])
        self.assertEqual(run.messages, [])
        self.assertNotIn('iterations.', run.out)


class TestData(test_workshop.WorkshopTest):
    def users_in_log(self):
        return set(re.findall(r'path=/api/pizza .*user=(\d+)', self.server.log_text()))

    def test_customers_come_from_the_file_and_show_in_the_servers_log(self):
        self.run_example('customers.js', '-i', '60', '-u', '20')
        known = {str(n) for n in range(12351, 12357)}
        self.server.wait_for_log(r'user=1235[1-6]')
        users = self.users_in_log()
        self.assertLessEqual(users - known, {'23423'})
        self.assertGreater(len(users & known), 2)

    def test_the_same_vu_uses_the_same_customer(self):
        run = self.run_example('customers_by_vu.js', '-i', '8', '-u', '4')
        pairs = {tuple(m.split()) for m in run.messages if re.match(r'^\d+ \d+$', m)}
        self.assertLessEqual(pairs, {(str(vu), str(12350 + vu)) for vu in range(1, 5)})
        self.assertTrue(pairs)

    def test_the_log_block_of_the_execution_context_has_every_value(self):
        run = self.run_example('execution_context.js', '-i', '4', '-u', '2')
        blocks = [m.replace('\\n', '\n') for m in run.messages if m.startswith('Execution context')]
        self.assertEqual(len(blocks), 4)
        for block in blocks:
            self.assertNotIn('undefined', block)
            for line in ('Name of the running scenario: default', 'Executor type: shared-iterations',
                         'Initialized vus:  2', 'All test options: [object Object]', 'VU tags: [object Object]'):
                self.assertIn(line, block)
            self.assertRegex(block, r'Vus active: [12]\n')
            self.assertRegex(block, r'Time passed from start of run\(ms\):  \d+(\.\d+)?\n')
            self.assertRegex(block, r'Scenario start timestamp: 1\d{12}\n')
        self.assertEqual({re.search(r'Iteration in test: (\d)', b).group(1) for b in blocks}, set('0123'))


class CustomMetrics(test_workshop.WorkshopTest):
    def test_a_trend_and_a_counter_stand_in_the_summary(self):
        run = self.run_example('custom_metrics.js', '-i', '6', '-u', '3')
        self.assertRegex(run.summary['quickpizza_number_of_pizzas'], r'^6 +\d+(\.\d+)?/s$')
        self.assertRegex(run.summary['quickpizza_ingredients'],
                         r'^avg=[\d.]+ +min=\d +med=[\d.]+ +max=\d+ +p\(90\)=[\d.]+ +p\(95\)=[\d.]+ *$')

    def test_a_threshold_on_a_custom_metric_decides_the_exit_code(self):
        with open('examples/custom_metrics.js') as f:
            source = f.read()
        source = source.replace("duration: '5s'", "iterations: 2, thresholds: { quickpizza_ingredients: ['avg<1'] }")
        run = kiln('run', '-e', 'BASE_URL=' + self.base_url, '-', stdin=source)
        self.assertEqual(run.code, 99, run.err)
        self.assertRegex(run.out, r'(?m)^   ✗ quickpizza_ingredients\.')


if __name__ == '__main__':
    unittest.main()
