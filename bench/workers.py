#!/usr/bin/env python3
"""GET loop with one worker and with two: requests per CPU-second. Where two cores are free, two workers are as many times faster as
two is times this ratio; here the server needs a core too, so that requests a second cannot show it."""
import os
import sys

from measure import HERE, KILN, SECONDS, Server, compare, counted, run_client

CPUS = sorted(os.sched_getaffinity(0))


def run(url, workers):
    command = [KILN, 'run', '--quiet', '--workers', str(workers), '-e', 'URL=' + url, '-e', 'SECONDS=%g' % SECONDS,
               os.path.join(HERE, 'scripts', 'get_loop.js')]
    return counted(run_client(command, set(CPUS), SECONDS + 60), 'kiln', r'http_reqs\.+: (\d+)')


def main():
    if len(CPUS) < 2:
        print('Workers: one processor, left out')
        return []
    with Server() as server:
        results = compare('Workers', [('one', lambda: run(server.url, 1)), ('two', lambda: run(server.url, 2))])
    sys.stdout.flush()
    return [('GET loop, %s worker%s' % (name, 's' if name == 'two' else ''), '%.0f requests per CPU-second' % rate,
             '%.2f times one on free processors' % (ratio * (2 if name == 'two' else 1))) for name, (rate, ratio) in results.items()]


if __name__ == '__main__':
    main()
