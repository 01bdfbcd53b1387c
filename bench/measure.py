"""What the measurements share: processors, a loopback server, clients and what they cost."""
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
KILN = os.environ.get('KILN', os.path.join(ROOT, 'build', 'kiln'))
SECONDS = float(os.environ.get('BENCH_SECONDS', '4'))
ROUNDS = int(os.environ.get('BENCH_ROUNDS', '3'))

ANSWER = ('{"pizza":{"id":1,"name":"The Bench Margherita","dough":{"name":"Thin","caloriesPerSlice":200},'
          '"ingredients":["tomato","mozzarella","basil"],"tool":"Pizza cutter"},"calories":260,"vegetarian":true}')

NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port}{tls};
        location / {{ {answer} }}
    }}
}}
"""
ANSWERS_WITH_JSON = "return 200 '%s';" % ANSWER


def processors():
    """(client's, server's): one each, the same when there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[-1], allowed[0]


CLIENT_CPU, SERVER_CPU = processors()


def find_program(name):
    return shutil.which(name, path=os.environ.get('PATH', '') + ':/usr/sbin:/usr/local/sbin')


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for_port(port, process):
    """False when the process ended or nothing listens after ten seconds."""
    end = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def pinned(cpu):
    """cpu: a number, or a set of them."""
    return lambda: os.sched_setaffinity(0, cpu if isinstance(cpu, set) else {cpu})


TLS = """ ssl http2;
        ssl_certificate {dir}/cert.pem;
        ssl_certificate_key {dir}/key.pem"""


def make_certificate(folder):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days',
                    '2', '-subj', '/CN=localhost', '-keyout', os.path.join(folder, 'key.pem'), '-out',
                    os.path.join(folder, 'cert.pem')], check=True, stderr=subprocess.DEVNULL)


class Server:
    """nginx with a configuration of its own that answers everything with one small JSON document, or as `answer` says. With
    is_h2 over TLS, in HTTP/2 for those who ask for it; with `listens` by what that adds to the port."""

    def __init__(self, is_h2=False, answer=ANSWERS_WITH_JSON, listens=''):
        self.is_h2, self.answer, self.listens = is_h2, answer, listens

    def __enter__(self):
        nginx = find_program('nginx')
        if not nginx:
            sys.exit('bench: nginx is missing (tools/setup.sh bench installs it)')
        self.dir = tempfile.TemporaryDirectory(prefix='kiln-bench-')
        self.port = free_port()
        self.url = '%s://127.0.0.1:%d/pizza' % ('https' if self.is_h2 else 'http', self.port)
        tls = self.listens
        if self.is_h2:
            make_certificate(self.dir.name)
            tls = TLS.format(dir=self.dir.name)
        config = os.path.join(self.dir.name, 'nginx.conf')
        with open(config, 'w') as f:
            f.write(NGINX.format(dir=self.dir.name, port=self.port, tls=tls,
                                 answer=self.answer.replace('{dir}', self.dir.name)))
        self.process = subprocess.Popen([nginx, '-p', self.dir.name, '-e', os.path.join(self.dir.name, 'start.log'),
                                         '-c', config], preexec_fn=pinned(SERVER_CPU))
        if not wait_for_port(self.port, self.process):
            self.__exit__()
            sys.exit('bench: nginx did not start')
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.dir.cleanup()


class Cost:
    """What one client run did and used."""

    def __init__(self, output, usage, wall, status):
        self.output, self.wall, self.status = output, wall, status
        self.user, self.system = usage.ru_utime, usage.ru_stime
        self.peak_bytes = usage.ru_maxrss * 1024
        self.requests = 0

    @property
    def per_cpu_second(self):
        return self.requests / (self.user + self.system)


def clean_environment(extra=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith(('K6_', 'KILN_'))}
    env.update(extra or {})
    return env


def run_client(command, cpu, timeout, env=None):
    """Runs a program on a processor, or a set of them; its user and system time come from the kernel's accounting."""
    with tempfile.TemporaryFile() as out:
        begin = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=pinned(cpu),
                                   env=clean_environment(env))
        timer = threading.Timer(timeout, process.kill)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - begin
        out.seek(0)
        return Cost(out.read().decode('utf-8', 'replace'), usage, wall, process.returncode)


def counted(cost, name, pattern):
    found = re.search(pattern, cost.output)
    if cost.status != 0 or not found:
        sys.exit('bench: %s failed with %d:\n%s' % (name, cost.status, cost.output[-2000:]))
    cost.requests = int(found.group(1))
    return cost


def run_kiln(script, url, seconds=None, env=None):
    seconds = seconds or SECONDS
    command = [KILN, 'run', '--quiet', '-e', 'URL=' + url, '-e', 'SECONDS=%g' % seconds,
               os.path.join(HERE, 'scripts', script)]
    cost = counted(run_client(command, CLIENT_CPU, seconds + 60, env), 'kiln', r'http_reqs\.+: (\d+)')
    failed = re.search(r'http_req_failed\.+: ([\d.]+)%', cost.output)
    if not failed or float(failed.group(1)) != 0:
        sys.exit('bench: requests failed:\n' + cost.output[-2000:])
    return cost


