#!/usr/bin/env python3
"""Unary gRPC calls of 50 VUs with a connection each, beside h2load, which posts the same frame and looks at no answer. The
server is nginx: one message from a file, and the trailers."""
import os

from measure import CLIENT_CPU, HERE, KILN, SECONDS, Server, compare, counted, find_program, run_client

PATH = 'probe.v1.Probe/Echo'
# A file answers a POST by way of an error page.
ANSWER = ('root {dir}/files; default_type application/grpc; error_page 405 =200 $uri; add_trailer grpc-status 0;')


def frame(message):
    return b'\0' + len(message).to_bytes(4, 'big') + message


def run_kiln(server):
    command = [KILN, 'run', '--quiet', '-e', 'ADDRESS=127.0.0.1:%d' % server.port, '-e', 'SECONDS=%g' % SECONDS,
               os.path.join(HERE, 'scripts', 'grpc.js')]
    return counted(run_client(command, CLIENT_CPU, SECONDS + 60), 'kiln', r'good_calls\.+: (\d+)')


def run_h2load(server, body):
    command = [find_program('h2load'), '-t1', '-c50', '-m1', '-D%d' % round(SECONDS), '-d', body, '-H',
               'content-type: application/grpc', '-H', 'te: trailers', '-H', 'grpc-timeout: 120S', '-H',
               'user-agent: grpc', 'http://127.0.0.1:%d/%s' % (server.port, PATH)]
    return counted(run_client(command, CLIENT_CPU, SECONDS + 30), 'h2load', r'requests: \d+ total, \d+ started, (\d+) done')


def main():
    with Server(answer=ANSWER, listens=' http2') as server:
        folder = os.path.join(server.dir.name, 'files', os.path.dirname(PATH))
        os.makedirs(folder)
        with open(os.path.join(server.dir.name, 'files', PATH), 'wb') as f:
            f.write(frame(b'\x0a\x0amargherita\x10\x2a'))  # text, number
        body = os.path.join(server.dir.name, 'request')
        with open(body, 'wb') as f:
            f.write(frame(b'\x0a\x0amargherita\x10\x03'))  # text, times
        results = compare('Unary gRPC calls', [('h2load', lambda: run_h2load(server, body)), ('kiln', lambda: run_kiln(server))])
    return [('Unary gRPC calls, %s' % name, '%.0f calls per CPU-second' % rate, '%.2f of h2load' % ratio)
            for name, (rate, ratio) in results.items()]


if __name__ == '__main__':
    main()
