#!/usr/bin/env python3
"""Modules from https URLs: fetched, kept on disk, used offline, packed into archives."""
import functools
import os
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile
import unittest

from http_server import HttpServer
from kiln_runner import kiln

OPENSSL = shutil.which('openssl')

FILES = {
    '/lib/main.js': "import { two } from './sub/two.js?x=a/b'; import three from '/three%20.js'; export const sum = 1 + two + three;",
    '/lib/sub/two.js': 'export const two = 20;',
    '/three .js': 'export default 300;',
    '/test.js': "import { sum } from './lib/main.js'; export default function () { console.log(`sum ${sum}`); }",
    '/reads_file.js': "import 'file:///etc/hostname'; export const x = 1;",
    '/needs_plain_url.js': 'export const plain = true;',
    '/common.js': 'module.exports = { kind: "commonjs" };',
}


class Server(HttpServer):
    def __init__(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        super().__init__(self.module, context)
        self.requests, self.files = [], dict(FILES)

    def module(self, http):
        self.requests.append((http.path, http.headers.get('If-None-Match')))
        path, _, query = http.path.partition('?')
        text = self.files.get(path.replace('%20', ' '))
        tag = '"%x"' % hash(text)
        status = 200
        if path == '/needs_plain_url.js' and query or path == '/broken.js':
            status = 500
        elif text is None:
            status = 404
        elif http.headers.get('If-None-Match') == tag:
            status = 304
        http.answer(status, text if status == 200 else '', [('ETag', tag)])


@functools.lru_cache(maxsize=None)
def certificate(directory):
    key, pem = os.path.join(directory, 'key.pem'), os.path.join(directory, 'cert.pem')
    subprocess.run([OPENSSL, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', pem, '-days', '2',
                    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return pem, key


class RemoteModules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keys = tempfile.TemporaryDirectory()
        cls.certificate = certificate(cls.keys.name)

    @classmethod
    def tearDownClass(cls):
        cls.keys.cleanup()

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.server = Server(self.certificate)
        self.server.__enter__()
        self.base = 'https://localhost:%d' % self.server.port
        self.addCleanup(self.stop)

    def stop(self):
        if self.server:
            self.server.__exit__()
            self.server = None

    def run_kiln(self, *arguments, env=None, **more):
        settings = {'SSL_CERT_FILE': self.certificate[0], 'XDG_CACHE_HOME': os.path.join(self.directory, 'cache'), **(env or {})}
        return kiln('run', '--quiet', *arguments, env=settings, **more)

    def script(self, text):
        path = os.path.join(self.directory, 'script.js')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text.replace('BASE', self.base))
        return path

    def test_imports_relative_to_their_url_are_fetched_once_for_all_vus(self):
        path = self.script("import { sum } from 'BASE/lib/main.js'; export const options = { vus: 3, iterations: 3 };"
                           " export default function () { console.log(`sum ${sum}`); }")
        run = self.run_kiln(path)
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(run.messages, ['sum 321'] * 3)
        self.assertEqual([path for path, _ in self.server.requests], ['/lib/main.js?_k6=1', '/lib/sub/two.js?x=a/b&_k6=1', '/three%20.js?_k6=1'])

    def test_a_script_of_a_server_runs_by_its_url(self):
        run = self.run_kiln(self.base + '/test.js')
        self.assertEqual((run.code, run.messages), (0, ['sum 321']), run.err)

    def test_the_copy_is_asked_about_again_and_replaced(self):
        path = self.script("import x from 'BASE/three .js'; export default function () { console.log(x); }")
        self.assertEqual(self.run_kiln(path).messages, ['300'])
        self.assertEqual(self.run_kiln(path).messages, ['300'])
        self.server.files['/three .js'] = 'export default 301;'
        self.assertEqual(self.run_kiln(path).messages, ['301'])
        self.assertEqual([tag is not None for _, tag in self.server.requests], [False, True, True])

    def test_offline_uses_copies_alone(self):
        path = self.script("import { sum } from 'BASE/lib/main.js'; export default function () { console.log(sum); }")
        self.assertEqual(self.run_kiln(path, '--offline').code, 107)
        self.assertEqual(self.server.requests, [])
        self.assertEqual(self.run_kiln(path).code, 0)
        del self.server.requests[:]
        for arguments, env in ((['--offline'], None), ([], {'KILN_OFFLINE': 'true'})):
            run = self.run_kiln(path, *arguments, env=env)
            self.assertEqual((run.code, run.messages), (0, ['321']), run.err)
        self.assertEqual(self.server.requests, [])

    def test_a_copy_stands_in_for_a_server_that_is_gone_and_damage_is_noticed(self):
        path = self.script("import { two } from 'BASE/lib/sub/two.js'; export default function () { console.log(two); }")
        self.assertEqual(self.run_kiln(path).code, 0)
        self.stop()
        run = self.run_kiln(path)
        self.assertEqual(run.code, 0, run.err)
        self.assertIn('the copy of the last time is used', run.err)
        blobs = os.path.join(self.directory, 'cache', 'kiln', 'modules', 'blobs')
        for name in os.listdir(blobs):
            with open(os.path.join(blobs, name), 'a', encoding='utf-8') as f:
                f.write(' ')
        run = self.run_kiln(path)
        self.assertEqual(run.code, 107)
        self.assertIn('connection refused', run.err)

    def test_errors_name_the_url_and_the_reason(self):
        for name, words in (('/none.js', 'not found: BASE/none.js'), ('/broken.js', 'wrong status code (500) for: BASE/broken.js'),
                            ('/reads_file.js', 'origin (BASE/) not allowed to load local file: file:///etc/hostname')):
            run = self.run_kiln(self.script("import 'BASE%s'; export default function () {}" % name))
            self.assertEqual(run.code, 107)
            self.assertIn(words.replace('BASE', self.base), run.err)
        run = self.run_kiln(self.base + '/none.js')
        self.assertEqual(run.code, 255)
        self.assertIn('couldn\'t be retrieved from the resolved url', run.err)
        run = self.run_kiln(self.script("import 'BASE/test.js'; export default function () {}"), env={'SSL_CERT_FILE': '/dev/null'})
        self.assertIn('x509: certificate signed by unknown authority', run.err)

    def test_a_server_that_does_not_like_the_query_gets_another_chance(self):
        path = self.script("import { plain } from 'BASE/needs_plain_url.js'; const c = require('BASE/common.js');"
                           " export default function () { console.log(plain, c.kind); }")
        run = self.run_kiln(path)
        self.assertEqual((run.code, run.messages), (0, ['true commonjs']), run.err)
        self.assertEqual([path for path, _ in self.server.requests], ['/needs_plain_url.js?_k6=1', '/needs_plain_url.js', '/common.js?_k6=1'])

    def test_an_archive_holds_the_modules_and_runs_without_the_server(self):
        path = self.script("import { sum } from 'BASE/lib/main.js'; export default function () { console.log(sum); }")
        archive = os.path.join(self.directory, 'a.tar')
        env = {'SSL_CERT_FILE': self.certificate[0], 'XDG_CACHE_HOME': os.path.join(self.directory, 'cache')}
        packed = kiln('archive', '-O', archive, path, env=env)
        self.assertEqual(packed.code, 0, packed.err)
        host = self.base[8:]
        with tarfile.open(archive) as tar:
            self.assertEqual([name for name in tar.getnames() if name.startswith('https/' + host) and name.endswith(('.js', '=a/b'))],
                             ['https/%s%s' % (host, name) for name in ('/lib/main.js', '/lib/sub/two.js?x=a/b', '/three .js')])
        self.stop()
        shutil.rmtree(os.path.join(self.directory, 'cache'))
        run = self.run_kiln(archive, '--offline')
        self.assertEqual((run.code, run.messages), (0, ['321']), run.err)

    def test_the_short_names_of_older_versions(self):
        for name in ('github.com/u/r/lib.js', 'cdnjs.com/libraries/x/1.0.0/x.js'):
            path = self.script("import '%s'; export default function () {}" % name)
            self.assertIn("'special' urls are no longer supported", self.run_kiln(path).err)
            run = self.run_kiln(path, '--offline', '--compat', 'v0.51')
            self.assertIn({'g': 'https://raw.githubusercontent.com/u/r/master/lib.js', 'c': 'https://cdnjs.cloudflare.com/ajax/libs/x/1.0.0/x.js'}[name[0]],
                          run.err)


if __name__ == '__main__':
    if not OPENSSL:
        print('openssl is missing (tools/setup.sh test installs it)')
        sys.exit(77)
    unittest.main()
