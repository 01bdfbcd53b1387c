#!/usr/bin/env python3
"""Memory of VUs: resident bytes with 1,000 and with more of them, of a script that only sleeps, of one that has made a GET, and of one
that imports k6-utils and has a SharedArray of 100,000 rows besides."""
import sys
import time

from measure import Server, Sleepers, resident_bytes

ROWS = 100000


def measure(vus, script, **settings):
    """Resident bytes."""
    run = Sleepers(vus, 6, 1, script, **settings)
    try:
        run.wait_until_all_run()
        # Every VU has slept once and started again: what an iteration leaves behind is in.
        time.sleep(1.5)
        rss = resident_bytes(run.process.pid)
        if run.finish(60).status != 0:
            sys.exit('bench: kiln failed:\n' + run.text(run.log)[-2000:])
        return rss
    finally:
        run.stop()


def grow(title, many, script, **settings):
    few = 1000
    sizes = {vus: measure(vus, script, **settings) for vus in (few, many)}
    figures = []
    for vus, size in sizes.items():
        text = '%.1f KiB a VU' % (size / vus / 1024)
        print('  %-32s %6d VUs %10.1f MiB   %s' % (title, vus, size / 2**20, text))
        figures.append(('Memory, %s, %d VUs' % (title, vus), '%.1f MiB' % (size / 2**20), text))
    each = (sizes[many] - sizes[few]) / (many - few) / 1024
    once = (sizes[few] / 1024 - few * each) / 1024
    print('  %-32s each further VU %.1f KiB, once %.1f MiB' % (title, each, once))
    return figures + [('Memory, %s, each further VU' % title, '%.1f KiB' % each, 'once %.1f MiB' % once)]


def main():
    print('Memory: resident set')
    figures = grow('sleep', 10000, 'sleepers.js')
    with Server() as server:
        figures += grow('GET', 10000, 'sleepers_get.js', URL=server.url)
        figures += grow('GET, k6-utils, %d rows' % ROWS, 5000, 'sleepers_data.js', URL=server.url, ROWS=ROWS)
    sys.stdout.flush()
    return figures


if __name__ == '__main__':
    main()
