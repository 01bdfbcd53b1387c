#!/usr/bin/env python3
"""WebSockets: the workshop's script against the playground, and scripts against a scripted peer.
Environment: KILN, QUICKPIZZA."""
import signal
import struct
import threading
import unittest

from kiln_runner import Started, kiln, script
from quickpizza_server import QuickPizza
from websocket_peer import BINARY, CLOSE, TEXT, Connection, Peer


class Workshop(unittest.TestCase):
    def test_two_vus_see_each_others_messages_until_the_time_is_over(self):
        with QuickPizza() as server:
            with Started('run', '--compat', 'v0.51', '-e', 'BASE_URL=ws://127.0.0.1:%d' % server.port, '-u', '2',
                         '-d', '1h', 'examples/websockets.js') as run:
                for receiver in (1, 2):
                    for sender in (1, 2):
                        run.wait_for('VU %d received: VU %d msg: new_pizza' % (receiver, sender))
                run.process.send_signal(signal.SIGINT)
                done = run.finish(10)
        self.assertEqual(done.code, 105)
        self.assertEqual(done.count('ws_sessions'), 2)
        sent, received = done.count('ws_msgs_sent'), done.count('ws_msgs_received')
        self.assertTrue(sent >= 2 and received >= 4, (sent, received))
        self.assertEqual(len(done.messages), received)
        self.assertEqual([text for _, text, _ in done.log].count(
            'setInterval 1 was stopped because the VU iteration was interrupted'), 2)

    def test_the_end_of_the_duration_closes_the_sockets(self):
        with QuickPizza() as server:
            path = script(self, '''
                import { WebSocket } from 'k6/websockets';
                export const options = { scenarios: { s: { executor: 'constant-vus', vus: 2, duration: '1s',
                                                           gracefulStop: '0s' } } };
                export default function () {
                    const ws = new WebSocket('ws://127.0.0.1:%d/ws');
                    ws.onopen = () => setInterval(() => ws.send('VU ' + __VU), 50);
                    ws.onmessage = (e) => console.log(__VU + ' got ' + e.data);
                }''' % server.port)
            run = kiln('run', path)
        self.assertEqual(run.code, 0, run.err)
        for message in ('1 got VU 1', '1 got VU 2', '2 got VU 1', '2 got VU 2'):
            self.assertIn(message, run.messages)
        self.assertEqual(run.ticks[-1][3:], (0, 2))
        self.assertNotIn('ws_session_duration', run.summary)
        self.assertLess(run.seconds, 10)


