#!/usr/bin/env python3
"""The REST API of running tests, and the commands that use it.
Environment: KILN, path of the program."""
import http.client
import json
import signal
import socket
import threading
import time
import unittest

from kiln_runner import Started, free_port, kiln, run_tests_together, script

LOOP = """
import { sleep, check, group } from 'k6';
import { Counter } from 'k6/metrics';
const mine = new Counter('mine');
export const options = { vus: 2, duration: '60s', thresholds: { mine: ['count<1'] } };
export function setup() { return { made: 'by setup' }; }
export default function (data) {
  if (__ITER === 0) console.log(`data ${JSON.stringify(data)}`);
  group('outer', () => group('inner', () => { check(__ITER, { even: (i) => i % 2 === 0 }); mine.add(1); }));
  sleep(0.05);
}
export function teardown(data) { console.log(`teardown ${JSON.stringify(data)}`); }
"""

EXTERNAL = """
import { sleep } from 'k6';
import exec from 'k6/execution';
export const options = { scenarios: { outside: {
  executor: 'externally-controlled', vus: 1, maxVUs: 3, duration: '%s' } } };
export default function () { console.log(`vu ${exec.vu.idInTest}`); sleep(0.05); }
"""

LONG_SETUP = """
import { sleep } from 'k6';
export function setup() { console.log('setup begins'); sleep(50); }
export default function () { }
"""

SLOW_INIT = """
const begin = Date.now();
while (Date.now() - begin < 1500) { }
export default function () { console.log('started'); }
"""

ENDED, INTERRUPTED, PAUSED, RUNNING = 9, 10, 4, 7


class RestTest(unittest.TestCase):
    def start(self, text, *arguments, command=('run',), env=None):
        self.port = free_port()
        self.address = '127.0.0.1:%d' % self.port
        run = Started(*command, '--address', self.address, *arguments, script(self, text), env=env)
        run.__enter__()
        self.addCleanup(run.__exit__)
        self.run_ = run
        self.until(lambda: self.is_up(), 'the API is up')
        return run

    def is_up(self):
        try:
            socket.create_connection(('127.0.0.1', self.port), 1).close()
            return True
        except OSError:
            self.assertIsNone(self.run_.process.poll(), self.run_.err_text())
            return False

    def until(self, condition, what, seconds=20):
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            self.assertLess(time.monotonic(), end, 'never: ' + what + '\n' + self.run_.err_text()[-2000:])
            time.sleep(0.01)

    def call(self, method, path, body=None, timeout=10):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=timeout)
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text.startswith('{') else text

    def status(self):
        code, body = self.call('GET', '/v1/status')
        self.assertEqual(code, 200)
        return body['data']['attributes']

    def patch(self, **attributes):
        return self.call('PATCH', '/v1/status', json.dumps(
            {'data': {'type': 'status', 'id': 'default', 'attributes': attributes}}))

    def patched(self, **attributes):
        code, body = self.patch(**attributes)
        self.assertEqual(code, 200, body)
        return body['data']['attributes']

    def error_of(self, answer):
        error = answer[1]['errors'][0]
        self.assertEqual(error['status'], str(answer[0]))
        return answer[0], error['title'], error['detail']

    def wait_for_status(self, number):
        self.until(lambda: self.status()['status'] == number, 'status %d' % number)

    def sample(self, name):
        code, body = self.call('GET', '/v1/metrics/' + name)
        return body['data']['attributes']['sample'] if code == 200 else {}


