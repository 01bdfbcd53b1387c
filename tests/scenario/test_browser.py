#!/usr/bin/env python3
"""The browser API in real Chromium: the scripts in browser/ try all of its members, and the table of members in
docs/browser-members.md agrees with what they call. With --table the table is written anew. Environment: KILN."""
import json
import os
import re
import sys
import tempfile
import unittest

import chromium
from browser_site import Site, ui
from kiln_runner import kiln, script

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'docs', 'browser-members.md')


class BrowserApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.covered = {}
        cls.site = cls.enterClassContext(Site())

    def check(self, run):
        self.assertEqual([text for level, text, _ in run.log if level == 'error'], [], run.err)
        self.assertEqual(run.code, 0, run.err)

    def run_members(self, name, *arguments, env=None):
        """One of browser/*.js, whose coverage is kept."""
        run = kiln('run', '-e', 'SITE=' + self.site.url, *arguments, os.path.join(HERE, 'browser', name), env=env)
        self.check(run)
        self.assertRegex(run.summary['checks'], r'^100\.00%', run.out)
        lines = {message.split(' ', 1)[0]: json.loads(message.split(' ', 1)[1].replace('\\"', '"'))
                 for message in run.messages if message.startswith(('MEMBERS', 'COVERED'))}
        for of, members in lines['MEMBERS'].items():
            for member in members + list(lines['COVERED'].get(of, {})):
                tests = self.covered.setdefault((of, member), [])
                tests += ['%s: %s' % (name, t) for t in lines['COVERED'].get(of, {}).get(member, [])]
        return run

    def test_1_elements(self):
        self.run_members('elements.js')

    def test_1_pages(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, 'out.json')
            self.run_members('pages.js', '-e', 'SHOT=' + os.path.join(folder, 'a', 'shot.jpeg'), '--out', 'json=' + out)
            with open(os.path.join(folder, 'a', 'shot.jpeg'), 'rb') as f:
                self.assertEqual(f.read(3), b'\xff\xd8\xff')
            with open(out) as f:
                points = [json.loads(line) for line in f]
        tags = [(p['metric'], p['data']['tags']) for p in points if p['type'] == 'Point' and p['metric'].startswith('browser_')]
        grouped = [(metric, t) for metric, t in tags if t.get('url') == 'grouped']
        self.assertEqual({t['name'] for _, t in grouped}, {'grouped'})
        self.assertIn('browser_web_vital_fcp', {metric for metric, _ in grouped})
        documents = [t for metric, t in grouped if metric == 'browser_http_req_duration' and t['resource_type'] == 'Document']
        self.assertEqual(len(documents), 2)
        self.assertEqual({k: documents[0].get(k) for k in ('method', 'status', 'from_cache', 'proto')},
                         {'method': 'GET', 'status': '200', 'from_cache': 'false', 'proto': 'http/1.1'})
        self.assertEqual([t for _, t in tags if re.search(r'grouped\?', t.get('url', ''))], [])

    def test_1_contexts(self):
        with chromium.Chromium() as other:
            self.run_members('contexts.js', '-e', 'CDP=ws://127.0.0.1:%d%s' % (other.port, other.browser_path))

    def test_2_the_table_of_members_is_true(self):
        """Each member that an object has is in the table, with a test that calls it."""
        if not self.covered:
            self.skipTest('runs behind the tests of the API')
        if '--table' in ARGUMENTS:
            write_table(self.covered)
        with open(TABLE, encoding='utf-8') as f:
            rows = re.findall(r'^\| `(\w+)\.([\w$]+)` \| (.+) \|$', f.read(), re.M)
        self.assertEqual(sorted((of, member) for of, member, _ in rows), sorted(self.covered))
        self.assertEqual([row for row in rows if row[2] not in self.covered[row[0], row[1]]], [])

    def test_frames_of_other_sites_in_processes_of_their_own(self):
        run = kiln('run', script(self, ui("""
            const page = await browser.newPage();
            await page.goto('%s/frames');
            const frame = page.frames().find((f) => f.name() === 'other'), inside = page.frameLocator('iframe');
            const asked = page.waitForResponse(/framed$/);
            await page.waitForTimeout(0);
            await inside.locator('button').click();
            await inside.locator('input').fill('typed');
            await inside.locator('input').press('!');
            console.log([await inside.locator('button').textContent(), await inside.locator('input').inputValue(), frame.url(),
              await frame.evaluate(() => document.title), (await asked).url(), (await frame.frameElement()) !== null,
              Math.round((await inside.locator('button').boundingBox()).y) > 40].join(' '));
            await page.evaluate(() => { document.querySelector('iframe').src = '/framed'; });
            await frame.waitForURL(/127.0.0.1.*framed$/);
            console.log(await inside.locator('button').textContent());""" % self.site.url)),
                   env={'K6_BROWSER_IGNORE_DEFAULT_ARGS': 'disable-site-isolation-trials,disable-features', 'K6_BROWSER_ARGS': 'site-per-process'})
        self.check(run)
        framed = 'http://localhost:%d/framed' % self.site.port
        self.assertEqual(run.messages, ['clicked typed! %s framed %s true true' % (framed, framed.replace('/framed', '/json?framed')), 'click'])


def write_table(covered):
    order = ['Browser', 'BrowserType', 'BrowserContext', 'Page', 'Frame', 'Locator', 'FrameLocator', 'ElementHandle', 'JSHandle', 'Keyboard',
             'Mouse', 'Touchscreen', 'Request', 'Response', 'Route', 'ConsoleMessage', 'MetricMessage', 'Worker']
    lines = ['# Members of the browser API', '',
             'What the objects of `k6/browser` have, and a test that calls it in real Chromium: a file of `tests/scenario/browser/` and the name',
             'of a test in it. `tests/scenario/test_browser.py` records which test calls what, and fails when a member is missing here, is here',
             'but not there, or is not called by its test. `python3 tests/scenario/test_browser.py --table` writes this page anew.', '',
             '| member | test |', '|---|---|']
    for of, member in sorted(covered, key=lambda k: (order.index(k[0]), k[1])):
        tests = covered[of, member]
        own = [t for t in tests if t.split(': ', 1)[1].startswith(of)] or tests or ['none']
        lines.append('| `%s.%s` | %s |' % (of, member, own[0]))
    with open(TABLE, 'w', encoding='utf-8') as f:
        f.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    ARGUMENTS = sys.argv[1:]
    if not chromium.find_program():
        print('Chromium is not installed (Debian: apt-get install chromium)')
        sys.exit(77)
    unittest.main(argv=[a for a in sys.argv if a != '--table'])
