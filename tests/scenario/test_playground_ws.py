#!/usr/bin/env python3
"""The playground's WebSocket: handshake, broadcast, limits, close. Environment: QUICKPIZZA."""
import base64
import hashlib
import os
import socket
import struct
import unittest

from quickpizza_server import QuickPizza

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Client:
    """A WebSocket client that writes what it is told, right or wrong."""

    def __init__(self, server, early=b''):
        self.socket = socket.create_connection((server.host, server.port), 10)
        self.key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n'
                             'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n' % self.key).encode() + early)
        self.data = b''
        while b'\r\n\r\n' not in self.data:
            self.data += self.receive()
        head, self.data = self.data.split(b'\r\n\r\n', 1)
        self.head = head.decode()

    def receive(self):
        part = self.socket.recv(65536)
        if not part:
            raise EOFError
        return part

    @staticmethod
    def frame(opcode, payload=b'', final=True, mask=b'\x01\x02\x03\x04', first=None):
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b'\xfe' + struct.pack('>H', size) if size < 65536 \
            else b'\xff' + struct.pack('>Q', size)
        body = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        return bytes([first if first is not None else (0x80 if final else 0) | opcode]) + length + mask + body

    def send(self, *args, **kwargs):
        self.socket.sendall(self.frame(*args, **kwargs))

    def take(self, size):
        while len(self.data) < size:
            self.data += self.receive()
        out, self.data = self.data[:size], self.data[size:]
        return out

    def read(self):
        """The next frame of the server: (opcode, payload)."""
        first, size = self.take(2)
        assert first & 0x80 and not size & 0x80
        if size == 126:
            size = struct.unpack('>H', self.take(2))[0]
        return first & 0x0f, self.take(size)

    def close(self):
        self.socket.close()


class WebSocket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = QuickPizza()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def client(self, **kwargs):
        client = Client(self.server, **kwargs)
        self.addCleanup(client.close)
        # an answered ping: the hub has us on its list
        client.send(PING, b'in?')
        while client.read() != (PONG, b'in?'):
            pass
        return client

    def test_handshake(self):
        client = self.client()
        accept = base64.b64encode(hashlib.sha1((client.key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest())
        self.assertTrue(client.head.startswith('HTTP/1.1 101 '))
        self.assertIn('\r\nSec-WebSocket-Accept: ' + accept.decode(), client.head)
        self.assertIn('\r\nVary: Origin', client.head)

    def test_not_a_handshake(self):
        upgrade = {'Connection': 'Upgrade', 'Upgrade': 'websocket', 'Sec-WebSocket-Version': '13',
                   'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA=='}
        for missing in [None] + list(upgrade):
            headers = {k: v for k, v in upgrade.items() if k != missing} if missing else {}
            answer = self.server.request('GET', '/ws', headers=headers)
            self.assertEqual(answer.status, 400, missing)
            self.assertEqual(answer.headers['Sec-Websocket-Version'], '13')
            lines = answer.text.splitlines()
            self.assertEqual((len(lines), lines[0]), (2, 'Bad Request'))

    def test_text_goes_to_everybody_unchanged(self):
        clients = [self.client() for _ in range(5)]
        for text in (b'{"user":"VU 1","msg":"new_pizza"}', b'no json', b'', b'x' * 125, b'x' * 126, b'y' * 512):
            clients[0].send(TEXT, text)
            for client in clients:
                self.assertEqual(client.read(), (TEXT, text))

    def test_a_message_in_parts_with_a_ping_between(self):
        client = self.client()
        client.send(TEXT, b'new_', final=False)
        client.send(PING, b'p')
        client.send(0, b'pizza')
        self.assertEqual(client.read(), (PONG, b'p'))
        self.assertEqual(client.read(), (TEXT, b'new_pizza'))

    def test_bytes_come_one_by_one(self):
        client = self.client()
        for byte in client.frame(TEXT, b'slow'):
            client.socket.sendall(bytes([byte]))
        self.assertEqual(client.read(), (TEXT, b'slow'))

    def test_frames_right_behind_the_handshake(self):
        client = Client(self.server, early=Client.frame(TEXT, b'early'))
        self.addCleanup(client.close)
        self.assertEqual(client.read(), (TEXT, b'early'))

    def test_binary_messages_are_dropped(self):
        client = self.client()
        client.send(BINARY, b'\x00\x01')
        client.send(TEXT, b'after')
        self.assertEqual(client.read(), (TEXT, b'after'))

    def closed_with(self, client):
        opcode, payload = client.read()
        self.assertEqual(opcode, CLOSE)
        with self.assertRaises(EOFError):
            client.receive()
        return struct.unpack('>H', payload)[0] if payload else None

    def test_more_than_512_bytes_close_with_1009(self):
        client = self.client()
        client.send(TEXT, b'x' * 513)
        self.assertEqual(self.closed_with(client), 1009)
        client = self.client()
        client.send(TEXT, b'x' * 300, final=False)
        client.send(0, b'x' * 300)
        self.assertEqual(self.closed_with(client), 1009)
        client = self.client()
        client.socket.sendall(b'\x81\xff' + struct.pack('>Q', 1 << 40) + b'mask')
        self.assertEqual(self.closed_with(client), 1009)

    def test_breaches_of_the_protocol_close_with_1002(self):
        for bad in (b'\x81\x01x', Client.frame(TEXT, b'x', first=0xc1), Client.frame(3), Client.frame(0, b'x'),
                    Client.frame(PING, final=False), Client.frame(CLOSE, b'x'),
                    Client.frame(TEXT, b'x', final=False) + Client.frame(TEXT, b'x')):
            client = self.client()
            client.socket.sendall(bad)
            self.assertEqual(self.closed_with(client), 1002, bad)

    def test_close_is_echoed(self):
        for payload, code in ((struct.pack('>H', 1000), 1000), (struct.pack('>H', 3001) + b'why', 3001), (b'', None)):
            client = self.client()
            client.send(CLOSE, payload)
            self.assertEqual(self.closed_with(client), code)

    def test_peers_that_vanish_do_not_disturb_the_others(self):
        stays = self.client()
        for _ in range(20):
            client = self.client()
            client.send(TEXT, b'bye')
            client.close()
        for _ in range(20):
            self.assertEqual(stays.read(), (TEXT, b'bye'))

    def test_a_peer_that_does_not_read_is_dropped(self):
        deaf = self.client()
        speaker = self.client()
        message = b'x' * 512
        count = 24000  # more than the sockets' buffers and the server's own can hold
        for _ in range(count):
            speaker.send(TEXT, message)
            self.assertEqual(speaker.read(), (TEXT, message))
        received = 0
        with self.assertRaises((EOFError, ConnectionResetError)):
            while received < count * len(message):
                received += len(deaf.receive())

    def test_going_away(self):
        with QuickPizza() as server:
            client = Client(server)
            client.send(PING)
            self.assertEqual(client.read(), (PONG, b''))
            server.process.terminate()
            self.assertEqual(self.closed_with(client), 1001)
            client.close()


if __name__ == '__main__':
    unittest.main()
