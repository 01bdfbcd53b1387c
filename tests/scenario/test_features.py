#!/usr/bin/env python3
"""Feature flags: where they come from, what they say and do."""
import json
import tempfile
import unittest

from kiln_runner import kiln, script

TEST = """
export const options = { tags: { a: 'b', k6_feature_old: 'true' } };
export default function () {
  try { __ENV.NEW = 'x'; } catch (e) { console.log(e.message); }
  console.log(JSON.stringify([__ENV.GIVEN, __ENV.NEW, __ENV.K6_FEATURES, Object.isFrozen(__ENV)]));
}
"""


class Features(unittest.TestCase):
    def run_with(self, *arguments, env=None, text=TEST):
        done = kiln('run', '--quiet', '-e', 'GIVEN=1', '-o', 'json=-', *arguments, script(self, text), env=env)
        self.assertEqual(done.code, 0, done.err)
        points = [json.loads(line) for line in done.out.splitlines() if line.startswith('{')]
        tags = next(point['data']['tags'] for point in points if point['metric'] == 'iterations' and point['type'] == 'Point')
        log = [(message, rest.strip()) for _, message, rest in done.log if 'source=console' not in rest]
        return [message.replace('\\', '') for message in done.messages], {name for name in tags if name.startswith('k6_feature')}, log

    def test_nothing_is_on(self):
        self.assertEqual(self.run_with(), (['["1","x",null,false]'], set(), []))

    def test_freeze_env(self):
        messages, tags, log = self.run_with('--features', 'freeze-env, merge-run-tags')
        self.assertEqual(messages, ['Cannot add property NEW, object is not extensible', '["1",null,"freeze-env,merge-run-tags",true]'])
        self.assertEqual(tags, {'k6_feature_freeze_env', 'k6_feature_merge_run_tags'})
        self.assertEqual(log, [('Experimental feature enabled', 'feature=%s lifecycle=experimental' % name) for name in ('freeze-env', 'merge-run-tags')])

    def test_flags_win_over_the_environment_and_that_over_the_config_file(self):
        with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
            file.write('{"features": ["freeze-env"]}')
            file.flush()
            config = ['-c', file.name]
            self.assertEqual(self.run_with(*config)[1], {'k6_feature_freeze_env'})
            env = {'K6_FEATURES': 'merge-run-tags'}
            self.assertEqual(self.run_with(*config, env=env)[1], {'k6_feature_merge_run_tags'})
            self.assertEqual(self.run_with(*config, '--features', 'native-histograms', env=env)[1], {'k6_feature_native_histograms'})

    def test_what_is_no_feature_is_said(self):
        self.assertEqual(self.run_with('--features', 'nope')[2], [('Unknown feature flag', 'feature=nope outcome=unknown source=cli')])
        log = self.run_with(env={'K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM': 'true'})[2]
        self.assertEqual(log[0][0], 'Legacy env var detected, use --features or K6_FEATURES instead')
        log = self.run_with(text='export const options = { features: ["freeze-env"] }; export default () => {};')[2]
        self.assertEqual(log, [('Feature flags in script options are not supported; use --features, K6_FEATURES, or the JSON config', 'source=options')])


if __name__ == '__main__':
    unittest.main()
