#!/usr/bin/env python3
"""What browsers have and k6 has not: URLs beside Node.js's, the small functions, and fetch against a server. Environment: KILN."""
import json
import os
import shutil
import subprocess
import sys
import unittest

from http_server import HttpServer
from kiln_runner import kiln, script

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from run_conformance import path_with_node

NODE = shutil.which('node', path=path_with_node(os.environ.get('PATH', '')))

# [input, base]
URLS = [[u, None] for u in (
    'http://example.com', 'HTTP://EXAMPLE.com:80/', 'https://example.com:443/x', 'http://example.com:8080', 'http://example.com:',
    'http://user@h/', 'http://user:@h/', 'http://:p@h/', 'http://u:p:q@h/', 'http://u@v@h/', 'http://u%40:p@h', 'http://h/a b?c d#e f',
    'http://h/%7Efoo/%zz/%', 'http://h/a/./b/../c', 'http://h/../../x', 'http://h/a/%2e%2E/b', 'http://h/.', 'http://h/..', 'http://h/a/.',
    'http://h//a//b', 'http:\\\\h\\a\\b', 'http:/h/x', 'http:h', 'http:///h/x', 'http://', 'http://?', 'http://:80', 'http://h:99999',
    'http://h:abc', 'http://h:65535', 'http://h:0', 'http://h:00080/', 'http://1.2.3.4', 'http://0x7f.1', 'http://256', 'http://0300.168.0.1',
    'http://1.2.3', 'http://1.2.3.4.5', 'http://999.1.1.1', 'http://4294967295', 'http://4294967296', 'http://1.2.3.', 'http://[::1]',
    'http://[::1]:80/x', 'http://[1:2:3:4:5:6:7:8]', 'http://[1::8]', 'http://[::ffff:1.2.3.4]', 'http://[1:0:0:2:0:0:0:3]', 'http://[::1',
    'http://[1:2]', 'http://[g::]', 'http://[::1.2.3]', 'http://[1:2:3:4:5:6:7::]', 'http://[0:0:0:0:0:0:0:0]', 'http://ex%41mple.com',
    'http://a b', 'http://a<b', 'http://a%00b', 'http://münchen.de/ä?ö#ü', 'http://BÜCHER.example', 'http://日本語.jp', 'http://☃.net/',
    'http://xn--mnchen-3ya.de', 'ftp://h:21/x', 'ws://h:80/x', 'wss://h:443/x',
    'file:///etc/x', 'file://localhost/etc', 'file://host/share', 'file:/a/b', 'file:a', 'file:///C:/x/../y', 'file:///C|/x', 'file:',
    'mailto:a@b.c', 'data:text/plain,hello world#x', 'javascript:alert(1)', 'foo://h/p', 'foo://h:80/', 'foo://H/P/../q', 'foo:/a/../b',
    'foo:bar/baz', 'foo://', 'foo:///x', 'foo://u:p@h:1/x?y#z', 'foo:/..//x', 'blob:https://a.com/x', '', ' ', '//h', '/x', 'x', '?q', '#f',
    ':x', '1:x', 'a-b+c.d:x', ' \t http://h/\n a ', 'ht\ntp://h', 'http://h?a=b&c="<>\'', 'foo://h?\'', 'http://h#a`b<c>"', 'http://h/`{}|',
    'http://h/?%F0%9F%98%80', 'http://h/😀?😀#😀', 'http://h\\@x/', 'https:example.com', 'http://a.b..c/', 'http://%30x7f.1/',
    'http://0xffffffff', 'http://h/\\..\\x')] + [[u, 'http://user:pw@base.com:8080/a/b/c?q=1#f'] for u in (
        '', 'x', './x', '../x', '../../../x', '/x', '//other', '//other:9/x', '?r', '#g', 'http:x', 'http:/x', 'http://y/x', 'https:x', 'x/./y/..',
        '\\x', '\\\\h\\x', 'mailto:x', '.', '..', 'x?y#z', ' x ', '%2e%2e/x', ';p', ':80', 'a:b')] + [[u, 'file:///a/b/c'] for u in (
            'x', '/x', '//h/x', '../x', '?q', '#f', 'C:/x', '/C:/x', 'file:x')] + [[u, 'mailto:a@b'] for u in ('x', '#f', '', '?q')] + [
                [u, 'foo://h/a/b?q'] for u in ('x', '/x', '//y/z', '..', '?r', '')]

