"""A headless Chromium for a test, driven over its DevTools protocol.

    with Chromium() as chromium:
        page = chromium.open('http://127.0.0.1:3333/')
        page.wait_for('document.querySelector("h1")')
        page.click('button')
        page.evaluate('document.title')
"""
import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time

PROGRAMS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')


def find_program():
    return next((path for path in map(shutil.which, PROGRAMS) if path), None)


class WebSocket:
    """Texts to and from a server that does nothing strange."""

    def __init__(self, host, port, path):
        self.socket = socket.create_connection((host, port), 30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(('GET %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
                             'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n'
                             % (path, host, port, key)).encode())
        self.data = b''
        while b'\r\n\r\n' not in self.data:
            self.data += self.receive()
        self.data = self.data.split(b'\r\n\r\n', 1)[1]

    def receive(self):
        part = self.socket.recv(1 << 20)
        if not part:
            raise EOFError('the browser closed the connection')
        return part

    def take(self, size):
        while len(self.data) < size:
            self.data += self.receive()
        out, self.data = self.data[:size], self.data[size:]
        return out

    def send(self, text):
        payload = text.encode()
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b'\xfe' + struct.pack('>H', size) if size < 65536 \
            else b'\xff' + struct.pack('>Q', size)
        self.socket.sendall(b'\x81' + length + b'\0\0\0\0' + payload)

    def read(self):
        text = b''
        while True:
            first, size = self.take(2)
            if size >= 126:
                size = struct.unpack('>H', self.take(2))[0] if size == 126 else struct.unpack('>Q', self.take(8))[0]
            text += self.take(size)
            if first & 0x80:
                return text.decode()

    def close(self):
        self.socket.close()


class CallError(Exception):
    """What the browser answered to a call that it could not carry out."""


class Page:
    def __init__(self, chromium, target):
        self.socket = WebSocket('127.0.0.1', chromium.port, '/devtools/page/' + target)
        self.count = 0
        self.console = []
        for domain in ('Page', 'Runtime'):
            self.call(domain + '.enable')

    def call(self, method, **params):
        self.count += 1
        self.socket.send(json.dumps({'id': self.count, 'method': method, 'params': params}))
        while True:
            message = json.loads(self.socket.read())
            self.note(message)
            if message.get('id') == self.count:
                if 'error' in message:
                    raise CallError('%s: %s' % (method, message['error']))
                return message['result']

    def note(self, message):
        """Keeps what the page said on its console: (level, text)."""
        if message.get('method') == 'Runtime.consoleAPICalled':
            params = message['params']
            self.console.append((params['type'], ' '.join(str(a.get('value', a.get('description'))) for a in params['args'])))
        elif message.get('method') == 'Runtime.exceptionThrown':
            self.console.append(('exception', json.dumps(message['params']['exceptionDetails'])))

    def goto(self, url):
        self.call('Page.navigate', url=url)
        self.wait_for('document.readyState === "complete" && location.href === %s' % json.dumps(url))

    def evaluate(self, expression):
        result = self.call('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in result, result
        return result['result'].get('value')

    def wait_for(self, expression, seconds=20):
        """The value of an expression, once it is true; true for an element. The page may navigate meanwhile."""
        end = time.monotonic() + seconds
        while True:
            try:
                value = self.evaluate('(() => { try { const v = %s; return v instanceof Node || v } catch { return false } })()'
                                      % expression)
            except CallError as e:
                if 'navigated' not in str(e) and 'context' not in str(e):
                    raise
                value = None
            if value:
                return value
            assert time.monotonic() < end, 'not true after %d s: %s' % (seconds, expression)
            time.sleep(0.02)

    def text(self, selector):
        return self.evaluate('document.querySelector(%s).textContent' % json.dumps(selector))

    def click(self, selector):
        """With the mouse, in the middle of the element."""
        box = self.evaluate('(() => { const e = document.querySelector(%s); e.scrollIntoView({block: "center"}); '
                            'const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2] })()'
                            % json.dumps(selector))
        for kind in ('mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=box[0], y=box[1], button='left', clickCount=1)

    def press(self, key, code=None, text=None):
        """A key: 'Tab', 'Enter', ' '."""
        codes = {'Tab': 9, 'Enter': 13, ' ': 32}
        text = text if text is not None else {'Enter': '\r', ' ': ' '}.get(key)
        for kind in ('keyDown', 'keyUp'):
            params = {'type': kind, 'key': key, 'windowsVirtualKeyCode': codes[key], 'code': code or key}
            if text and kind == 'keyDown':
                params['text'] = text
            self.call('Input.dispatchKeyEvent', **params)

    def type(self, text):
        self.call('Input.insertText', text=text)

    def resize(self, width, height, is_phone=False):
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=is_phone)

    def screenshot(self, path):
        with open(path, 'wb') as f:
            f.write(base64.b64decode(self.call('Page.captureScreenshot')['data']))

    def close(self):
        self.socket.close()


class Chromium:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='quickpizza-chromium-')
        self.process = subprocess.Popen(
            [find_program(), '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking',
             '--disable-dev-shm-usage', '--disable-component-update', '--disable-sync', '--no-first-run', '--no-proxy-server',
             '--user-data-dir=' + self.folder, '--remote-debugging-port=0', '--remote-allow-origins=*', 'about:blank'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.port = self.wait_for_port()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait_for_port(self):
        path = os.path.join(self.folder, 'DevToolsActivePort')
        end = time.monotonic() + 60
        while time.monotonic() < end:
            assert self.process.poll() is None, 'Chromium ended with status %s' % self.process.returncode
            try:
                with open(path) as f:
                    lines = f.read().split('\n')
            except FileNotFoundError:
                lines = []
            if len(lines) >= 2:
                self.browser_path = lines[1]
                return int(lines[0])
            time.sleep(0.05)
        raise AssertionError('Chromium does not start')

    def open(self, url):
        """A page of a window of its own: it shares no cookies with others."""
        browser = WebSocket('127.0.0.1', self.port, self.browser_path)

        def call(number, method, params):
            browser.send(json.dumps({'id': number, 'method': method, 'params': params}))
            while True:
                message = json.loads(browser.read())
                if message.get('id') == number:
                    return message['result']
        context = call(1, 'Target.createBrowserContext', {})['browserContextId']
        target = call(2, 'Target.createTarget', {'url': 'about:blank', 'browserContextId': context})['targetId']
        browser.close()
        page = Page(self, target)
        page.goto(url)
        return page

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
