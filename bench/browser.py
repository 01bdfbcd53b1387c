#!/usr/bin/env python3
"""kiln itself with 5 VUs that drive a Chromium each beside 50 VUs that ask an API, on the playground; and the 50 alone."""
import os
import re
import subprocess
import sys
import tempfile
import time

from measure import HERE, KILN, ROOT, clean_environment

QUICKPIZZA = os.environ.get('QUICKPIZZA', os.path.join(ROOT, 'build', 'quickpizza'))
SECONDS = 30
TICKS = os.sysconf('SC_CLK_TCK')


def cpu_seconds(pid):
    """User and system time of one process with its threads; of none of its children."""
    try:
        with open('/proc/%d/stat' % pid) as f:
            fields = f.read().rsplit(')', 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_bytes(pid):
    with open('/proc/%d/status' % pid) as f:
        return int(re.search(r'VmHWM:\s+(\d+)', f.read()).group(1)) * 1024


def below(pid):
    out = subprocess.run(['ps', '-eo', 'pid=,ppid='], stdout=subprocess.PIPE, encoding='utf-8', check=True).stdout
    parents = dict(map(int, line.split()) for line in out.splitlines())
    found, new = set(), {pid}
    while new:
        new = {p for p, parent in parents.items() if parent in new} - found
        found |= new
    return found


def proportional_bytes(pid):
    """What is shared counts a part for each that shares it."""
    try:
        with open('/proc/%d/smaps_rollup' % pid) as f:
            return int(re.search(r'^Pss:\s+(\d+)', f.read(), re.M).group(1)) * 1024
    except (OSError, AttributeError):
        return 0


class Figures:
    pass


def run_once(url, browsers):
    with tempfile.TemporaryFile('w+', encoding='utf-8') as out, tempfile.TemporaryFile('w+', encoding='utf-8') as err:
        process = subprocess.Popen([KILN, 'run', '-e', 'BASE_URL=' + url, '-e', 'BROWSERS=%d' % browsers, '-e', 'SECONDS=%d' % SECONDS,
                                    os.path.join(HERE, 'scripts', 'browser.js')], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   env=clean_environment())
        f, begin, counted = Figures(), time.monotonic(), False
        f.cpu = f.chromium_bytes = f.chromium_cpu = 0
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            try:
                f.cpu, f.peak = cpu_seconds(process.pid) or f.cpu, peak_bytes(process.pid)
                if not counted and browsers and time.monotonic() - begin > SECONDS * 0.8:
                    counted = True
                    others = below(process.pid)
                    f.chromium_bytes = sum(map(proportional_bytes, others))
                    f.chromium_cpu = sum(cpu_seconds(p) for p in others) / (time.monotonic() - begin)
            except (OSError, AttributeError):
                pass
            time.sleep(0.1)
        f.wall = time.monotonic() - begin
        code = process.wait()
        out.seek(0)
        err.seek(0)
        text = out.read()
        if code != 0 or re.search('level=error', err.read()):
            err.seek(0)
            sys.exit('bench: kiln failed:\n' + err.read()[-2000:])
        f.requests = int(re.search(r'http_reqs\.+: (\d+)', text).group(1))
        f.journeys = int(re.search(r' iterations\.+: (\d+)', text).group(1)) - f.requests
        return f


def main():
    with tempfile.NamedTemporaryFile('w+') as log:
        env = {k: v for k, v in clean_environment().items() if not k.startswith('QUICKPIZZA')}
        server = subprocess.Popen([QUICKPIZZA, '--listen', '127.0.0.1:0'], stderr=log, env=env)
        try:
            url = None
            while not url:
                with open(log.name) as f:
                    url = re.search(r'url=(\S+)', f.read())
                if server.poll() is not None:
                    sys.exit('bench: quickpizza did not start')
                time.sleep(0.02)
            alone, both = run_once(url.group(1), 0), run_once(url.group(1), 5)
        finally:
            server.terminate()
            server.wait()
    each = (both.cpu - alone.cpu) / max(1, both.journeys)
    print('5 browser VUs beside 50 protocol VUs, %d s: kiln without Chromium' % SECONDS)
    print('  %d journeys and %d requests: %.2f s of CPU, %.1f MiB at most' % (both.journeys, both.requests, both.cpu, both.peak / 2**20))
    print('  the 50 alone, %d requests: %.2f s of CPU, %.1f MiB at most' % (alone.requests, alone.cpu, alone.peak / 2**20))
    print('  %.1f ms of CPU a journey; %.1f MiB a browser VU' % (each * 1000, (both.peak - alone.peak) / 5 / 2**20))
    print('  the browsers: %.2f processors, %.0f MiB (Pss)' % (both.chromium_cpu, both.chromium_bytes / 2**20))
    return [('5 browser VUs beside 50 protocol VUs, kiln', '%.2f s of CPU in %d s, %.1f MiB' % (both.cpu, SECONDS, both.peak / 2**20),
             '%d journeys, %d requests' % (both.journeys, both.requests)),
            ('Browser VUs, kiln', '%.1f ms of CPU a journey' % (each * 1000), '%.1f MiB a browser VU' % ((both.peak - alone.peak) / 5 / 2**20))]


if __name__ == '__main__':
    main()
