"""What grafana/k6-operator does with an image, on loopback: its command lines, its HTTP calls, its file
systems. No cluster: pods are processes, ConfigMaps are folders with the same links.

    with Pods(self) as pods:
        pods.config_map({'test.js': '…'})
        pods.start_runner(i, n, '--out', 'json=x')      the exact argv of a runner
        pods.wait_until_paused()
        pods.start_test()                               the starter's one curl line
        pods.finish()
"""
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from kiln_runner import PROGRAM, clean_environment, free_port

START = '{"data":{"attributes":{"paused":false,"stopped":false},"id":"default","type":"status"}}'
STOP = START.replace('"stopped":false', '"stopped":true')
KILN = os.path.abspath(PROGRAM)
PATH = '/usr/local/bin:/usr/bin:/bin'
PAUSED, RUNNING, ENDED = 4, 7, 9
UID = 54321


def segment_flags(i, n):
    """As the operator writes them: fractions are not reduced."""
    if n == 1:
        return []
    points = ['0'] + ['%d/%d' % (k, n) for k in range(1, n)] + ['1']
    return ['--execution-segment=%s:%s' % (points[i - 1], points[i]), '--execution-segment-sequence=' + ','.join(points)]


def curl(*arguments, timeout=60):
    return subprocess.run(['curl', '-sS', '--max-time', str(timeout), *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding='utf-8')


def patch_line(addresses, body):
    """The starter's program: one curl a runner, joined by ;"""
    return ' ; '.join("curl --retry 3 -X PATCH -H 'Content-Type: application/json' http://%s/v1/status -d '%s' -s -w '\\n'"
                      % (address, body) for address in addresses)


def until(ready, what, seconds=30):
    """What ready() gives as soon as it is true."""
    end = time.monotonic() + seconds
    while True:
        value = ready()
        if value:
            return value
        assert time.monotonic() < end, 'waited in vain for ' + what
        time.sleep(0.01)


def listens(port, host='127.0.0.1'):
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


class Ended:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return 'exit %s\n%s\n%s' % (self.code, self.out, self.err)


class Runner:
    """A process with its output in files."""

    def __init__(self, arguments, env, cwd, prefix=(), address=None, user=None):
        self.out, self.err = (tempfile.NamedTemporaryFile('w+', encoding='utf-8') for _ in range(2))
        self.address = address
        self.begin = time.monotonic()
        self.process = subprocess.Popen([*prefix, *arguments], env=env, cwd=cwd, stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.err, **(user or {}))

    def text(self, which='err'):
        with open(getattr(self, which).name, encoding='utf-8', errors='replace') as f:
            return f.read()

    def get(self, path='/v1/status', *flags):
        return curl(*flags, 'http://%s%s' % (self.address, path))

    def attributes(self):
        done = self.get()
        return json.loads(done.stdout)['data']['attributes'] if done.returncode == 0 else {}

    def wait_for_status(self, *wanted, seconds=30):
        def look():
            assert self.process.poll() is None, 'the runner ended: ' + self.text()
            return self.attributes().get('status') in wanted
        until(look, 'status %s' % (wanted,), seconds)

    def wait_for(self, text, seconds=30):
        def look():
            assert text in self.text() or self.process.poll() is None, 'the runner ended: ' + self.text()
            return text in self.text()
        until(look, repr(text), seconds)

    def patch(self, body):
        return subprocess.run(['sh', '-c', patch_line([self.address], body)], stdout=subprocess.PIPE, encoding='utf-8')

    def finish(self, seconds=40):
        code = self.process.wait(seconds)
        return Ended(code, self.text('out'), self.text('err'))

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.out.close()
        self.err.close()


class Pods:
    """A namespace's worth of pods. `self.folder` is their shared volume, `self.bin` has kiln as k6."""

    def __init__(self, name='k6-sample', as_user=False):
        """as_user: as a user without name, where we may choose."""
        self.name, self.runners = name, []
        self.user = {'user': UID, 'group': UID, 'extra_groups': []} if as_user and is_root() else {}
        self.can_unshare = is_root()

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix='kiln-pods-')
        os.chmod(self.folder, 0o755)
        self.bin = os.path.join(self.folder, 'bin')
        os.mkdir(self.bin)
        if self.user:  # who may not see the build. By cp: a fork of another test would keep our file open
            subprocess.run(['cp', KILN, os.path.join(self.bin, 'k6')], check=True)
        else:
            os.symlink(KILN, os.path.join(self.bin, 'k6'))
        self.results = os.path.join(self.folder, 'results')
        os.mkdir(self.results)
        os.chmod(self.results, 0o777)
        return self

    def __exit__(self, *_):
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self):
        for runner in self.runners:
            runner.close()

    def config_map(self, files, name='test'):
        """A mounted ConfigMap: file -> ..data/file, ..data -> ..2026_11_30_…; returns the folder."""
        folder = os.path.join(self.folder, name)
        real = os.path.join(folder, '..2026_11_30_02_00_00.123456789')
        os.makedirs(real)
        os.symlink(os.path.basename(real), os.path.join(folder, '..data'))
        for file, content in files.items():
            with open(os.path.join(real, file), 'w', encoding='utf-8') as f:
                f.write(content)
            os.symlink(os.path.join('..data', file), os.path.join(folder, file))
        return folder

    def script(self, text, name='test'):
        return os.path.join(self.config_map({'test.js': text}, name), 'test.js')

    def env(self, extra=None):
        return {'PATH': self.bin + ':' + PATH, **{k: v for k, v in clean_environment().items() if k.startswith(('ASAN', 'UBSAN', 'LSAN'))},
                **(extra or {})}

    def runner_argv(self, script, i=1, n=1, *user, address, paused=True, quiet=True):
        return ['k6', 'run', *(['--quiet'] if quiet else []), *segment_flags(i, n), *user, script, '--address=' + address,
                *(['--paused'] if paused else []), '--tag', 'instance_id=%d' % i, '--tag', 'testrun_name=' + self.name]

    def read_only_root(self):
        """A prefix: everything is read-only, and the user has no name."""
        return ['unshare', '--mount', 'sh', '-c', 'mount --make-rprivate / && mount -o remount,bind,ro / && exec setpriv --reuid %d --regid %d '
                '--clear-groups "$@"' % (UID, UID), 'sh']

    def start(self, arguments, env=None, cwd='/', prefix=(), address=None):
        runner = Runner(arguments, self.env(env), cwd, prefix, address, {} if prefix else self.user)
        self.runners.append(runner)
        return runner

    def start_runner(self, script, i=1, n=1, *user, env=None, prefix=(), paused=True, quiet=True, listen='0.0.0.0'):
        port = free_port()
        argv = self.runner_argv(script, i, n, *user, address='%s:%d' % (listen, port), paused=paused, quiet=quiet)
        return self.start(argv, env, prefix=prefix, address='127.0.0.1:%d' % port)

    def start_runners(self, script, n, *user, **how):
        return [self.start_runner(script, i, n, *user, **how) for i in range(1, n + 1)]

    def wait_until_paused(self, runners=None):
        for runner in runners or self.runners:
            runner.wait_for_status(PAUSED)

    def start_test(self, runners=None):
        line = patch_line([r.address for r in runners or self.runners], START)
        return subprocess.run(['sh', '-c', line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')

    def run(self, *arguments, env=None, cwd='/', timeout=60, prefix=()):
        """A command that ends by itself."""
        done = subprocess.run([*prefix, *arguments], env=self.env(env), cwd=cwd, timeout=timeout, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8', **({} if prefix else self.user))
        return Ended(done.returncode, done.stdout, done.stderr)

    def merge(self, *arguments, **how):
        """kiln merge with --summary-export; (Ended, the exported metrics)."""
        export = tempfile.NamedTemporaryFile('r', suffix='.json')
        done = self.run('k6', 'merge', '--summary-export', export.name, *arguments, **how)
        text = export.read()
        export.close()
        return done, json.loads(text)['metrics'] if text else None


def is_root():
    return os.geteuid() == 0


def busybox():
    return shutil.which('busybox')


@contextlib.contextmanager
def control_group(quota_us, close):
    """A control group with so many µs of processor in each 100 ms; None where none can be made. close() ends who is in it."""
    name, made = 'kiln-test-%d-%d' % (os.getpid(), threading.get_ident()), None
    for folder, knob, value in (('/sys/fs/cgroup/cpu/' + name, 'cpu.cfs_quota_us', '%d'), ('/sys/fs/cgroup/' + name, 'cpu.max', '%d 100000')):
        try:
            os.mkdir(folder)
            with open(os.path.join(folder, knob), 'w', encoding='ascii') as f:
                f.write(value % quota_us)
            made = folder
            break
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
    try:
        yield made
    finally:
        close()

        def removed():
            with contextlib.suppress(OSError):
                os.rmdir(made)
            return not os.path.exists(made)
        if made:
            until(removed, 'the end of the control group')


def dotted(out):
    """The lines of the summary: name -> text after the colon."""
    pairs = (line.split(': ', 1) for line in out.splitlines() if re.match(r' {3,8}\S.*\.\.+: ', line))
    return {name.strip().strip('✓✗ ').rstrip('.'): value.strip() for name, value in pairs}
