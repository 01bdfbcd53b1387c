#!/usr/bin/env python3
"""GET loop with two workers beside two processes of one worker each, which share nothing: requests per CPU-second. The server needs its
share of the same processors, so that requests a second cannot show how workers scale; what they lose against two processes can.
Twice the ratio is what two workers are beside one on free processors."""
import concurrent.futures
import os
import sys

from measure import HERE, KILN, SECONDS, Server, compare, counted, run_client

CPUS = sorted(os.sched_getaffinity(0))[:2]


def run(url, workers, cpus):
    command = [KILN, 'run', '--quiet', '--workers', str(workers), '-e', 'URL=' + url, '-e', 'SECONDS=%g' % SECONDS,
               os.path.join(HERE, 'scripts', 'get_loop.js')]
    return counted(run_client(command, cpus, SECONDS + 60), 'kiln', r'http_reqs\.+: (\d+)')


def processes(url):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda cpu: run(url, 1, cpu), CPUS)
    first.user, first.system = first.user + second.user, first.system + second.system
    first.requests += second.requests
    return first


def main():
    if len(CPUS) < 2:
        print('Workers: one processor, left out')
        return []
    with Server() as server:
        results = compare('Workers', [('processes', lambda: processes(server.url)), ('workers', lambda: run(server.url, 2, set(CPUS)))])
    sys.stdout.flush()
    return [('GET loop, two %s' % name, '%.0f requests per CPU-second' % rate, '%.2f times one on free processors' % (2 * ratio))
            for name, (rate, ratio) in results.items()]


if __name__ == '__main__':
    main()
