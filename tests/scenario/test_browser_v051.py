#!/usr/bin/env python3
"""The browser API of v0.51, whose calls block: the script that tries what is done to elements, with the other module. Environment:
KILN."""
import os
import sys
import tempfile
import unittest

import chromium
from kiln_runner import kiln

HERE = os.path.dirname(os.path.abspath(__file__))


class BlockingApi(unittest.TestCase):
    def test_the_blocking_api_of_v051(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ('harness.js', 'elements.js'):
                with open(os.path.join(HERE, 'browser', name)) as f, open(os.path.join(folder, name), 'w') as copy:
                    copy.write(f.read().replace("'k6/browser'", "'k6/experimental/browser'"))
            run = kiln('run', '--compat', 'v0.51', os.path.join(folder, 'elements.js'))
        self.assertEqual([text for level, text, _ in run.log if level == 'error'], [], run.err)
        self.assertEqual(run.code, 0, run.err)
        self.assertRegex(run.summary['checks'], r'^100\.00%', run.out)
        self.assertIn('level=info msg="clicked 42" browser_source=console-api', run.err)


if __name__ == '__main__':
    if not chromium.find_program():
        print('Chromium is not installed (Debian: apt-get install chromium)')
        sys.exit(77)
    unittest.main()