class Lifecycle(RestTest):
    def test_a_paused_test_waits_for_resume(self):
        run = self.start(LOOP, '--paused', '--no-thresholds', '-d', '1s')
        self.wait_for_status(PAUSED)
        self.assertEqual(self.status(), {'status': PAUSED, 'paused': True, 'vus': 0, 'vus-max': 2, 'stopped': False,
                                         'running': False, 'tainted': False})
        self.assertNotIn('data ', run.err_text())
        self.assertFalse(self.patched(paused=False)['paused'])
        self.wait_for_status(RUNNING)
        # whoever starts many instances repeats what failed
        self.assertEqual(self.patch(paused=False, stopped=False)[0], 200)
        done = run.finish(20)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn('teardown {\\"made\\":\\"by setup\\"}', done.messages)

    def test_a_test_is_stopped(self):
        run = self.start(LOOP)
        run.wait_for('data ')
        self.assertTrue(self.patched(stopped=True)['stopped'])
        done = run.finish(10)
        self.assertEqual(done.code, 103, done.err)
        self.assertIn('teardown {\\"made\\":\\"by setup\\"}', done.messages)
        self.assertIn('test run stopped from REST API', [message for _, message, _ in done.log])
        self.assertGreater(done.count('iterations'), 0)

    def test_a_paused_test_is_stopped_at_once(self):
        run = self.start(LOOP, '--paused')
        self.wait_for_status(PAUSED)
        self.patched(stopped=True)
        done = run.finish(10)
        self.assertEqual(done.code, 103, done.err)
        self.assertEqual(done.messages, [])

    def test_older_versions_pause_and_scale_external_scenarios_only(self):
        run = self.start(LOOP, '--compat', 'v0.51')
        run.wait_for('data ')
        self.assertEqual(self.error_of(self.patch(paused=True)), (
            500, 'Pause error',
            "constant-vus executor 'default' doesn't support pause and resume operations after its start"))
        self.assertEqual(self.error_of(self.patch(vus=3))[1], 'Execution config error')

    def test_it_answers_while_the_script_is_loading(self):
        run = self.start(SLOW_INIT, '--paused')
        begin = time.monotonic()
        self.assertEqual(self.status()['status'], 0)
        self.assertLess(time.monotonic() - begin, 1)
        self.patched(paused=False)  # remembered
        done = run.finish(20)
        self.assertEqual((done.code, done.messages), (0, ['started']), done.err)

    def test_it_stays_while_a_finished_test_lingers(self):
        run = self.start(LOOP, '--linger', '--no-thresholds', '-d', '1s')
        self.wait_for_status(ENDED)
        status = self.status()
        self.assertFalse(status['running'] or status['stopped'], status)
        self.assertGreater(self.sample('iterations')['count'], 0)
        run.process.send_signal(signal.SIGINT)
        done = run.finish(10)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn('The test is done, but --linger was enabled, so kiln is waiting for Ctrl+C to continue...',
                      done.out)

    def test_a_stopped_test_lingers_too(self):
        run = self.start(LOOP, '--linger')
        run.wait_for('data ')
        self.patched(stopped=True)
        self.wait_for_status(INTERRUPTED)
        self.assertFalse(self.status()['running'])
        run.process.send_signal(signal.SIGINT)
        self.assertEqual(run.finish(10).code, 103)


class Data(RestTest):
    def test_metrics_and_groups_are_told_while_it_runs(self):
        run = self.start(LOOP)
        run.wait_for('data ')
        self.until(lambda: self.sample('mine').get('count', 0) > 3, 'a few iterations')
        code, body = self.call('GET', '/v1/metrics')
        metrics = {m['id']: m['attributes'] for m in body['data']}
        self.assertEqual((metrics['iterations']['type'], metrics['iterations']['contains']), ('counter', 'default'))
        self.assertEqual(sorted(metrics['iteration_duration']['sample']), ['avg', 'max', 'med', 'min', 'p(90)', 'p(95)'])
        self.assertGreaterEqual(metrics['iteration_duration']['sample']['min'], 50)
        groups = {g['attributes']['path']: g for g in self.call('GET', '/v1/groups')[1]['data']}
        self.assertEqual(list(groups)[0], '')
        self.assertEqual(groups['::outer']['relationships']['groups']['data'],
                         [{'type': 'groups', 'id': groups['::outer::inner']['id']}])
        check = groups['::outer::inner']['attributes']['checks'][0]
        self.assertEqual((check['name'], check['path']), ('even', '::outer::inner::even'))
        self.assertGreater(check['passes'] * check['fails'], 0)
        one = self.call('GET', '/v1/groups/' + groups['::outer']['id'])[1]['data']
        self.assertEqual(one['attributes']['name'], 'outer')
        self.until(lambda: self.status()['tainted'], 'a failed threshold')
        self.assertIs(self.call('GET', '/v1/metrics/mine')[1]['data']['attributes']['tainted'], True)

    def test_setup_runs_when_asked_and_its_data_can_be_replaced(self):
        run = self.start(LOOP, '--paused', '--no-setup', '--no-teardown', '--linger', '-d', '1s', '--no-thresholds')
        self.wait_for_status(PAUSED)
        self.assertEqual(self.call('GET', '/v1/setup')[1]['data']['attributes'], {})
        self.assertEqual(self.call('POST', '/v1/setup')[1]['data']['attributes'], {'data': {'made': 'by setup'}})
        self.assertEqual(self.call('PUT', '/v1/setup', '{"a": 7}')[1]['data']['attributes'], {'data': {'a': 7}})
        self.assertEqual(self.error_of(self.call('PUT', '/v1/setup', '{"a"'))[:2], (400, 'Error parsing request body'))
        self.patched(paused=False)
        self.wait_for_status(ENDED)
        self.assertEqual(self.call('POST', '/v1/teardown'), (200, ''))
        run.process.send_signal(signal.SIGINT)
        done = run.finish(10)
        self.assertEqual(done.messages, ['data {\\"a\\":7}'] * 2 + ['teardown {\\"a\\":7}'], done.err)

    def test_errors_of_setup_are_told(self):
        self.start('export function setup() { throw new Error("no luck"); } export default function () { }',
                   '--paused')
        self.wait_for_status(PAUSED)
        code, title, detail = self.error_of(self.call('POST', '/v1/setup'))
        self.assertEqual((code, title), (500, 'Error executing setup'))
        self.assertIn('Error: no luck\n\tat setup (file://', detail)

    def test_a_long_setup_blocks_nobody_and_ends_with_the_test(self):
        run = self.start(LONG_SETUP, '--paused', '--no-setup')
        self.wait_for_status(PAUSED)
        answers = []
        asker = threading.Thread(target=lambda: answers.append(self.call('POST', '/v1/setup', timeout=60)))
        asker.start()
        run.wait_for('setup begins')
        self.assertEqual(self.status()['status'], PAUSED)
        self.patched(stopped=True)
        done = run.finish(20)
        asker.join(20)
        self.assertEqual(done.code, 103)
        self.assertEqual(self.error_of(answers[0])[:2], (500, 'Error executing setup'))


