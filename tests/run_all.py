#!/usr/bin/env python3
"""Everything a change has to pass, stage by stage; a stage that fails does not stop the next.

The last line is `N passed, M failed`. It counts the checks, the builds, the tests of ctest and the
conformance cases: passing ones, and as failed those that conformance_required.txt asks for.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

from run_conformance import describe, judge, path_with_node, read_required, run_required

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped, self.unsteady = 0, [], [], []
        self.times = []

    def count(self, name, ok, output=''):
        if ok:
            self.passed += 1
            return
        self.failed.append(name)
        print('FAIL %s' % name)
        for line in output.rstrip().splitlines()[-80:]:
            print('    ' + line)
        sys.stdout.flush()


def say(text):
    print(text)
    sys.stdout.flush()


def command(words, env=None):
    """Run it; (did it succeed, its output)."""
    try:
        run = subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env=env)
    except OSError as e:
        return False, '%s: %s' % (words[0], e)
    return run.returncode == 0, run.stdout.decode(errors='replace')


# ---------------------------------------------------------------- stages

def stage_checks(tally, args):
    for name, words in (('format', ['tools/check_format.sh']),
                        ('includes', [sys.executable, 'tools/check_includes.py']),
                        ('banned functions', [sys.executable, 'tools/check_banned.py'])):
        tally.count('check: ' + name, *command(words))


def stage_build(tally, args, name, build, options):
    ok, output = command(['cmake', '-S', '.', '-B', build, '-G', 'Ninja', '-DKILN_WERROR=ON', '-DKILN_TESTS=ON',
                          '--log-level=NOTICE', *options])
    if ok:
        # -k 0: what does not depend on the broken file is built, and tested.
        ok, output = command(['cmake', '--build', build, '-j', str(args.jobs), '--target', 'all', 'unit_tests',
                              '--', '-k', '0'])
        if not ok:
            lines = output.splitlines()
            failing = [i for i, line in enumerate(lines) if line.startswith('FAILED')]
            output = '\n'.join(line for i in failing for line in lines[i:i + 40] if not line.startswith('['))
    missing = [p for p in ('kiln', 'quickpizza') if not os.path.exists(os.path.join(ROOT, build, p))]
    if missing:
        ok, output = False, '%s\nnot built: %s' % (output, ' '.join(missing))
    tally.count('build: ' + name, ok, output)


def ctest(build, label, jobs, only=None):
    """Runs the tests of a label, or those of them named: (its report's test cases, its output); None without a report."""
    report = os.path.join(ROOT, build, 'ctest-%s.xml' % label)
    if os.path.exists(report):
        os.remove(report)
    words = ['ctest', '--test-dir', build, '-L', '^%s$' % label, '--output-junit', report,
             '--no-tests=ignore', '-j', str(jobs)]
    if only:
        words += ['-R', '^(%s)$' % '|'.join(map(re.escape, only))]
    _, output = command(words)
    cases = list(ET.parse(report).getroot().iter('testcase')) if os.path.exists(report) else None
    return cases, output


def case_text(case):
    """What a test case printed, and why it did not pass."""
    text = case.findtext('system-out') or ''
    fault, skip = case.find('failure'), case.find('skipped')
    if fault is not None and fault.get('message'):
        text += '\n' + fault.get('message')
    if case.get('status') not in ('run', 'fail'):
        text += '\nnot run: ' + (skip.get('message') if skip is not None else 'no program')
    return text


def stage_ctest(tally, args, name, build, label):
    cases, output = ctest(build, label, args.jobs)
    if cases is None:
        tally.count('%s tests: %s' % (label, name), False, output)
        return
    failed = {}
    for case in cases:
        title = '%s (%s)' % (case.get('name'), name)
        skip = case.find('skipped')
        if skip is not None and 'SKIP_RETURN_CODE' in (skip.get('message') or ''):
            tally.skipped.append(title)
            say('skip %s: %s' % (title, ((case.findtext('system-out') or '').strip().splitlines() or [''])[-1]))
        elif case.get('status') != 'run' and label == 'scenario':
            failed[case.get('name')] = case
        else:
            tally.count(title, case.get('status') == 'run', case_text(case))
    if failed:
        again_alone(tally, name, build, label, failed)


def again_alone(tally, name, build, label, failed):
    """Scenario tests start servers and browsers beside one another. One that failed is run once more by itself; when it
    passes there, it counts, and is named with what it said at first."""
    again = {case.get('name'): case for case in ctest(build, label, 1, failed)[0] or []}
    for test, case in failed.items():
        title = '%s (%s)' % (test, name)
        ok = test in again and again[test].get('status') == 'run'
        if ok:
            tally.unsteady.append(title)
            say('UNSTEADY %s: passed by itself, at first:' % title)
            say('\n'.join('    ' + line for line in case_text(case).rstrip().splitlines()[-40:]))
        tally.count(title, ok, case_text(again.get(test, case)))


def stage_conformance(tally, args, name, build):
    required = read_required()
    if not os.path.exists(os.path.join(ROOT, build, 'kiln')):
        say('no %s/kiln: not run' % build)
        for case in sorted(required):
            tally.count('conformance %s (%s)' % (case, name), False)
        return
    try:
        cases, unsteady = run_required(os.path.join(build, 'kiln'), args.conformance_jobs, required)
    except (RuntimeError, OSError) as e:
        tally.count('conformance suite (%s)' % name, False, str(e))
        return
    passing, broken, new = judge(cases, required)
    tally.passed += len(passing)
    for case in unsteady:
        tally.unsteady.append('conformance %s (%s)' % (case, name))
        say('UNSTEADY conformance %s: passed by itself' % case)
    for case in broken:
        tally.count('conformance %s (%s)' % (case, name), False, describe(case, cases))
    say('%d of %d cases pass, %d are required' % (len(passing), len(cases), len(required)))
    if new:
        say('passing, not required yet (tests/run_conformance.py --update adds them): ' + ' '.join(new))


def stages(args):
    """(title, function, arguments) in the order they run."""
    if not args.asan_only:
        yield 'checks', stage_checks, ()
    builds = []
    if not args.asan_only:
        builds.append(('release', 'build', ['-DCMAKE_BUILD_TYPE=Release', '-DKILN_SANITIZE=off']))
    if not args.release_only:
        builds.append(('asan', 'build-asan', ['-DCMAKE_BUILD_TYPE=Release', '-DKILN_SANITIZE=address']))
    for name, build, options in builds:
        yield 'build, ' + name, stage_build, (name, build, options)
        for label in ('unit', 'fuzz', 'scenario'):
            yield '%s tests, %s' % (label, name), stage_ctest, (name, build, label)
        yield 'conformance, ' + name, stage_conformance, (name, build)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('-j', '--jobs', type=int, default=os.cpu_count() or 2)
    parser.add_argument('--conformance-jobs', type=int, default=2 * (os.cpu_count() or 2),
                        help='cases at the same time: most of them wait most of their time')
    parser.add_argument('--release-only', action='store_true', help='without the sanitizer build')
    parser.add_argument('--asan-only', action='store_true', help='only the sanitizer build')
    args = parser.parse_args()
    os.environ['PATH'] = path_with_node(os.environ.get('PATH', ''))
    if not shutil.which('node'):
        say('no node in PATH: tools/setup.sh test installs it')

    tally = Tally()
    for title, function, arguments in stages(args):
        say('== %s' % title)
        start, before = time.monotonic(), (tally.passed, len(tally.failed))
        function(tally, args, *arguments)
        seconds = time.monotonic() - start
        tally.times.append((title, seconds))
        say('   %d passed, %d failed, %.1f s' % (tally.passed - before[0], len(tally.failed) - before[1], seconds))

    say('\ntime')
    for title, seconds in tally.times:
        say('%8.1f s  %s' % (seconds, title))
    say('%8.1f s  in all' % sum(seconds for _, seconds in tally.times))
    for title, names in (('failed', tally.failed), ('unsteady', tally.unsteady), ('skipped', tally.skipped)):
        if names:
            say('\n%s\n    %s' % (title, '\n    '.join(names)))
    say('\n%d passed, %d failed' % (tally.passed, len(tally.failed)))
    return 1 if tally.failed else 0


if __name__ == '__main__':
    sys.exit(main())