def run_wrk(url, lua=None, seconds=None):
    seconds = seconds or SECONDS
    command = [find_program('wrk'), '-t1', '-c50', '-d%ds' % round(seconds)]
    if lua:
        command += ['-s', os.path.join(HERE, 'scripts', lua)]
    return counted(run_client(command + [url], CLIENT_CPU, seconds + 30), 'wrk', r'(\d+) requests in')


def run_hey(url, seconds=None):
    seconds = seconds or SECONDS
    command = [find_program('hey'), '-c', '50', '-cpus', '1', '-z', '%gs' % seconds, url]
    return counted(run_client(command, CLIENT_CPU, seconds + 30), 'hey', r'\[200\]\s+(\d+) responses')


def run_h2load(url, seconds=None, connections=50, streams=1):
    seconds = seconds or SECONDS
    command = [find_program('h2load'), '-t1', '-c%d' % connections, '-m%d' % streams, '-D%d' % round(seconds), url]
    return counted(run_client(command, CLIENT_CPU, seconds + 30), 'h2load', r'requests: \d+ total, \d+ started, (\d+) done')


def run_s_time(server, seconds=None):
    """TLS handshakes and a GET each, one after the other."""
    seconds = seconds or SECONDS
    command = [find_program('openssl'), 's_time', '-connect', '127.0.0.1:%d' % server.port, '-new', '-time', '%d' % round(seconds), '-www', '/pizza']
    return counted(run_client(command, CLIENT_CPU, seconds + 30), 's_time', r'(\d+) connections in [\d.]+s;')


def compare(title, clients):
    """clients: [(name, function)]; the first is the yardstick. Rounds alternate, so that a slower minute of the
    machine falls on all. Prints a table and returns {name: (requests per CPU-second, ratio)} of medians."""
    rounds = {name: [] for name, _ in clients}
    for _ in range(ROUNDS):
        for name, run in clients:
            rounds[name].append(run())
    first = clients[0][0]
    print('%s: %d rounds of %g s, medians' % (title, ROUNDS, SECONDS))
    print('  %-8s %14s %10s %10s %12s %10s' % ('', 'req/CPU-s', 'user µs', 'system µs', 'req/s', 'to ' + first))
    results = {}
    for name, _ in clients:
        costs = rounds[name]
        rate = statistics.median(c.per_cpu_second for c in costs)
        ratio = statistics.median(c.per_cpu_second / w.per_cpu_second for c, w in zip(costs, rounds[first]))
        user, system = (statistics.median(getattr(c, part) / c.requests for c in costs) * 1e6
                        for part in ('user', 'system'))
        wall = statistics.median(c.requests / c.wall for c in costs)
        print('  %-8s %14.0f %10.2f %10.2f %12.0f %10.2f' % (name, rate, user, system, wall, ratio))
        results[name] = (rate, ratio)
    sys.stdout.flush()
    return results


def resident_bytes(pid):
    with open('/proc/%d/status' % pid) as f:
        return int(re.search(r'VmRSS:\s+(\d+)', f.read()).group(1)) * 1024


class Sleepers:
    """kiln with VUs that sleep after what little they do, watched while it runs."""

    def __init__(self, vus, seconds, pause, script='sleepers.js', **settings):
        self.vus = vus
        self.log = tempfile.NamedTemporaryFile('rb')
        self.out = tempfile.NamedTemporaryFile('rb')
        command = [KILN, 'run']
        for name, value in dict(settings, VUS=vus, SECONDS='%g' % seconds, PAUSE='%g' % pause).items():
            command += ['-e', '%s=%s' % (name, value)]
        command.append(os.path.join(HERE, 'scripts', script))
        self.begin = time.monotonic()
        with open(self.log.name, 'wb') as log, open(self.out.name, 'wb') as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                                            env=clean_environment())

    def text(self, file):
        file.seek(0)
        return file.read().decode('utf-8', 'replace')

    def wait_until_all_run(self, timeout=60):
        """Seconds from the start of the program to the first iteration of the last VU."""
        while 'the last VU runs' not in self.text(self.log):
            if self.process.poll() is not None or time.monotonic() - self.begin > timeout:
                self.stop()
                sys.exit('bench: %d VUs did not start:\n%s' % (self.vus, self.text(self.log)[-2000:]))
            time.sleep(0.005)
        return time.monotonic() - self.begin

    def ticks(self):
        """{seconds: complete iterations} of the progress lines."""
        pattern = r'running \((?:(\d+)m)?([\d.]+)s\), \d+/\d+ VUs, (\d+) complete'
        return {int(m or 0) * 60 + float(s): int(n) for m, s, n in re.findall(pattern, self.text(self.out))}

    def errors(self):
        return sum(1 for line in self.text(self.log).splitlines() if 'level=error' in line or 'level=warning' in line)

    def finish(self, timeout):
        timer = threading.Timer(timeout, self.process.kill)
        timer.start()
        try:
            _, status, usage = os.wait4(self.process.pid, 0)
        finally:
            timer.cancel()
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return Cost(self.text(self.out), usage, time.monotonic() - self.begin, self.process.returncode)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
