#!/usr/bin/env python3
"""10,000 WebSockets, each with a message a second and its echo: CPU a message, memory a socket. And pings on 50 sockets to a
server that delays its pongs by a known pattern: the percentiles of ws_ping beside those that the server made."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from measure import CLIENT_CPU, Cost, HERE, KILN, SERVER_CPU, clean_environment, free_port, pinned, resident_bytes

SOCKETS = int(os.environ.get('BENCH_SOCKETS', '10000'))
PER_VU = 10
OPENING_S, SECONDS = 4, 8
PATTERN = ('5:90', '20:9', '100:1')
STATS = ('med', 'p(95)', 'p(99)', 'p(99.9)')


class Server:
    """bench/ws_server.c."""

    def __init__(self, *pattern):
        self.pattern = pattern

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='kiln-bench-')
        program = os.path.join(self.folder.name, 'ws_server')
        subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-Wno-deprecated-declarations', '-o', program,
                        os.path.join(HERE, 'ws_server.c'), '-lcrypto', '-lm'], check=True)
        port = free_port()
        self.url = 'ws://127.0.0.1:%d/' % port
        self.process = subprocess.Popen([program, str(port), *self.pattern], stdout=subprocess.PIPE, encoding='utf-8',
                                        preexec_fn=pinned(SERVER_CPU))
        time.sleep(0.3)
        return self

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=20)[0]

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


def run(url, look_after=None, **settings):
    """(cost, resident bytes at that time)"""
    command = [KILN, 'run', '--quiet']
    for name, value in dict(settings, URL=url, SECONDS=SECONDS).items():
        command += ['-e', '%s=%s' % (name, value)]
    rss = 0
    with tempfile.TemporaryFile() as out:
        begin = time.monotonic()
        process = subprocess.Popen(command + [os.path.join(HERE, 'scripts', 'websockets.js')], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=out, preexec_fn=pinned(CLIENT_CPU), env=clean_environment())
        timer = threading.Timer(SECONDS + OPENING_S + 60, process.kill)
        timer.start()
        if look_after:
            time.sleep(look_after)
            rss = resident_bytes(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        cost = Cost(out.read().decode('utf-8', 'replace'), usage, time.monotonic() - begin, process.returncode)
    if cost.status != 0 or 'level=error' in cost.output:
        sys.exit('bench: kiln failed with %d:\n%s' % (cost.status, cost.output[-2000:]))
    return cost, rss


def count(cost, name):
    return int(re.search(name + r'\.+: (\d+)', cost.output).group(1))


def many():
    vus = SOCKETS // PER_VU
    with Server() as server:
        cost, rss = run(server.url, OPENING_S + 3, VUS=vus, SOCKETS=PER_VU, OPENING_MS=OPENING_S * 1000, EVERY_MS=1000)
        echoed = int(server.finish().split()[1])
    received = count(cost, 'ws_msgs_received')
    if received != echoed:
        sys.exit('bench: %d messages echoed, %d received' % (echoed, received))
    cpu = cost.user + cost.system
    print('WebSockets: %d sockets of %d VUs, a message of 50 bytes a second and its echo' % (count(cost, 'ws_sessions'), vus))
    print('  %d messages came back, CPU %.2f s: %.1f µs a round trip with handshakes and JavaScript' %
          (received, cpu, cpu / received * 1e6))
    print('  resident set %.1f MiB: %.1f KiB a socket, VUs included' % (rss / 2**20, rss / SOCKETS / 1024))
    return [('%d WebSockets, CPU' % SOCKETS, '%.1f µs a round trip' % (cpu / received * 1e6), '%d echoes' % received),
            ('%d WebSockets, memory' % SOCKETS, '%.1f KiB a socket' % (rss / SOCKETS / 1024), 'VUs included')]


def latency():
    with Server(*PATTERN) as server:
        cost, _ = run(server.url, VUS=50, SOCKETS=1, OPENING_MS=500, EVERY_MS=20, PING=1)
        truth = [float(x) * 1000 for x in re.findall(r'=([\d.]+)', server.finish())]
    line = re.search(r'ws_ping\.+: (.*)', cost.output).group(1)
    seen = [float(x) for x in re.findall(r'=([\d.]+)µs', line)]
    print('WebSocket pings to a server that waits %s ms (of 100)' % ', '.join(PATTERN))
    print('  %-10s' % 'µs' + ''.join('%12s' % s for s in STATS))
    print('  %-10s' % 'server' + ''.join('%12.0f' % x for x in truth))
    print('  %-10s' % 'ws_ping' + ''.join('%12.0f' % x for x in seen[:4]))
    worst = max(abs(a - b) for a, b in zip(truth, seen))
    print('  worst difference %.0f µs' % worst)
    return [('WebSocket ping, %s' % name, '%.0f µs' % a, 'server made %.0f µs' % b) for name, a, b in zip(STATS, seen, truth)]


def main():
    figures = many() + latency()
    sys.stdout.flush()
    return figures


if __name__ == '__main__':
    main()
