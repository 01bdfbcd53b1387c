#!/usr/bin/env python3
"""The libraries of jslib.k6.io that kiln brings along, without a network: what their documentation says they give."""
import json
import re
import unittest

from http_server import HttpServer
from kiln_runner import kiln, script


def run(test, text, *arguments, code=0):
    """Runs a script without a network for modules."""
    done = kiln('run', '--quiet', '--offline', *arguments, script(test, text))
    test.assertEqual(done.code, code, done.err)
    return done


def logged(done):
    return [json.loads(message.replace('\\"', '"').replace('\\\\', '\\')) for message in done.messages if message[:1] in '{[']


def echo(http):
    """Answers with the request."""
    answer = {'method': http.command, 'path': http.path, 'body': http.body().decode('latin-1'), 'headers': list(http.headers.items())}
    data = json.dumps(answer).encode()
    http.send_response(500 if http.path == '/500' else 200)
    http.send_header('Content-Type', 'application/json')
    http.send_header('Content-Length', str(len(data)))
    http.end_headers()
    if http.command != 'HEAD':
        http.wfile.write(data)


class Data(unittest.TestCase):
    def test_papaparse_ajv_jsonpath_url_and_forms(self):
        text = """
            import papaparse from 'https://jslib.k6.io/papaparse/5.1.1/index.js';
            import Ajv from 'https://jslib.k6.io/ajv/6.12.5/index.js';
            import jsonpath from 'https://jslib.k6.io/jsonpath/1.0.2/index.js';
            import { URL, URLSearchParams } from 'https://jslib.k6.io/url/1.0.0/index.js';
            import formurlencoded from 'https://jslib.k6.io/form-urlencoded/3.0.0/index.js';
            const say = (value) => console.log(JSON.stringify(value));
            export default function () {
              say(papaparse.parse('name;age\\nBert;5\\n"a;b";6', { header: true }).data);
              const valid = new Ajv().compile({ type: 'object', properties: { id: { minimum: 5 } }, required: ['id'] });
              say([valid({ id: 7 }), valid({}), valid.errors[0].message]);
              const shop = { book: [{ price: 3 }, { price: 30 }], owner: { name: 'Ann' } };
              say([jsonpath.value(shop, 'owner.name'), jsonpath.query(shop, '$.book[?(@.price<10)].price')]);
              const url = new URL('/with/path?foo=bar', 'https://test.k6.io');
              url.searchParams.append('x', 'a b');
              say([url.toString(), new URLSearchParams([['k', 'v'], ['k', 'w']]).getAll('k')]);
              say([formurlencoded({ b: { c: "d e'" }, a: [1, 2], n: null }),
                   formurlencoded({ b: 1, a: [1, 2], n: null, e: [] }, { sorted: true, skipIndex: true, ignorenull: true })]);
            }"""
        for arguments in [], ['--compat=v0.51']:
            self.assertEqual(logged(run(self, text, *arguments)), [
                [{'name': 'Bert', 'age': '5'}, {'name': 'a;b', 'age': '6'}],
                [True, False, "should have required property 'id'"],
                ['Ann', [3]],
                ['https://test.k6.io/with/path?foo=bar&x=a+b', ['v', 'w']],
                ['b%5Bc%5D=d+e%27&a%5B0%5D=1&a%5B1%5D=2&n=null', 'a%5B%5D=1&a%5B%5D=2&b=1&e%5B%5D'],
            ])

    def test_totp_has_the_codes_of_rfc_6238(self):
        done = run(self, """
            import { TOTP } from 'https://jslib.k6.io/totp/1.0.0/index.js';
            export default async function () {
              const totp = new TOTP('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 8), codes = [];
              for (const time of [59, 1111111109, 1234567890, 2000000000]) codes.push(await totp.gen(30, Math.floor(Date.now() / 1000) - time));
              const six = new TOTP('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
              const code = await six.gen();
              console.log(JSON.stringify([codes, code.length, await six.verify('x'), (await six.verify(code)) || (await six.gen()) !== code]));
            }""")
        self.assertEqual(logged(done), [[['94287082', '07081804', '89005924', '69279037'], 6, False, True]])

    def test_require_gives_the_same(self):
        done = run(self, """
            const FormData = require('https://jslib.k6.io/formdata/0.0.2/index.js').FormData;
            const papaparse = require('https://jslib.k6.io/papaparse/5.1.1/index.js');
            module.exports.default = () => console.log(JSON.stringify([typeof FormData().body, typeof papaparse.parse]));
            """)
        self.assertEqual(logged(done), [['function', 'function']])

    def test_what_kiln_does_not_have_is_fetched(self):
        done = kiln('run', '--offline', script(self, "import 'https://jslib.k6.io/no-such-library/1.0.0/index.js'; export default () => {};"))
        self.assertNotEqual(done.code, 0)
        self.assertIn('https://jslib.k6.io/no-such-library/1.0.0/index.js', done.err)


