#!/usr/bin/env python3
"""What lies between kiln and a server: proxies, TLS with a stapled OCSP answer, headers of a trace.
Environment: KILN, path of the program."""
import asyncio
import base64
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from http_server import HttpServer
from kiln_runner import kiln, script

OPENSSL = shutil.which('openssl')


def echo(http):
    """Answers with the request's target and headers."""
    if http.path == '/moved':
        http.answer(302, '', [('Location', '/'), ('Set-Cookie', 'late=1')])
        return
    sent = http.body().decode('utf-8', 'replace')
    http.answer(200, json.dumps({'target': http.path, 'body': sent[:2000],
                                 'headers': {k.lower(): v for k, v in http.headers.items()}}))


class Proxy(threading.Thread):
    """An HTTP proxy that leads everything to 127.0.0.1 and keeps the heads of what it was asked."""

    def __init__(self, user=None):
        super().__init__(daemon=True)
        self.user, self.heads = user, []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        data = b''
        while b'\r\n\r\n' not in data:
            piece = client.recv(65536)
            if not piece:
                return client.close()
            data += piece
        head = data.split(b'\r\n\r\n')[0].decode()
        self.heads.append(head)
        if self.user and 'Proxy-Authorization: Basic ' + base64.b64encode(self.user.encode()).decode() not in head:
            client.sendall(b'HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
            return client.close()
        method, target = head.split()[:2]
        server = socket.create_connection(('127.0.0.1', int(target.split('://')[-1].split('/')[0].split(':')[1])))
        if method == 'CONNECT':
            client.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
        else:
            server.sendall(data)
        self.join_both(client, server)

    def join_both(self, client, server):
        forth = threading.Thread(target=self.pump, args=(client, server), daemon=True)
        forth.start()
        self.pump(server, client)
        forth.join()
        client.close()
        server.close()

    @staticmethod
    def pump(source, to):
        try:
            while True:
                piece = source.recv(65536)
                if not piece:
                    break
                to.sendall(piece)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class TlsProxy(threading.Thread):
    """The same behind TLS; leads to 127.0.0.1, as all of these do."""

    def __init__(self, directory):
        super().__init__(daemon=True)
        self.heads, self.loop, self.is_ready = [], asyncio.new_event_loop(), threading.Event()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(os.path.join(directory, 'server.pem'), os.path.join(directory, 'server.key'))
        self.start()
        self.is_ready.wait(30)

    def run(self):
        async def start():
            server = await asyncio.start_server(self.serve, '127.0.0.1', 0, ssl=self.context)
            self.port = server.sockets[0].getsockname()[1]
            self.is_ready.set()
        self.loop.run_until_complete(start())
        self.loop.run_forever()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join(30)

    async def serve(self, reader, writer):
        try:
            data = await reader.readuntil(b'\r\n\r\n')
            head = data.decode()
            self.heads.append(head.split('\r\n')[0])
            method, target = head.split()[:2]
            up_reader, up_writer = await asyncio.open_connection('127.0.0.1', int(target.split('://')[-1].split('/')[0].split(':')[1]))
            if method == 'CONNECT':
                writer.write(b'HTTP/1.1 200 Connection established\r\n\r\n')
            else:
                up_writer.write(data)
            await asyncio.gather(self.pump(reader, up_writer), self.pump(up_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    @staticmethod
    async def pump(reader, writer):
        while True:
            piece = await reader.read(65536)
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
        writer.close()


class SocksProxy(Proxy):
    """The same as SOCKS5: heads has (host, port) of what it was asked for. A port of 1 it refuses."""

    def serve(self, client):
        def receive(n):
            data = b''
            while len(data) < n:
                piece = client.recv(n - len(data))
                if not piece:
                    raise EOFError
                data += piece
            return data
        version, n = receive(2)
        methods = receive(n)
        if self.user:
            client.sendall(b'\x05\x02' if 2 in methods else b'\x05\xff')
            _, n = receive(2)
            user = receive(n)
            given = user + b':' + receive(receive(1)[0])
            client.sendall(b'\x01\x00' if given == self.user.encode() else b'\x01\x01')
        else:
            client.sendall(b'\x05\x00')
        _, _, _, kind = receive(4)
        host = {1: lambda: socket.inet_ntoa(receive(4)), 3: lambda: receive(receive(1)[0]).decode()}[kind]()
        port = int.from_bytes(receive(2), 'big')
        self.heads.append((host, port))
        if port == 1:
            client.sendall(b'\x05\x05\x00\x01' + bytes(6))
            return client.close()
        server = socket.create_connection(('127.0.0.1', port))
        client.sendall(b'\x05\x00\x00\x03\x04here\x00\x00')
        self.join_both(client, server)


def certificates(directory):
    """ca.pem, server.key, server.pem, and good.der and revoked.der, which say so of the latter."""
    def openssl(*arguments):
        subprocess.run([OPENSSL, *arguments], cwd=directory, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    new_key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    openssl('req', '-x509', *new_key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=authority')
    openssl('req', *new_key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
    openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', '4097', '-out', 'server.pem', '-days', '2')
    openssl('ocsp', '-issuer', 'ca.pem', '-cert', 'server.pem', '-reqout', 'request.der', '-no_nonce')
    for name, line in (('good', 'V\t991231000000Z\t\t1001\tunknown\t/CN=localhost\n'),
                       ('revoked', 'R\t991231000000Z\t250101000000Z,keyCompromise\t1001\tunknown\t/CN=localhost\n')):
        with open(os.path.join(directory, name), 'w', encoding='ascii') as f:
            f.write(line)
        openssl('ocsp', '-index', name, '-rsigner', 'ca.pem', '-rkey', 'ca.key', '-CA', 'ca.pem', '-reqin', 'request.der', '-respout', name + '.der',
                '-ndays', '2')


class Network(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = HttpServer(echo)
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.port = cls.server.port

    def messages(self, text, **env):
        run = kiln('run', '--quiet', '--log-format=raw', script(self, text), env=env)
        self.assertEqual(run.code, 0, run.err)
        return run.err.splitlines()

    def proxy(self, user=None, kind=Proxy):
        proxy = kind(user)
        self.addCleanup(proxy.listener.close)
        return proxy

    def test_plain_requests_go_through_the_proxy(self):
        proxy = self.proxy('me:secret')
        lines = self.messages('''
            import http from 'k6/http';
            export const options = { hosts: { 'direct.test': '127.0.0.1' } };
            export default function () {
              for (const host of ['far.test', 'direct.test', 'x.near.test', '127.0.0.1']) {
                const r = http.get(`http://${host}:%d/a?b`);
                console.log(host, r.json('target'), r.json('headers.proxy-authorization') !== undefined);
              }
            }''' % self.port, HTTP_PROXY='http://me:secret@127.0.0.1:%d' % proxy.port, NO_PROXY='direct.test, *.near.test:1')
        self.assertEqual(lines, ['far.test http://far.test:%d/a?b true' % self.port, 'direct.test /a?b false',
                                 'x.near.test http://x.near.test:%d/a?b true' % self.port, '127.0.0.1 /a?b false'])

    def test_a_proxy_that_says_no(self):
        proxy = self.proxy('me:secret')
        lines = self.messages('''
            import http from 'k6/http';
            export default function () {
              for (const url of ['http://far.test:1/', 'https://far.test:1/']) {
                const r = http.get(url);
                console.log(r.status, r.error_code, r.error);
              }
            }''', HTTP_PROXY='127.0.0.1:%d' % proxy.port, HTTPS_PROXY='127.0.0.1:%d' % proxy.port)
        self.assertEqual([line for line in lines if line[0].isdigit()], ['407 1407 ', '0 1000 Proxy Authentication Required'])

    def test_socks(self):
        for user in (None, 'me:secret'):
            with self.subTest(user=user):
                proxy = self.proxy(user, SocksProxy)
                at = 'socks5://%s127.0.0.1:%d' % (user + '@' if user else '', proxy.port)
                lines = self.messages('''
                    import http from 'k6/http';
                    export default function () {
                      for (const url of ['http://far.test:%d/a', 'http://far.test:%d/b', 'http://192.0.2.7:%d/c', 'http://far.test:1/', 'https://far.test:1/']) {
                        const r = http.get(url);
                        console.log(r.status, r.error_code, r.status ? r.json('target') : r.error.split(': ').pop());
                      }
                    }''' % (self.port, self.port, self.port), HTTP_PROXY=at, HTTPS_PROXY=at)
                refused = '0 1200 unknown error connection refused'
                self.assertEqual([line for line in lines if line[0].isdigit()], ['200 0 /a', '200 0 /b', '200 0 /c', refused, refused])
                self.assertEqual(proxy.heads, [('far.test', self.port), ('192.0.2.7', self.port), ('far.test', 1), ('far.test', 1)])

    @unittest.skipUnless(OPENSSL, 'needs openssl')
    def test_a_tunnel_to_a_server_with_an_ocsp_staple(self):
        with tempfile.TemporaryDirectory() as directory:
            certificates(directory)
            for name, expected in (('good', 'good unspecified 0 true'), ('revoked', 'revoked key_compromise 1735689600 true')):
                with self.subTest(name), self.tls_server(directory, name + '.der') as port:
                    proxy = self.proxy('me:secret')
                    lines = self.messages('''
                        import http from 'k6/http';
                        export const options = { insecureSkipTLSVerify: true };
                        export default function () {
                          const { status, ocsp, tls_version } = http.get('https://far.test:%d/');
                          console.log(status, ocsp.status, ocsp.revocation_reason, ocsp.revoked_at, ocsp.next_update > ocsp.this_update, tls_version);
                        }''' % port, HTTPS_PROXY='http://me:secret@127.0.0.1:%d' % proxy.port)
                    self.assertEqual(lines, ['200 %s tls1.3' % expected])
                    self.assertEqual([head.split('\r\n')[0] for head in proxy.heads], ['CONNECT far.test:%d HTTP/1.1' % port])

    @unittest.skipUnless(OPENSSL, 'needs openssl')
    def test_a_proxy_behind_tls(self):
        with tempfile.TemporaryDirectory() as directory:
            certificates(directory)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(directory, 'server.pem'), os.path.join(directory, 'server.key'))
            secure = HttpServer(echo, context)
            secure.__enter__()
            self.addCleanup(secure.__exit__)
            proxy, port = TlsProxy(directory), secure.port
            self.addCleanup(proxy.stop)
            text = '''
                import http from 'k6/http';
                export const options = { insecureSkipTLSVerify: __ENV.VERIFY !== '1' };
                export default function () {
                  const big = 'x'.repeat(3000000);
                  for (const [url, body] of [['http://far.test:%d/a', null], ['https://far.test:%d/b', null], ['https://far.test:%d/c', big], ['https://far.test:%d/d', null]]) {
                    const r = http.post(url, body, { headers: { own: 'y'.repeat(20000) } });
                    console.log(r.status, r.error_code, r.status ? r.json('target') + r.json('headers.own').length : r.error);
                  }
                }''' % (self.port, port, port, port)
            at = 'https://localhost:%d' % proxy.port
            lines = self.messages(text, HTTP_PROXY=at, HTTPS_PROXY=at)
            self.assertEqual(lines, ['200 0 http://far.test:%d/a20000' % self.port, '200 0 /b20000', '200 0 /c20000', '200 0 /d20000'])
            self.assertEqual(proxy.heads, ['POST http://far.test:%d/a HTTP/1.1' % self.port, 'CONNECT far.test:%d HTTP/1.1' % port])
            lines = self.messages(text, HTTP_PROXY=at, HTTPS_PROXY=at, VERIFY='1')
            failed = [line for line in lines if line.startswith('0 1200 proxyconnect tcp: tls: failed to verify certificate: x509: ')]
            self.assertEqual(len(failed), 4, lines)

    def tls_server(self, directory, staple):
        return TlsServer(directory, staple)

    def test_a_response_shows_the_request_as_the_script_made_it(self):
        lines = self.messages('''
            import http from 'k6/http';
            export default function () {
              const params = { headers: { own: 'yes' }, cookies: { a: '1' } };
              for (const r of [http.get('http://me:secret@127.0.0.1:%d/moved', params),
                               http.batch([['POST', 'http://127.0.0.1:%d/', 'body', { headers: { Host: 'other.test' } }]])[0]])
                console.log(JSON.stringify([r.request.headers, r.request.cookies, r.request.body]));
            }''' % (self.port, self.port))
        agent = {'User-Agent': json.loads(lines[0])[0].pop('User-Agent')}
        self.assertEqual([json.loads(line) for line in lines], [
            [{**agent, 'Own': ['yes'], 'Cookie': ['a=1']}, {'a': [{'name': 'a', 'value': '1', 'replace': False}]}, ''],
            [{**agent, 'Host': ['other.test'], 'Cookie': ['late=1']}, {'late': [{'name': 'late', 'value': '1', 'replace': False}]}, 'body']])

    def test_values_of_forms_are_gos(self):
        text = '''
            import http from 'k6/http';
            const url = 'http://127.0.0.1:%d/';
            export default function () {
              const form = { s: 'a b', n: null, o: { k: [1, { z: null }] }, l: ['x', { y: 1 }], d: new Date(1500), f: [0.5, 123456.7, 1234567.5, 0.00001, 7, 1e21] };
              for (const pair of http.post(url, form).json('body').split('&')) console.log(decodeURIComponent(pair));
              console.log(http.post(url, { file: http.file('data'), l: [1, 'b'] }).json('body').split('name="l"')[1].split('\\r\\n').slice(2, -2).join());
            }''' % self.port
        floats = ['f=0.5', 'f=123456.7', 'f=1.2345675e+06', 'f=1e-05', 'f=7', 'f=1e+21']
        date = 'd=1970-01-01+00:00:01.5++0000+UTC'
        lines = self.messages(text, TZ='UTC')
        warnings = [line for line in lines if line.startswith('cannot urlencode a nested ')]
        self.assertEqual([line.split()[4] for line in warnings], ['map[string]interface', 'map[string]interface', '[]interface'])
        self.assertEqual([line for line in lines if line not in warnings], [date, *floats, 'l=x', 'l=', 'n=', 'o=', 's=a+b', ''])
        self.assertEqual(self.messages(text, TZ='UTC', KILN_COMPAT='v0.51'),
                         [date, *floats, 'l=x', 'l=map[y:1]', 'n=<nil>', 'o=map[k:[1+map[z:<nil>]]]', 's=a+b', '[1 b]'])

    def test_a_batch_with_a_bad_entry_is_not_sent(self):
        text = '''
            import http from 'k6/http';
            const url = 'http://127.0.0.1:%d/';
            export default function () {
              for (const list of [[url, 'http://%%zz', url], { a: url, b: { method: 1, url } }, [['GET']], [{}], [{ method: 'get', url, body: 'x' }, ['POST', url, 'x']]]) {
                try {
                  const rs = http.batch(list);
                  for (const key in rs) console.log(key, rs[key] && [rs[key].status, rs[key].error_code, rs[key].status ? rs[key].json('body') : rs[key].error].join(' '));
                } catch (e) { console.log(String(e)); }
              }
            }''' % self.port
        zz = 'invalid URL: parse "http://%zz": invalid URL escape "%zz"'
        errors = ["invalid method type '1'", 'invalid batch request \'[]interface {}{"GET"}\'', "batch request 0 doesn't have a url key"]
        lines = [line for line in self.messages(text) if line.split()[0] in ('0', '1', '2', 'a', 'b')]
        self.assertEqual([line.rstrip() for line in lines], ['0 0 0', '1 0 1020 ' + zz, '2 null', 'a 0 0', *('%s 0 0 %s' % pair for pair in zip('b00', errors)), '0 200 0', '1 200 0 x'])
        lines = [line for line in self.messages(text, K6_THROW='true') if line.startswith('GoError')]
        self.assertEqual(lines, ['GoError: ' + words for words in [zz, *errors]])

    def test_cookies_of_one_request(self):
        lines = self.messages('''
            import http from 'k6/http';
            export default function () {
              const cookies = { none: null, nor: undefined, n: 0, o: {}, v: { Value: 'up', REPLACE: true }, l: ['x'] };
              console.log(http.get('http://127.0.0.1:%d/', { cookies, responseCallback: undefined }).json('headers.cookie'));
            }''' % self.port)
        self.assertEqual(lines, ['n=0; o=; v=up; l=x'])

    def test_requests_carry_the_trace(self):
        lines = self.messages('''
            import http from 'k6/http';
            import { Client, instrumentHTTP } from 'k6/experimental/tracing';
            instrumentHTTP({ propagator: 'w3c', baggage: { user: 'a b' } });
            const jaeger = new Client({ propagator: 'jaeger', sampling: 0 });
            const url = 'http://127.0.0.1:%d/';
            export default async function () {
              const params = { headers: { own: 'yes' } };
              for (const r of [http.get(url, params), http.del(url), await http.asyncRequest('POST', url, 'body', params), jaeger.get(url)]) {
                const h = r.json('headers');
                console.log(/^00-dc0718[0-9a-f]{26}-[0-9a-f]{16}-01$/.test(h.traceparent), h.baggage, h.own,
                            /^dc0718[0-9a-f]{26}:[0-9a-f]{8}:0:0$/.test(h['uber-trace-id']));
              }
              console.log(JSON.stringify(params), http.batch([url])[0].json('headers.traceparent'));
            }''' % self.port)
        self.assertEqual(lines, ['true user=a%20b yes false', 'true user=a%20b undefined false', 'true user=a%20b yes false',
                                 'false undefined undefined true', '{"headers":{"own":"yes"}} undefined'])


class TlsServer:
    def __init__(self, directory, staple):
        with socket.create_server(('127.0.0.1', 0)) as s:
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen(
            [OPENSSL, 's_server', '-accept', '127.0.0.1:%d' % self.port, '-cert', 'server.pem', '-key', 'server.key', '-status_file', staple, '-www',
             '-quiet'], cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return self.port
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


if __name__ == '__main__':
    unittest.main()
