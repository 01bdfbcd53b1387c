#!/usr/bin/env python3
"""Large bodies: what they cost in memory, and that they arrive as they were.
Environment: KILN, path of the program."""
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

from http_server import HttpServer
from kiln_runner import PROGRAM, clean_environment

MIB = 1 << 20
BLOCK = bytes(range(256)) * 4096  # one MiB


def only_file(http, body):
    """The digest of the file in a multipart body that holds what it should."""
    boundary = b'--' + re.search('boundary=(.*)', http.headers['Content-Type'])[1].encode()
    parts = body.split(boundary)
    assert len(parts) == 4 and parts[0] == b'' and parts[3] == b'--\r\n', len(parts)
    assert parts[2] == b'\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue\r\n', parts[2][:200]
    head, data = parts[1].split(b'\r\n\r\n', 1)
    assert head == b'\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\nContent-Type: image/x"', head
    return hashlib.sha256(data[:-2])


def send_blocks(http):
    """/N: a body of N MiB."""
    n = int(http.path.strip('/'))
    http.send_response(200)
    http.send_header('Content-Length', str(n * MIB))
    http.end_headers()
    for _ in range(n):
        http.wfile.write(BLOCK)


def answer(http):
    """Blocks, or the digest of what was sent."""
    if http.command == 'GET':
        send_blocks(http)
        return
    if 'multipart' in http.headers.get('Content-Type', ''):
        digest = only_file(http, http.body())
    else:
        digest, left = hashlib.sha256(), int(http.headers['Content-Length'])
        while left:
            data = http.rfile.read(min(left, MIB))
            left -= len(data)
            digest.update(data)
    http.answer(200, json.dumps({'sha256': digest.hexdigest()}))


def serve():
    """Until the one that started us closes our input."""
    with HttpServer(answer) as server:
        print(server.port, flush=True)
        sys.stdin.read()


def digest_of_blocks(n):
    digest = hashlib.sha256()
    for _ in range(n):
        digest.update(BLOCK)
    return digest.hexdigest()


