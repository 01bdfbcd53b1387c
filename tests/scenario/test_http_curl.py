#!/usr/bin/env python3
"""The same exchanges done by kiln and by curl against the conformance suite's server: both see the same status, header
fields and body, and where the server tells what it was sent, it was sent the same.
Environment: KILN, path of the program."""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from kiln_runner import kiln

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from run_conformance import path_with_node

PATH = path_with_node(os.environ.get('PATH', ''))
CURL, NODE = shutil.which('curl'), shutil.which('node', path=PATH)
AGENT = 'one and the same/1.0'
JSON_TYPE = {'Content-Type': 'application/json'}

SCRIPT = """
import http from 'k6/http';
import { b64encode } from 'k6/encoding';
export const options = { insecureSkipTLSVerify: true, maxRedirects: 20, userAgent: __ENV.AGENT };
const exchanges = JSON.parse(open('./exchanges.json'));
export default function () {
  for (const e of exchanges) {
    const jar = new http.CookieJar();
    const body = e.file ? bodies[e.file] : e.body;
    const r = http.request(e.method, e.url, body, { headers: e.headers, responseType: 'binary', timeout: e.fails ? '1s' : '30s', jar, auth: e.auth });
    console.log(JSON.stringify({ status: r.status, headers: r.headers, body: r.body ? b64encode(r.body) : '', code: r.error_code,
                                 proto: r.proto, error: r.error }));
  }
}
const bodies = { binary: open('./binary', 'b'), large: open('./large', 'b') };
"""


def exchange(method, target, headers=None, body=None, **more):
    return dict(method=method, target=target, headers=headers or {}, body=body, **more)


