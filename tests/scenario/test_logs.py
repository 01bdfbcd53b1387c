#!/usr/bin/env python3
"""Where the log goes: Loki."""
import json
import unittest

from http_server import HttpServer
from kiln_runner import free_port, kiln, run_tests_together, script

SCRIPT = """
export const options = { vus: 1, iterations: 3 };
export default function () { console.log(`line ${__ITER}`); console.warn('careful'); console.debug('quiet'); }
"""


class Loki(HttpServer):
    def __init__(self, status):
        super().__init__(self.push)
        self.status, self.pushes, self.heads = status, [], []

    def push(self, http):
        self.heads.append((http.path, dict(http.headers)))
        self.pushes.append(json.loads(http.body()))
        http.answer(self.status, 'go away' if self.status >= 400 else '')

    def lines(self):
        """(labels, text) in order of time."""
        found = [(int(stamp), s['stream'], text) for push in self.pushes for s in push['streams'] for stamp, text in s['values']]
        return [(labels, text) for _, labels, text in sorted(found, key=lambda line: line[0])]


class LokiTest(unittest.TestCase):
    def run_with(self, options='', status=204, text=SCRIPT, *arguments):
        with Loki(status) as server:
            url = server.url + '/loki/api/v1/push'
            run = kiln('run', '--quiet', '--log-output', 'loki=' + url + options, *arguments, script(self, text))
        return run, server

    def test_lines_come_with_their_labels(self):
        run, server = self.run_with(',label.app=shop,header.X-Scope-OrgID=me,pushPeriod=100ms')
        self.assertEqual((run.code, run.err), (0, ''))
        labels = {'level': 'info', 'source': 'console', 'app': 'shop'}
        lines = server.lines()
        self.assertEqual([text for _, text in lines], ['line 0', 'careful', 'line 1', 'careful', 'line 2', 'careful'])
        self.assertEqual((lines[0][0], lines[1][0]), (labels, {**labels, 'level': 'warning'}))
        path, head = server.heads[0]
        self.assertEqual((path, head['X-Scope-OrgID'], head['Content-Type']), ('/loki/api/v1/push', 'me', 'application/json'))

    def test_labels_that_are_not_allowed_go_into_the_text_and_levels_are_kept_out(self):
        _, server = self.run_with(',allowedLabels=[level],level=warn')
        self.assertEqual(server.lines(), [({'level': 'warning'}, 'careful source=console')] * 3)

    def test_what_is_above_the_limit_is_dropped_and_said(self):
        _, server = self.run_with(',limit=2,pushPeriod=20s')
        self.assertEqual([text for _, text in server.lines()], [
            'line 0', 'careful', 'k6 dropped 4 log messages because they were above the limit of 2 messages / 20s'])

    def test_long_messages_lose_their_middle(self):
        _, server = self.run_with(',msgMaxSize=10', 204, "export default function () { console.log('äbcde' + 'x'.repeat(90) + 'vwxyz'); }")
        self.assertEqual([text for _, text in server.lines()], ['äbcde... omitting 90 characters ...vwxyz'])

    def test_its_own_errors_go_to_stderr(self):
        run, _ = self.run_with('', 400)
        self.assertEqual(run.code, 0)
        self.assertIn('level=error msg="Error while sending logs to loki" error="got 400 from loki: go away"', run.err)
        run = kiln('run', '--log-output', 'loki=http://127.0.0.1:%d/' % free_port(), script(self, SCRIPT))
        self.assertEqual(run.code, 0)
        self.assertIn('connection refused', run.err)

    def test_a_wrong_configuration_is_refused(self):
        for options, words in ((',limit=0', 'loki limit needs to be a positive number, is 0'), (',nope=1', 'unknown loki config key nope'),
                               (',pushPeriod=x', "couldn't parse the loki pushPeriod time: invalid duration"), (',level=x', 'unknown log level x')):
            run = kiln('run', '--log-output', 'loki=http://127.0.0.1:1/' + options, 'none.js')
            self.assertEqual(run.code, 255)
            self.assertIn(words, run.err)


if __name__ == '__main__':
    run_tests_together()
