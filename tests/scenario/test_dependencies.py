#!/usr/bin/env python3
"""kiln deps, "use k6" directives and K6_DEPENDENCIES_MANIFEST. Environment: KILN, path of the program."""
import json
import os
import tarfile
import tempfile
import unittest

from kiln_runner import kiln

CODE = 'export default function () { console.log("ran"); }'


class Dependencies(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='kiln-deps-')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, **files):
        for name, text in files.items():
            with open(os.path.join(self.folder, name + '.js'), 'w', encoding='utf-8') as f:
                f.write(text)
        return os.path.join(self.folder, 'main.js')

    def url(self, name):
        return 'file://%s/%s.js' % (self.folder, name)

    def deps(self, env=None, **files):
        run = kiln('deps', '--json', self.write(**files), env=env)
        self.assertEqual(run.code, 0, run.err)
        found = json.loads(run.out)
        return found['buildDependencies'], [i.replace('file://%s/' % self.folder, '') for i in found['imports']], \
            found['customBuildRequired']

    def test_imports_of_all_files(self):
        self.assertEqual(self.deps(main='import http from "k6/http"; import "./a.js"; throw new Error("does not run");',
                                   a='import b from "./b.js"; import foo from "k6/x/foo"; require("./none.js")',
                                   b='import { check } from "k6"; export default 1;'),
                         ({'k6': '*', 'k6/x/foo': '*'}, ['a.js', 'b.js', 'main.js', 'k6', 'k6/http', 'k6/x/foo'], True))

    def test_modules_that_kiln_has(self):
        self.assertEqual(self.deps(main='import redis from "k6/x/redis"; import sse from "k6/x/sse";'),
                         ({'k6': '*', 'k6/x/redis': '*', 'k6/x/sse': '*'}, ['main.js', 'k6/x/redis', 'k6/x/sse'], False))

    def test_directives(self):
        self.assertEqual(self.deps(
            main='#!/usr/bin/env kiln\n// first\n"use strict"; \'use k6   >= 2.0\';\n/* then */ "use k6 with k6/x/redis  ^0.4, <1"\n'
                 'import "./a.js"; import "k6/x/redis"; "use k6 with k6/x/late";',
            a='"use k6 with k6/x/alpha >= 1.2.3"; "use k6 with k6/x/beta"; import "k6/x/beta";'),
            ({'k6': '>=2.0', 'k6/x/redis': '^0.4 <1', 'k6/x/alpha': '>=1.2.3', 'k6/x/beta': '*'},
             ['a.js', 'main.js', 'k6/x/beta', 'k6/x/redis'], True))

    def test_the_manifest_speaks_where_directives_are_silent(self):
        env = {'K6_DEPENDENCIES_MANIFEST': '{"k6": ">=2.0.0-0", "k6/x/redis": "^1", "k6/x/other": "5"}'}
        self.assertEqual(self.deps(env, main='import "k6/x/redis";'),
                         ({'k6': '>=2.0.0-0', 'k6/x/redis': '^1'}, ['main.js', 'k6/x/redis'], True))
        self.assertEqual(self.deps(env, main='"use k6 >= 1"; "use k6 with k6/x/redis 0.4"; import "k6/x/redis";')[0],
                         {'k6': '>=1', 'k6/x/redis': '0.4'})
        run = kiln('run', self.write(main=CODE), env={'K6_DEPENDENCIES_MANIFEST': '{'})
        self.assertEqual(run.code, 255)
        self.assertIn('invalid dependencies manifest', run.err)

    def test_text(self):
        run = kiln('deps', self.write(main='import "k6/x/foo";'))
        self.assertEqual(run.out, 'Build Dependencies:\n  k6: *\n  k6/x/foo: *\n\nImports:\n  %s\n  k6/x/foo\n\n'
                                  'Custom Build Required: yes\n' % self.url('main'))

    def test_a_script_that_cannot_be_read(self):
        run = kiln('deps', self.write(main='import "./none.js";'))
        self.assertEqual(run.code, 107)
        self.assertIn('couldn\'t be found on local disk', run.err)

    def test_versions_are_checked_before_any_code_runs(self):
        path = self.write(main='"use k6 >= 3";' + CODE)
        run = kiln('run', '--quiet', path)
        self.assertEqual((run.code, run.messages), (107, []))
        self.assertIn('binary does not satisfy dependencies \\"k6>=3\\"', run.err)
        for arguments, env in (((), {'K6_AUTO_EXTENSION_RESOLUTION': 'false'}), (('--compat', 'v0.51'), {})):
            run = kiln(*arguments, 'run', '--quiet', path, env=env)
            self.assertEqual((run.code, run.messages), (0, ['ran']), run.err)
        run = kiln('run', '--quiet', self.write(main='"use k6 >= 2.2, < 3"; "use k6 with k6/x/redis >= 0.3";' + CODE))
        self.assertEqual((run.code, run.messages), (0, ['ran']), run.err)
        run = kiln('run', '--quiet', self.write(main='"use k6 with k6/x/redis > 1"; import "k6/x/redis";' + CODE))
        self.assertEqual(run.code, 107)
        self.assertIn('k6;k6/x/redis>1', run.err)

    def test_directives_that_make_no_sense(self):
        for text, words in (('"use k6 latest";', 'error while parsing use directives constraint \\"latest\\" for \\"k6\\" in \\"%s\\": '
                             'improper constraint: \\"latest\\"' % self.url('main')),
                            ('"use k6 >= 1"; "use k6 < 3";', 'error while parsing use directives in \\"%s\\": already have constraint '
                             'for \\"k6\\", when parsing \\"<3\\"' % self.url('main'))):
            run = kiln('run', self.write(main=text + CODE))
            self.assertEqual(run.code, 255)
            self.assertIn("could not load JS test '%s': %s" % (self.url('main'), words), run.err)

    def test_archives_keep_what_the_script_says(self):
        target = os.path.join(self.folder, 'test.tar')
        run = kiln('archive', '-O', target, self.write(main='"use k6 >= 2";import "k6/x/redis";' + CODE),
                   env={'K6_DEPENDENCIES_MANIFEST': '{"k6/x/redis": "^0.4"}'})
        self.assertEqual(run.code, 0, run.err)
        with tarfile.open(target) as tar:
            metadata = json.load(tar.extractfile('metadata.json'))
        self.assertEqual(metadata['dependencies'], {'k6': '>=2', 'k6/x/redis': '*'})
        run = kiln('run', '--quiet', target)
        self.assertEqual((run.code, run.messages), (0, ['ran']), run.err)


if __name__ == '__main__':
    unittest.main()
