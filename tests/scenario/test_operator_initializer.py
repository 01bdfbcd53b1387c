#!/usr/bin/env python3
"""What the operator's initializer pod does with the image: the lines I1 to I11 of the checklist."""
import io
import json
import os
import re
import shutil
import tarfile
import unittest

from kiln_runner import run_tests_together
from operator_harness import Pods, busybox

SIMPLE = """
import { sleep } from 'k6';
export const options = { scenarios: { a: { executor: 'constant-vus', vus: 4, duration: '3s' },
                                      b: { executor: 'constant-arrival-rate', rate: 5, duration: '2s', preAllocatedVUs: 2, maxVUs: 5 } },
                         thresholds: { http_req_duration: ['p(95)<500', { threshold: 'avg<300', abortOnFail: true, delayAbortEval: '5s' }] } };
export default function () { sleep(1); }
"""
EMPTY = 'export default function () { }'
# A value for each kind of flag; the rest by name.
VALUES = {'int': '2', 'duration': '1s', 'string': 'x'}
BY_NAME = {
    'stage': '1s:2', 'execution-segment': '0:1/2', 'execution-segment-sequence': '0,1/2,1', 'tag': 'a=b', 'env': 'A=b',
    'blacklist-ip': '10.0.0.0/8', 'block-hostnames': '*.example.com', 'summary-trend-stats': 'avg,p(99)', 'summary-time-unit': 'ms',
    'system-tags': 'status,url', 'local-ips': '127.0.0.1', 'dns': 'ttl=5m,select=random,policy=preferIPv4', 'type': 'js',
    'compatibility-mode': 'extended', 'summary-mode': 'compact', 'out': 'json=x', 'features': 'merge-run-tags', 'address': 'localhost:6565',
    'log-output': 'stderr', 'log-format': 'raw', 'compat': 'v2', 'http-debug': 'full', 'report': 'html=x.html', 'secret-source': 'mock=a=b',
}


def program(flags):
    """What the pod's shell runs (operator v1.6), in other words."""
    return """
        command -v k6 >/dev/null 2>&1 || { echo 'there is no k6 in PATH' >&2; exit 127; }
        mkdir -p "$(dirname "$ARCHIVE")" || exit 1
        k6 archive "$SCRIPT" -O "$ARCHIVE" %s 2>"$LOGS" || { cat "$LOGS"; exit 1; }
        k6 inspect --execution-requirements "$ARCHIVE" 2>"$LOGS" || { cat "$LOGS"; exit 1; }
        if grep 'level.*error' "$LOGS"; then exit 1; fi""" % flags


OLD_PROGRAM = """mkdir -p $(dirname $ARCHIVE) && k6 archive $SCRIPT -O $ARCHIVE 2> $LOGS && \
k6 inspect --execution-requirements $ARCHIVE 2>> $LOGS ; ! cat $LOGS | grep 'level=error'"""


