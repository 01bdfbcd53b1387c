#!/usr/bin/env python3
"""Runs of browser scripts: the workshop's, the examples, the settings, and what is left of the browsers when kiln ends in whatever way.
Environment: KILN, QUICKPIZZA."""
import concurrent.futures
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import chromium
from browser_site import Site, browser_below, children_of, is_alive, ui
from kiln_runner import PROGRAM, Started, clean_environment, kiln, script
from quickpizza_server import QuickPizza

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VITALS = ('fcp', 'lcp', 'cls', 'ttfb')


class BrowserRuns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = cls.enterClassContext(Site())

    def check(self, run):
        self.assertEqual([text for level, text, _ in run.log if level == 'error'], [], run.err)
        self.assertEqual(run.code, 0, run.err)

    def gone(self, below):
        """Nothing of these processes is left soon."""
        self.assertGreater(len(below), 1)
        end = time.monotonic() + 20
        while any(map(is_alive, below)) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual([p for p in below if is_alive(p)], [])

    # ---- whole scripts

    def run_example(self, server, name):
        """Its summary and screenshot. Thresholds are off: how fast a browser is on a busy machine is no matter of the test."""
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run([os.path.abspath(PROGRAM), 'run', '--no-thresholds', '-e', 'BASE_URL=http://127.0.0.1:%d' % server.port, '-e', 'SECONDS=3',
                                  os.path.join(ROOT, 'examples', name)], cwd=folder, env=clean_environment(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8', timeout=100)
            picture = None
            if os.path.exists(os.path.join(folder, 'screenshot.png')):
                with open(os.path.join(folder, 'screenshot.png'), 'rb') as f:
                    picture = f.read(8)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertNotIn('level=error', run.stderr)
        return run.stdout, picture

    def test_the_workshops_script(self):
        with QuickPizza() as server:
            out, picture = self.run_example(server, 'browser.js')
        self.assertEqual(picture, b'\x89PNG\r\n\x1a\n')
        self.assertIn('✓ header', out)
        self.assertIn('✓ recommendation', out)
        for name in ['browser_web_vital_' + v for v in VITALS] + ['browser_http_req_duration', 'browser_data_received']:
            self.assertIn(name, out)

    def test_the_examples(self):
        """Those of QuickPizza's own browser folder."""
        wanted = {'basic': ['header', 'recommendation'], 'cookies': ['one cookie', 'its value', 'the page has it', 'no cookie in another context'],
                  'thresholds': ['header'], 'scenarios': ['logout button text', 'recommendation'], 'custom_metrics': ['recommendation'],
                  'page_objects': ['logout button text', 'header', 'recommendation'],
                  'hybrid': ['status is 200', 'logout button text', 'header', 'recommendation']}
        self.assertEqual(sorted(wanted), sorted(n[:-3] for n in os.listdir(os.path.join(ROOT, 'examples', 'browser')) if n.endswith('.js')))
        with QuickPizza() as server, concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = dict(zip(wanted, pool.map(lambda name: self.run_example(server, 'browser/%s.js' % name)[0], wanted)))
        for name, out in runs.items():
            for check in wanted[name]:
                self.assertIn('✓ ' + check, out, name)
            self.assertNotIn('✗ ' + check, out, name)
        self.assertIn('total_action_time', runs['custom_metrics'])
        self.assertRegex(runs['page_objects'], r'total_action_time\.*: avg=[\d.]+m?s')

    def test_thresholds_know_the_metrics_before_a_page_is_visited(self):
        run = kiln('run', script(self, """
            import { browser } from 'k6/browser';
            export const options = { thresholds: { browser_web_vital_fcp: ['p(95)<1000'], browser_http_req_failed: ['rate<1'] } };
            export default function () {}"""))
        self.assertEqual(run.code, 0, run.err)
        self.assertIn('browser_web_vital_fcp', run.out)

    # ---- settings

    def test_browsers_that_run_already(self):
        with chromium.Chromium() as one:
            url = 'ws://127.0.0.1:%d%s' % (one.port, one.browser_path)
            run = kiln('run', script(self, ui("""
                const page = await browser.newPage();
                await page.goto('%s/page?1');
                console.log(await page.title());
                await page.close();""" % self.site.url, 'vus: 2, iterations: 4,')), env={'K6_BROWSER_WS_URL': '%s,%s' % (url, url)})
            self.check(run)
            self.assertEqual(run.messages, ['page 1'] * 4)
            self.assertIsNone(one.process.poll())

    def test_screenshots_go_to_a_server(self):
        run = kiln('run', script(self, ui("await (await browser.newPage()).screenshot({ path: 'shot.png' });")),
                   env={'K6_BROWSER_SCREENSHOTS_OUTPUT': 'url=%s/sign,basePath=/shots,header.X-Token=t' % self.site.url})
        self.check(run)
        self.assertEqual(self.site.signed, ({'service': 'aws_s3', 'operation': 'upload_post', 'files': [{'name': '/shots/shot.png'}]}, 't'))
        path, kind, body = self.site.uploads[-1]
        self.assertEqual(path, '/upload?signed')
        self.assertRegex(kind, '^multipart/form-data; boundary=')
        self.assertIn(b'name="key"\r\n\r\nk1\r\n', body)
        self.assertIn(b'name="file"; filename="/shots/shot.png"', body)
        self.assertIn(b'\x89PNG', body)

    def test_settings_that_are_wrong_are_said(self):
        path = script(self, ui('await browser.newPage();', 'vus: 2, iterations: 20,'))
        for env, words in [
                ({'K6_BROWSER_EXECUTABLE_PATH': '/nope'}, "launching browser: finding browser executable: k6 couldn't detect google chrome or a "
                                                          'chromium-supported browser on the given path: /nope'),
                ({'K6_BROWSER_TIMEOUT': 'x'}, 'K6_BROWSER_TIMEOUT should be a time duration value'),
                ({'K6_BROWSER_HEADLESS': 'x'}, 'K6_BROWSER_HEADLESS should be a boolean'),
                ({'K6_BROWSER_LOG': 'loud'}, 'error setting up logger: invalid log level'),
                ({'K6_BROWSER_LOG_CATEGORY_FILTER': '['}, 'error setting category filter: invalid category filter'),
                ({'K6_BROWSER_TRACES_METADATA': 'a'}, 'is not a valid key=value metadata'),
                ({'K6_BROWSER_SCREENSHOTS_OUTPUT': 'basePath=/x'}, 'parsing K6_BROWSER_SCREENSHOTS_OUTPUT: missing required url'),
                ({'K6_BROWSER_WS_URL': 'ws://127.0.0.1:1/'}, 'connecting to browser: ')]:
            run = kiln('run', path, env=env)
            self.assertIn('error building browser on IterStart: ', run.err)
            self.assertIn(words, run.err, env)
            self.assertEqual(run.code, 108, run.err)
        run = kiln('run', script(self, "import { browser } from 'k6/browser'; export default async function () { await browser.newPage(); }"))
        self.assertIn('browser not found in registry. make sure to set browser type option in scenario definition', run.err)

    def test_the_log_of_the_module(self):
        path = script(self, ui('await (await browser.newPage()).evaluate(() => console.log("from the page"));'))
        run = kiln('run', path, env={'K6_BROWSER_DEBUG': 'true'})
        self.assertRegex(run.err, r'level=debug msg="-> 1 Browser\.getVersion" category=cdp source=browser')
        self.assertIn('level=debug msg="from the page" browser_source=console-api source=browser', run.err)
        run = kiln('run', path, env={'K6_BROWSER_LOG': 'debug', 'K6_BROWSER_LOG_CATEGORY_FILTER': '^Browser'})
        self.assertRegex(run.err, r'level=debug msg="launched: \S+" category=Browser source=browser')
        self.assertNotIn('category=cdp', run.err)

    # ---- ends

    def test_what_handlers_throw_fails_the_iteration_alone(self):
        run = kiln('run', script(self, ui("""
            const page = await browser.newPage();
            if (__ITER === 0) page.on('request', () => { throw new Error('in the handler'); });
            if (__ITER === 1) await page.route(/page/, () => { throw new Error('in the route'); });
            await page.goto('%s/page?1');
            console.log('done ' + __ITER);""" % self.site.url, 'iterations: 3,')))
        errors = [text.split('\\n')[0] for level, text, _ in run.log if level == 'error']
        self.assertEqual(errors, ['Error: in the handler', 'Error: in the route'], run.err)
        self.assertEqual(run.messages, ['done 2'])

    def test_the_scripts_own_error_is_told_not_those_of_what_still_waits(self):
        run = kiln('run', script(self, ui("""
            const page = await browser.newPage();
            page.waitForEvent('request');
            try { throw new Error('mine'); } finally { await page.close(); }""")))
        self.assertEqual([text.split('\\n')[0] for level, text, _ in run.log if level == 'error'], ['Uncaught (in promise) Error: mine'], run.err)

    def test_a_browser_that_dies_is_replaced(self):
        path = script(self, ui("""
            const page = await browser.newPage();
            console.log('ready ' + __ITER);
            if (__ITER === 0) await page.waitForSelector('#never').catch((e) => console.log(e.message));
            else await page.goto('%s/page?1');
            console.log('connected: ' + browser.isConnected());""" % self.site.url, 'iterations: 2,'))
        with Started('run', path) as run:
            run.wait_for('ready 0')
            os.kill(browser_below(run.process.pid), signal.SIGKILL)
            done = run.finish(60)
        self.assertEqual(done.messages, ['ready 0', 'waiting for selector \\"#never\\": the browser has ended', 'connected: false', 'ready 1',
                                         'connected: true'])

    def test_a_signal_ends_a_waiting_call(self):
        path = script(self, ui("const page = await browser.newPage(); console.log('ready'); await page.waitForTimeout(60000); console.log('no');"))
        with Started('run', path) as run:
            run.wait_for('ready')
            below = children_of(run.process.pid)
            run.process.send_signal(signal.SIGINT)
            done = run.finish(20)
        self.assertEqual(done.code, 105)
        self.assertEqual(done.messages, ['ready'])
        self.gone(below)

    def test_the_end_of_a_scenario_ends_a_waiting_call(self):
        calls = {'async': "import { browser } from 'k6/browser'; const wait = async (p) => { await (await p).waitForSelector('#never'); };",
                 'sync': "import { browser } from 'k6/experimental/browser'; const wait = (p) => { p.waitForSelector('#never'); };"}
        for name, text in calls.items():
            run = kiln('run', script(self, text + """
                const one = { vus: 1, gracefulStop: '0s', options: { browser: { type: 'chromium' } } };
                export const options = { scenarios: {
                  loop: { ...one, executor: 'constant-vus', duration: '2s' }, once: { ...one, executor: 'shared-iterations', maxDuration: '2s' } } };
                export default async function () { await wait(browser.newPage()); console.log('no'); }"""))
            self.assertEqual(run.code, 0, run.err)
            self.assertEqual(run.messages, [], name)
            self.assertEqual(run.ticks[-1][-2:], (0, 2), run.out)

    def test_no_process_outlives_kiln(self):
        path = script(self, ui("const page = await browser.newPage(); console.log('ready'); await page.waitForTimeout(60000);"))
        with Started('run', path) as run:
            run.wait_for('ready', 60)
            below = children_of(run.process.pid)
            run.process.kill()
            run.process.wait()
        self.gone(below)


if __name__ == '__main__':
    if not chromium.find_program():
        print('Chromium is not installed (Debian: apt-get install chromium)')
        sys.exit(77)
    unittest.main()
