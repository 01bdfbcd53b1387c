#!/usr/bin/env python3
"""What deploy/ describes: the compose file against the Compose specification, files it names, images that hold every library
of their program; and make playground's script. Environment: KILN and QUICKPIZZA, paths of the programs."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

from debian_python import with_modules
from kiln_runner import kiln
from prometheus_server import free_port, get_json

HAS_MODULES = with_modules('jsonschema', 'yaml')
if HAS_MODULES:
    import jsonschema
    import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, '..', '..'))
DEPLOY = os.path.join(ROOT, 'deploy')
BUILD = os.path.dirname(os.path.abspath(os.environ.get('QUICKPIZZA', 'build/quickpizza')))


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as f:
        return f.read()


def load(*path):
    return yaml.safe_load(read(*path))


@unittest.skipUnless(HAS_MODULES, 'python3-jsonschema or python3-yaml is missing')
class Compose(unittest.TestCase):
    def setUp(self):
        self.compose = load(DEPLOY, 'compose.yaml')
        self.services = self.compose['services']

    def test_files_are_what_the_compose_specification_allows(self):
        schema = json.loads(read(HERE, 'schema', 'compose-spec.json'))
        validator = jsonschema.Draft7Validator(schema)
        for path in ('compose.yaml', 'deploy/compose.yaml'):
            self.assertEqual([e.message for e in validator.iter_errors(load(ROOT, path))], [], path)
        self.services['quickpizza']['port'] = 1
        self.assertNotEqual(list(validator.iter_errors(self.compose)), [])

    def test_the_root_has_it_under_the_name_that_docker_looks_for(self):
        for path in load(ROOT, 'compose.yaml')['include']:
            self.assertTrue(os.path.isfile(os.path.join(ROOT, path)))

    def test_what_the_workshop_expects(self):
        ports = {name: service.get('ports', []) for name, service in self.services.items()}
        self.assertEqual((ports['quickpizza'], ports['prometheus'], ports['grafana']),
                         (['3333:3333', '3334:3334'], ['9090:9090'], ['3000:3000']))
        self.assertEqual(self.compose['networks']['default']['name'], 'default_network')
        self.assertIn('--web.enable-remote-write-receiver', self.services['prometheus']['command'])
        self.assertIn('--enable-feature=native-histograms', self.services['prometheus']['command'])
        grafana = self.services['grafana']['environment']
        self.assertEqual((grafana['GF_AUTH_ANONYMOUS_ENABLED'], grafana['GF_AUTH_ANONYMOUS_ORG_ROLE']), ('true', 'Admin'))

    def test_images_are_of_a_version(self):
        for name, service in self.services.items():
            if 'build' not in service:
                self.assertRegex(service['image'], r':v?\d+\.\d+\.\d+$', name)

    def test_what_is_mounted_and_built_is_there(self):
        stages = re.findall(r'^FROM \S+ AS (\S+)', read(DEPLOY, 'Dockerfile'), re.M)
        for name, service in self.services.items():
            for volume in service.get('volumes', []):
                source = volume.split(':')[0]
                if source.startswith('.'):
                    self.assertTrue(os.path.exists(os.path.join(DEPLOY, source)), volume)
                else:
                    self.assertIn(source, self.compose['volumes'])
            if 'build' in service:
                build = service['build']
                context = os.path.normpath(os.path.join(DEPLOY, build['context']))
                self.assertEqual(context, ROOT)
                self.assertTrue(os.path.isfile(os.path.join(context, build['dockerfile'])))
                self.assertIn(build['target'], stages, name)

    def mounts(self, service):
        """{path in the container: path here}"""
        pairs = (volume.split(':')[:2] for volume in self.services[service]['volumes'])
        return {inside: os.path.join(DEPLOY, here) for here, inside in pairs if here.startswith('.')}

    def test_grafana_finds_its_source_and_the_dashboards(self):
        mounts = self.mounts('grafana')
        folder = mounts['/etc/grafana/provisioning']
        source, = load(folder, 'datasources', 'prometheus.yaml')['datasources']
        host, port = re.fullmatch(r'http://(\w+):(\d+)', source['url']).groups()
        self.assertIn('%s:%s' % (port, port), self.services[host]['ports'])
        self.assertEqual((source['type'], source['isDefault']), ('prometheus', True))
        provider, = load(folder, 'dashboards', 'kiln.yaml')['providers']
        dashboards = mounts[provider['options']['path']]
        names = [json.loads(read(dashboards, name))['uid'] for name in os.listdir(dashboards)]
        self.assertIn('ccbb2351-2ae2-462f-ae0e-f2c893ad1028', names)

    def test_prometheus_looks_at_quickpizza(self):
        config = next(word for word in self.services['prometheus']['command'] if word.startswith('--config.file='))
        path = self.mounts('prometheus')[config.split('=')[1]]
        targets = [t for job in load(path)['scrape_configs'] for s in job['static_configs'] for t in s['targets']]
        self.assertEqual(targets, ['quickpizza:3333'])

    @unittest.skipUnless(shutil.which('promtool'), 'promtool is missing')
    def test_prometheus_takes_its_configuration(self):
        run = subprocess.run(['promtool', 'check', 'config', os.path.join(DEPLOY, 'prometheus.yaml')], capture_output=True,
                             encoding='utf-8')
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


class Stage:
    def __init__(self, base, name):
        self.base, self.name, self.steps = base, name, []

    def packages(self):
        found = set()
        for step, text in self.steps:
            install = re.search(r'apt-get install -y --no-install-recommends ([^&]*)', text) if step == 'RUN' else None
            found |= set(install.group(1).split()) if install else set()
        return found


def read_stages():
    """The stages of deploy/Dockerfile by name, each with its instructions."""
    text = re.sub(r'^#.*\n', '', read(DEPLOY, 'Dockerfile'), flags=re.M).replace('\\\n', ' ')
    stages = {}
    for line in filter(str.strip, text.splitlines()):
        step, rest = line.split(None, 1)
        if step == 'FROM':
            base, name = re.fullmatch(r'(\S+) AS (\S+)', rest).groups()
            stage = stages[name] = Stage(base, name)
        else:
            stage.steps.append((step, rest))
    return stages


class Images(unittest.TestCase):
    def setUp(self):
        self.stages = read_stages()

    def test_a_small_base_and_stages_that_exist(self):
        for stage in self.stages.values():
            self.assertTrue(stage.base in self.stages or re.fullmatch(r'debian:\w+-slim', stage.base), stage.base)
            for step, text in stage.steps:
                found = re.match(r'--from=(\S+)', text)
                if step == 'COPY' and found:
                    self.assertIn(found.group(1), self.stages)

    def test_nobody_is_root(self):
        for name in ('quickpizza', 'kiln', 'kiln-with-browser'):
            users = [text for step, text in self.stages[name].steps if step == 'USER']
            # a number: Kubernetes' runAsNonRoot cannot judge a name
            self.assertEqual(users[-1], '12345', name)

    def test_kilns_image_stands_where_k6s_stands(self):
        steps = self.stages['kiln'].steps
        self.assertIn(('ENTRYPOINT', '["kiln"]'), steps)
        self.assertIn(('WORKDIR', '/home/k6'), steps)
        self.assertIn(('RUN', 'ln -s kiln /usr/bin/k6'), steps)

    @unittest.skipUnless(shutil.which('dpkg-query') and shutil.which('readelf'), 'not a Debian machine')
    def test_images_hold_every_library_of_their_program(self):
        for program in ('kiln', 'quickpizza'):
            there = self.closure(self.stages[program].packages())
            path = os.path.join(BUILD, program)
            needed = subprocess.run(['readelf', '-d', path], capture_output=True, encoding='utf-8', check=True).stdout
            libraries = set(re.findall(r'NEEDED.*\[(\S+)\]', needed))
            if any('asan' in library for library in libraries):
                self.skipTest('a sanitizer build, which is not what an image holds')
            if program == 'kiln':
                libraries |= {'libcurl.so.4', 'libpsl.so.5', 'libsnappy.so.1'}  # loaded when first needed
            for library in sorted(libraries):
                if not re.match(r'lib(c|m|gcc_s)\.so', library):
                    self.assertIn(self.package_of(library), there, '%s needs %s' % (program, library))

    @staticmethod
    def package_of(library):
        """The Debian package of a library; the one in use when there are several."""
        out = subprocess.run(['dpkg-query', '-S', '*/' + library], capture_output=True, encoding='utf-8').stdout
        found = re.search(r'^([a-z0-9.+-]+)(?::\w+)?: ', out, re.M)
        assert found, 'no package has ' + library
        return found.group(1)

    @staticmethod
    def closure(packages):
        """What apt installs with these, as far as this machine has it."""
        out = subprocess.run(['dpkg-query', '-W', '-f', '${Package}|${Pre-Depends}, ${Depends}\n'], capture_output=True,
                             encoding='utf-8', check=True).stdout
        depends = {}
        for line in out.splitlines():
            name, rest = line.split('|', 1)
            depends[name] = set(re.findall(r'(?:^|, |\| )([a-z0-9.+-]+)', rest))
        found, queue = set(), list(packages)
        while queue:
            name = queue.pop()
            if name not in found:
                found.add(name)
                queue += depends.get(name, ())
        return found


class WithoutContainers(unittest.TestCase):
    def start(self, ports):
        env = {k: v for k, v in os.environ.items() if not k.startswith('QUICKPIZZA')}
        env.update(BUILD=BUILD, PIZZA_PORT=str(ports[0]), PROMETHEUS_PORT=str(ports[1]))
        process = subprocess.Popen([os.path.join(ROOT, 'tools', 'playground.sh')], env=env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding='utf-8', start_new_session=True)
        self.addCleanup(lambda: (process.poll() is None and process.terminate(), process.wait(), process.stdout.close()))
        lines = []
        for line in process.stdout:
            lines.append(line)
            if 'Ctrl-C' in line:
                return process, ''.join(lines)
        self.fail('it ended: ' + ''.join(lines))

    def stop(self, process):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        self.assertEqual(process.wait(30), 0)

    def assert_free(self, ports):
        for port in ports:
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(('127.0.0.1', port), 5).close()

    def test_it_starts_stops_and_starts_again(self):
        ports = free_port(), free_port()
        for _ in range(2):
            process, text = self.start(ports)
            self.assertIn('quickpizza is at http://localhost:%d' % ports[0], text)
            url = 'http://127.0.0.1:%d' % ports[0]
            with urllib.request.urlopen(url + '/ready', timeout=10) as answer:
                self.assertEqual(answer.status, 200)
            if shutil.which('prometheus'):
                self.check_prometheus(url, 'http://127.0.0.1:%d' % ports[1], text)
            folder = os.path.dirname(re.search(r'log: (\S+?)\)', text).group(1))
            self.assertTrue(os.path.isdir(folder))
            self.stop(process)
            self.assert_free(ports)
            self.assertFalse(os.path.exists(folder))

    def check_prometheus(self, pizza, prometheus, text):
        self.assertIn('Prometheus is at', text)
        config = get_json(prometheus + '/api/v1/status/config')['data']['yaml']
        self.assertIn('- %s\n' % pizza[len('http://'):], config)
        run = kiln('run', '--quiet', '--out', 'experimental-prometheus-rw', 'examples/test.js', env={
            'BASE_URL': pizza, 'K6_PROMETHEUS_RW_SERVER_URL': prometheus + '/api/v1/write'})
        self.assertEqual(run.code, 0, run.err)
        found = get_json(prometheus + '/api/v1/query?query=k6_iterations_total')['data']['result']
        self.assertEqual([r['value'][1] for r in found], ['1'])

    def test_taken_ports_give_way(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            process, text = self.start((port, port))
            self.assertIn('something listens on port %d already: quickpizza takes' % port, text)
            other = int(re.search(r'quickpizza is at http://localhost:(\d+)', text).group(1))
            self.assertNotEqual(other, port)
            self.stop(process)
            self.assert_free([other])

    def test_a_server_that_ends_ends_the_rest(self):
        ports = free_port(), free_port()
        process, text = self.start(ports)
        pizza = subprocess.run(['pgrep', '-f', 'quickpizza --listen 127.0.0.1:%d$' % ports[0]], capture_output=True,
                               encoding='utf-8').stdout.split()
        os.kill(int(pizza[0]), signal.SIGKILL)
        self.assertEqual(process.wait(30), 1)
        self.assertIn('a server has stopped', process.stdout.read())
        end = time.monotonic() + 5
        while time.monotonic() < end and not self.is_free(ports[1]):
            time.sleep(0.05)
        self.assert_free(ports)

    @staticmethod
    def is_free(port):
        try:
            socket.create_connection(('127.0.0.1', port), 5).close()
            return False
        except ConnectionRefusedError:
            return True


if __name__ == '__main__':
    if sys.platform != 'linux':
        sys.exit(77)
    unittest.main()
