#!/usr/bin/env python3
"""Who reads an output or talks to a program hangs up: the program goes on.
Environment: KILN and QUICKPIZZA, paths of the programs."""
import http.client
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import quickpizza_server
from kiln_runner import PROGRAM, Started, clean_environment, free_port, script

SHORT = """
export const options = { vus: 2, iterations: 4 };
export default function () { console.log('iteration'); }
export function teardown() { console.log('teardown ran'); }
"""

TALK = """
import http from 'k6/http';
import { WebSocket } from 'k6/websockets';
export const options = { vus: 2, iterations: 20 };
export default function () {
  http.post('http://PEER/', 'x'.repeat(4 << 20), { timeout: '5s' });
  new WebSocket('ws://PEER/').onerror = () => {};
}
export function teardown() { console.log('teardown ran'); }
"""

WAIT = """
import { sleep } from 'k6';
export const options = { vus: 1, duration: '60s' };
export default function () { console.log('looping'); sleep(0.1); }
"""


def unread_pipe():
    """The end to write to of a pipe that nobody reads."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    return write_end


def run_unread(program, *arguments, unread=('stdout',), env=None):
    """(exit code, stderr) of a program that writes to pipes that nobody reads."""
    pipe = unread_pipe()
    streams = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.PIPE, **{name: pipe for name in unread}}
    try:
        done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, env=clean_environment(env), timeout=60,
                              encoding='utf-8', **streams)
    finally:
        os.close(pipe)
    return done.returncode, done.stderr


def reset(connection):
    """Closes with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()


class Hangup:
    """Takes connections, reads a little and resets them."""

    def __enter__(self):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.address = '127.0.0.1:%d' % self.socket.getsockname()[1]
        self.count = 0
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            connection.recv(100)
            reset(connection)


class Runs(unittest.TestCase):
    def test_nobody_reads_the_summary(self):
        code, err = run_unread(PROGRAM, 'run', script(self, SHORT))
        self.assertEqual(code, 0, err)
        self.assertIn('teardown ran', err)

    def test_nobody_reads_the_log(self):
        with tempfile.TemporaryDirectory() as folder:
            export = os.path.join(folder, 'summary.json')
            code, _ = run_unread(PROGRAM, 'run', '--summary-export', export, script(self, SHORT), unread=('stdout', 'stderr'))
            self.assertEqual(code, 0)
            self.assertGreater(os.path.getsize(export), 0)

    def test_nobody_reads_the_samples(self):
        code, err = run_unread(PROGRAM, 'run', '--quiet', '-o', 'json=-', script(self, SHORT))
        self.assertEqual(code, 0, err)
        self.assertIn('teardown ran', err)
        self.assertEqual(err.count('the rest of this output is lost'), 1, err)

    def test_peers_that_hang_up(self):
        with Hangup() as peer:
            with Started('run', '-o', 'influxdb=http://%s/db' % peer.address, script(self, TALK.replace('PEER', peer.address)),
                         env={'K6_INFLUXDB_PUSH_INTERVAL': '50ms'}) as run:
                done = run.finish(60)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn('teardown ran', done.messages)
        self.assertGreater(peer.count, 40)

    def test_clients_of_the_dashboard_that_hang_up(self):
        port = free_port()
        with Started('run', script(self, WAIT), env={'K6_WEB_DASHBOARD': 'true', 'K6_WEB_DASHBOARD_HOST': '127.0.0.1',
                                                     'K6_WEB_DASHBOARD_PORT': str(port),
                                                     'K6_WEB_DASHBOARD_PERIOD': '1s'}) as run:
            run.wait_for('looping')
            for path in ['/events', '/ui/', '/events']:
                with socket.create_connection(('127.0.0.1', port)) as client:
                    client.sendall(b'GET %s HTTP/1.1\r\nHost: a\r\n\r\n' % path.encode())
                    client.recv(10)
                    reset(client)
            connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
            connection.request('GET', '/events')
            answer = connection.getresponse()
            for _ in range(2):  # by then the others' events have been written, too
                while not answer.readline().startswith(b'data:'):
                    pass
            connection.close()
            run.process.send_signal(signal.SIGINT)
            self.assertEqual(run.finish(10).code, 105)

    def test_help(self):
        self.assertEqual(run_unread(PROGRAM, 'run', '--help')[0], 0)
        self.assertEqual(run_unread(PROGRAM, 'playground', '--help')[0], 0)

    def test_programs_that_kiln_starts_do_not_inherit_it(self):
        with tempfile.TemporaryDirectory() as folder:
            found, opener = os.path.join(folder, 'found'), os.path.join(folder, 'xdg-open')
            with open(opener, 'w', encoding='utf-8') as f:
                f.write('#!/bin/sh\ngrep SigIgn /proc/self/status >%s.part\nmv %s.part %s\n' % (found, found, found))
            os.chmod(opener, 0o755)
            with Started('run', script(self, WAIT), env={
                    'PATH': folder + ':' + os.environ['PATH'], 'K6_WEB_DASHBOARD': 'true', 'K6_WEB_DASHBOARD_OPEN': 'true',
                    'K6_WEB_DASHBOARD_HOST': '127.0.0.1', 'K6_WEB_DASHBOARD_PORT': str(free_port())}) as run:
                run.wait_for('looping')
                with open('/proc/%d/status' % run.process.pid, encoding='utf-8') as f:
                    self.assertTrue(self.ignores(f.read()), 'kiln itself')
                end = time.monotonic() + 20
                while not os.path.exists(found) and time.monotonic() < end:
                    time.sleep(0.01)
            with open(found, encoding='utf-8') as f:
                self.assertFalse(self.ignores(f.read()))

    @staticmethod
    def ignores(status):
        mask = int(re.search(r'SigIgn:\s*([0-9a-f]+)', status).group(1), 16)
        return bool(mask >> (signal.SIGPIPE - 1) & 1)


class Playground(unittest.TestCase):
    def test_help(self):
        self.assertEqual(run_unread(quickpizza_server.PROGRAM, '--help')[0], 0)

    def test_nobody_reads_the_log(self):
        process = subprocess.Popen([quickpizza_server.PROGRAM, '--listen', '127.0.0.1:0'], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_environment())
        try:
            port = int(re.search(rb'url=http://[\d.]+:(\d+)', self.read_until(process.stderr, b'is listening')).group(1))
            process.stderr.close()
            for _ in range(3):
                connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
                connection.request('POST', '/api/pizza', '{"customName": "x"}', {'Authorization': 'Token abcdef0123456789'})
                self.assertEqual(connection.getresponse().status, 200)
                connection.close()
        finally:
            process.terminate()
            self.assertEqual(process.wait(20), 0)

    @staticmethod
    def read_until(file, words):
        for line in file:
            if words in line:
                return line
        raise AssertionError('%r was not written' % words)


if __name__ == '__main__':
    unittest.main()
