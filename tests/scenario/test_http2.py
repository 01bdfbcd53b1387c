#!/usr/bin/env python3
"""HTTP/2 against other people's servers: nghttpd, and nginx where it is installed.
Environment: KILN, path of the program."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from kiln_runner import kiln, script

PATH = os.environ.get('PATH', '') + ':/usr/sbin:/usr/local/sbin'
NGHTTPD, NGINX, OPENSSL = (shutil.which(name, path=PATH) for name in ('nghttpd', 'nginx', 'openssl'))

NGINX_CONFIG = """
daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
    log_format connections '$connection $request_uri';
    access_log {dir}/connections.log connections;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    keepalive_requests 5;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {dir}/cert.pem;
        ssl_certificate_key {dir}/key.pem;
        location / {{ return 200 '$server_protocol'; }}
    }}
}}
"""

HEAD = """
import http from 'k6/http';
export const options = { insecureSkipTLSVerify: true, batch: 20, batchPerHost: 20 };
const url = __ENV.URL;
"""


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Server:
    """A server program on a port of its own, its log in a file."""

    def __init__(self, test, make_command):
        self.dir = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.url = 'https://127.0.0.1:%d' % self.port
        subprocess.run([OPENSSL, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                        '-days', '2', '-subj', '/CN=localhost', '-keyout', self.path('key.pem'), '-out',
                        self.path('cert.pem')], check=True, stderr=subprocess.DEVNULL)
        self.log = open(self.path('log'), 'w+')
        self.process = subprocess.Popen(make_command(self), stdout=self.log, stderr=self.log)
        test.addCleanup(self.stop)
        end = time.monotonic() + 20
        while True:
            try:
                return socket.create_connection(('127.0.0.1', self.port), 1).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError('no server: ' + self.log_text())
                time.sleep(0.02)

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def log_text(self):
        with open(self.path('log')) as f:
            return f.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        self.log.close()
        self.dir.cleanup()


def write_files(server):
    for name, text in ('small', 'small'), ('big', 'b' * 30000000):
        with open(server.path(name), 'w') as f:
            f.write(text)


def nghttpd(server):
    write_files(server)
    return [NGHTTPD, '--verbose', '-d', server.dir.name, str(server.port), server.path('key.pem'), server.path('cert.pem')]


def nginx(server):
    config = server.path('nginx.conf')
    with open(config, 'w') as f:
        f.write(NGINX_CONFIG.format(dir=server.dir.name, port=server.port))
    return [NGINX, '-p', server.dir.name, '-e', server.path('start.log'), '-c', config]


def plain_nghttpd(server):
    write_files(server)
    return [NGHTTPD, '--verbose', '--no-tls', '-d', server.dir.name, str(server.port)]


class Http2(unittest.TestCase):
    def run_script(self, server, text, **env):
        run = kiln('run', script(self, HEAD + text), env={'URL': server.url, **env})
        self.assertEqual(run.code, 0, run.err)
        return run

    def connections_with_requests(self, server):
        return set(re.findall(r'\[id=(\d+)\] .*recv HEADERS frame', server.log_text()))

    def test_a_batch_shares_the_connection(self):
        server = Server(self, nghttpd)
        run = self.run_script(server, """
            export default function () {
              http.get(url + '/small');
              const rs = http.batch(Array(10).fill(url + '/small'));
              console.log(rs.map((r) => r.proto + r.status + r.body).join());
            }""")
        self.assertEqual(run.messages, [','.join(['HTTP/2.0200small'] * 10)])
        self.assertEqual(len(self.connections_with_requests(server)), 1, server.log_text())

    def test_big_bodies_flow_both_ways(self):
        server = Server(self, nghttpd)
        run = self.run_script(server, """
            export default function () {
              const rs = http.batch([url + '/big', url + '/small', url + '/big']);
              console.log(rs.map((r) => r.body.length).join());
              console.log(http.post(url + '/small', 'y'.repeat(3000000)).status);
            }""")
        self.assertEqual(run.messages, ['30000000,5,30000000', '200'])

    def test_the_proto_tag_says_so(self):
        server = Server(self, nghttpd)
        with tempfile.NamedTemporaryFile('r', suffix='.json') as out:
            text = "export default function () { http.get(url + '/small'); }"
            kiln('run', '-o', 'json=' + out.name, script(self, HEAD + text), env={'URL': server.url})
            points = [json.loads(line) for line in out]
        tags = [p['data']['tags'] for p in points if p['type'] == 'Point' and p['metric'] == 'http_reqs']
        self.assertEqual([(t['proto'], t['tls_version']) for t in tags], [('HTTP/2.0', 'tls1.3')])

    def test_prior_knowledge_of_one_request(self):
        server = Server(self, plain_nghttpd)
        server.url = server.url.replace('https', 'http')
        run = self.run_script(server, """
            export default function () {
              const params = { h2c: true };
              const form = { file: http.file('z'.repeat(300000), 'z.txt'), field: 'value' };
              const rs = http.batch([['GET', url + '/small', null, params], ['POST', url + '/small', form, params]]);
              console.log(rs.map((r) => r.proto + r.status).join());
            }""")
        self.assertEqual(run.messages, ['HTTP/2.0200,HTTP/2.0200'])

    def test_prior_knowledge_needs_a_variable(self):
        server = Server(self, plain_nghttpd)
        server.url = server.url.replace('https', 'http')
        text = "export default function () { console.log(http.get(url + '/small').proto); }"
        self.assertEqual(self.run_script(server, text, KILN_H2C='1').messages, ['HTTP/2.0'])
        self.assertNotIn('HTTP/2.0', self.run_script(server, text).messages)

    @unittest.skipUnless(NGINX, 'nginx is not installed')
    def test_goaway_moves_on_to_a_new_connection(self):
        server = Server(self, nginx)
        run = self.run_script(server, """
            export default function () {
              for (let i = 0; i < 22; i++) console.log(http.get(`${url}/${i}`).body);
            }""")
        self.assertEqual(run.messages, ['HTTP/2.0'] * 22)
        self.assertEqual(run.log[22:], [])
        with open(server.path('connections.log')) as f:
            self.assertEqual(len({line.split()[0] for line in f}), 5)

    @unittest.skipUnless(NGINX, 'nginx is not installed')
    def test_http1_can_be_forced(self):
        server = Server(self, nginx)
        text = "export default function () { console.log(http.get(url).proto); }"
        self.assertEqual(self.run_script(server, text).messages, ['HTTP/2.0'])
        self.assertEqual(self.run_script(server, text, GODEBUG='x=1,http2client=0').messages, ['HTTP/1.1'])


if __name__ == '__main__':
    if not NGHTTPD or not OPENSSL:
        print('nghttpd or openssl is missing (tools/setup.sh test installs them)')
        sys.exit(77)
    unittest.main()