class External(RestTest):
    def test_vus_come_and_go(self):
        run = self.start(EXTERNAL % '60s')
        run.wait_for('vu 1')
        self.assertEqual(self.patched(vus=3)['vus'], 3)
        run.wait_for('vu 3')
        status = self.patched(**{'vus': 5, 'vus-max': 6})
        self.assertEqual((status['vus'], status['vus-max']), (5, 6))
        run.wait_for('vu 5')
        status = self.patched(**{'vus': 2, 'vus-max': 3})
        self.assertEqual((status['vus'], status['vus-max']), (2, 3))
        status = self.patched(**{'vus': 4, 'vus-max': 4})
        self.assertEqual((status['vus'], status['vus-max']), (4, 4))
        self.assertEqual(self.patched(vus=0)['vus'], 0)
        self.patched(stopped=True)
        done = run.finish(10)
        self.assertEqual(done.code, 103, done.err)
        self.assertIn('Externally controlled execution with 1 VUs, 3 max VUs, 1m0s duration', done.out)

    def test_wrong_numbers_are_refused(self):
        run = self.start(EXTERNAL % '60s')
        run.wait_for('vu 1')
        self.assertEqual(self.error_of(self.patch(vus=4)), (
            400, 'Config update error', 'invalid configuration supplied: the number of active VUs (4) must be less '
                                        'than or equal to the number of maxVUs (3)'))
        self.assertEqual(self.error_of(self.patch(vus=-1))[2],
                         "invalid configuration supplied: the number of VUs can't be negative")
        self.assertEqual(self.error_of(self.patch(**{'vus-max': 2}))[2],
                         'the new number of max VUs cannot be lower than the starting number of max VUs (3)')
        self.assertEqual(self.error_of(self.patch(**{'vus-max': 10 ** 12}))[0], 400)
        self.assertEqual(self.status()['vus'], 1)

    def test_a_pause_stops_iterations_and_the_clock(self):
        run = self.start(EXTERNAL % '3s')
        run.wait_for('vu 1')
        self.assertTrue(self.patched(paused=True)['paused'])
        self.assertEqual(self.status()['vus'], 0)
        before = self.sample('iterations')
        self.assertEqual(self.error_of(self.patch(paused=True)), (
            500, 'Pause error', 'test execution was already paused'))
        self.patched(vus=2)  # takes effect with the resume
        self.assertEqual(self.status()['vus'], 0)
        paused_for = 3.2  # longer than the whole test is
        end = time.monotonic() + paused_for
        self.until(lambda: time.monotonic() > end, 'time passes')
        self.assertEqual(self.sample('iterations'), before)
        self.assertEqual(self.patched(paused=False)['vus'], 2)
        done = run.finish(20)
        self.assertEqual(done.code, 0, done.err)
        self.assertGreaterEqual(done.seconds, 3 + paused_for)
        self.assertAlmostEqual(done.ticks[-1][0], 3, delta=0.5)
        self.assertTrue(any(line.startswith('paused (') for line in done.out.splitlines()), done.out)

    def test_it_may_be_scaled_before_its_start(self):
        run = self.start(EXTERNAL % '60s', '--paused')
        self.wait_for_status(PAUSED)
        self.patched(**{'vus': 4, 'vus-max': 5})
        self.patched(paused=False)
        run.wait_for('vu 4')
        self.until(lambda: self.status()['vus-max'] == 5, 'five VUs')
        self.patched(stopped=True)
        self.assertEqual(run.finish(10).code, 103)

    def test_without_duration_it_runs_until_stopped(self):
        run = self.start(EXTERNAL % '0')
        run.wait_for('vu 1')
        self.assertGreaterEqual(self.until(lambda: self.sample('iterations').get('count'), 'iterations'), 1)
        self.patched(stopped=True)
        done = run.finish(10)
        self.assertEqual(done.code, 103, done.err)
        self.assertIn('infinite duration', done.out)

    def test_ctrl_c_ends_a_paused_test(self):
        run = self.start(EXTERNAL % '60s')
        run.wait_for('vu 1')
        self.patched(paused=True)
        run.process.send_signal(signal.SIGINT)
        self.assertEqual(run.finish(10).code, 105)