class Bodies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A process of its own: the memory of the one that starts kiln counts as kiln's.
        cls.server = subprocess.Popen([sys.executable, os.path.abspath(__file__), 'serve'], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
        cls.url = 'http://127.0.0.1:%d' % int(cls.server.stdout.readline())
        symbols = subprocess.run(['grep', '-c', '__asan_init', PROGRAM], stdout=subprocess.DEVNULL)
        cls.is_sanitized = symbols.returncode == 0

    @classmethod
    def tearDownClass(cls):
        cls.server.stdin.close()
        assert cls.server.wait(30) == 0
        cls.server.stdout.close()

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.dir = temporary.name

    def write(self, name, content):
        with open(os.path.join(self.dir, name), 'wb') as f:
            f.write(content)

    def run_script(self, text, *args):
        """(messages, MiB of memory at the most); a run that fails is a failure."""
        self.write('script.js', text.encode())
        with tempfile.TemporaryFile('w+') as err:
            process = subprocess.Popen([os.path.abspath(PROGRAM), 'run', '--quiet', *args, 'script.js'], cwd=self.dir, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=err, env=clean_environment({'URL': self.url}))
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            err.seek(0)
            log = err.read()
        self.assertEqual(process.returncode, 0, log)
        self.assertNotIn('level=error', log)
        self.assertNotIn('level=warning', log)
        return re.findall(r'msg="?(.*?)"? source=console', log), usage.ru_maxrss / 1024

    def assert_memory(self, used, limit):
        # A sanitizer has memory of its own for each byte.
        if not self.is_sanitized:
            self.assertLess(used, limit)

    def test_an_uploaded_file_is_in_memory_once(self):
        content = os.urandom(MIB) * 8
        self.write('f.bin', content)
        messages, used = self.run_script('''
            import http from 'k6/http';
            import crypto from 'k6/crypto';
            const data = open('f.bin', 'b');
            export default async function () {
              const form = { file: http.file(data, 'f.bin', 'image/x"'), field: 'value' };
              const answers = [http.post(__ENV.URL, data), http.post(__ENV.URL, form)];
              answers.push(...http.batch([['POST', __ENV.URL, data]]));
              answers.push(await http.asyncRequest('POST', __ENV.URL, data));
              for (const r of answers) console.log(r.json('sha256'));
            }''', '--vus', '16', '--iterations', '16')
        self.assertEqual(set(messages), {hashlib.sha256(content).hexdigest()})
        self.assertEqual(len(messages), 64)
        # 16 copies would be 128 MiB.
        self.assert_memory(used, 90)

    def test_a_vu_may_write_to_its_own(self):
        content = bytes(MIB)
        self.write('f.bin', content)
        messages, _ = self.run_script('''
            import http from 'k6/http';
            const data = open('f.bin', 'b');
            export default function () {
              if (__VU === 1) new Uint8Array(data)[500000] = 1;
              const r = http.post(__ENV.URL, data);
              console.log(__VU, r.json('sha256'), r.request.body.length);
            }''', '--vus', '3', '--iterations', '3')
        changed = content[:500000] + b'\x01' + content[500001:]
        sums = [hashlib.sha256(c).hexdigest() for c in (changed, content, content)]
        seen = sorted(messages)
        self.assertEqual(len(seen), 3)
        for message in seen:
            vu, digest, length = message.split()
            self.assertEqual((digest, length), (sums[int(vu) - 1], str(MIB)))

    def test_a_body_that_nobody_wants_is_not_kept(self):
        messages, used = self.run_script('''
            import http from 'k6/http';
            export const options = { discardResponseBodies: true };
            export default function () {
              const r = http.get(__ENV.URL + '/256');
              console.log(r.status, r.body, r.headers['Content-Length']);
            }''')
        self.assertEqual(messages, ['200 null %d' % (256 * MIB)])
        self.assert_memory(used, 64)

    def test_a_binary_body_is_in_memory_once(self):
        messages, used = self.run_script('''
            import http from 'k6/http';
            import crypto from 'k6/crypto';
            export default function () {
              const r = http.get(__ENV.URL + '/128', { responseType: 'binary' });
              console.log(r.body.byteLength, crypto.sha256(r.body, 'hex'));
            }''')
        self.assertEqual(messages, ['%d %s' % (128 * MIB, digest_of_blocks(128))])
        # With a second copy it would be more than 256.
        self.assert_memory(used, 200)

    def write_big_csv(self, n):
        with open(os.path.join(self.dir, 'big.csv'), 'w', encoding='utf-8') as f:
            f.write('id,name\n')
            f.writelines('%d,"user %d of the list, with a name"\n' % (i, i) for i in range(n))
        size = os.path.getsize(os.path.join(self.dir, 'big.csv'))
        self.assertGreater(size, 64 * MIB)
        return size

    def test_csv_as_an_array_stays_on_the_disk(self):
        n = 1500000
        self.write_big_csv(n)
        messages, used = self.run_script('''
            import { open } from 'k6/experimental/fs';
            import csv from 'k6/experimental/csv';
            const users = await csv.parse(await open('big.csv'), { asObjects: true });
            export default function () {
              const at = [0, 1, 777777, users.length - 1];
              console.log(users.length, at.map((i) => users[i].name.split(' ')[1]).join());
            }''')
        self.assertEqual(messages, ['%d 0,1,777777,%d' % (n, n - 1)])
        # The text has more than 64 MiB; what is kept is where its records are.
        self.assert_memory(used, 56)

    def test_csv_of_any_size_is_read_in_pieces(self):
        size = self.write_big_csv(1500000)
        messages, used = self.run_script('''
            import { open } from 'k6/experimental/fs';
            import csv from 'k6/experimental/csv';
            const file = await open('big.csv');
            const parser = new csv.Parser(file, { asObjects: true });
            export default async function () {
              let n = 0, sum = 0, last;
              for (;;) {
                const { done, value } = await parser.next();
                if (done) break;
                n++; sum += Number(value.id); last = value;
                if (n === 20000) break;
              }
              console.log(n, sum, JSON.stringify(last), (await file.stat()).size);
            }''')
        self.assertEqual(len(messages), 1)
        message = messages[0].replace('\\"', '"')
        self.assertEqual(message, '20000 %d {"id":"19999","name":"user 19999 of the list, with a name"} %d'
                         % (20000 * 19999 // 2, size))
        self.assert_memory(used, 64)


if __name__ == '__main__':
    if sys.argv[1:] == ['serve']:
        sys.exit(serve())
    unittest.main()
