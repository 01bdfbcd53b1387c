"""Modules of Debian's Python packages, whatever `python3` is on this machine."""
import importlib.util
import os
import subprocess
import sys


def with_modules(*names):
    """Goes on in Debian's own Python when this one lacks a module; False when neither has them all."""
    # without an origin it is a mere folder of that name, such as ours for gRPC
    specs = [importlib.util.find_spec(name) for name in names]
    if all(spec and spec.origin for spec in specs):
        return True
    own = '/usr/bin/python3'
    if 'KILN_TEST_PYTHON' in os.environ or not os.path.exists(own):
        return False
    if subprocess.run([own, '-c', 'import ' + ', '.join(names)], stderr=subprocess.DEVNULL).returncode != 0:
        return False
    os.execve(own, [own, *sys.argv], dict(os.environ, KILN_TEST_PYTHON=own))
