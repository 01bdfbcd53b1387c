#!/usr/bin/env python3
"""What each output costs: CPU per request with it beside none, 50 VUs that GET on one processor at full rate, everything
of the output (its threads, its sending) counted. And what it drops, and what the requests' own times become."""
import os
import re
import socket
import statistics
import sys
import tempfile

from measure import ROUNDS, SECONDS, Server, run_kiln

LOST = re.compile(r'lost (\d+) (?:samples|values|data points)')
MED = re.compile(r'http_req_duration\.+: .*?med=([\d.]+)(µs|ms|s)')
UNITS = {'µs': 1, 'ms': 1e3, 's': 1e6}


def outputs(server, folder, datagrams):
    """(name, environment)"""
    address = server.url.rsplit('/', 1)[0]
    file = os.path.join(folder, 'samples')
    otel = {'K6_OTEL_EXPORTER_PROTOCOL': 'http/protobuf', 'K6_OTEL_HTTP_EXPORTER_INSECURE': 'true',
            'K6_OTEL_HTTP_EXPORTER_ENDPOINT': address.split('//')[1], 'K6_OTEL_EXPORT_INTERVAL': '1s'}
    remote = {'K6_PROMETHEUS_RW_SERVER_URL': address + '/write', 'K6_PROMETHEUS_RW_PUSH_INTERVAL': '1s'}
    return [('none', {}),
            ('json', {'K6_OUT': 'json=%s.json' % file}),
            ('json.gz', {'K6_OUT': 'json=%s.json.gz' % file}),
            ('csv', {'K6_OUT': 'csv=%s.csv' % file}),
            ('influxdb', {'K6_OUT': 'influxdb=%s/db' % address}),
            ('statsd', {'K6_OUT': 'statsd', 'KILN_COMPAT': 'v0.51', 'K6_STATSD_ADDR': datagrams}),
            ('prometheus', {'K6_OUT': 'experimental-prometheus-rw', **remote}),
            ('native', {'K6_OUT': 'experimental-prometheus-rw', 'K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM': 'true', **remote}),
            ('otel', {'K6_OUT': 'opentelemetry', **otel})]


def micros(cost):
    return (cost.user + cost.system) / cost.requests * 1e6


def duration(cost):
    found = MED.search(cost.output)
    if not found:
        sys.exit('bench: no duration in the summary:\n' + cost.output[-2000:])
    return float(found.group(1)) * UNITS[found.group(2)]


def main():
    names = sys.argv[1:] if __name__ == '__main__' else []
    with Server() as server, tempfile.TemporaryDirectory(prefix='kiln-bench-') as folder, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(('127.0.0.1', 0))
        todo = [o for o in outputs(server, folder, '127.0.0.1:%d' % sink.getsockname()[1])
                if not names or o[0] in ['none', *names]]
        rounds = {name: [] for name, _ in todo}
        for _ in range(ROUNDS):
            for name, env in todo:
                rounds[name].append(run_kiln('get_loop.js', server.url, env=env))
    print('Outputs at full rate: %d rounds of %g s, medians' % (ROUNDS, SECONDS))
    print('  %-12s %10s %10s %12s %12s %12s' % ('', 'CPU µs', 'to none', 'req/s', 'duration µs', 'lost'))
    figures = []
    for name, _ in todo:
        costs, none = rounds[name], rounds['none']
        cpu, wall, took = (statistics.median(f(c) for c in costs) for f in (micros, lambda c: c.requests / c.wall, duration))
        ratio = statistics.median(micros(c) / micros(n) for c, n in zip(costs, none))
        slowed = statistics.median(duration(c) / duration(n) for c, n in zip(costs, none))
        lost = sum(int(n) for c in costs for n in LOST.findall(c.output))
        print('  %-12s %10.2f %10.2f %12.0f %12.0f %12d' % (name, cpu, ratio, wall, took, lost))
        if name != 'none':
            figures.append(('output %s, CPU a request' % name, '%.2f of none' % ratio,
                            'request duration %.2f of none, %d lost' % (slowed, lost)))
    sys.stdout.flush()
    return figures


if __name__ == '__main__':
    main()
