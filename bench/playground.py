#!/usr/bin/env python3
"""The playground on one processor with its waits switched off: POST /api/pizza from wrk, 50 connections, on another."""
import os
import re
import statistics
import subprocess
import sys
import tempfile

from measure import ROOT, ROUNDS, SECONDS, SERVER_CPU, Cost, clean_environment, pinned, run_wrk

QUICKPIZZA = os.environ.get('QUICKPIZZA', os.path.join(ROOT, 'build', 'quickpizza'))


def run_once():
    """What the server did and used for a round of wrk's, start and stop included."""
    with tempfile.NamedTemporaryFile('w+') as log:
        env = {k: v for k, v in clean_environment().items() if not k.startswith('QUICKPIZZA')}
        process = subprocess.Popen([QUICKPIZZA, '--listen', '127.0.0.1:0'], stderr=log, preexec_fn=pinned(SERVER_CPU),
                                   env={**env, 'QUICKPIZZA_NAME_PAUSE': '0'})
        try:
            url = None
            while not url:
                with open(log.name) as f:
                    url = re.search(r'url=(\S+)', f.read())
                if process.poll() is not None:
                    sys.exit('bench: quickpizza did not start')
            client = run_wrk(url.group(1) + '/api/pizza', 'pizza.lua')
        finally:
            process.terminate()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    if 'errors: 0\n' not in client.output or process.returncode != 0:
        sys.exit('bench: requests failed:\n' + client.output)
    cost = Cost(client.output, usage, client.wall, process.returncode)
    cost.requests = client.requests
    return cost


def main():
    costs = [run_once() for _ in range(ROUNDS)]
    rate = statistics.median(c.per_cpu_second for c in costs)
    wall = statistics.median(c.requests / c.wall for c in costs)
    peak = max(c.peak_bytes for c in costs)
    print('POST /api/pizza of the playground, waits off: %d rounds of %g s, medians' % (ROUNDS, SECONDS))
    print('  %.0f requests per CPU-second, %.0f requests/s from one processor, %.1f MB at most' % (rate, wall, peak / 1e6))
    return [('Playground, POST /api/pizza', '%.0f requests per CPU-second' % rate, '%.0f requests/s from one processor' % wall),
            ('Playground, peak memory', '%.1f MB' % (peak / 1e6), '')]


if __name__ == '__main__':
    main()
