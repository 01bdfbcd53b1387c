#!/usr/bin/env python3
"""GET from Redis on 50 connections, 1 and 16 commands at a time, beside redis-benchmark, which sends the same bytes again and
again and looks at nothing."""
import os
import re
import sys

from measure import CLIENT_CPU, HERE, KILN, SECONDS, SERVER_CPU, compare, find_program, pinned, run_client

sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'tests', 'scenario'))
ROUNDS_AN_ITERATION = 20


class Server:
    def __enter__(self):
        import redis_server
        self.server = redis_server.Redis()
        before = os.sched_getaffinity(0)
        pinned(SERVER_CPU)()  # the server inherits it
        try:
            self.server.__enter__()
        finally:
            os.sched_setaffinity(0, before)
        self.server.cli('set', 'key', 'x' * 40)
        return self.server

    def __exit__(self, *_):
        self.server.__exit__()


def run_kiln(url, pipeline):
    command = [KILN, 'run', '--quiet', os.path.join(HERE, 'scripts', 'redis.js')]
    for name, value in dict(URL=url, SECONDS='%g' % SECONDS, PIPELINE=pipeline, ROUNDS=ROUNDS_AN_ITERATION).items():
        command += ['-e', '%s=%s' % (name, value)]
    cost = run_client(command, CLIENT_CPU, SECONDS + 60)
    found = re.search(r' iterations\.+: (\d+)', cost.output)
    if cost.status != 0 or not found or 'level=error' in cost.output:
        sys.exit('bench: kiln failed with %d:\n%s' % (cost.status, cost.output[-2000:]))
    cost.requests = int(found.group(1)) * ROUNDS_AN_ITERATION * pipeline
    return cost


def run_redis_benchmark(port, pipeline):
    n = round(SECONDS * (60000 if pipeline == 1 else 600000))
    command = [find_program('redis-benchmark'), '-p', str(port), '-c', '50', '-P', str(pipeline), '-n', str(n), '-q', 'get', 'key']
    cost = run_client(command, CLIENT_CPU, SECONDS * 20 + 60)
    if cost.status != 0 or 'requests per second' not in cost.output:
        sys.exit('bench: redis-benchmark failed with %d:\n%s' % (cost.status, cost.output[-2000:]))
    cost.requests = n
    return cost


def main():
    figures = []
    if not find_program('redis-benchmark'):
        sys.exit('bench: redis-benchmark is missing (tools/setup.sh bench installs it)')
    with Server() as server:
        for pipeline in (1, 16):
            title = 'Redis GET, %d at a time' % pipeline
            results = compare(title, [('redis-benchmark', lambda p=pipeline: run_redis_benchmark(server.port, p)),
                                      ('kiln', lambda p=pipeline: run_kiln(server.url, p))])
            figures += [('%s, %s' % (title, name), '%.0f commands per CPU-second' % rate, '%.2f of redis-benchmark' % ratio)
                        for name, (rate, ratio) in results.items()]
    return figures


if __name__ == '__main__':
    main()
