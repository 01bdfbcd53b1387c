#!/usr/bin/env python3
"""How long `kiln run` takes for a script that does nothing, and until 10,000 VUs run."""
import os
import statistics
import sys

from measure import CLIENT_CPU, HERE, KILN, Sleepers, run_client

RUNS = 20
VUS = 10000


def empty():
    walls = []
    for _ in range(RUNS):
        cost = run_client([KILN, 'run', '--quiet', os.path.join(HERE, 'scripts', 'empty.js')], CLIENT_CPU, 60)
        if cost.status != 0:
            sys.exit('bench: kiln failed with %d:\n%s' % (cost.status, cost.output[-2000:]))
        walls.append(cost.wall * 1000)
    return walls


def main():
    walls = empty()
    run = Sleepers(VUS, 3, 1)
    try:
        start = run.wait_until_all_run()
        run.finish(60)
    finally:
        run.stop()
    print('Start: an empty script, %d runs: median %.1f ms, best %.1f ms; %d VUs run after %.2f s' %
          (RUNS, statistics.median(walls), min(walls), VUS, start))
    sys.stdout.flush()
    return [('Start, empty script', '%.1f ms' % statistics.median(walls), 'best %.1f ms' % min(walls)),
            ('Start, %d VUs' % VUS, '%.2f s' % start, '')]


if __name__ == '__main__':
    main()
