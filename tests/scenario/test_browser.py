#!/usr/bin/env python3
"""Browser scripts in real Chromium against the playground: the workshop's, and one that tries the members of the API. Environment: KILN,
QUICKPIZZA."""
import os
import subprocess
import sys
import tempfile
import time
import unittest

import chromium
from kiln_runner import PROGRAM, Started, clean_environment, kiln, script
from quickpizza_server import QuickPizza

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VITALS = ('fcp', 'lcp', 'cls', 'ttfb')


def children_of(pid):
    """All processes below one."""
    out = subprocess.run(['ps', '-eo', 'pid=,ppid='], stdout=subprocess.PIPE, encoding='utf-8', check=True).stdout
    parents = dict(map(int, line.split()) for line in out.splitlines())
    found, new = set(), {pid}
    while new:
        new = {p for p, parent in parents.items() if parent in new} - found
        found |= new
    return found


def is_alive(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


class Browser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = QuickPizza()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.url = 'http://127.0.0.1:%d' % cls.server.port

    def test_the_workshops_script(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([os.path.abspath(PROGRAM), 'run', '-e', 'BASE_URL=' + self.url, os.path.join(ROOT, 'examples', 'browser.js')],
                                  cwd=folder, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, encoding='utf-8', timeout=100)
            with open(os.path.join(folder, 'screenshot.png'), 'rb') as f:
                self.assertEqual(f.read(8), b'\x89PNG\r\n\x1a\n')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('✓ header', done.stdout)
        self.assertIn('✓ recommendation', done.stdout)
        for name in ['browser_web_vital_' + v for v in VITALS] + ['browser_http_req_duration', 'browser_data_received']:
            self.assertIn(name, done.stdout)

    def test_members_of_the_api(self):
        run = kiln('run', '-e', 'BASE_URL=' + self.url, os.path.join(HERE, 'browser_members.js'))
        self.assertEqual([text for level, text, rest in run.log if level in ('error', 'warning') and 'source=browser' not in rest], [],
                         run.err)
        self.assertEqual(run.code, 0, run.err)
        self.assertRegex(run.summary['checks'], r'^100\.00%', run.out)

    def test_no_process_outlives_kiln(self):
        path = script(self, '''
            import { browser } from 'k6/browser';
            export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };
            export default async function () {
                const page = await browser.newPage();
                await page.goto('%s');
                console.log('ready');
                await page.waitForTimeout(60000);
            }''' % self.url)
        with Started('run', path) as run:
            run.wait_for('ready', 60)
            below = children_of(run.process.pid)
            run.process.kill()
            run.process.wait()
        self.assertGreater(len(below), 1)
        end = time.monotonic() + 20
        while any(map(is_alive, below)) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual([p for p in below if is_alive(p)], [])


if __name__ == '__main__':
    if not chromium.find_program():
        print('Chromium is not installed (Debian: apt-get install chromium)')
        sys.exit(77)
    unittest.main()