SCENARIOS = {
    'constant-vus': "vus: 2, duration: '1500ms'",
    'ramping-vus': "startVUs: 2, stages: [{ duration: '1500ms', target: 2 }]",
    'shared-iterations': 'vus: 2, iterations: 60',
    'per-vu-iterations': 'vus: 2, iterations: 30',
    'constant-arrival-rate': "rate: 40, duration: '1500ms', preAllocatedVUs: 5",
    'ramping-arrival-rate': "startRate: 40, stages: [{ duration: '1500ms', target: 40 }], preAllocatedVUs: 5",
}
ITERATES = """
import { sleep } from 'k6';
export const options = { scenarios: { one: { executor: '%s', %s } } };
export default function () { if (__VU === 1 && __ITER === 0) console.log('first'); sleep(0.05); }
"""


class AnyExecutor(RestTest):
    def pause_and_go_on(self, executor):
        run = self.start(ITERATES % (executor, SCENARIOS[executor]))
        run.wait_for('first')
        self.assertTrue(self.patched(paused=True)['paused'])
        count = self.settled()
        end = time.monotonic() + 2  # longer than the scenario is
        while time.monotonic() < end:
            self.assertTrue(self.status()['running'])
            time.sleep(0.1)
        self.assertEqual(self.sample('iterations').get('count', 0), count)
        self.assertFalse(self.patched(paused=False)['paused'])
        done = run.finish(20)
        self.assertEqual(done.code, 0, done.err)
        self.assertNotIn('dropped_iterations', done.summary)
        self.assertGreater(done.count('iterations'), count)
        if executor not in ('constant-vus', 'ramping-vus'):
            self.assertAlmostEqual(done.count('iterations'), 60, delta=1)

    def settled(self):
        """The number of iterations when those that were running have ended."""
        last = []
        self.until(lambda: last.append(self.sample('iterations').get('count', 0)) or (len(last) > 20 and len(set(last[-20:])) == 1),
                   'no more iterations')
        return last[-1]

    def come_and_go(self, executor, fields):
        run = self.start(ITERATES % (executor, fields))
        run.wait_for('first')
        status = self.patched(vus=4)
        self.assertEqual((status['vus'], status['vus-max']), (4, 4))
        self.patched(vus=2)
        self.until(lambda: self.status()['vus'] == 2, 'two VUs')
        self.assertEqual(self.patched(vus=3)['vus'], 3)
        self.assertEqual(self.error_of(self.patch(vus=0))[2], 'the number of VUs must be 1 to 100000000')
        self.patched(stopped=True)
        self.assertEqual(run.finish(10).code, 103)

    def test_constant_vus_come_and_go(self):
        self.come_and_go('constant-vus', "vus: 1, duration: '60s'")

    def test_vus_of_shared_iterations_come_and_go(self):
        self.come_and_go('shared-iterations', 'vus: 1, iterations: 1000000')

    def test_an_arrival_rate_gets_more_vus(self):
        run = self.start("""
            import { sleep } from 'k6';
            export const options = { scenarios: { one: { executor: 'constant-arrival-rate', rate: 20, duration: '60s', preAllocatedVUs: 1 } } };
            export default function () { sleep(1.5); }""")
        run.wait_for('Insufficient VUs, reached 1 active VUs')
        self.assertEqual(self.error_of(self.patch(vus=3))[0], 400)
        self.patched(**{'vus-max': 4})
        self.until(lambda: self.status()['vus-max'] == 4, 'four VUs')
        run.wait_for('Insufficient VUs, reached 4 active VUs')
        self.patched(stopped=True)
        self.assertEqual(run.finish(10).code, 103)

    def test_a_paused_test_can_be_stopped(self):
        run = self.start(ITERATES % ('constant-vus', "vus: 2, duration: '60s'"))
        run.wait_for('first')
        self.patched(paused=True)
        self.patched(stopped=True)
        self.assertEqual(run.finish(10).code, 103)


