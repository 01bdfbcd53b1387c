#!/usr/bin/env python3
"""examples/kubernetes: the manifests' own flags, on four runners and with the final job."""
import os
import sys
import unittest

from operator_harness import Pods
from kiln_runner import free_port
from quickpizza_server import QuickPizza

try:
    import yaml
except ImportError:
    print('skipped: there is no PyYAML (tools/setup.sh test installs it)')
    sys.exit(77)

FOLDER = os.path.join(os.path.dirname(__file__), '..', '..', 'examples', 'kubernetes')


def manifests(name):
    with open(os.path.join(FOLDER, name), encoding='utf-8') as f:
        return {item['kind']: item for item in yaml.safe_load_all(f)}


class ExampleTest(unittest.TestCase):
    def test_the_run_gives_one_result(self):
        parts, job = manifests('testrun.yaml'), manifests('merge.yaml')['Job']
        run = parts['TestRun']
        n = run['spec']['parallelism']
        claim = run['spec']['runner']['volumes'][0]['persistentVolumeClaim']['claimName']
        pod = job['spec']['template']['spec']
        self.assertEqual(claim, parts['PersistentVolumeClaim']['metadata']['name'])
        self.assertEqual(claim, pod['volumes'][0]['persistentVolumeClaim']['claimName'])
        self.assertEqual(run['spec']['script']['configMap']['name'], parts['ConfigMap']['metadata']['name'])
        self.assertEqual(run['spec']['runner']['volumeMounts'], pod['containers'][0]['volumeMounts'])
        with Pods(run['metadata']['name']) as pods, QuickPizza('--quiet') as pizza:
            script = pods.script(parts['ConfigMap']['data']['test.js'].replace("duration: '2m'", "duration: '3s'"))
            ports = [free_port() for _ in range(n)]

            def here(text):
                """The volume and the first Service, which stands for the first pod."""
                return text.replace('/results', pods.results).replace('%t-service-1:6565', '127.0.0.1:%d' % ports[0]).replace('%h', '%t-%i')
            flags = [here(flag) for flag in run['spec']['args']]
            runners = []
            for i, port in enumerate(ports, 1):
                argv = pods.runner_argv(script, i, n, *flags, address='0.0.0.0:%d' % port)
                runners.append(pods.start(argv, env={'TARGET': 'http://%s:%d' % (pizza.host, pizza.port)}, address='127.0.0.1:%d' % port))
            pods.wait_until_paused()
            pods.start_test()
            done = pods.run(*[here(word) for word in pod['containers'][0]['command']])
            self.assertEqual(done.code, 0, done)
            self.assertIn('merged: %d of %d instances' % (n, n), done.out)
            self.assertIn('✓ status is 200', done.out)
            for runner in runners:
                self.assertEqual(runner.finish().code, 0)
            self.assertEqual(sorted(os.listdir(os.path.join(pods.results, pods.name))),
                             ['%s-%d.kiln' % (pods.name, i) for i in range(1, n + 1)] + ['report.html', 'report.xml', 'summary.json'])


if __name__ == '__main__':
    unittest.main(verbosity=1)
