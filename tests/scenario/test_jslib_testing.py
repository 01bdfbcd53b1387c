#!/usr/bin/env python3
"""k6-testing of jslib.k6.io, as kiln brings it along: matchers, their texts, retries in a browser, suites, exit codes."""
import json
import re
import shutil
import unittest

from http_server import HttpServer
from kiln_runner import kiln, script

HEAD = "import { expect, createTestSuite, colorize } from 'https://jslib.k6.io/k6-testing/0.6.1/index.js';\n"
COLLECT = HEAD + """
    const said = [];
    const e = expect.configure({ colorize: false, assertFn: (condition, message) => condition || said.push(message) });
    const flush = () => console.log(JSON.stringify(said.splice(0)));
"""


def run(test, text, code=0, env=None):
    done = kiln('run', '--quiet', '--offline', script(test, text), env=env)
    test.assertEqual(done.code, code, done.err)
    return done


def said(done):
    return [json.loads(re.sub(r'\\(["\\])', r'\1', message)) for message in done.messages if message.startswith('[')]


def failure(text):
    """{label: value} of a failure's text."""
    return dict(re.findall(r'^ *([A-Z][\w ]*): ?(.*)$', text, re.M))


class Matchers(unittest.TestCase):
    def test_what_matches_says_nothing_and_its_negation_fails(self):
        calls = ['1).toBe(1', '{a:[1]}).toEqual({a:[1]}', 'NaN).toBeNaN(', 'null).toBeNull(', 'undefined).toBeUndefined(', '0).toBeDefined(',
                 '1).toBeTruthy(', '"").toBeFalsy(', '5).toBeGreaterThan(4', '5).toBeGreaterThanOrEqual(5', '5n).toBeLessThan(6n', '5).toBeLessThanOrEqual(5',
                 '0.1+0.2).toBeCloseTo(0.3', '[1,2]).toContain(2', '"abc").toContain("b"', 'new Set([1])).toContain(1', '[{a:1}]).toContainEqual({a:1}',
                 '"abc").toHaveLength(3', '{a:{b:[1,{c:2}]}}).toHaveProperty("a.b[1].c",2', 'new Map()).toBeInstanceOf(Map']
        body = ''.join('e(%s); flush(); e(%s); flush();\n' % (call, call.replace(').', ').not.', 1)) for call in calls)
        lengths = [len(each) for each in said(run(self, COLLECT + 'export default () => {\n%s}' % body))]
        self.assertEqual(lengths, [0, 1] * len(calls))

    def test_texts_of_failures(self):
        done = run(self, COLLECT + """export default () => {
            e(1).toBe(2); e([1, 'x']).not.toEqual([1, 'x']); e(5).toBeGreaterThan(7); e('x').toBeLessThan(7); e(1).toBeCloseTo(2, 3); e([1]).toContain('b');
            e({ a: 1 }).toHaveProperty('a.b'); e([]).toBeInstanceOf(Map); e(3, 'in my words').toBe(4); flush(); }""")
        (texts,) = said(done)
        failures = [failure(text) for text in texts]
        self.assertEqual(texts[0].split("\n")[2].strip(), 'Error: expect(received).toBe(expected)')
        self.assertRegex(failures[0].pop('At'), r'^/.*\.js:\d+:\d+$')
        self.assertRegex(failures[0].pop('Filename'), r'^tmp\w+\.js$')
        self.assertEqual(failures[0], {'Error': 'expect(received).toBe(expected)', 'Expected': '2', 'Received': '1', 'Line': '7'})
        self.assertEqual([failures[1][key] for key in ('Error', 'Received')], ['expect(received).not.toEqual(expected)', '[1,"x"]'])
        self.assertEqual(failures[2]['Expected'], '> 7')
        self.assertEqual([failures[3][key] for key in ('Expected', 'Received')], ['< 7', '"x"'])
        self.assertEqual([failures[4][key] for key in ('Error', 'Expected difference')], ['expect(received).toBeCloseTo(expected, precision)', '< 0.002'])
        self.assertEqual([failures[5][key] for key in ('Expected to contain', 'Received array')], ['"b"', '[1]'])
        self.assertEqual(failures[6]['Property path'], 'a.b')
        self.assertEqual([failures[7][key] for key in ('Expected constructor', 'Received constructor')], ['Map', 'Array'])
        self.assertEqual(failures[8]['Error'], 'in my words')

    def test_an_assert_function_of_ones_own_hears_all(self):
        done = run(self, HEAD + """export default () => {
            const heard = [];
            const e = expect.configure({ soft: true, assertFn: (...args) => heard.push([args[0], typeof args[1], args[2], args[3]]) });
            e(1).toBe(1); e(1).not.toBe(2); e(1).toBe(2); e(100).toBeCloseTo(100.5); console.log(JSON.stringify(heard)); }""")
        self.assertEqual(said(done), [[[ok, 'string', True, 'fail'] for ok in (True, True, False, True)]])

    def test_settings_of_the_environment_win(self):
        text = HEAD + "export default () => { const { timeout, display, softMode } = expect.configure({ timeout: 1 }).config; console.log(JSON.stringify([timeout, display, softMode])); }"
        self.assertEqual(said(run(self, text)), [[1, 'pretty', 'fail']])
        env = {'K6_TESTING_TIMEOUT': '70', 'K6_TESTING_DISPLAY': 'INLINE', 'K6_TESTING_SOFT_MODE': 'throw'}
        self.assertEqual(said(run(self, text, env=env)), [[70, 'inline', 'throw']])
        bad = run(self, text, 107, env={'K6_TESTING_DISPLAY': 'x'})
        self.assertIn('Invalid value for K6_TESTING_DISPLAY. Must be one of: inline, pretty', bad.err)


