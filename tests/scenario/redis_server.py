"""Redis servers of a test's own, on free ports of the loopback interface, with their data in a temporary folder.

    with Redis('--requirepass', 'secret') as server:
        server.url                       redis://127.0.0.1:PORT
        server.cli('get', 'key')         what redis-cli prints
        server.stop(); server.start()    the same port again
    with Cluster(3) as nodes: …          servers whose slots are shared out
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PROGRAM, CLI = shutil.which('redis-server'), shutil.which('redis-cli')


def answers(port):
    try:
        with socket.create_connection(('127.0.0.1', port), timeout=5) as s:
            s.settimeout(5)
            s.sendall(b'*1\r\n$4\r\nPING\r\n')
            return s.recv(64)[:1] in (b'+', b'-')
    except OSError:
        return False


def wait_for(happened, what, seconds=30):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, 'waited in vain for ' + what
        time.sleep(0.02)


def free_port(below=65536):
    while True:
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            if s.getsockname()[1] < below:
                return s.getsockname()[1]
            port = 20000 + s.getsockname()[1] % 30000
        with socket.socket() as s:
            try:
                s.bind(('127.0.0.1', port))
                return port
            except OSError:
                continue


class Redis:
    """arguments: of redis-server; config: lines of a file (a sentinel rewrites its own)."""

    def __init__(self, *arguments, config=None, tls=False):
        self.arguments, self.config, self.tls, self.process = arguments, config, tls, None
        # A node of a cluster has a second port, 10000 above.
        self.port = free_port(below=55000)

    @property
    def url(self):
        return 'redis://127.0.0.1:%d' % self.port

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='kiln-redis-')
        try:
            if self.config is not None:
                with open(os.path.join(self.folder, 'redis.conf'), 'w', encoding='utf-8') as f:
                    f.write(self.config.format(port=self.port))
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder)

    def start(self):
        command = [PROGRAM] + (['redis.conf'] if self.config is not None else ['--save', '', '--appendonly', 'no'])
        command += ['--port', '0' if self.tls else str(self.port)] + (['--tls-port', str(self.port)] if self.tls else [])
        with open(os.path.join(self.folder, 'log'), 'ab') as log:
            self.process = subprocess.Popen(command + ['--bind', '127.0.0.1', *self.arguments], cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if self.tls:
            wait_for(lambda: b'Ready to accept' in self.log(), 'redis-server')
        else:
            wait_for(lambda: self.is_running() and answers(self.port), 'redis-server')

    def is_running(self):
        assert self.process.poll() is None, self.log()[-4000:]
        return True

    def log(self):
        with open(os.path.join(self.folder, 'log'), 'rb') as log:
            return log.read()

    def stop(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(30)

    def cli(self, *arguments, check=True):
        done = subprocess.run([CLI, '-p', str(self.port), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              encoding='utf-8', timeout=30, check=check)
        return done.stdout.strip()


class Cluster:
    def __init__(self, n):
        self.nodes = [Redis('--cluster-enabled', 'yes', '--cluster-node-timeout', '2000') for _ in range(n)]

    def __enter__(self):
        started = []
        try:
            for node in self.nodes:
                node.__enter__()
                started.append(node)
            addresses = ['127.0.0.1:%d' % node.port for node in self.nodes]
            subprocess.run([CLI, '--cluster', 'create', *addresses, '--cluster-replicas', '0', '--cluster-yes'], check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)
            for node in self.nodes:
                wait_for(lambda: 'cluster_state:ok' in node.cli('cluster', 'info'), 'the cluster')
        except BaseException:
            for node in started:
                node.__exit__()
            raise
        return self.nodes

    def __exit__(self, *_):
        for node in self.nodes:
            node.__exit__()
