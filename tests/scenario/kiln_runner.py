"""Runs kiln for a test and takes its output apart.

    run = kiln('run', '-i', '3', 'examples/test.js')
    run.code, run.out, run.err, run.seconds
    run.summary['iterations']    the text after the colon
    run.messages                 what the script logged with console.*
"""
import concurrent.futures
import os
import pty
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM = os.environ.get('KILN', 'build/kiln')
ANSI = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')
LOG_LINE = re.compile(r'^time="[^"]*" level=(\w+) msg=(?:"((?:[^"\\]|\\.)*)"|(\S*))(.*)$')


def clean_environment(extra=None):
    """The environment without anybody's K6_ and KILN_ settings."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(('K6_', 'KILN_')) and k not in ('KILN', 'NO_COLOR', 'BASE_URL')}
    env.update(extra or {})
    return env


class Run:
    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    @property
    def log(self):
        """(level, message, rest of the line) for each line of the log."""
        found = (LOG_LINE.match(line) for line in self.err.splitlines())
        return [(m.group(1), m.group(2) or m.group(3) or '', m.group(4)) for m in found if m]

    @property
    def messages(self):
        return [message for _, message, rest in self.log if 'source=console' in rest]

    @property
    def summary_lines(self):
        """The lines of the end-of-test summary with a metric's name and dots."""
        return [line for line in self.out.splitlines() if re.match(r' {3,8}\S.*\.\.+: ', line)]

    @property
    def summary(self):
        pairs = (line.split(': ', 1) for line in self.summary_lines)
        return {name.strip().rstrip('.'): value.strip() for name, value in pairs}

    def count(self, name):
        """The first number of a counter's line."""
        return int(self.summary[name].split()[0])

    @property
    def ticks(self):
        """(seconds, active VUs, all VUs, complete, interrupted) of each "running" line."""
        pattern = re.compile(r'running \((?:(\d+)h)?(?:(\d+)m)?([\d.]+)s\), (\d+)/(\d+) VUs, '
                             r'(\d+) complete and (\d+) interrupted iterations')
        return [(int(h or 0) * 3600 + int(m or 0) * 60 + float(s), *map(int, rest))
                for h, m, s, *rest in pattern.findall(self.out)]


def kiln(*arguments, stdin=None, env=None, timeout=100):
    begin = time.monotonic()
    done = subprocess.run([PROGRAM, *arguments], input=stdin, env=clean_environment(env), timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8',
                          **({} if stdin is not None else {'stdin': subprocess.DEVNULL}))
    return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - begin)


def kiln_on_terminal(*arguments, timeout=100):
    """The same with a terminal for stderr; its colours are taken out of what is returned."""
    master, slave = pty.openpty()
    begin = time.monotonic()
    process = subprocess.Popen([PROGRAM, *arguments], env=clean_environment({'TERM': 'xterm'}), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    text = bytearray()

    def drain():
        try:
            while True:
                piece = os.read(master, 65536)
                if not piece:
                    return
                text.extend(piece)
        except OSError:
            return  # the other side is closed

    reader = threading.Thread(target=drain)
    reader.start()
    try:
        out, _ = process.communicate(timeout=timeout)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        reader.join(10)
        os.close(master)
    err = ANSI.sub('', text.decode('utf-8', 'replace')).replace('\r\n', '\n')
    return Run(process.returncode, out.decode('utf-8'), err, time.monotonic() - begin)


class Started:
    """A running kiln whose output can be waited for.

        with Started('run', script) as run:
            run.wait_for('looping')
            run.process.send_signal(signal.SIGINT)
            done = run.finish(10)
    """

    def __init__(self, *arguments, env=None):
        self.arguments, self.env = arguments, env

    def __enter__(self):
        self.out = tempfile.TemporaryFile('w+', encoding='utf-8')
        self.err = tempfile.NamedTemporaryFile('r', encoding='utf-8')
        self.begin = time.monotonic()
        with open(self.err.name, 'w', encoding='utf-8') as err:
            self.process = subprocess.Popen([PROGRAM, *self.arguments], env=clean_environment(self.env),
                                            stdin=subprocess.DEVNULL, stdout=self.out, stderr=err)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.out.close()
        self.err.close()

    def err_text(self):
        self.err.seek(0)
        return self.err.read()

    def wait_for(self, text, seconds=30):
        end = time.monotonic() + seconds
        while text not in self.err_text():
            assert self.process.poll() is None, 'kiln ended: ' + self.err_text()
            assert time.monotonic() < end, '%r is not in the log:\n%s' % (text, self.err_text()[-4000:])
            time.sleep(0.01)

    def finish(self, seconds):
        """Waits for the end; fails when it takes longer."""
        code = self.process.wait(seconds)
        self.out.seek(0)
        return Run(code, self.out.read(), self.err_text(), time.monotonic() - self.begin)


def script(test, text):
    """A file with a script, removed when the test ends."""
    file = tempfile.NamedTemporaryFile('w', suffix='.js', encoding='utf-8')
    test.addCleanup(file.close)
    file.write(text)
    file.flush()
    return file.name


_given_ports, _ports_lock = set(), threading.Lock()


def free_port():
    """A port that nobody has, and that no other test of this process was given."""
    with _ports_lock:
        while True:
            with socket.socket() as s:
                s.bind(('127.0.0.1', 0))
                port = s.getsockname()[1]
            if port not in _given_ports:
                _given_ports.add(port)
                return port


def run_tests_together(threads=6):
    """unittest.main() for tests that mostly wait: several run at a time, each on its own. Exits."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    cases, queue = [], [suite]
    while queue:
        item = queue.pop()
        queue.extend(item) if isinstance(item, unittest.TestSuite) else cases.append(item)
    chosen = [case for case in cases if not sys.argv[1:] or any(name in case.id() for name in sys.argv[1:])]

    def run(case):
        result = unittest.TestResult()
        case.run(result)
        return result

    begin, failed = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for result in pool.map(run, chosen):
            for case, trace in result.failures + result.errors:
                failed += 1
                print('FAIL: %s\n%s' % (case, trace))
            for case, reason in result.skipped:
                print('skipped: %s: %s' % (case, reason))
    print('%d tests in %.1f s, %d failures' % (len(chosen), time.monotonic() - begin, failed))
    sys.exit(1 if failed or not chosen else 0)
