#!/usr/bin/env python3
"""Constant arrival rate, 5,000 GETs a second for 20 s on 200 VUs, one processor: how many iterations of the plan ran and
how late they started, beside an ideal schedule that only sleeps (schedule.c)."""
import os
import re
import subprocess
import sys
import tempfile

from measure import CLIENT_CPU, HERE, KILN, Server, pinned, run_client

RATE = int(os.environ.get('BENCH_RATE', '5000'))
SECONDS = int(os.environ.get('BENCH_ARRIVAL_SECONDS', '20'))
COLUMNS = ('avg', 'med', 'p99', 'p99.9', 'max')


def ideal():
    with tempfile.TemporaryDirectory(prefix='kiln-bench-') as folder:
        program = os.path.join(folder, 'schedule')
        subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-o', program, os.path.join(HERE, 'schedule.c')], check=True)
        done = subprocess.run([program, str(RATE), '5'], check=True, stdout=subprocess.PIPE, encoding='utf-8',
                              preexec_fn=pinned(CLIENT_CPU))
    return [float(x) for x in done.stdout.split()]


def kiln(url):
    cost = run_client([KILN, 'run', '--quiet', '--iteration-start-lateness', '-e', 'URL=' + url, '-e', 'RATE=%d' % RATE,
                       '-e', 'SECONDS=%d' % SECONDS, os.path.join(HERE, 'scripts', 'arrival_rate.js')],
                      CLIENT_CPU, SECONDS + 60)
    late = re.search(r'iteration_start_lateness\.+: (.*)', cost.output)
    done = re.search(r'iterations\.+: (\d+)', cost.output)
    if cost.status != 0 or not late or not done:
        sys.exit('bench: kiln failed with %d:\n%s' % (cost.status, cost.output[-2000:]))
    return cost, int(done.group(1)), [float(x) for x in re.findall(r'=([\d.]+)µs', late.group(1))]


def main():
    with Server() as server:
        cost, iterations, late = kiln(server.url)
    plan = RATE * SECONDS
    print('Arrival rate: %d a second for %d s on 200 VUs' % (RATE, SECONDS))
    print('  %d iterations of %d planned (%+.3f %%), CPU %.2f s' %
          (iterations, plan, 100 * (iterations - plan) / plan, cost.user + cost.system))
    print('  %-24s' % 'start lateness, µs' + ''.join('%10s' % c for c in COLUMNS))
    best = ideal()
    for name, values in (('kiln', late), ('ideal schedule', best)):
        print('  %-24s' % name + ''.join('%10.1f' % v for v in values))
    sys.stdout.flush()
    return [('%d arrivals/s, iterations' % RATE, '%d of %d' % (iterations, plan),
             '%+.3f %%' % (100 * (iterations - plan) / plan)),
            ('%d arrivals/s, start lateness p99' % RATE, '%.0f µs' % late[2], 'ideal schedule %.0f µs' % best[2])]


if __name__ == '__main__':
    main()
