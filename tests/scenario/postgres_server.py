"""A PostgreSQL server for a test: on a free port, in a temporary directory.

    with Postgres() as postgres:
        QuickPizza(env={'QUICKPIZZA_DB': postgres.url})
"""
import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time


def find_programs():
    """The directory of initdb and postgres; None when PostgreSQL is not installed."""
    for folder in sorted(glob.glob('/usr/lib/postgresql/*/bin'), reverse=True):
        if os.path.exists(os.path.join(folder, 'initdb')):
            return folder
    path = shutil.which('initdb')
    return os.path.dirname(path) if path else None


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Postgres:
    def __init__(self):
        self.programs = find_programs()
        self.folder = tempfile.mkdtemp(prefix='quickpizza-postgres-')
        self.port = free_port()
        self.url = 'postgres://pizza@127.0.0.1:%d/postgres' % self.port
        self.process = None
        # PostgreSQL refuses to run as root
        self.user = 'postgres' if os.getuid() == 0 else None
        if self.user:
            owner = pwd.getpwnam(self.user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)

    def __enter__(self):
        try:
            self.run('initdb', '-D', self.folder + '/data', '-U', 'pizza', '-A', 'trust', '-N', '-E', 'UTF8', '--locale=C')
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program, *arguments):
        subprocess.run([os.path.join(self.programs, program), *arguments], check=True, cwd=self.folder, user=self.user,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def start(self):
        self.process = subprocess.Popen(
            [os.path.join(self.programs, 'postgres'), '-D', self.folder + '/data', '-p', str(self.port),
             '-h', '127.0.0.1', '-k', self.folder, '-F'],
            cwd=self.folder, user=self.user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        ready = [os.path.join(self.programs, 'pg_isready'), '-q', '-h', '127.0.0.1', '-p', str(self.port)]
        while subprocess.run(ready).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < end, 'PostgreSQL does not start'
            time.sleep(0.05)

    def stop(self):
        """At once, as if it had crashed."""
        if self.process is not None:
            self.process.send_signal(3)
            self.process.wait(30)
            self.process = None

    def query(self, sql):
        """Rows as lists of texts."""
        run = subprocess.run([os.path.join(self.programs, 'psql'), '-X', '-A', '-t', '-d', self.url, '-c', sql],
                             check=True, stdout=subprocess.PIPE)
        return [line.split('|') for line in run.stdout.decode().splitlines()]