class Requests(unittest.TestCase):
    def test_formdata_is_multipart(self):
        with HttpServer(echo) as server:
            done = run(self, """
                import http from 'k6/http';
                import { FormData } from 'https://jslib.k6.io/formdata/0.0.2/index.js';
                export default function () {
                  const form = new FormData();
                  form.append('text', 'world');
                  form.append('file', http.file('hello', 'a "b".txt', 'text/css'));
                  form.append('bytes', { data: new Uint8Array([1, 2, 255]).buffer, filename: 'x.bin' });
                  const type = 'multipart/form-data; boundary=' + form.boundary;
                  console.log(JSON.stringify(form.boundary), http.post('%s', form.body(), { headers: { 'Content-Type': type } }).json('body').split(form.boundary).join('BOUNDARY'));
                }""" % server.url)
        body = done.messages[0]
        for part in ('--BOUNDARY\\r\\nContent-Disposition: form-data; name=\\"text\\"\\r\\nContent-Type: text/plain\\r\\n\\r\\nworld\\r\\n',
                     'name=\\"file\\"; filename=\\"a %22b%22.txt\\"\\r\\nContent-Type: text/css\\r\\n\\r\\nhello\\r\\n',
                     'name=\\"bytes\\"; filename=\\"x.bin\\"\\r\\nContent-Type: application/octet-stream\\r\\n\\r\\n\\x01\\x02ÿ\\r\\n--BOUNDARY--\\r\\n'):
            self.assertIn(part, body)

    def test_httpx_sessions(self):
        with HttpServer(echo) as server:
            done = run(self, """
                import http from 'k6/http';
                import { Rate } from 'k6/metrics';
                import { Httpx, Get, Post } from 'https://jslib.k6.io/httpx/0.1.0/index.js';
                const errors = new Rate('session_errors');
                const session = new Httpx({ baseURL: '%s', headers: { 'X-One': '1' }, tags: { a: 'b' }, timeout: 20000, errorMetric: errors });
                const say = (value) => console.log(JSON.stringify(value));
                const header = (r, name) => (r.json('headers').find(([n]) => n.toLowerCase() === name) || [])[1];
                export const options = { thresholds: { session_errors: ['rate>0.14', 'rate<0.15'], 'http_reqs{a:b}': ['count==11'] } };
                export default async function () {
                  session.addHeader('X-Two', '2');
                  const r = session.post('/p', 'body', { headers: { 'X-Three': '3' } });
                  say([r.request.method, r.json('path'), r.json('body'), header(r, 'x-one'), header(r, 'x-two'), header(r, 'x-three')]);
                  session.clearHeader('X-Two');
                  say([header(session.get('/g'), 'x-two') === undefined, session.lastRequest.responseObject.json('path'), session.lastRequestChainDuration >= 0]);
                  session.get('%s/absolute'); session.get('/500');
                  session.get(http.url`/${1}`, null, { tags: { x: 'y' } });
                  session.put('/'); session.post('/');
                  say((await session.asyncPut('/async', 'x')).json('method').split());
                  const all = session.batch([new Get('/1').addHeader('X-A', 'a'), new Post('/2', { body: 'b' }), ['GET', '/3']], { tags: { name: 'n' } });
                  say(all.map((each) => [each.json('path'), each.json('body'), header(each, 'x-one')]).concat([[header(all[0], 'x-a')]]));
                  try { session.request('GEM', '/'); } catch (e) { say([e.message]); }
                }""" % (server.url, server.url))
        self.assertEqual(logged(done), [
            ['POST', '/p', 'body', '1', '2', '3'],
            [True, '/g', True],
            ['PUT'],
            [['/1', '', '1'], ['/2', 'b', '1'], ['/3', '', '1'], ['a']],
            ['Invalid method: GEM. Expected one of GET,HEAD,POST,PUT,DELETE,CONNECT,OPTIONS,TRACE,PATCH']])

    def test_instrumentation_adds_headers_to_every_request(self):
        with HttpServer(echo) as server:
            done = run(self, """
                import http from 'k6/http';
                import tempo from 'https://jslib.k6.io/http-instrumentation-tempo/1.0.1/index.js';
                import pyroscope from 'https://jslib.k6.io/http-instrumentation-pyroscope/1.0.2/index.js';
                const jaeger = new tempo.Client({ propagator: 'jaeger', sampling: 0 });
                pyroscope.instrumentHTTP();
                tempo.instrumentHTTP({ propagator: 'w3c' });
                const header = (r, name) => r.json('headers').filter(([n]) => n.toLowerCase() === name).map(([, v]) => v).join('|');
                const say = (value) => console.log(JSON.stringify(value));
                export default async function () {
                  const r = http.post('%s/p', 'x', { headers: { baggage: 'foo=bar' }, tags: { name: 'named' } });
                  say([header(r, 'traceparent'), header(r, 'baggage')]);
                  say([header(await http.asyncRequest('GET', '%s/a'), 'traceparent')]);
                  say([header(jaeger.get('%s/j'), 'uber-trace-id')]);
                  try { new tempo.Client({ propagator: 'x' }); } catch (e) { say([e]); }
                }""" % ((server.url,) * 3))
        (parent, baggage), (async_parent,), (jaeger,), error = logged(done)
        w3c = r'^00-dc0718[0-9a-f]{26}-[0-9a-f]{16}-01$'
        self.assertRegex(parent, w3c)
        self.assertRegex(async_parent, w3c)
        self.assertNotEqual(parent, async_parent)
        self.assertRegex(jaeger, r'^dc0718[0-9a-f]{26}:[0-9a-f]{8}:0:0$')
        self.assertTrue(re.search(r'foo=bar.*k6\.test_run_id=.*k6\.scenario=default.*k6\.name=named', baggage), baggage)
        self.assertEqual(error, ['unknown propagator: x'])

    def test_screenshots_go_to_loki_in_pieces(self):
        pushed = []

        def loki(http):
            pushed.append((http.path, http.headers['Authorization'], json.loads(http.body())['streams'][0]))
            http.send_response(204)
            http.end_headers()

        with HttpServer(loki) as server:
            done = run(self, """
                import { captureScreenshot, loki, gcs } from 'https://jslib.k6.io/sm-screenshots/0.1.0/index.js';
                const page = { screenshot: async ({ fullPage }) => new Uint8Array(fullPage ? [1, 2, 3, 4, 5, 6] : []).buffer };
                export default async () => captureScreenshot(page, { caption: 'shop', fullPage: true, store: loki({ chunkSize: 5 }) });""",
                       '--secret-source', 'mock=sm-screenshot-loki-host=%s,sm-screenshot-loki-auth=abc' % server.url)
        lines = [json.loads(stream['values'][0][1]) for _, _, stream in pushed]
        self.assertEqual([(path, auth) for path, auth, _ in pushed], [('/loki/api/v1/push', 'Basic abc')] * 2)
        self.assertEqual(''.join(line['screenshot_base64'] for line in lines), 'AQIDBAUG')
        self.assertEqual([(line['chunk_index'], line['chunk_total'], line['caption']) for line in lines], [(0, 2, 'shop'), (1, 2, 'shop')])
        self.assertEqual(done.messages, ['screenshot:' + lines[0]['id']])


