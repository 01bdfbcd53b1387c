#!/usr/bin/env python3
"""Run the conformance suite with a kiln binary and compare with conformance_required.txt.

The suite holds more than kiln does today. A case in the list must pass; one that passes and is not in
the list yet is named, and --update adds it. Nothing ever takes a case off the list.

    tests/run_conformance.py --bin build/kiln [--update] [--filter http/] [-j 4]
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
REQUIRED = os.path.join(HERE, 'conformance_required.txt')


def path_with_node(path):
    """PATH with a Node.js of at least 20 in it: the machine's own, or the one of tools/setup.sh."""
    try:
        version = subprocess.run(['node', '--version'], capture_output=True, text=True).stdout
    except OSError:
        version = ''
    major = re.match(r'v(\d+)', version)
    if major and int(major.group(1)) >= 20:
        return path
    own = os.path.join(ROOT, '.deps', 'node', 'node_modules', 'node', 'bin')
    return own + os.pathsep + path if os.path.isdir(own) else path


def read_required():
    try:
        with open(REQUIRED, encoding='utf-8') as f:
            return {line.strip() for line in f if line.strip()}
    except OSError:
        return set()


def run_suite(binary, jobs, filters=(), verbose=False):
    """Run the suite: {case name: {'status': …, 'diffs': […], 'seconds': …}}. Raises when it did not run."""
    with tempfile.TemporaryDirectory(prefix='kiln-conformance-') as tmp:
        results = os.path.join(tmp, 'results.json')
        command = [sys.executable, os.path.join(HERE, 'conformance', 'run.py'), '--bin', os.path.abspath(binary),
                   '--results', results, '--jobs', str(jobs)]
        for text in filters:
            command += ['--filter', text]
        env = dict(os.environ, PATH=path_with_node(os.environ.get('PATH', '')), PYTHONDONTWRITEBYTECODE='1')
        run = subprocess.run(command, env=env, stdin=subprocess.DEVNULL,
                             stdout=None if verbose else subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            with open(results, encoding='utf-8') as f:
                return {case['name']: case for case in json.load(f)['cases']}
        except OSError:
            raise RuntimeError('the suite did not finish:\n%s' % (run.stdout or b'').decode(errors='replace')[-4000:])


def run_required(binary, jobs, required, filters=(), verbose=False):
    """(cases as above, names of those that passed the second time). Some required cases hold times of the recorded tool,
    such as what of a body comes within 150 ms, which a machine that is busy with this very suite does not always keep:
    when a few fail, they run again, one at a time."""
    cases = run_suite(binary, jobs, filters, verbose)
    broken = judge(cases, required, filters)[1]
    if not broken or len(broken) > 10:
        return cases, []
    again = run_suite(binary, 1, broken, verbose)
    cases.update({name: again[name] for name in broken if name in again})
    return cases, [name for name in broken if cases.get(name, {}).get('status') == 'pass']


def judge(cases, required, filters=()):
    """(names that pass, required names that do not, passing names not in the list yet)"""
    passing = {name for name, case in cases.items() if case['status'] == 'pass'}
    asked = {name for name in required if not filters or any(text in name for text in filters)}
    return passing, sorted(asked - passing), sorted(passing - required)


def describe(name, cases):
    case = cases.get(name)
    if case is None:
        return '%s: in conformance_required.txt, but not in the suite' % name
    return '\n'.join([name] + ['    ' + diff.lstrip('.')[:700] for diff in case['diffs'][:6]])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--bin', default=os.path.join(ROOT, 'build', 'kiln'))
    parser.add_argument('--filter', action='append', default=[], help='only cases whose name contains this')
    parser.add_argument('--update', action='store_true', help='add the cases that pass to the list')
    parser.add_argument('-v', '--verbose', action='store_true', help="show the suite's own output, every difference")
    parser.add_argument('-j', '--jobs', type=int, default=4)
    args = parser.parse_args()

    required = read_required()
    cases, unsteady = run_required(args.bin, args.jobs, required, args.filter, args.verbose)
    for name in unsteady:
        print('UNSTEADY %s: passed by itself' % name)
    passing, broken, new = judge(cases, required, args.filter)
    for name in broken:
        print('FAIL ' + describe(name, cases))
    if new and args.update:
        with open(REQUIRED, 'w', encoding='utf-8') as f:
            f.writelines(name + '\n' for name in sorted(required | passing))
        print('%d cases added to conformance_required.txt' % len(new))
    elif new:
        print('passing, not required yet (--update adds them):')
        for name in new:
            print('    ' + name)
    print('%d of %d cases pass; %d required, %d of them failed' % (
        len(passing), len(cases), len(required), len(broken)))
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main())