# [url, property, value]
SETS = [['http://u:p@h:81/p?q#f', name, value] for name, values in {
    'protocol': ('https', 'ws:', 'foo', 'x y', 'file'), 'username': ('', 'a b', '@:'), 'password': ('', 'x:y'),
    'host': ('new', 'new:82', 'new:', '', 'a/b', 'a b', '[::1]:9', 'x:99999'), 'hostname': ('new', 'new:82', '', '1.2', 'a?b'),
    'port': ('', '80', '82', '82x', 'x', '70000', '-1'), 'pathname': ('', 'a/b', '/a/../b', 'a?b#c', '\\x'),
    'search': ('', '?', 'a b', '?x#y', "'"), 'hash': ('', '#', 'a b', '#x`y'), 'href': ('http://z/',)}.items() for value in values] + [
        ['mailto:x', 'host', 'h'], ['mailto:x', 'pathname', 'y'], ['file:///x', 'port', '1'], ['file:///x', 'username', 'u'],
        ['foo://h/x', 'pathname', 'a\\b'], ['https://h:8443/', 'protocol', 'wss']]

PARAMS = ['', '?a=b', 'a=b&c=d&a=e', 'a', '=x', '&&a=1&', 'a=b=c', 'a+b=c%20d', '%61=%7a', 'a=%zz', 'ä=ö', 'x=%F0%9F%98%80', "q='()*~!-_."]

LOOK = '''
function look(URL, URLSearchParams) {
    const all = (u) => ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'].map((n) => u[n]);
    const out = [];
    for (const [url, base] of URLS) {
        let r;
        try { r = all(base === null ? new URL(url) : new URL(url, base)); } catch (e) { r = e instanceof TypeError ? 'TypeError' : String(e); }
        out.push(r);
    }
    for (const [url, name, value] of SETS) { const u = new URL(url); u[name] = value; out.push(all(u)); }
    for (const text of PARAMS) {
        const p = new URLSearchParams(text);
        p.append('n w', 'é&=+');
        out.push([p.toString(), p.get('a'), p.getAll('a'), p.has('c'), [...p], p.size]);
        p.sort(); p.set('a', 1); p.delete('c');
        out.push(String(p));
    }
    const u = new URL('http://h/?a=1');
    u.searchParams.append('b', ' '); out.push(u.href); u.search = '?c=2'; out.push([...u.searchParams]); u.searchParams.delete('c'); out.push(u.href);
    out.push(String(new URLSearchParams({ a: 1, b: 'x' })), String(new URLSearchParams([['a', 'b'], ['c', 'd']])), URL.canParse('x'), JSON.stringify({ u }));
    return out;
}
'''


class Urls(unittest.TestCase):
    def test_urls_are_those_of_another_implementation(self):
        if not NODE:
            self.skipTest('Node.js is not installed')
        look = LOOK.replace('of URLS', 'of ' + json.dumps(URLS)).replace('of SETS', 'of ' + json.dumps(SETS)).replace(
            'of PARAMS', 'of ' + json.dumps(PARAMS))
        node = subprocess.run([NODE, '-e', look + 'console.log(JSON.stringify(look(URL, URLSearchParams)))'], stdout=subprocess.PIPE,
                              check=True, encoding='utf-8')
        run = kiln('run', '--quiet', '--log-format', 'raw', script(
            self, look + 'export default function () { console.log(JSON.stringify(look(URL, URLSearchParams))); }'))
        lines = [line for line in run.err.splitlines() if line.startswith('[')]
        self.assertEqual(len(lines), 1, run.err)
        cases = [repr(u) for u in URLS] + [repr(s) for s in SETS] + [p for p in PARAMS for _ in range(2)] + list(range(20))
        different = [(case, theirs, ours) for case, theirs, ours in zip(cases, json.loads(node.stdout), json.loads(lines[0])) if theirs != ours]
        self.assertEqual(different, [])


