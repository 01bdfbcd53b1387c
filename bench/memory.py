#!/usr/bin/env python3
"""Memory of VUs that sleep: resident bytes with 1,000 and with 10,000 of them."""
import sys
import time

from measure import Sleepers, resident_bytes


def measure(vus):
    run = Sleepers(vus, 4, 1)
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


def main():
    print('Memory: resident set of sleeping VUs')
    figures, sizes = [], {}
    for vus in (1000, 10000):
        sizes[vus] = measure(vus)
        text = '%.1f KiB a VU' % (sizes[vus] / vus / 1024)
        print('  %6d VUs %10.1f MiB   %s' % (vus, sizes[vus] / 2**20, text))
        figures.append(('Memory, %d VUs' % vus, '%.1f MiB' % (sizes[vus] / 2**20), text))
    each = (sizes[10000] - sizes[1000]) / 9000 / 1024
    print('  each further VU %.1f KiB' % each)
    sys.stdout.flush()
    return figures + [('Memory, each further VU', '%.1f KiB' % each, '')]


if __name__ == '__main__':
    main()
