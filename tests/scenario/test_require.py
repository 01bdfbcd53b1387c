#!/usr/bin/env python3
"""require() of k6's modules, by hand and in what bundlers write."""
import unittest

from kiln_runner import kiln, script

TEST = """
// esbuild's way to a default import
const toESM = (m) => {
  const copy = m && m.__esModule ? {} : Object.defineProperty({}, 'default', { value: m, enumerable: true });
  for (const key of Object.getOwnPropertyNames(m)) if (!(key in copy)) Object.defineProperty(copy, key, { get: () => m[key], enumerable: true });
  return copy;
};
const exec = require('k6/execution'), bundled = toESM(require('k6/execution')), http = toESM(require('k6/http')), ws = toESM(require('k6/ws'));
module.exports.options = { iterations: 1 };
module.exports.default = function () {
  console.log(exec.scenario.name, bundled.default.scenario.name, typeof http.default.get, typeof ws.default.connect, typeof exec.test.abort);
};
"""


class Require(unittest.TestCase):
    def test_a_module_with_a_default_export_alone_is_that(self):
        for arguments in [], ['--compat=v0.51']:
            done = kiln('run', '--quiet', *arguments, script(self, TEST))
            self.assertEqual(done.code, 0, done.err)
            self.assertEqual(done.messages, ['default default function function function'])


if __name__ == '__main__':
    unittest.main()