class Small(unittest.TestCase):
    def messages(self, body, *arguments):
        run = kiln('run', '--quiet', '--log-format', 'raw', *arguments, script(self, body))
        return [line for line in run.err.splitlines()], run

    def test_functions(self):
        lines, run = self.messages('''
            export default async function () {
                console.log(btoa('a\\xff'), atob(' YWJj\\n') , [0, 1, 2, 3].map((n) => atob(btoa('x'.repeat(n))).length).join());
                for (const f of [() => btoa('\\u0100'), () => atob('a'), () => atob('*')]) try { f(); } catch (e) { console.log(e.name, e.code, e instanceof DOMException); }
                const o = { d: new Date(5), m: new Map([[1, { a: 1 }]]), s: new Set([1]), b: new Uint8Array([1, 2]), r: /x/g, n: null, u: undefined };
                o.self = o;
                const c = structuredClone(o);
                console.log(c !== o, c.self === c, c.d.getTime(), c.m.get(1).a, c.s.has(1), c.b.join(), String(c.r), 'u' in c);
                try { structuredClone(() => 1); } catch (e) { console.log(e.name); }
                const order = [];
                queueMicrotask(() => order.push(1)); order.push(0); await null; console.log(order.join());
                const a = performance.now(); console.log(performance.now() >= a, Math.abs(performance.timeOrigin + a - Date.now()) < 1000);
                const t = new EventTarget();
                t.addEventListener('x', (e) => console.log('once', e.type, e.target === t, e.detail), { once: true });
                t.dispatchEvent(new CustomEvent('x', { detail: 7 })); t.dispatchEvent(new Event('x'));
                const k = new AbortController();
                const any = AbortSignal.any([k.signal, AbortSignal.timeout(60000)]);
                k.signal.onabort = () => console.log('aborted', any.aborted);
                k.abort(new Error('why')); console.log(any.aborted, any.reason.message);
                await new Promise((done) => AbortSignal.timeout(10).addEventListener('abort', (e) => { console.log(e.target.reason.name); done(); }));
                throw 'the end'; // with timers left
            }''')
        self.assertEqual(lines[:-1], [
            'Yf8= abc 0,1,2,3', 'InvalidCharacterError 5 true', 'InvalidCharacterError 5 true', 'InvalidCharacterError 5 true',
            'true true 5 1 true 1,2 /x/g true', 'DataCloneError', '0,1', 'true true', 'once x true 7', 'aborted false', 'true why', 'TimeoutError',
            'setTimeout 1 was stopped because the VU iteration was interrupted'], run.err)

    def test_k6_has_no_fetch_unless_it_is_asked_for(self):
        body = 'export default function () { console.log(typeof fetch, typeof Headers); }'
        self.assertEqual(self.messages(body)[0], ['undefined function'])
        self.assertEqual(self.messages(body, '--compatibility-mode', 'web')[0], ['function function'])