def all_exchanges():
    get = [
        '/', '/echo', '/echo?a=1&b=two%20words&a=3', '/echo?q=%E2%98%95&empty=', '/anything/deep/er?x=/?:@', '/json', '/bad-json', '/xml',
        '/utf8', '/latin1', '/html', '/raw-headers', '/host', '/user-agent', '/base64/AAECAwT/', '/bytes/0', '/bytes/1', '/bytes/65535',
        '/bytes/65536', '/bytes/300000', '/text/100000', '/chunked/1', '/chunked/7', '/chunked/500', '/slow/3/5', '/delay/20',
        '/response-headers?X-One=1&X-Two=a,b&x-lower=c', '/response-headers?X-Twice=1&X-Twice=2', '/many-headers/120', '/huge-header/9000',
        '/redirect/1', '/redirect/5', '/redirect/2?status=301', '/redirect/2?status=307', '/redirect-to?url=/json',
        '/redirect-to?url=%2Fecho%3Fa%3Db%23frag', '/redirect-to?url=json', '/cookies/set?a=1&b=2', '/cookies/set?a=1&to=/cookies',
        '/cookies/set?a=1&to=/cookies/header&attrs=Path=/', '/cookies/set?a=1&to=/cookies/header&attrs=Path=/elsewhere',
        '/cookies/set?a=1&to=/cookies/header&attrs=Max-Age=0', '/basic-auth/user/pass', '/identity', '/odd-encoding', '/no-such-page',
        '/raw/http10', '/raw/no-reason', '/raw/odd-reason', '/raw/close-delimited', '/raw/continue', '/raw/hints',
        '/raw/folded', '/raw/lower-headers']
    out = [exchange('GET', target) for target in get]
    out += [exchange('GET', '/status/%d' % n) for n in (200, 201, 202, 203, 204, 206, 300, 304, 400, 401, 403, 404, 405, 410, 418, 429,
                                                        500, 501, 502, 503, 504, 599)]
    out += [exchange('HEAD', t) for t in ('/', '/json', '/bytes/5000', '/chunked/3', '/status/204', '/redirect/2', '/status/404')]
    for method in ('POST', 'PUT', 'PATCH', 'DELETE'):
        out.append(exchange(method, '/echo', JSON_TYPE, '{"a":[1,2,3]}'))
        out.append(exchange(method, '/body-hash', {'Content-Type': 'application/octet-stream'}, file='binary'))
    out += [exchange('POST', '/body-hash', {'Content-Type': 'application/octet-stream'}, file='large'),
            exchange('POST', '/form', {'Content-Type': 'application/x-www-form-urlencoded'}, 'a=1&b=x+y'),
            exchange('POST', '/echo', {'Content-Type': 'text/plain; charset=utf-8'}, 'caffè ☕'),
            exchange('OPTIONS', '/echo'), exchange('DELETE', '/echo'), exchange('PROPFIND', '/echo'), exchange('TRACE', '/status/405')]
    for status in (301, 302, 303, 307, 308):
        # Where the body stays behind, curl keeps a type that was asked for and Go does not.
        out.append(exchange('POST', '/redirect/1?status=%d' % status, JSON_TYPE if status > 303 else {}, '{"kept":true}'))
    out += [exchange('GET', '/echo', {'X-Own': 'value', 'x-lower': 'two', 'X-Empty': ''}),
            exchange('GET', '/echo', {'Accept': 'text/html;q=0.9, */*', 'Accept-Language': 'de'}),
            exchange('GET', '/host', {'Host': 'elsewhere.test:81'}),
            exchange('GET', '/echo', {'Range': 'bytes=0-99', 'If-None-Match': '"e1"'}),
            exchange('GET', '/echo', {'Connection': 'close'}),
            exchange('GET', '/echo', {'Cookie': 'a=1; b=2'})]
    coded = {'Accept-Encoding': 'deflate, gzip, br, zstd'}
    out += [exchange('GET', t, coded) for t in ('/gzip', '/deflate', '/br', '/zstd', '/zstd-real', '/gzip-br')]
    out += [exchange('GET', '/basic-auth/user/pass', user='user:pass'), exchange('GET', '/digest-auth/auth/me/secret', user='me:secret', auth='digest')]
    for scheme in ('https', 'tls12', 'h2'):
        out += [exchange('GET', t, server=scheme) for t in ('/json', '/echo?a=1', '/bytes/100000', '/chunked/9', '/redirect/2', '/status/503',
                                                            '/response-headers?X-Twice=1&X-Twice=2', '/cookies/set?a=1&to=/cookies')]
        out += [exchange('POST', '/echo', JSON_TYPE, '{"over":"tls"}', server=scheme), exchange('HEAD', '/json', server=scheme),
                exchange('POST', '/body-hash', {'Content-Type': 'application/octet-stream'}, file='large', server=scheme)]
    # What both must refuse.
    out += [exchange('GET', t, fails=True) for t in ('/drop', '/rst', '/close-mid', '/raw/garbage', '/raw/short-body',
                                                     '/raw/short-chunk', '/raw/bad-chunk', '/raw/empty', '/raw/two-lengths')]
    out.append(exchange('GET', '/bad-gzip', coded, fails=True))
    out += [exchange('GET', '/', server='closed', fails=True), exchange('GET', '/', server='mute', fails=True)]
    return out


def canonical(name):
    return '-'.join(part[:1].upper() + part[1:].lower() for part in name.split('-'))


def fields_of(head):
    """{canonical name: values joined} of a header block, less what Go takes out of it."""
    fields = {}
    for line in head.split('\r\n')[1:]:
        name, _, value = line.partition(':')
        fields.setdefault(canonical(name), []).append(value.strip())
    if 'chunked' in ''.join(fields.get('Transfer-Encoding', [])):
        fields.pop('Transfer-Encoding')
    for name in ('Trailer', 'Connection') if ''.join(fields.get('Connection', [])) == 'close' else ('Trailer',):
        fields.pop(name, None)
    return {name: ', '.join(values) for name, values in fields.items() if name != 'Date'}


