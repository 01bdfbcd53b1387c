#!/usr/bin/env python3
"""The image: the lines D1 to D3 of the checklist, as far as they show without a container engine. The root file
system is made of busybox and kiln with its libraries; it is mounted read-only and entered with chroot."""
import json
import os
import re
import shutil
import subprocess
import unittest

from operator_harness import KILN, PAUSED, START, Pods, busybox, is_root
from kiln_runner import free_port

ROOT = os.path.join(os.path.dirname(__file__), '..', '..')
DOCKERFILE = os.path.join(ROOT, 'deploy', 'Dockerfile')
SCRIPT = "export const options = { vus: 2, iterations: 2 }; export default function () { console.log('ran'); }"
TOOLS = ('sh', 'mkdir', 'dirname', 'cat', 'grep')


def libraries(program):
    """What ldd says, the dynamic loader included."""
    text = subprocess.run(['ldd', program], stdout=subprocess.PIPE, encoding='utf-8', check=True).stdout
    return re.findall(r'(?:=> )?(/\S+) \(0x', text)


class ImageTest(unittest.TestCase):
    def make_root(self):
        if not is_root():
            self.skipTest('chroot needs root')
        if not busybox():
            self.skipTest('there is no busybox')
        root = os.path.join(self.pods.folder, 'root')
        for folder in ('usr/bin', 'bin', 'tmp', 'dev', 'proc', 'test', 'home/k6'):
            os.makedirs(os.path.join(root, folder))
        shutil.copy(KILN, os.path.join(root, 'usr/bin/k6'))
        shutil.copy(busybox(), os.path.join(root, 'bin/busybox'))
        for tool in TOOLS:
            os.symlink('busybox', os.path.join(root, 'bin', tool))
        for library in set(libraries(KILN) + libraries(busybox())):
            target = os.path.join(root, library.lstrip('/'))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(library, target)
        with open(os.path.join(root, 'test', 'test.js'), 'w', encoding='utf-8') as f:
            f.write(SCRIPT)
        return root

    def container(self, root):
        """docker run --user 54321 --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges"""
        mounts = ('set -e; mount --make-rprivate /; mount --bind {0} {0}; mount -t tmpfs -o mode=1777 tmpfs {0}/tmp; '
                  'mount -t proc proc {0}/proc; mount -o remount,bind,ro {0}; cd {0}; '
                  'exec setpriv --no-new-privs --bounding-set -all --inh-caps -all chroot --userspec=54321:54321 --groups= {0} "$@"').format(root)
        mounts = mounts.replace('--bounding-set -all --inh-caps -all ', '')  # chroot itself needs one; the user has none
        return ['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', mounts, 'sh']

    def setUp(self):
        self.pods = self.enterContext(Pods())

    def test_d1_tools_of_the_initializer(self):
        root = self.make_root()
        done = self.pods.run('sh', '-c', 'for t in k6 mkdir dirname cat grep; do command -v $t || exit 1; done',
                             prefix=self.container(root), env={'PATH': '/usr/bin:/bin:/usr/sbin:/sbin'})
        self.assertEqual(done.code, 0, done)

    def test_d2_initializer_and_runner_with_nothing_allowed(self):
        root = self.make_root()
        env = {'PATH': '/usr/bin:/bin:/usr/sbin:/sbin'}
        program = ('k6 archive /test/test.js -O /tmp/test.js.archived.tar 2>/tmp/k6logs || { cat /tmp/k6logs; exit 1; }; '
                   'k6 inspect --execution-requirements /tmp/test.js.archived.tar; touch /x 2>/dev/null && exit 5; exit 0')
        done = self.pods.run('sh', '-c', program, prefix=self.container(root), env=env)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(json.loads(done.out)['maxVUs'], 2)
        port = free_port()
        argv = self.pods.runner_argv('/test/test.js', address='0.0.0.0:%d' % port)
        runner = self.pods.start(argv, env=env, prefix=self.container(root), address='127.0.0.1:%d' % port)
        runner.wait_for_status(PAUSED)
        runner.patch(START)
        done = runner.finish()
        self.assertEqual((done.code, done.err.count('ran')), (0, 2), done)

    def test_d3_user_folder_and_entry_point(self):
        if not os.path.exists(DOCKERFILE):
            self.skipTest('there is no deploy/Dockerfile')
        with open(DOCKERFILE, encoding='utf-8') as f:
            lines = f.read().replace('\\\n', ' ').splitlines()
        # The stage with kiln; an entry point that the operator passes over anyway may have either name.
        stages, current = [], []
        for line in lines:
            if re.match(r'(?i)FROM\b', line):
                stages.append(current)
                current = []
            current.append(line)
        stages.append(current)
        runner, = [s for s in stages if any(re.match(r'(?i)ENTRYPOINT\b.*"(kiln|k6)"', line) for line in s)]
        last = {}
        for line in runner:
            match = re.match(r'(?i)(USER|WORKDIR|ENTRYPOINT)\s+(.*)', line)
            if match:
                last[match.group(1).upper()] = match.group(2).strip()
        self.assertEqual((last.get('USER'), last.get('WORKDIR')), ('12345', '/home/k6'))
        self.assertTrue(any(re.match(r'(?i)RUN\b.*ln -s kiln /usr/bin/k6\b', line) for line in runner))


if __name__ == '__main__':
    unittest.main(verbosity=1)