class Scripted(unittest.TestCase):
    def run_script(self, serve, body, *arguments, module='k6/websockets'):
        with Peer(serve) as peer:
            path = script(self, "import ws, { WebSocket, Blob } from '%s';\nconst URL = '%s';\n%s"
                          % (module, peer.url, body))
            return kiln('run', '--quiet', *arguments, path)

    def test_many_sockets_in_one_vu(self):
        run = self.run_script(Connection.echo, '''
            export default function () {
                let sum = 0, left = 20;
                for (let i = 0; i < 20; i++) {
                    const ws = new WebSocket(URL);
                    ws.addEventListener('open', () => ws.send(String(i)));
                    ws.addEventListener('message', (e) => { sum += Number(e.data); ws.close(); });
                    ws.addEventListener('close', () => { if (--left === 0) console.log('sum', sum); });
                }
            }''')
        self.assertEqual(run.messages, ['sum 190'], run.err)
        self.assertEqual(run.count('ws_sessions'), 20)

    def test_large_messages_both_ways(self):
        run = self.run_script(Connection.echo, '''
            export default function () {
                const ws = new WebSocket(URL);
                const text = 'abcdefgh'.repeat(256 * 1024);
                let n = 0;
                ws.onopen = () => { for (let i = 0; i < 4; i++) ws.send(text); console.log(ws.bufferedAmount); };
                ws.onmessage = (e) => {
                    console.log(e.data === text);
                    if (++n === 4) { console.log(ws.bufferedAmount); ws.close(3001, 'enough'); }
                };
                ws.onclose = (e) => console.log(e.code, e.reason);
            }''')
        self.assertEqual(run.messages, ['8388608'] + ['true'] * 4 + ['0', '3001 enough'], run.err)

    def test_kinds_of_data_that_are_sent(self):
        got = []

        def serve(connection):
            while True:
                frame = connection.read()
                got.append(frame)
                if frame[0] == CLOSE:
                    connection.send(CLOSE, frame[1])
                    return

        run = self.run_script(serve, '''
            export default function () {
                const ws = new WebSocket(URL);
                ws.onopen = () => {
                    ws.send('téxt');
                    ws.send(new Uint8Array([1, 2, 3]).subarray(1));
                    ws.send(new Uint8Array([4]).buffer);
                    ws.send(new Blob(['a', new Uint8Array([66]), new Blob(['c'])]));
                    for (const bad of [1, null, undefined, {}, []])
                        try { ws.send(bad); } catch (e) { console.log(e); }
                    ws.close();
                    try { ws.send('late'); } catch (e) { console.log(e); }
                };
            }''')
        self.assertEqual(got, [(TEXT, 'téxt'.encode()), (BINARY, b'\x02\x03'), (BINARY, b'\x04'), (BINARY, b'aBc'),
                               (CLOSE, b'\x03\xe8')], run.err)
        self.assertEqual(run.messages[0], 'GoError: unsupported send type int64')
        self.assertEqual(run.messages[-1], 'GoError: InvalidStateError')
        self.assertEqual(len(run.messages), 6)

    def test_an_exception_of_a_listener_fails_the_iteration_and_closes_the_socket(self):
        ends = []

        def serve(connection):
            connection.send(TEXT, b'go')
            try:
                while True:
                    connection.read()
            except EOFError:
                ends.append('end')

        run = self.run_script(serve, '''
            export default function () {
                const ws = new WebSocket(URL);
                ws.onmessage = () => { throw new Error('boom'); };
                ws.onerror = (e) => console.log('error', e.error.split(' at ')[0]);
                ws.onclose = () => console.log('close');
            }''')
        self.assertEqual(run.messages, ['error Error: boom', 'close'], run.err)
        self.assertEqual(ends, ['end'])
        self.assertIn('Error: boom', [text for level, text, _ in run.log if level == 'error'][0])

    def test_an_interrupt_says_goodbye(self):
        for module, body in (('k6/websockets', 'new WebSocket(URL).onmessage = (e) => console.log(e.data);'),
                             ('k6/ws', 'ws.connect(URL, {}, (s) => s.on("message", (m) => console.log(m)));')):
            codes = []

            def serve(connection):
                connection.send(TEXT, b'ready')
                codes.append(connection.close_code())

            with self.subTest(module), Peer(serve) as peer:
                path = script(self, "import ws, { WebSocket } from '%s';\nconst URL = '%s';\n"
                              "export default function () { %s }" % (module, peer.url, body))
                with Started('run', '--quiet', path) as run:
                    run.wait_for('ready')
                    run.process.send_signal(signal.SIGINT)
                    self.assertEqual(run.finish(10).code, 105)
            self.assertEqual(codes, [1001])

    def test_a_peer_that_does_not_read(self):
        def serve(connection):
            connection.send(TEXT, b'ready')
            done.wait(60)

        done = threading.Event()
        with Peer(serve) as peer:
            path = script(self, '''
                import { WebSocket } from 'k6/websockets';
                export const options = { scenarios: { s: { executor: 'constant-vus', vus: 1, duration: '1s',
                                                           gracefulStop: '0s' } } };
                export default function () {
                    const ws = new WebSocket('%s');
                    const text = 'x'.repeat(1 << 20);
                    ws.onopen = () => { for (;;) ws.send(text); };
                }''' % peer.url)
            run = kiln('run', '--quiet', path)
            done.set()
        self.assertEqual(run.code, 0, run.err)
        self.assertLess(run.seconds, 20)

    def test_timers_of_the_blocking_socket(self):
        run = self.run_script(Connection.echo, '''
            export default function () {
                let n = 0;
                const r = ws.connect(URL, null, (s) => {
                    s.setInterval(() => s.send(String(n++)), 10);
                    s.setTimeout(() => { console.log(n > 3); s.close(1000); }, 200);
                    for (const f of ['setTimeout', 'setInterval'])
                        try { s[f](() => {}, 0); } catch (e) { console.log(e); }
                    s.on('pong', () => console.log('pong'));
                    s.on('open', () => s.ping());
                    s.on('close', (c) => console.log('closed', c));
                });
                console.log(r.status, r.url === URL);
            }''', module='k6/ws')
        self.assertEqual(run.messages, ['GoError: setTimeout requires a >0 timeout parameter, received 0.00',
                                        'GoError: setInterval requires a >0 timeout parameter, received 0.00',
                                        'pong', 'true', 'closed 1000', '101 true'], run.err)
        self.assertEqual(run.count('ws_sessions'), 1)
        self.assertIn('ws_ping', run.summary)

    def test_an_exception_in_the_blocking_socket(self):
        run = self.run_script(Connection.echo, '''
            export default function () {
                try {
                    ws.connect(URL, (s) => {
                        s.on('open', () => s.send('x'));
                        s.on('message', () => { throw new Error('boom'); });
                        s.on('close', (c) => console.log('closed', c));
                    });
                } catch (e) { console.log('caught', e.message); }
            }''', module='k6/ws')
        self.assertEqual(run.messages, ['closed 1001', 'caught boom'], run.err)

    def test_wrong_arguments(self):
        run = self.run_script(Connection.echo, '''
            export default function () {
                for (const args of [[], ['http://x'], ['ws://x/#f'], ['ws://x', [], { nope: 1 }],
                                    ['ws://x', [], { compression: 'gzip' }], ['ws://x', [], { tags: { a: {} } }]])
                    try { new WebSocket(...args); } catch (e) { console.log(e); }
                const ws = new WebSocket(URL);
                try { ws.onopen = 1; } catch (e) { console.log(e); }
                try { ws.binaryType = 'x'; } catch (e) { console.log(e); }
                try { ws.addEventListener('open'); } catch (e) { console.log(e); }
                ws.addEventListener('nope', () => {});
                ws.onopen = () => {
                    try { ws.close(1001); } catch (e) { console.log(e); }
                    try { ws.close(1000, 'x'.repeat(124)); } catch (e) { console.log(e); }
                    ws.close();
                };
            }''')
        self.assertEqual(run.messages, [
            'GoError: WebSocket requires a url',
            'GoError: WebSocket requires url with scheme ws or wss, but got \\"http\\"',
            'GoError: WebSocket requires no url fragment, but got \\"f\\"',
            "GoError: unknown WebSocket's option nope",
            "GoError: unsupported compression algorithm 'gzip', supported algorithm is 'deflate'",
            "GoError: invalid WebSocket tags option: invalid value for metric tag 'a': only String, Boolean and Number "
            "types are accepted as a metric tag values",
            "GoError: a value for 'onopen' should be callable",
            'GoError: unknown binaryType x, the supported ones are \\"blob\\" and \\"arraybuffer\\"',
            'GoError: handler for event type \\"open\\" isn\'t a callable function',
            "GoError: InvalidAccessError: Failed to execute 'close' on 'WebSocket': The close code must be either 1000, "
            'or between 3000 and 4999. 1001 is neither',
            "GoError: SyntaxError: Failed to execute 'close' on 'WebSocket': The message must not be greater than 123 "
            'bytes'], run.err)
        self.assertIn(('warning', "can't add event handler: unknown event type: nope"),
                      [(level, text) for level, text, _ in run.log])


