#!/usr/bin/env python3
"""Completion scripts, in the shells they are for."""
import os
import pty
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from kiln_runner import PROGRAM, clean_environment

CASES = [('kiln arc', ['archive']), ('kiln run --dur', ['--duration']), ('kiln completion ', ['bash', 'fish', 'powershell', 'zsh']),
         ('kiln archive --exclude', ['--exclude-env-vars'])]


class Completion(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        os.symlink(os.path.abspath(PROGRAM), os.path.join(self.directory, 'kiln'))
        self.env = clean_environment({'HOME': self.directory, 'TERM': 'dumb', 'PATH': self.directory + ':' + os.environ['PATH']})

    def shell(self, *command):
        return subprocess.run(command, env=self.env, capture_output=True, encoding='utf-8', timeout=60, check=True, stdin=subprocess.DEVNULL).stdout

    def test_bash(self):
        for line, expected in CASES:
            words = line.split(' ')
            found = self.shell('bash', '-c', 'source <(kiln completion bash); COMP_WORDS=(%s); COMP_CWORD=%d; _kiln; echo "${COMPREPLY[@]}"'
                               % (' '.join("'%s'" % word for word in words), len(words) - 1))
            self.assertEqual(sorted(found.split()), expected)

    @unittest.skipUnless(shutil.which('fish'), 'no fish')
    def test_fish(self):
        for line, expected in CASES:
            found = self.shell('fish', '-c', 'kiln completion fish | source; complete -C "%s"' % line)
            self.assertEqual(sorted(each.split('\t')[0] for each in found.splitlines()), expected)

    @unittest.skipUnless(shutil.which('zsh'), 'no zsh')
    def test_zsh_in_a_folder_of_fpath_and_sourced(self):
        os.mkdir(os.path.join(self.directory, 'functions'))
        with open(os.path.join(self.directory, 'functions', '_kiln'), 'w', encoding='utf-8') as file:
            file.write(self.shell('kiln', 'completion', 'zsh'))
        for setup in 'fpath=(%s/functions $fpath); compinit -u -D' % self.directory, 'compinit -u -D; source <(kiln completion zsh)':
            for line, expected in CASES:
                self.zsh(setup, line, expected)

    def zsh(self, setup, line, expected):
        """Lists what completes a line; on a terminal, as there is no other way to ask zsh."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe('zsh', ['zsh', '-f', '-i'], self.env)
        try:
            self.type(terminal, "PS1='> '; autoload -U compinit; %s; bindkey '^T' list-choices; clear; echo RE''ADY\n" % setup, ['READY'])
            self.type(terminal, line + '\x14', [word for word in expected if word not in line])
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(terminal)

    def type(self, terminal, text, expected):
        """Types and waits for all of these words."""
        os.write(terminal, text.encode())
        seen, end = '', time.monotonic() + 20
        while not all(word in seen for word in expected):
            self.assertLess(time.monotonic(), end, 'waiting for %s, zsh wrote: %r' % (expected, seen))
            if select.select([terminal], [], [], 0.1)[0]:
                seen += os.read(terminal, 65536).decode('utf-8', 'replace')


if __name__ == '__main__':
    unittest.main()
