"""A WebSocket server whose connections are served by a function of the test.

    with Peer(lambda connection: connection.send(TEXT, b'hello')) as peer:
        kiln('run', script(self, '… new WebSocket("%s") …' % peer.url))
"""
import base64
import hashlib
import re
import socket
import struct
import threading

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Peer:
    """A WebSocket server; each connection is served by a function of the test, on a thread."""

    def __init__(self, serve):
        self.serve, self.errors = serve, []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.url = 'ws://127.0.0.1:%d' % self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            thread = threading.Thread(target=self.run, args=(connection,))
            self.threads.append(thread)
            thread.start()

    def run(self, connection):
        try:
            with connection:
                connection.settimeout(30)
                self.serve(Connection(connection))
        except Exception as error:
            self.errors.append(error)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(30)
        assert not self.errors, self.errors


class Connection:
    def __init__(self, raw):
        self.raw, self.data = raw, b''
        while b'\r\n\r\n' not in self.data:
            self.data += self.receive()
        head, self.data = self.data.split(b'\r\n\r\n', 1)
        self.request = head.decode()
        key = re.search(r'Sec-WebSocket-Key: (\S+)', self.request).group(1)
        accept = base64.b64encode(hashlib.sha1((key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest())
        raw.sendall(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                    b'Sec-WebSocket-Accept: ' + accept + b'\r\n\r\n')

    def receive(self):
        part = self.raw.recv(65536)
        if not part:
            raise EOFError
        return part

    def take(self, size):
        while len(self.data) < size:
            self.data += self.receive()
        out, self.data = self.data[:size], self.data[size:]
        return out

    def send(self, opcode, payload=b''):
        size = len(payload)
        length = bytes([size]) if size < 126 else b'\x7e' + struct.pack('>H', size) if size < 65536 \
            else b'\x7f' + struct.pack('>Q', size)
        self.raw.sendall(bytes([0x80 | opcode]) + length + payload)

    def read(self):
        """The next frame of the client: (opcode, payload)."""
        first, size = self.take(2)
        assert first & 0x80 and size & 0x80, 'not final, or not masked'
        size &= 0x7f
        if size == 126:
            size = struct.unpack('>H', self.take(2))[0]
        elif size == 127:
            size = struct.unpack('>Q', self.take(8))[0]
        mask = self.take(4)
        data = self.take(size)
        return first & 0x0f, bytes(b ^ mask[i % 4] for i, b in enumerate(data))

    def close_code(self):
        """Reads up to the close frame."""
        while True:
            opcode, payload = self.read()
            if opcode == CLOSE:
                return struct.unpack('>H', payload[:2])[0]

    def echo(self):
        """Up to a close frame, or to a client that is gone behind it."""
        try:
            while True:
                opcode, payload = self.read()
                self.send(PONG if opcode == PING else opcode, payload)
                if opcode == CLOSE:
                    return
        except (OSError, EOFError):
            pass