@unittest.skipUnless(CURL and NODE, 'needs curl and node')
class Curl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.server = subprocess.Popen([NODE, os.path.join(os.path.dirname(HERE), 'conformance', 'server.mjs')], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
        cls.ports = json.loads(cls.server.stdout.readline())
        for name, content in (('binary', bytes(range(256))), ('large', bytes(range(256)) * 4096), ('script.js', SCRIPT.encode())):
            with open(os.path.join(cls.dir.name, name), 'wb') as f:
                f.write(content)

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.server.wait()
        cls.server.stdin.close()
        cls.server.stdout.close()
        cls.dir.cleanup()

    def url(self, e):
        server = e.get('server', 'http')
        scheme = 'https' if server in ('https', 'tls12', 'h2') else 'http'
        user = e['user'] + '@' if e.get('user') else ''
        return '%s://%s127.0.0.1:%d%s' % (scheme, user, self.ports[server], e['target'])

    def run_kiln(self, exchanges):
        with open(os.path.join(self.dir.name, 'exchanges.json'), 'w', encoding='utf-8') as f:
            json.dump([dict(e, url=self.url(e)) for e in exchanges], f)
        run = kiln('run', '--quiet', '--log-format=raw', os.path.join(self.dir.name, 'script.js'), env={'AGENT': AGENT, 'GODEBUG': 'http2client=1'})
        answers = [json.loads(line) for line in run.err.splitlines() if line.startswith('{"status"')]
        self.assertEqual(len(answers), len(exchanges), run.err[-2000:])
        return answers

    def curl_command(self, e):
        out = [CURL, '--silent', '--include', '--insecure', '--location', '--max-redirs', '20', '--max-time', '1' if e.get('fails') else '30',
               '--cookie', '', '--referer', ';auto', '--user-agent', AGENT]
        if e['method'] == 'HEAD':
            out.append('--head')
        elif e['method'] not in ('GET', 'POST') or (e['method'] == 'POST' and e['body'] is None and not e.get('file')):
            out += ['--request', e['method']]
        headers = dict(e['headers'])
        headers.setdefault('Accept', None)
        headers.setdefault('Expect', None)
        for name, value in headers.items():
            out += ['--header', name + ';' if value == '' else name + ':' if value is None else '%s: %s' % (name, value)]
        if e.get('file'):
            out += ['--data-binary', '@' + os.path.join(self.dir.name, e['file'])]
        elif e['body'] is not None:
            out += ['--data-binary', e['body']]
        if 'Accept-Encoding' in headers:
            out.append('--compressed')
        if e.get('auth') == 'digest':
            out.append('--digest')
        if e.get('server') != 'h2':
            out.append('--http1.1')
        return out + [self.url(e)]

    def run_curl(self, e):
        done = subprocess.run(self.curl_command(e), stdout=subprocess.PIPE, timeout=60)
        rest, head = done.stdout, ''
        # Heads of redirects, challenges and 1xx come first; in front of the last one nothing else can stand.
        while re.match(rb'HTTP/[\d.]+ \d', rest):
            raw, _, rest = rest.partition(b'\r\n\r\n')
            head = raw.decode('latin-1')
            head = re.sub(r'\r\n[ \t]+', ' ', head)
            status = int(head.split()[1])
            follows = status < 200 or (status in (301, 302, 303, 307, 308) and 'location:' in head.lower()) or \
                (status == 401 and e.get('auth') and b'HTTP/1.1 200' in rest)
            if not follows:
                break
            # A redirect's body stands before the next head.
            found = re.search(rb'HTTP/[\d.]+ \d', rest)
            rest = rest[found.start():] if found else b''
        return done.returncode, head, rest

    def compare(self, e, ours):
        code, head, body = self.run_curl(e)
        if e.get('fails'):
            return None if code and ours['code'] else 'curl ended with %d, kiln with %s' % (code, ours['code'])
        if code:
            return 'curl ended with %d' % code
        status = int(head.split()[1])
        if status != ours['status']:
            return 'status %d by curl, %d by kiln (%s)' % (status, ours['status'], ours['error'])
        theirs, own = fields_of(head), {n: v for n, v in ours['headers'].items() if n != 'Date'}
        if theirs != own:
            return 'fields of curl %s, of kiln %s' % (sorted(theirs.items() - own.items()), sorted(own.items() - theirs.items()))
        if e['method'] != 'HEAD' and body != base64.b64decode(ours['body']):
            return 'body of curl %r, of kiln %r' % (body[:1000], base64.b64decode(ours['body'])[:1000])
        if e.get('server') == 'h2' and ours['proto'] != 'HTTP/2.0':
            return 'protocol ' + ours['proto']
        return None

    def test_the_same_exchanges(self):
        exchanges = all_exchanges()
        self.assertGreater(len(exchanges), 150)
        wrong = []
        for e, ours in zip(exchanges, self.run_kiln(exchanges)):
            difference = self.compare(e, ours)
            if difference:
                wrong.append('%s %s%s: %s' % (e['method'], e.get('server', ''), e['target'], difference))
        self.assertEqual(wrong, [], '\n'.join([''] + wrong))


if __name__ == '__main__':
    unittest.main()