class KeepAlive(unittest.TestCase):
    """Sockets that outlive the iteration, which k6 does not have."""

    def run_script(self, body):
        codes = []

        def serve(connection):
            while True:
                opcode, payload = connection.read()
                if opcode == CLOSE:
                    codes.append(struct.unpack('>H', payload[:2])[0])
                    return
                connection.send(opcode, payload)

        with Peer(serve) as peer:
            path = script(self, "import { sleep } from 'k6';\nimport { WebSocket } from 'k6/websockets';\nconst URL = '%s';\n%s"
                          % (peer.url, body))
            run = kiln('run', '--quiet', path)
        return run, codes

    def test_one_socket_serves_all_iterations_of_a_vu(self):
        run, codes = self.run_script('''
            export const options = { scenarios: { s: { executor: 'per-vu-iterations', vus: 2, iterations: 5 } } };
            let ws, answered, got = [];
            export default async function () {
                if (!ws) {
                    ws = new WebSocket(URL, null, { keepAlive: true });
                    ws.onclose = () => console.log('not called');
                    ws.onmessage = (e) => { got.push(e.data); answered(); };
                    await new Promise((done) => { const t = setTimeout(done, 20000); ws.onopen = () => { clearTimeout(t); done(); }; });
                }
                const answer = new Promise((done) => { answered = done; });
                ws.send(String(__ITER));
                const late = setTimeout(() => { throw new Error('late'); }, 20000);
                await answer;
                clearTimeout(late);
                if (__ITER === 4) console.log(got.join());
            }''')
        self.assertEqual(run.messages, ['0,1,2,3,4'] * 2, run.err)
        self.assertEqual(run.count('iterations'), 10)
        self.assertEqual(run.count('ws_sessions'), 2)
        self.assertEqual(run.count('ws_msgs_received'), 10)
        self.assertIn('ws_session_duration', run.summary)
        self.assertEqual(codes, [1001, 1001])

    def test_messages_between_iterations_wait_for_the_next_one(self):
        run, codes = self.run_script('''
            export const options = { iterations: 300, vus: 1 };
            let ws, n = 0;
            export default function () {
                if (!ws) {
                    ws = new WebSocket(URL, [], { keepAlive: true });
                    ws.onopen = () => { for (let i = 0; i < 10; i++) ws.send('m' + i); };
                    ws.onmessage = (e) => { if (++n === 10) console.log(e.data, __ITER > 0); };
                }
                if (n < 10) sleep(0.02);
            }''')
        self.assertEqual(run.messages, ['m9 true'], run.err)
        self.assertEqual(codes, [1001])

    def test_a_failed_iteration_leaves_it_open_and_an_interrupt_closes_it(self):
        run, codes = self.run_script('''
            export const options = { scenarios: { s: { executor: 'constant-vus', vus: 1, duration: '2s', gracefulStop: '0s' } } };
            let ws;
            export default function () {
                if (!ws) {
                    ws = new WebSocket(URL, [], { keepAlive: true });
                    throw new Error('first');
                }
                console.log(ws.readyState < 2);
                sleep(100);
            }''')
        self.assertEqual(run.messages, ['true'], run.err)
        self.assertEqual(run.count('ws_sessions'), 1)
        self.assertEqual(codes, [1001])


class Jslib(unittest.TestCase):
    def test_k6_utils_needs_no_network(self):
        for version in ('1.0.0', '1.1.0', '1.4.0', '1.6.0'):
            path = script(self, '''
                import { randomIntBetween, randomItem, randomString, uuidv4, findBetween }
                    from 'https://jslib.k6.io/k6-utils/%s/index.js';
                export default function () {
                    const ints = new Set();
                    for (let i = 0; i < 1000; i++) ints.add(randomIntBetween(2, 4));
                    console.log([...ints].sort().join(), randomItem(['x']), randomString(3, 'y'),
                        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuidv4()),
                        findBetween('a<b>c<d>', '<', '>'), findBetween('a<b>c<d>', '<', '>', true).join(),
                        findBetween('a', '<', '>'));
                }''' % version)
            run = kiln('run', '--quiet', path)
            self.assertEqual(run.messages, ['2,3,4 x yyy true b b,d null'], run.err)


if __name__ == '__main__':
    unittest.main()