class Language(unittest.TestCase):
    def run_with(self, data, body):
        path = script(self, body)
        with open(os.path.join(os.path.dirname(path), 'data.json'), 'w', encoding='utf-8') as f:
            f.write(data)
        return kiln('run', '--quiet', '--log-format', 'raw', '-i', '3', '-u', '3', path)

    def test_json_is_imported(self):
        for attributes in (' with { type: "json" }', "\n  with {type:'json'}"):
            run = self.run_with('{"a": [1, "\u00e9\u2028"]}', '''
                import data from './data.json'%s;
                export default function () { console.log(data.a[0], data.a[1].length, Object.keys(data).join()); }''' % attributes)
            self.assertEqual(run.err.splitlines(), ['1 2 a'] * 3)

    def test_json_that_is_none(self):
        run = self.run_with('{"a":', "import data from './data.json' with { type: 'json' };\nexport default function () { console.log(data); }")
        self.assertNotEqual(run.code, 0)
        self.assertIn('data.json: SyntaxError: Unexpected end of JSON input', run.err)

    def test_asynchronous_iteration(self):
        run = self.run_with('1', '''
            async function* count(n) { try { for (let i = 0; i < n; i++) { await null; yield i; } } finally { console.log('cleanup'); } }
            export default async function () {
                let sum = 0;
                for await (const x of count(5)) { if (x === 3) break; sum += x; }
                for await (const y of [Promise.resolve(10), 20]) sum += y;
                console.log(sum);
            }''')
        self.assertEqual(sorted(run.err.splitlines()), ['33'] * 3 + ['cleanup'] * 3)

    IMPORTED = {'a.js': "import { b } from './b.js'; export const a = 'a' + b; export default () => import('./c.js');", 'b.js': "export const b = 'b';",
                'c.js': 'globalThis.runs = (globalThis.runs || 0) + 1; export const c = 3;', 'common.js': 'module.exports = { d: 4 };',
                'throws.js': "throw new Error('boom');", 'bad.js': 'export const = ;'}
    IMPORTS = '''
        const early = await import('./b.js');
        export default async function () {
            const m = await import('./a.js'), { c } = await m.default(), { d } = await import(`./comm${'on'}.js`), http = await import('k6/http');
            if (false) import('./common.js');
            console.log(early.b, m.a, c, d, typeof http.get, runs);
            for (const f of [() => import('./throws.js'), () => import('./bad.js'), () => import('./nope.js'), () => import('k6/nope'), () => import('./a' + '/b.js')])
                try { await f(); console.log('loaded'); } catch (e) { console.log(e.name, e.message.replace(/file:.*\\//, '')); }
        }'''

    def test_modules_are_imported_when_they_are_wanted(self):
        path = script(self, self.IMPORTS)
        for name, source in self.IMPORTED.items():
            with open(os.path.join(os.path.dirname(path), name), 'w', encoding='utf-8') as f:
                f.write(source)
        archive = path + '.tar'
        self.assertEqual(kiln('archive', '--compatibility-mode', 'web', '-O', archive, path).code, 0)
        for what in (path, archive):
            run = kiln('run', '--quiet', '--log-format', 'raw', '--compatibility-mode', 'web', '-i', '2', '-u', '2', what)
            lines = run.err.splitlines()
            self.assertEqual(len(lines), 12, run.err)
            self.assertEqual(lines.count('b ab 3 4 function 1'), 2)
            self.assertEqual(lines.count('Error boom'), 2)
            self.assertEqual(sum(line.startswith('GoError bad.js: Line 1:14') for line in lines), 2, run.err)
            self.assertEqual(sum('nope.js" couldn\'t be found on local disk' in line for line in lines), 2, run.err)
            self.assertEqual(sum('was not previously resolved during initialization' in line for line in lines), 4, run.err)

    def test_k6_refuses_import_calls(self):
        run = self.run_with('1', "export default async function () { try { await import('./data.json'); } catch (e) { console.log(e); } }")
        self.assertEqual(run.err.splitlines(), ['dynamic modules not enabled in the host program'] * 3)


