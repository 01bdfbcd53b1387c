#!/usr/bin/env python3
"""The scripts of examples/quickpizza against the playground. Environment: KILN and QUICKPIZZA, paths of the programs."""
import json
import os
import re
import tempfile
import unittest

from kiln_runner import kiln, run_tests_together
from quickpizza_server import QuickPizza

FOLDER = 'examples/quickpizza'


class Examples(unittest.TestCase):
    def run_example(self, name, *arguments, code=0, server=None):
        base = server or self.server
        run = kiln('run', '--offline', '-e', 'BASE_URL=http://127.0.0.1:%d' % base.port, *arguments,
                   os.path.join(FOLDER, name))
        self.assertEqual(run.code, code, name + '\n' + run.err + run.out)
        return run

    def checks(self, run):
        """How many passed; none may have failed."""
        passed, failed = re.search(r'checks\.+: .*✓ (\d+) +✗ (\d+)', run.out).groups()
        self.assertEqual(failed, '0', run.out)
        return int(passed)

    def setUp(self):
        # each its own: what one leaves in the database is nobody else's history
        self.server = QuickPizza()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)

    def test_basic(self):
        run = self.run_example('basic.ts')
        self.assertEqual(self.checks(run), 3 * run.count('iterations'))
        self.assertEqual(len(run.messages), run.count('iterations'))

    def test_stages_and_thresholds(self):
        run = self.run_example('stages_and_thresholds.js')
        self.assertEqual(run.count('quickpizza_number_of_pizzas'), self.checks(run))
        self.assertEqual(run.messages, ['the oven is off'])

    def test_setup_stops_when_there_is_no_service(self):
        self.server.process.terminate()
        self.server.process.wait(30)
        run = self.run_example('stages_and_thresholds.js', code=107)
        self.assertIn('the playground answers 0', run.err)

    def test_arrival_rate(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'summary.json')
            run = self.run_example('arrival_rate.js', '-e', 'SUMMARY=' + path)
            with open(path, encoding='utf-8') as f:
                metrics = json.load(f)['metrics']
        iterations = metrics['iterations']['values']['count']
        self.assertGreaterEqual(iterations, 60 - 10 + 8)
        self.assertEqual(metrics['checks']['values'], {'rate': 1, 'passes': iterations, 'fails': 0})
        self.assertIn('✓ has the name we gave it', run.out)

    def test_login(self):
        self.assertEqual(self.checks(self.run_example('login.js')), 9 * 12)

    def test_websockets(self):
        run = self.run_example('websockets.js')
        self.assertEqual((self.checks(run), run.count('✓ quickpizza_messages_heard')), (2, 20))

    def test_contract(self):
        self.checks(self.run_example('contract.js'))

    def test_contract_broken(self):
        with QuickPizza(env={'QUICKPIZZA_FAIL_RATE_RECOMMENDATIONS_API_PIZZA_POST': '100'}) as broken:
            run = self.run_example('contract.js', code=108, server=broken)
        self.assertIn('expected 503 to equal 200', run.out + run.err)

    def test_faults(self):
        self.assertEqual(self.checks(self.run_example('faults.js')), 80)

    def test_tracing(self):
        self.assertEqual(self.checks(self.run_example('tracing.js')), 8)


if __name__ == '__main__':
    run_tests_together()
