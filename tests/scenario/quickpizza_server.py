"""Starts the playground for a test on a free port and stops it again.

    with QuickPizza() as server:
        answer = server.request('GET', '/api/tools', user='23423')
"""
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ.get('QUICKPIZZA', 'build/quickpizza')
TOKEN = 'abcdef0123456789'


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class QuickPizza:
    def __init__(self, *arguments, env=None):
        self.arguments = arguments
        self.env = env or {}

    def __enter__(self):
        self.log = tempfile.NamedTemporaryFile('r+', suffix='.log')
        env = {k: v for k, v in os.environ.items() if not k.startswith('QUICKPIZZA')}
        env.update(self.env)
        with open(self.log.name, 'ab') as log:
            self.process = subprocess.Popen([PROGRAM, '--listen', '127.0.0.1:0', *self.arguments], env=env,
                                            stdout=subprocess.DEVNULL, stderr=log)
        try:
            found = self.wait_for_log(r'url=http://([\d.]+):(\d+)')
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise
        self.host, self.port = found.group(1), int(found.group(2))
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(30)
        text = self.log_text()
        self.log.close()
        if status != 0:
            sys.stderr.write(text)
        assert status == 0, 'quickpizza ended with status %s' % status

    def log_text(self):
        """What the server logged, on stderr or where --log-file says."""
        path = self.log.name
        if '--log-file' in self.arguments:
            path = self.arguments[self.arguments.index('--log-file') + 1]
        with open(path) as f:
            return f.read()

    def wait_for_log(self, pattern, seconds=20):
        """The first match of a pattern in the log."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(pattern, self.log_text())
            if found:
                return found
            assert self.process.poll() is None, 'quickpizza ended: ' + self.log_text()
            time.sleep(0.02)
        raise AssertionError('%r is not in the log:\n%s' % (pattern, self.log_text()[-4000:]))

    def connect(self, timeout=30):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, user=None, connection=None):
        """One request; user is the X-User-ID."""
        headers = dict(headers or {})
        if user is not None:
            headers['X-User-ID'] = str(user)
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        own = connection is None
        connection = connection or self.connect()
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            if own:
                connection.close()

    def pizza(self, restrictions=None, headers=None, connection=None):
        """POST /api/pizza as user 23423; customName spares the time for inventing a name."""
        restrictions = {'customName': 'Test'} if restrictions is None else restrictions
        return self.request('POST', '/api/pizza', restrictions, headers, '23423', connection)