class Ends(unittest.TestCase):
    def test_a_failure_aborts_the_test(self):
        done = run(self, HEAD + "export default () => { expect(1).toBe(1); console.log('before'); expect(1).toBe(2); console.log('after'); }", 108)
        self.assertEqual(done.messages, ['before'])

    def test_a_soft_failure_marks_the_test_as_failed_or_ends_the_iteration(self):
        text = HEAD + "export default () => { expect.soft(1).toBe(2); console.log('after'); }"
        self.assertEqual(run(self, text, 110).messages, ['after'])
        thrown = run(self, text, 0, env={'K6_TESTING_SOFT_MODE': 'throw'})
        self.assertEqual(thrown.messages, [])
        self.assertIn('AssertionFailedError', thrown.err)

    def test_suites_report_every_test(self):
        done = run(self, HEAD + """
            const { suite, test, it, describe } = createTestSuite();
            describe('group', () => {
              test('passes', ({ expect }) => expect(1).toBe(1));
              it('fails', async ({ expect }) => { await null; expect(1).toBe(2); });
            });
            const { test: extended } = test.extend({ defaultOptions: { who: 'me' }, mergeOptions: (base, more) => ({ who: more.who }),
              createContext: (options) => ({ context: { name: options.who } }) });
            extended('has a context', ({ name, expect }) => expect(name).toBe('me'));
            export default async function () {
              const all = await suite.run({ include: /js$|group/ });
              console.log(JSON.stringify(all.map((r) => [r.type, r.meta.name, r.meta.path.length])));
              console.log(JSON.stringify((await suite.run({ include: 'group' })).map((r) => r.type)));
            }""")
        self.assertEqual(said(done), [[['pass', 'passes', 2], ['fail', 'fails', 2], ['pass', 'has a context', 1]], ['pass', 'fail', 'skip']])


PAGE = """<title>A  title</title><input id=box type=checkbox checked><input id=text value=abc><button id=b disabled data-x=y>Go</button><p id=late></p><p id=soon>soon gone</p>
<script>setTimeout(() => { late.innerHTML = ' Hello <b>World</b> '; }, 300); setTimeout(() => soon.remove(), 600);</script>"""


def page(http):
    http.begin(200, 'text/html')
    http.chunk(PAGE)
    http.chunk('')


@unittest.skipUnless(shutil.which('chromium') or shutil.which('google-chrome'), 'no Chromium')
class Browser(unittest.TestCase):
    def test_matchers_of_locators_wait_until_they_match(self):
        with HttpServer(page) as server:
            done = run(self, COLLECT + """
                import { browser } from 'k6/browser';
                export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };
                export default async function () {
                  const page = await browser.newPage();
                  await page.goto('%s');
                  const at = (id) => page.locator('#' + id);
                  await e(at('late')).toHaveText('Hello World');
                  await e(at('late')).toContainText(/WORLD/, { ignoreCase: true });
                  await e(at('soon')).not.toBeVisible();
                  await e(page).toHaveTitle('A title');
                  await e(at('box')).toBeChecked(); await e(at('b')).toBeDisabled(); await e(at('text')).toBeEditable(); await e(at('text')).toBeEnabled();
                  await e(at('b')).toBeVisible(); await e(at('text')).toHaveValue('abc'); await e(at('b')).toHaveAttribute('data-x', 'y');
                  await e(at('text')).not.toBeEmpty(); await e(at('nothing')).toBeHidden();
                  flush();
                  await e(at('late')).toHaveText('bye', { timeout: 150, interval: 20 });
                  await e(1).toBeVisible();
                  flush();
                  await page.close();
                }""" % server.url)
        passed, (text, wrong) = said(done)
        self.assertEqual(passed, [])
        self.assertEqual([failure(text)[key] for key in ('Expected', 'Received')], ['bye', 'Hello World'])
        self.assertRegex(text, r"- 'Hello World' did not match 'bye' \(x\d+\)")
        self.assertEqual(failure(wrong)['Expected type'], 'Locator')


if __name__ == '__main__':
    unittest.main()
