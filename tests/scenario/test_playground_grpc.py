#!/usr/bin/env python3
"""The playground's gRPC side, by our client and by gRPC's own. Environment: KILN, QUICKPIZZA."""
import http.client
import json
import os
import socket
import subprocess
import unittest

from grpc_server import HERE, need_it, node
from kiln_runner import kiln
from quickpizza_server import QuickPizza

EXAMPLES = os.path.join(HERE, '../../examples')


class PlaygroundGrpc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = QuickPizza('--grpc-listen', '127.0.0.1:0')
        cls.server.__enter__()
        cls.address, cls.health_address = cls.server.wait_for_log(r'grpc=(\S+) health=(\S+)').groups()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_gRPCs_own_client_gets_what_it_asks_for(self):
        done = subprocess.run([node(), os.path.join(HERE, 'grpc_client.mjs'), self.address], stdout=subprocess.PIPE,
                              encoding='utf-8', timeout=60)
        got = json.loads(done.stdout)
        self.assertEqual(got['status'], {'ready': True})
        self.assertEqual(got['ratings'], [0, 1, 2, 3, 4, 5])
        self.assertEqual(got['nothing'], {'starsRating': 0})
        self.assertEqual(got['health'], {'status': 'SERVING'})
        self.assertEqual(got['unhealthy'], '5 unknown service')
        self.assertEqual(got['watched'], 'SERVICE_UNKNOWN')
        self.assertEqual(got['missing'], '12 unknown method Nope for service quickpizza.GRPC')
        self.assertEqual(got['reflected'], 'the same')

    def example(self, name, *arguments):
        run = kiln('run', '--quiet', *arguments, '-e', 'GRPC_ADDRESS=' + self.address, os.path.join(EXAMPLES, name))
        self.assertEqual(run.code, 0, run.err)
        self.assertNotIn('level=error', run.err)
        return run

    def test_the_examples_run(self):
        run = self.example('grpc_invoke.js', '-u', '3', '-i', '9')
        self.assertIn('100.00%', run.summary['checks'])
        run = self.example('grpc_reflection.js', '-i', '2')
        self.assertIn('100.00%', run.summary['checks'])
        run = self.example('grpc_streams.js')
        self.assertEqual(len(run.messages), 5)
        self.assertTrue(any(m.startswith('quickpizza.GRPC: about ') for m in run.messages))
        self.assertEqual(run.messages[-1], 'no more')

    def test_many_clients_at_once(self):
        run = self.example('grpc_invoke.js', '-u', '200', '-i', '1000')
        self.assertIn('100.00%', run.summary['checks'])

    def test_the_health_port_answers_http(self):
        host, port = self.health_address.split(':')
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        for _ in range(2):
            connection.request('GET', '/grpchealthz')
            answer = connection.getresponse()
            answer.read()
            self.assertEqual((answer.status, answer.headers['Grpc-Status'], answer.headers['Grpc-Message']),
                             (204, '12', 'unimplemented'))
        connection.request('GET', '/other')
        self.assertEqual(connection.getresponse().status, 404)
        connection.close()
        done = subprocess.run(['curl', '-si', '--http2-prior-knowledge', 'http://%s/grpchealthz' % self.health_address],
                              stdout=subprocess.PIPE, encoding='utf-8', timeout=20)
        self.assertIn('grpc-message: unimplemented', done.stdout)

    def test_what_is_no_HTTP2_is_hung_up_on(self):
        host, port = self.address.split(':')
        with socket.create_connection((host, int(port)), 10) as s:
            s.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
            data = b'x'
            while data:
                data = s.recv(4096)
        run = self.example('grpc_invoke.js')
        self.assertIn('100.00%', run.summary['checks'])


class Off(unittest.TestCase):
    def test_beside_a_port_that_is_not_the_usual_one_gRPC_is_off(self):
        with QuickPizza() as server:
            self.assertNotIn('gRPC', server.log_text())

    def test_it_can_be_switched_off(self):
        with QuickPizza('--grpc-listen', '127.0.0.1:0', env={'QUICKPIZZA_ENABLE_ALL_SERVICES': '0',
                                                             'QUICKPIZZA_ENABLE_CATALOG_SERVICE': '1'}) as server:
            self.assertNotIn('gRPC', server.log_text())


if __name__ == '__main__':
    need_it()
    unittest.main()