for name in SCENARIOS:
    setattr(AnyExecutor, 'test_pause_' + name.replace('-', '_'), lambda self, name=name: self.pause_and_go_on(name))


class Commands(RestTest):
    def ask(self, *arguments):
        return kiln(*arguments, '--address', self.address)

    def test_they_print_yaml(self):
        run = self.start(EXTERNAL % '60s', '--paused')
        self.wait_for_status(PAUSED)
        self.assertEqual(self.ask('status').out, 'status: 4\npaused: "true"\nvus: "0"\nvus-max: "3"\nstopped: false\n'
                                                 'running: false\ntainted: false\n')
        self.assertIn('paused: "false"', self.ask('resume').out)
        run.wait_for('vu 1')
        self.assertIn('vus: "2"\nvus-max: "4"', self.ask('scale', '-u', '2', '-m', '4').out)
        self.assertIn('paused: "true"', self.ask('pause').out)
        out = self.ask('stats').out
        self.assertIn('- name: iterations\n  type:\n    type: counter\n    valid: true\n  contains:\n'
                      '    type: default\n    valid: true\n  tainted: ""\n  sample:\n    count: ', out)
        self.assertIn('\n    p(95): ', out)

    def test_errors_are_told(self):
        run = self.start(LOOP, '--compat', 'v0.51')
        run.wait_for('data ')
        done = self.ask('pause')
        self.assertEqual(done.code, 255)
        self.assertIn("Pause error: constant-vus executor 'default' doesn't support", done.err)
        done = self.ask('scale')
        self.assertIn('Specify either -u/--vus or -m/--max', done.err)

    def test_without_an_address_there_is_nobody_to_ask(self):
        done = kiln('stats')
        self.assertEqual(done.code, 255)
        self.assertIn('The REST API server is disabled, but this command needs to read metrics from it. Enable it by '
                      'setting --address or K6_ADDRESS.', done.err)
        port = free_port()
        done = kiln('status', env={'K6_ADDRESS': '127.0.0.1:%d' % port})
        self.assertEqual(done.code, 255)
        self.assertIn('dial tcp 127.0.0.1:%d: connect: connection refused' % port, done.err)


class Address(unittest.TestCase):
    def occupy(self, port):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.addCleanup(s.close)
        try:
            s.bind(('127.0.0.1', port))
            s.listen()
        except OSError:
            pass  # somebody else has it: as good
        return s.getsockname()[1]

    def test_a_busy_port_that_was_asked_for_is_an_error(self):
        address = '127.0.0.1:%d' % self.occupy(0)
        file = script(self, 'export default function () { }')
        done = kiln('run', '--address', address, file)
        self.assertEqual(done.code, 106, done.err)
        self.assertIn('msg="Error from API server" error="listen tcp %s: bind: address already in use"' % address,
                      done.err)
        self.assertEqual(done.summary, {})

    def test_a_busy_port_by_variable_is_a_warning(self):
        address = '127.0.0.1:%d' % self.occupy(0)
        done = kiln('run', script(self, 'export default function () { }'), env={'K6_ADDRESS': address})
        self.assertEqual(done.code, 0, done.err)
        self.assertIn('level=warning msg="Error from API server"', done.err)

    def test_the_default_depends_on_the_version(self):
        self.occupy(6565)
        file = script(self, 'export default function () { }')
        self.assertNotIn('API server', kiln('run', file).err)
        done = kiln('run', '--compat', 'v0.51', file)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn('level=warning msg="Error from API server" error="listen tcp 127.0.0.1:6565: bind: '
                      'address already in use"', done.err)

    def test_profiling_needs_the_server(self):
        done = kiln('run', '--profiling-enabled', script(self, 'export default function () { }'))
        self.assertIn("Profiling is enabled but no REST API server is running", done.err)


if __name__ == '__main__':
    run_tests_together()