class Checks(unittest.TestCase):
    CHAI = """
        import chai, { describe, expect } from 'https://jslib.k6.io/k6chaijs/4.5.0.1/index.js';
        import { initContractPlugin } from 'https://jslib.k6.io/k6chaijs-contracts/4.3.4.1/index.js';
        initContractPlugin(chai);
        chai.config.aggregateChecks = %s;
        chai.config.logFailures = true;
        const response = { json: (path) => { if (path) throw new Error('no'); } };
        export default async function () {
          const results = [
            describe('passes', () => {
              expect(10, 'ten').to.be.within(8, 12);
              expect({ a: 1, b: [2] }, 'object').to.deep.equal({ a: 1, b: [2] });
              expect('secret', 'token').to.anonymize();
              expect('abc', 'text').to.be.a('string').and.have.lengthOf(3);
              expect({ id: 1 }, 'contract').to.matchSchema({ properties: { id: { type: 'number' } } });
            }),
            describe('fails', () => { expect(42, 'status').to.equal(44); expect(true).to.be.ok; }),
            describe('throws', () => { throw new Error('boom'); }),
            describe('is no JSON', () => { expect(response, 'response').to.have.validJsonBody(); }),
            await describe('async', async () => { await null; expect(1, 'one').to.equal(2); }),
          ];
          console.log(JSON.stringify(results));
        }"""

    def checks(self, done):
        return [line.strip() for line in done.out.splitlines() if re.match(r'\s+[✓✗] ', line)]

    def test_assertions_of_chai_are_checks(self):
        done = run(self, self.CHAI % 'true')
        self.assertEqual(logged(done), [[True, False, False, False, False]])
        self.assertEqual(self.checks(done), [
            '✗ expected one to equal 2', '✓ expected ten to be within 8..12', '✓ expected object to deeply equal { a: 1, b: [ 2 ] }',
            '✓ expected text to be a string', '✓ expected text to have property \'length\'',
            '✓ expected text to have a length of 3 got ${actual}', '✓ expected to match API schema',
            '✗ expected status to equal 44', '✗ Exception raised "Error: boom"', '✗ has valid json body'])
        warnings = [message for level, message, _ in done.log if level == 'warning']
        self.assertEqual(warnings[0], 'expected 42 to equal 44')

    def test_names_may_hold_the_values(self):
        self.assertIn('✗ status: expected 42 to equal 44', self.checks(run(self, self.CHAI % 'false')))

    def test_exit_on_error_aborts_the_test(self):
        done = kiln('run', '--quiet', '--offline', script(self, """
            import chai, { describe, expect } from 'https://jslib.k6.io/k6chaijs/4.5.0.1/index.js';
            chai.config.exitOnError = true;
            export default () => describe('x', () => expect(1).to.equal(2));"""))
        self.assertEqual(done.code, 108, done.err)
        self.assertIn('expected 1 to equal 2', done.err)

    def test_kahwah_skips_what_follows_a_failed_step(self):
        done = run(self, """
            import kahwah, { describe, it, step, context, Flow } from 'https://jslib.k6.io/kahwah/0.1.6/index.js';
            export { options } from 'https://jslib.k6.io/kahwah/0.1.6/index.js';
            const said = [];
            describe('a suite', (c) => { it('is fine', () => said.push(c.who, context().step.title)); });
            describe.skip('not this', () => said.push('skipped'));
            step('one', () => said.push('one'));
            const flow = new Flow('my flow');
            flow.step('breaks', () => { flow.it('is not fine', () => { throw new Error('no'); }); });
            flow.step('never', () => said.push('never'));
            flow.suite('always', () => said.push('always'));
            export default () => { kahwah({ who: 'me' }); flow.run(); console.log(JSON.stringify(said)); };""", code=99)
        self.assertEqual(logged(done), [['me', 'a suite', 'one', 'always']])
        self.assertEqual(self.checks(done)[:2], ['✓ is fine', '✗ is not fine (Error: no)'])
        self.assertIn("thresholds on metrics 'my_flow_breaks_errors' have been crossed", done.err)

    def test_expect_breaks_its_chain(self):
        for library in 'expect/0.0.5', 'functional/0.0.3':
            done = run(self, """
                import { describe } from 'https://jslib.k6.io/%s/index.js';
                export default () => console.log(JSON.stringify([
                  describe('one', (t) => t.expect(200).as('status').toEqual(200).and(5).toBeBetween(1, 9).and({ a: 1 }).as('body').toMatchAPISchema({ type: 'object' })),
                  describe('two', (t) => t.expect(3).toBeGreaterThan(5).and(1).toBeLessThan(0))]));""" % library)
            self.assertEqual(logged(done), [[True, False]])
            self.assertEqual(self.checks(done), ['✓ status is 200.', '✓ 5 is between 1 - 9', '✓ body schema validation', '✗ 3 is greater than 5'])


if __name__ == '__main__':
    unittest.main()
