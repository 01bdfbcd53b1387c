#!/usr/bin/env python3
"""20,000 VUs × sleep(1) for 10 seconds: how soon all run, errors, iterations a second when they do."""
import os
import sys

from measure import Sleepers

VUS = int(os.environ.get('BENCH_VUS', '20000'))


def main():
    run = Sleepers(VUS, 10, 1)
    try:
        start = run.wait_until_all_run()
        cost = run.finish(90)
        errors = run.errors()
        if cost.status != 0:
            sys.exit('bench: kiln failed with %d:\n%s' % (cost.status, run.text(run.log)[-2000:]))
        ticks = run.ticks()
    finally:
        run.stop()
    steady = {t: n for t, n in ticks.items() if 3 <= t <= 9.5}
    if len(steady) < 2:
        sys.exit('bench: no progress lines:\n' + cost.output[-2000:])
    first, last = min(steady), max(steady)
    rate = (steady[last] - steady[first]) / (last - first)
    print('Many VUs: %d sleeping a second each, 10 s' % VUS)
    print('  all run after %.2f s, %d errors, %.0f iterations/s (%.1f %% of what is asked), end after %.1f s'
          % (start, errors, rate, 100 * rate / VUS, cost.wall))
    print('  CPU %.2f s, peak resident set %.1f MiB' % (cost.user + cost.system, cost.peak_bytes / 2**20))
    sys.stdout.flush()
    return [('%d VUs, start' % VUS, '%.2f s' % start, '%d errors' % errors),
            ('%d VUs, steady state' % VUS, '%.0f iterations/s' % rate, '%.1f %% of what is asked' % (100 * rate / VUS)),
            ('%d VUs, CPU' % VUS, '%.2f s' % (cost.user + cost.system), 'for a run of 10 s'),
            ('%d VUs, peak memory' % VUS, '%.1f MiB' % (cost.peak_bytes / 2**20), '')]


if __name__ == '__main__':
    main()
