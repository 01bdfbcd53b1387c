"""A Prometheus of a test's own, on a free port, with its data in a temporary folder.

    with Prometheus() as server:
        kiln('run', …, env={'K6_PROMETHEUS_RW_SERVER_URL': server.write_url})
        server.value('sum(k6_iterations_total)')
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

PROGRAM = shutil.which('prometheus')


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def get_json(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


class Prometheus:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='kiln-prometheus-')
        self.port = free_port()
        self.url = 'http://127.0.0.1:%d' % self.port
        self.write_url = self.url + '/api/v1/write'
        with open(os.path.join(self.folder, 'prometheus.yml'), 'w') as f:
            f.write('global: {scrape_interval: 1h}\n')
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder)

    def start(self):
        with open(os.path.join(self.folder, 'log'), 'ab') as log:
            self.process = subprocess.Popen(
                [PROGRAM, '--config.file', os.path.join(self.folder, 'prometheus.yml'), '--storage.tsdb.path',
                 os.path.join(self.folder, 'data'), '--web.listen-address', '127.0.0.1:%d' % self.port,
                 '--web.enable-remote-write-receiver', '--enable-feature', 'native-histograms', '--log.level', 'warn'],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(self.url + '/-/ready', timeout=5).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, self.log()
                time.sleep(0.05)

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def log(self):
        with open(os.path.join(self.folder, 'log')) as f:
            return 'prometheus did not start:\n' + f.read()[-4000:]

    def get(self, path, **query):
        answer = get_json('%s/api/v1/%s?%s' % (self.url, path, urllib.parse.urlencode(query, doseq=True)))
        assert answer['status'] == 'success', answer
        return answer['data']

    def query(self, expression, **query):
        """The result of an instant query: [{metric, value or histogram}]."""
        return self.get('query', query=expression, **query)['result']

    def value(self, expression):
        """The one value of an instant query."""
        result = self.query(expression)
        assert len(result) == 1, '%s: %r' % (expression, result)
        return float(result[0]['value'][1])

    def samples(self, selector, window='1h'):
        """[(time, value)] of the one series that the selector matches."""
        result = self.query('%s[%s]' % (selector, window))
        assert len(result) == 1, '%s: %r' % (selector, result)
        return [(t, float(v)) for t, v in result[0]['values']]
