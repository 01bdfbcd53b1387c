#!/usr/bin/env python3
"""--secret-source=url against a real server: templates, headers, paths, retries, one request a secret.
Environment: KILN, path of the program."""
import json
import unittest

from http_server import HttpServer
from kiln_runner import kiln, script

SCRIPT = """
import secrets from 'k6/secrets';
export const options = { vus: 2, iterations: 4 };
export default async function () {
  try {
    const value = await secrets.get(__ENV.KEY);
    console.log(value.length, value);
  } catch (e) { console.log(String(e)); }
}
"""


class Secrets(unittest.TestCase):
    def serve(self, answer):
        """What was asked for, and where: answer makes (status, body) of a path and the number of the request."""
        seen = []

        def serve(http):
            seen.append((http.path, http.headers.get('X-Token')))
            http.answer(*answer(http.path, len(seen)))
        server = HttpServer(serve)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return seen, server.url

    def run_script(self, source, key):
        return kiln('run', '--quiet', f'--secret-source=url={source}', '-e', f'KEY={key}', script(self, SCRIPT))

    def test_value_at_a_path_is_fetched_and_masked(self):
        seen, base = self.serve(lambda path, n: (200, json.dumps({'data': {'v': 'a "quoted" secret'}}).encode()))
        run = self.run_script(f'urlTemplate={base}/v1/{{key}},responsePath=data.v,headers.X-Token=abc', 'key')
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(set(run.messages), {'17 ***SECRET_REDACTED***'})
        self.assertEqual(set(seen), {('/v1/key', 'abc')})
        self.assertLessEqual(len(seen), 2)  # VUs may ask at the same time, later ones find it

    def test_server_errors_are_tried_again(self):
        seen, base = self.serve(lambda path, n: (503, b'') if n <= 2 else (200, b'plain'))
        run = self.run_script(f'urlTemplate={base}/{{key}},retryBackoff=1ms', 'k')
        self.assertIn('5 ***SECRET_REDACTED***', run.messages)

    def test_refusals_are_not(self):
        seen, base = self.serve(lambda path, n: (404, b''))
        run = self.run_script(f'urlTemplate={base}/{{key}}', 'k')
        self.assertEqual(set(run.messages), {'status code 404: failed to get secret'})
        self.assertEqual(len(seen), 4)

    def test_what_is_no_string_is_an_error(self):
        _, base = self.serve(lambda path, n: (200, b'{"n": 5}'))
        run = self.run_script(f'urlTemplate={base}/{{key}},responsePath=n', 'k')
        self.assertEqual(set(run.messages),
                         {r'failed to extract secret: secret value at path \"n\" is not a string (got Number)'})


if __name__ == '__main__':
    unittest.main()
