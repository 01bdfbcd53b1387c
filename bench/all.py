"""Runs the measurements and, with --store, writes SCORECARD.md."""
import argparse
import datetime
import importlib
import os
import platform
import re
import subprocess
import sys
import time

from measure import HERE, KILN, ROOT, ROUNDS, SECONDS

NAMES = ['start', 'get_loop', 'workers', 'https', 'http2', 'post_checks', 'arrival_rate', 'truth', 'memory', 'many_vus', 'websockets', 'redis', 'grpc',
         'outputs', 'playground']


def first_match(path, pattern):
    try:
        with open(path) as f:
            found = re.search(pattern, f.read(), re.M)
            return found.group(1).strip() if found else ''
    except OSError:
        return ''


def output_of(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding='utf-8')
    return done.stdout.strip()


def machine():
    processor = first_match('/proc/cpuinfo', r'^model name\s*: (.*)$') or platform.machine()
    memory = int(first_match('/proc/meminfo', r'^MemTotal:\s+(\d+)') or 0) / 2**20
    return '%d processors of %s, %.0f GiB, Linux %s' % (len(os.sched_getaffinity(0)), processor, memory,
                                                        platform.release().split('-')[0])


def store(figures, load):
    changed = ''
    if subprocess.run(['git', 'diff', '--quiet', 'HEAD', '--', 'src'], cwd=ROOT).returncode != 0:
        changed = ' with changes'
    with open(os.path.join(HERE, 'SCORECARD.md'), 'w') as f:
        f.write('# Scorecard\n\nWritten by `bench/run.sh --store`; [README.md](README.md) says how to read it.\n\n')
        f.write('- machine: %s; load average %.1f at the start\n- date: %s\n- commit: %s%s\n- HTTP: %d rounds of %g s, medians\n\n' % (
            machine(), load, datetime.date.today().isoformat(), output_of('git', 'rev-parse', '--short=10', 'HEAD'), changed,
            ROUNDS, SECONDS))
        if load > 0.5:
            f.write('Other work ran on the machine at the same time: compare the ratios, not the rates.\n\n')
        f.write('| measurement | figure | |\n|---|---|---|\n')
        for row in figures:
            f.write('| %s | %s | %s |\n' % row)


ALONE = ['browser']  # only when named


def main():
    parser = argparse.ArgumentParser(prog='bench/run.sh')
    parser.add_argument('names', nargs='*', metavar='NAME', help=', '.join(NAMES) + ' (default: all), ' + ', '.join(ALONE))
    parser.add_argument('--store', action='store_true', help='write bench/SCORECARD.md')
    options = parser.parse_args()
    for name in options.names:
        if name not in NAMES + ALONE:
            parser.error("unknown measurement '%s': expected %s" % (name, ', '.join(NAMES + ALONE)))
    if not os.access(KILN, os.X_OK):
        sys.exit("bench: no program '%s': run make first, or set KILN" % KILN)
    if options.store and options.names:
        parser.error('the scorecard holds all measurements: --store takes no names')
    begin, load = time.monotonic(), os.getloadavg()[0]
    figures = []
    for name in options.names or NAMES:
        figures += importlib.import_module(name).main()
    print('bench: %.0f s' % (time.monotonic() - begin))
    if options.store:
        store(figures, load)
        print('bench: written to bench/SCORECARD.md')


if __name__ == '__main__':
    main()
