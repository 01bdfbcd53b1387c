#!/usr/bin/env python3
"""5,000 WebSocket clients of the playground at once. Environment: QUICKPIZZA, path of the program."""
import base64
import os
import resource
import select
import socket
import struct
import sys
import time
import unittest

from quickpizza_server import QuickPizza

COUNT = 5000
FILES = COUNT + 200
MASK = b'\x01\x02\x03\x04'


def text_frame(payload):
    masked = bytes(b ^ MASK[i % 4] for i, b in enumerate(payload))
    return b'\x81' + bytes([0x80 | len(payload)]) + MASK + masked


class ManyClients(unittest.TestCase):
    def setUp(self):
        self.server = QuickPizza()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.clients = []
        self.addCleanup(lambda: [client.close() for client in self.clients])

    def open_all(self):
        request = ('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
                   'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n'
                   % base64.b64encode(os.urandom(16)).decode()).encode()
        for _ in range(COUNT):
            client = socket.create_connection((self.server.host, self.server.port), 30)
            self.clients.append(client)
            client.sendall(request)
        for client in self.clients:
            head = b''
            while not head.endswith(b'\r\n\r\n'):
                head += client.recv(1)
            self.assertTrue(head.startswith(b'HTTP/1.1 101 '))
            # an answered ping: the hub has it on its list
            client.sendall(b'\x89\x80' + MASK)
            self.assertEqual(client.recv(2), b'\x8a\x00')

    def read_all(self, size):
        """Until every client has so many bytes; they are equal. Returns them, and the seconds it took."""
        start = time.monotonic()
        poll = select.epoll()
        waiting = {}
        for client in self.clients:
            client.setblocking(False)
            waiting[client.fileno()] = [client, b'']
            poll.register(client.fileno(), select.EPOLLIN)
        seen = set()
        while waiting:
            events = poll.poll(20)
            self.assertTrue(events, '%d clients got nothing for 20 seconds' % len(waiting))
            for number, _ in events:
                client, data = waiting[number]
                part = client.recv(size - len(data))
                self.assertTrue(part, 'the server closed a connection')
                waiting[number][1] = data = data + part
                if len(data) == size:
                    poll.unregister(number)
                    del waiting[number]
                    seen.add(data)
        poll.close()
        self.assertEqual(len(seen), 1)
        return seen.pop(), time.monotonic() - start

    def test_everybody_hears_everybody(self):
        start = time.monotonic()
        self.open_all()
        opened = time.monotonic() - start
        message = b'{"user":"VU 1","msg":"new_pizza"}'
        frame = bytes([0x81, len(message)]) + message
        self.clients[0].sendall(text_frame(message))
        data, one = self.read_all(len(frame))
        self.assertEqual(data, frame)

        # every hundredth speaks: 50 messages for 5,000 listeners
        speakers = self.clients[::COUNT // 50]
        for client in speakers:
            client.sendall(text_frame(message))
        data, many = self.read_all(len(frame) * len(speakers))
        self.assertEqual(data, frame * len(speakers))

        # and all of them at once leave
        for client in self.clients:
            client.setblocking(True)
            client.sendall(b'\x88\x82' + MASK + bytes(b ^ m for b, m in zip(struct.pack('>H', 1000), MASK)))
        for client in self.clients:
            self.assertEqual(client.recv(4), b'\x88\x02' + struct.pack('>H', 1000))
        self.assertEqual(self.server.request('GET', '/ready').status, 200)
        memory = [line for line in self.server.request('GET', '/metrics').text.splitlines()
                  if line.startswith('process_resident_memory_bytes ')]
        print('%d clients opened in %.2f s; 1 message heard by all after %.3f s, %d messages after %.3f s; server %.0f MB'
              % (COUNT, opened, one, len(speakers), many, float(memory[0].split()[1]) / 1e6), file=sys.stderr)


if __name__ == '__main__':
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < FILES:
        print('this system allows a process %d open files, the test needs %d' % (hard, FILES))
        sys.exit(77)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    unittest.main()