class InitializerTest(unittest.TestCase):
    def setUp(self):
        self.pods = self.enterContext(Pods(as_user=True))
        self.tar = os.path.join(self.pods.results, 'sub', 'x.tar')
        os.mkdir(os.path.dirname(self.tar))
        os.chmod(os.path.dirname(self.tar), 0o777)

    def archive(self, script, *flags, env=None, says_error=False):
        done = self.pods.run('k6', 'archive', script, '-O', self.tar, *flags, env=env)
        self.assertEqual((done.code, done.out), (0, ''), done)
        if not says_error:
            self.assertNotRegex(done.err, 'level.*error')
        return done

    def inspect(self, path=None, env=None):
        done = self.pods.run('k6', 'inspect', '--execution-requirements', path or self.tar, env=env)
        self.assertEqual(done.code, 0, done)
        self.assertNotRegex(done.err, 'level.*error')
        return json.loads(done.out)  # one value: anything behind it is an error

    def requirements(self, text):
        self.archive(self.pods.script(text, 'test%d' % len(os.listdir(self.pods.folder))))
        found = self.inspect()
        return found['maxVUs'], found['totalDuration']

    def test_i1_archive_says_nothing(self):
        self.archive(self.pods.script(SIMPLE))
        self.assertTrue(os.path.getsize(self.tar))

    def test_i2_inspect_prints_one_json_value(self):
        self.archive(self.pods.script(SIMPLE))
        found = self.inspect()
        self.assertEqual((found['maxVUs'], found['totalDuration']), (9, '33s'))
        self.assertIs(type(found['maxVUs']), int)
        self.assertEqual(found['thresholds'], {'http_req_duration': [
            'p(95)<500', {'threshold': 'avg<300', 'abortOnFail': True, 'delayAbortEval': '5s'}]})

    def run_flags(self):
        """(name, short, kind, is the value optional) of every flag that run has."""
        help_text = self.pods.run('k6', 'run', '--help').out
        pattern = re.compile(r'^ +(?:-(\w), )?--([\w-]+)(?: (\S+?)(\[=\S+\])?)?(?:  +|$)', re.M)
        return [(m.group(2), m.group(1), m.group(3), m.group(4)) for m in pattern.finditer(help_text)
                if m.group(2) not in ('help', 'version', 'config')]

    def test_i3_archive_takes_every_flag_of_run(self):
        script = self.pods.script(EMPTY)
        flags = self.run_flags()
        self.assertGreater(len(flags), 50)
        for name, short, kind, is_optional in flags:
            value = BY_NAME.get(name, VALUES.get(kind, 'x'))
            forms = [['--' + name]] if kind is None else [['--%s=%s' % (name, value)]]
            if kind is not None and not is_optional:
                forms.append(['--' + name, value])
            if short:
                forms.append(['-' + short] if kind is None else ['-' + short, value])
            more = ['--execution-segment-sequence', '0,1/2,1'] if name == 'execution-segment' else []
            more += ['--execution-segment', '0:1/2'] if name == 'execution-segment-sequence' else []
            more += ['-u', '1'] if name == 'iterations' else ['-d', '1s'] if name in ('vus', 'stage') else []
            for form in forms:
                if name == 'stage':
                    more = []
                with self.subTest(' '.join(form)):
                    self.archive(script, *more, *form)
        self.archive(script, '--out=json=x', '-l', '--no-usage-report', '--tag', 'instance_id=1', '--address', '0.0.0.0:6565')
        self.assertEqual(os.listdir(os.path.dirname(self.tar)), ['x.tar'])

    def test_i4_an_awkward_variable_survives(self):
        awkward = 'a "b c" $d'
        script = self.pods.script("export const options = { vus: __ENV.A === %s ? 7 : 1, duration: '1s' };"
                                  "export default function () { console.log('A is ' + __ENV.A); }" % json.dumps(awkward))
        self.archive(script, '-e', 'A=' + awkward)
        self.assertEqual(self.inspect()['maxVUs'], 7)
        done = self.pods.run('k6', 'run', '-q', '-u', '1', '-i', '1', self.tar)
        self.assertEqual(done.code, 0, done)
        self.assertIn(r'A is a \"b c\" $d', done.err)

    def test_i5_options_of_archive_show_in_inspect(self):
        self.archive(self.pods.script(EMPTY), '--vus', '3', '--duration', '5s')
        found = self.inspect()
        self.assertEqual((found['maxVUs'], found['totalDuration']), (3, '35s'))
        self.assertEqual(list(found['scenarios']), ['default'])

    def test_i6_what_is_broken_is_an_error_in_logfmt(self):
        for text in ('export default function ( {', "import './nowhere.js'; export default function () { }", 'throw new Error("no");', 'let a = 1;'):
            done = self.pods.run('k6', 'archive', self.pods.script(text, 'test%d' % len(text)), '-O', self.tar)
            self.assertNotEqual(done.code, 0, text)
            self.assertRegex(done.err, r'(?m)^time="[^"]+" level=error msg=', text)
        done = self.pods.run('k6', 'archive', '/nowhere/test.js', '-O', self.tar)
        self.assertNotEqual(done.code, 0)
        self.assertIn('level=error', done.err)

    def test_i7_words_of_scripts_do_not_spoil_inspect(self):
        self.archive(self.pods.script("console.log('level error'); console.warn('an error'); console.info('error');"
                                      "export const options = { vus: 2, duration: '1s', errorRate: 5, unknownError: 'x' };" + EMPTY), says_error=True)
        self.assertEqual(self.inspect()['maxVUs'], 2)

    def test_i8_a_log_on_stdout_does_not_spoil_inspect(self):
        script = self.pods.script("console.log('hello'); " + SIMPLE)
        self.archive(script, env={'K6_LOG_OUTPUT': 'stdout'})
        self.assertEqual(self.inspect(env={'K6_LOG_OUTPUT': 'stdout'})['maxVUs'], 9)

    def test_i9_archives_are_archived_again(self):
        self.archive(self.pods.script(SIMPLE))
        again = os.path.join(self.pods.results, 'y.tar')
        done = self.pods.run('k6', 'archive', self.tar, '-O', again, '--tag', 'a=b')
        self.assertEqual((done.code, done.out), (0, ''), done)
        found = self.inspect(again)
        self.assertEqual((found['maxVUs'], found['tags']), (9, {'a': 'b'}))
        # Known by its content, whatever its name is.
        os.rename(again, os.path.join(self.pods.results, 'test.js'))
        self.assertEqual(self.inspect(os.path.join(self.pods.results, 'test.js'))['maxVUs'], 9)

    def test_i9_archives_of_k6_are_loaded(self):
        """As k6 writes them: the main script is a hard link to `data`."""
        def add(tar, name, content, link=None):
            entry = tarfile.TarInfo(name)
            entry.size = 0 if link else len(content)
            entry.type, entry.linkname = (tarfile.LNKTYPE, link) if link else (tarfile.REGTYPE, '')
            tar.addfile(entry, None if link else io.BytesIO(content.encode()))
        path = os.path.join(self.pods.results, 'k6.tar')
        with tarfile.open(path, 'w') as tar:
            add(tar, 'metadata.json', json.dumps({
                'type': 'js', 'filename': 'file:///test/test.js', 'pwd': 'file:///test/', 'env': {'N': '4'}, 'compatibilityMode': 'extended',
                'options': {'vus': 4, 'duration': '2s'}, 'k6version': '2.2.0', 'goos': 'linux'}))
            add(tar, 'data', "import { n } from './n.js'; export const options = { vus: n }; export default function () { console.log('n ' + n + __ENV.N); }")
            add(tar, 'file/test/n.js', 'export const n = 3;')
            add(tar, 'file/test/test.js', '', link='data')
        found = self.inspect(path)
        self.assertEqual((found['maxVUs'], found['totalDuration']), (4, '32s'))
        done = self.pods.run('k6', 'run', '-q', '-u', '1', '-i', '1', path)
        self.assertEqual(done.code, 0, done)
        self.assertIn('n 34', done.err)

    def test_i10_vus_and_duration_of_all_executors(self):
        # Numbers of k6: the greatest number of VUs that can be needed at a time, and the end of the last graceful stop.
        for options, wanted in (
                ("{ vus: 5, iterations: 10 }", (5, '10m30s')),
                ("{ vus: 5, duration: '90s' }", (5, '2m0s')),
                ("{ stages: [{ duration: '10s', target: 20 }, { duration: '5s', target: 0 }] }", (20, '45s')),
                ("{ scenarios: { a: { executor: 'shared-iterations', vus: 3, iterations: 9, maxDuration: '1m', gracefulStop: '5s' } } }", (3, '1m5s')),
                ("{ scenarios: { a: { executor: 'per-vu-iterations', vus: 3, iterations: 9, maxDuration: '1m', startTime: '10s' } } }", (3, '1m40s')),
                ("{ scenarios: { a: { executor: 'constant-vus', vus: 3, duration: '10s', gracefulStop: '0s' }, "
                 "b: { executor: 'constant-vus', vus: 4, duration: '10s', startTime: '10s' } } }", (4, '50s')),
                ("{ scenarios: { a: { executor: 'constant-vus', vus: 3, duration: '10s', gracefulStop: '5s' }, "
                 "b: { executor: 'constant-vus', vus: 4, duration: '10s', startTime: '10s' } } }", (7, '50s')),
                ("{ scenarios: { a: { executor: 'ramping-vus', startVUs: 2, stages: [{ duration: '10s', target: 8 }], gracefulRampDown: '0s' } } }", (8, '40s')),
                ("{ scenarios: { a: { executor: 'constant-arrival-rate', rate: 9, duration: '10s', preAllocatedVUs: 2, maxVUs: 11 } } }", (11, '40s')),
                ("{ scenarios: { a: { executor: 'ramping-arrival-rate', stages: [{ duration: '1m', target: 9 }], preAllocatedVUs: 6 } } }", (6, '1m30s'))):
            with self.subTest(options):
                self.assertEqual(self.requirements('export const options = %s; %s' % (options, EMPTY)), wanted)

    def shells(self):
        return [['dash']] + ([[busybox(), 'sh']] if busybox() else [])

    def initialize(self, shell, text, script, path=None):
        logs = os.path.join(self.pods.results, 'k6logs')
        env = {'SCRIPT': script, 'ARCHIVE': os.path.join(self.pods.results, 'dir', 'a.js.archived.tar'), 'LOGS': logs}
        if path:
            env['PATH'] = path
        return self.pods.run(*shell, '-c', text, env=env)

    def test_i11_the_pods_program(self):
        good = self.pods.script(SIMPLE)
        broken = self.pods.script('export default function ( {', 'broken')
        warns = self.pods.script("export const options = { errors: 'unknown' };" + EMPTY, 'warns')
        for shell in self.shells():
            with self.subTest(shell):
                done = self.initialize(shell, program('--vus 2 --duration 3s --tag x=y --summary-mode compact'), good)
                self.assertEqual(done.code, 0, done)
                self.assertEqual(json.loads(done.out)['maxVUs'], 2)
                self.assertEqual(self.initialize(shell, program(''), warns).code, 0)
                done = self.initialize(shell, program(''), broken)
                self.assertEqual(done.code, 1, done)
                self.assertIn('level=error', done.out)
                nothing = os.path.join(self.pods.folder, 'nothing')
                os.makedirs(nothing, exist_ok=True)
                done = self.pods.run(shutil.which(shell[0]), *shell[1:], '-c', program(''), env={'PATH': nothing})
                self.assertEqual(done.code, 127, done)

    def test_i11_the_program_of_older_operators(self):
        for shell in self.shells():
            with self.subTest(shell):
                done = self.initialize(shell, OLD_PROGRAM, self.pods.script(SIMPLE, 'good-' + shell[-1].replace('/', '')))
                self.assertEqual(done.code, 0, done)
                self.assertEqual(json.loads(done.out)['maxVUs'], 9)
                done = self.initialize(shell, OLD_PROGRAM, self.pods.script('let a = ;', 'bad-' + shell[-1].replace('/', '')))
                self.assertEqual(done.code, 1, done)


if __name__ == '__main__':
    run_tests_together(3)