def tell_back(http):
    """Answers with what the request was."""
    status = {'/missing': 404, '/away': 302}.get(http.path, 200)
    answer = json.dumps({'method': http.command, 'path': http.path, 'type': http.headers['Content-Type'],
                         'own': http.headers['X-Own'], 'body': http.body().decode('latin-1')}).encode()
    http.send_response(status)
    if status == 302:
        http.send_header('Location', '/there')
    http.send_header('Content-Type', 'application/json')
    http.send_header('Content-Length', str(len(answer)))
    http.end_headers()
    if http.command != 'HEAD':
        http.wfile.write(answer)


class Fetch(unittest.TestCase):
    def test_requests_and_responses(self):
        with HttpServer(tell_back) as server:
            run = kiln('run', '--quiet', '--log-format', 'raw', script(self, '''
                import { fetch } from 'k6/x/web';
                import { Blob } from 'k6/websockets';
                const U = '%s';
                async function tell(input, init) {
                    const res = await fetch(input, init), j = await res.json();
                    console.log(res.status, res.ok, res.redirected, j.method, j.path, String(j.type).replace(/kiln\\w+/, 'B'), j.own, j.body.replace(/kiln\\w+/g, 'B').replace(/\\r\\n/g, '|'));
                }
                export default async function () {
                    await tell(U + '/x', { headers: { 'X-Own': 'v' }, tags: { kind: 'first' } });
                    await tell(new Request(U + '/p', { method: 'post', body: '{"a":1}', headers: new Headers([['content-type', 'application/json']]) }));
                    await tell(new URL('/q?a=b', U), { method: 'PUT', body: new URLSearchParams({ a: 'b c' }) });
                    const form = new FormData(); form.append('n', 'v'); form.append('f', new Blob(['data'], { type: 'text/x' }), 'f.txt');
                    await tell(U + '/f', { method: 'POST', body: form });
                    await tell(U + '/b', { method: 'POST', body: new Uint8Array([65, 66]) });
                    await tell(U + '/missing');
                    await tell(U + '/away');
                    const manual = await fetch(U + '/away', { redirect: 'manual' });
                    console.log(manual.status, manual.headers.get('location'));
                    for (const [input, init] of [[U + '/away', { redirect: 'error' }], ['http://127.0.0.1:1/'], [U, { method: 'GET', body: 'x' }], ['no url']])
                        try { await fetch(input, init); } catch (e) { console.log(e.name, e.message); }
                    const k = new AbortController(); k.abort();
                    try { await fetch(U, { signal: k.signal }); } catch (e) { console.log(e.name); }
                    const late = new AbortController(); setTimeout(() => late.abort(), 0);
                    const res = await fetch(U + '/twice'), copy = res.clone();
                    console.log((await res.text()).length === (await copy.arrayBuffer()).byteLength, res.bodyUsed);
                    try { await res.text(); } catch (e) { console.log(e.name); }
                    console.log(await new Response('text').text(), (await Response.json({ a: 1 }).json()).a, Response.error().type);
                }''' % server.url), '--summary-trend-stats', 'avg')
        lines = [line for line in run.err.splitlines() if not line.startswith('setTimeout')]
        self.assertEqual(lines, [
            '200 true false GET /x null v ', '200 true false POST /p application/json null {"a":1}',
            '200 true false PUT /q?a=b application/x-www-form-urlencoded;charset=UTF-8 null a=b+c',
            '200 true false POST /f multipart/form-data; boundary=----B null ------B|Content-Disposition: form-data; name="n"||v|------B|'
            'Content-Disposition: form-data; name="f"; filename="f.txt"|Content-Type: text/x||data|------B--|',
            '200 true false POST /b null null AB', '404 false false GET /missing null null ', '200 true true GET /there null null ', '302 /there',
            'TypeError fetch failed: unexpected redirect', 'TypeError fetch failed: Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
            'TypeError Request with GET/HEAD method cannot have body', 'TypeError Invalid URL: no url', 'AbortError', 'true true', 'TypeError',
            'text 1 error'])
        self.assertEqual(run.count('http_reqs'), 12)


if __name__ == '__main__':
    unittest.main()
