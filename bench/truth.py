#!/usr/bin/env python3
"""A server that answers after delays of a known distribution: the percentiles it made beside those that kiln reports, at a quarter,
half and three quarters of what kiln can do on one processor, and while another VU burns a quarter of that processor in JavaScript.
"script" is what the script itself measures around http.get(); wrk and hey do the same with 64 connections as fast as they can."""
import os
import re
import signal
import subprocess
import sys
import tempfile

from measure import CLIENT_CPU, HERE, KILN, SERVER_CPU, find_program, free_port, pinned, run_client, run_kiln, wait_for_port

PATTERNS = (('constant', 5, ['5:100']), ('bimodal', 4.8, ['2:90', '30:10']), ('heavy tail', 4, ['pareto:2:2:500']))
LOADS = (0.25, 0.5, 0.75)
SECONDS = float(os.environ.get('BENCH_TRUTH_SECONDS', '4'))
STATS = ('p50', 'p95', 'p99', 'p99.9')


class Server:
    """bench/delay_server.c."""

    def __init__(self, pattern):
        self.pattern = pattern

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='kiln-bench-')
        program = os.path.join(self.folder.name, 'delay_server')
        subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-o', program, os.path.join(HERE, 'delay_server.c'), '-lm'], check=True)
        port = free_port()
        self.url = 'http://127.0.0.1:%d/' % port
        self.process = subprocess.Popen([program, str(port), *self.pattern], stdout=subprocess.PIPE, encoding='utf-8',
                                        preexec_fn=pinned(SERVER_CPU))
        wait_for_port(port, self.process)
        return self

    def truth(self):
        """Milliseconds of STATS; the server ends."""
        self.process.send_signal(signal.SIGTERM)
        return numbers(self.process.communicate(timeout=60)[0])

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


def numbers(text):
    found = re.search(r'p50=([\d.]+) p95=([\d.]+) p99=([\d.]+) p99.9=([\d.]+)', text)
    return [float(x) for x in found.groups()]


def trend(output, name):
    line = re.search(r' %s\.+: (.*)' % name, output).group(1)
    return [float(x) / 1000 for x in re.findall(r'=([\d.]+)µs', line)]


def capacity():
    """Requests that one processor can send in a second, as fast as it goes."""
    with Server([]) as server:
        return run_kiln('get_loop.js', server.url).per_cpu_second


def measure(pattern, mean_ms, rate, is_burning):
    vus = int(rate * mean_ms / 1000 * 2) + 200
    with Server(pattern) as server:
        command = [KILN, 'run', '--quiet', '--corrected-latency']
        for name, value in (('URL', server.url), ('RATE', rate), ('VUS', vus), ('SECONDS', '%g' % SECONDS), ('BURN', '1' if is_burning else '')):
            command += ['-e', '%s=%s' % (name, value)]
        cost = run_client(command + [os.path.join(HERE, 'scripts', 'truth.js')], CLIENT_CPU, SECONDS + 60)
        if cost.status != 0 or not re.search(r'http_req_failed\.+: 0.00%', cost.output):
            sys.exit('bench: kiln failed with %d:\n%s' % (cost.status, cost.output[-2000:]))
        return {'server': server.truth(), 'kiln': trend(cost.output, 'http_req_duration'),
                'corrected': trend(cost.output, 'http_req_duration_corrected'), 'script': trend(cost.output, 'seen_by_script')}


def wrk(pattern):
    with Server(pattern) as server:
        cost = run_client([find_program('wrk'), '-t1', '-c64', '-d%ds' % round(SECONDS), '-s', os.path.join(HERE, 'scripts', 'latency.lua'),
                           server.url], CLIENT_CPU, SECONDS + 30)
        return {'server': server.truth(), 'wrk': numbers(cost.output)}


def hey(pattern):
    with Server(pattern) as server:
        cost = run_client([find_program('hey'), '-c', '64', '-cpus', '1', '-z', '%gs' % SECONDS, server.url], CLIENT_CPU, SECONDS + 30)
        seen = dict(re.findall(r'(\d+)% in ([\d.]+) secs', cost.output))
        return {'server': server.truth(), 'hey': [float(seen[p]) * 1000 for p in ('50', '95', '99')]}


def show(title, rows):
    print('  %s' % title)
    for name, values in rows.items():
        print('    %-10s' % name + ''.join('%10.3f' % v for v in values))


def worst(rows, name):
    """The largest difference to the server that is neither below 50 µs nor below 1 %: (µs, percent) of the worst percentile."""
    differences = [((seen - truth) * 1000, (seen / truth - 1) * 100) for truth, seen in zip(rows['server'], rows[name])]
    return max(differences, key=lambda d: min(abs(d[0]) / 50, abs(d[1])))


def main():
    top = capacity()
    figures = []
    print('Latencies of a server with known delays, ms; one processor can send %.0f requests a second' % top)
    print('    %-10s' % '' + ''.join('%10s' % s for s in STATS))
    for name, mean_ms, pattern in PATTERNS:
        for load in LOADS + ('burn',):
            is_burning = load == 'burn'
            share = 0.5 if is_burning else load
            rate = int(top * share)
            rows = measure(pattern, mean_ms, rate, is_burning)
            title = '%s, %d/s, %d %% of capacity%s' % (name, rate, share * 100, ' and a VU that computes' if is_burning else '')
            show(title, rows)
            figures.append(('truth: ' + title, '%+.0f µs (%+.2f %%)' % worst(rows, 'kiln'),
                            'the worst of p50, p95, p99, p99.9; corrected %+.0f µs, by the script %+.0f µs' %
                            (worst(rows, 'corrected')[0], worst(rows, 'script')[0])))
        for tool, run in (('wrk', wrk), ('hey', hey)):
            if find_program(tool):
                rows = run(pattern)
                show('%s, %s with 64 connections' % (name, tool), rows)
                figures.append(('truth: %s, %s' % (name, tool), '%+.0f µs (%+.2f %%)' % worst(rows, tool), 'the worst of its percentiles'))
    sys.stdout.flush()
    return figures


if __name__ == '__main__':
    main()
