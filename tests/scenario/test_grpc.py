#!/usr/bin/env python3
"""k6/net/grpc against gRPC's own server in JavaScript. Environment: KILN."""
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from grpc_server import GrpcServer, need_it
from kiln_runner import Started, free_port, kiln, run_tests_together, script

need_it()
HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = '''
import grpc, { Client, Stream } from 'k6/net/grpc';
import { sleep } from 'k6';
const client = new Client();
client.load([%s], 'probe.proto');
const A = __ENV.ADDR, P = 'probe.v1.Probe/', J = JSON.stringify;
const status = (v) => Object.keys(grpc).find((k) => k.startsWith('Status') && grpc[k] === v);
''' % json.dumps(os.path.join(HERE, 'grpc'))


def with_server(test, body, *arguments, head=HEAD, **options):
    """Runs a script against a server of its own."""
    with GrpcServer(**options) as server:
        run = kiln('run', '--quiet', '-e', 'ADDR=' + server.address, *arguments, script(test, head + body))
    return run


def vu_code(body):
    return 'export default function () { client.connect(A, { plaintext: true });\n%s\n}' % body


class Calls(unittest.TestCase):
    def call(self, body, *arguments, **options):
        run = with_server(self, vu_code(body), *arguments, **options)
        self.assertEqual(run.code, 0, run.err)
        self.assertNotIn('level=error', run.err)
        return run

    def test_metadata_goes_both_ways_binary_too(self):
        run = self.call('''
            const r = client.invoke(P + 'Echo', {
                text: 'hi', times: 3, metadata: [{ name: 'x-a', value: '1' }, { name: 'x-a', value: '2' },
                                                 { name: 'x-b-bin', value: '00412b' }],
            }, { metadata: { 'X-Own': 'v', 'x-raw-bin': new Uint8Array([0, 255, 16]) } });
            console.log(status(r.status), r.error, r.message.number, r.message.metadata['x-own'],
                        r.message.metadata['x-raw-bin']);
            console.log(J(r.headers['x-a']), J(r.headers['x-b-bin']), J(r.trailers['x-trailer']),
                        r.trailers['x-trailer-bin'][0].length);
            console.log(Object.keys(r).join());''')
        self.assertEqual(run.messages[0], 'StatusOK null 3 v bytes 00ff10')
        self.assertEqual(run.messages[1].replace('\\"', '"').replace('\\\\', '\\'),
                         r'["1","2"] ["\u0000A+"] ["end"] 4')
        self.assertEqual(run.messages[2], 'message,error,headers,trailers,status')

    def test_errors_have_codes_words_trailers_and_details(self):
        run = self.call('''
            const r = client.invoke(P + 'Echo', { text: 'details', failWith: grpc.StatusNotFound });
            console.log(status(r.status), r.error.code, r.error.message, J(r.error.details), r.trailers['x-why'][0]);
            const q = client.invoke(P + 'Echo', { text: 'plain', fail_with: 16 });
            console.log(status(q.status), J(q.error), J(q.message));
            const a = client.invoke(P + 'Absent', {});
            console.log(status(a.status), a.error.message);''')
        self.assertEqual(run.messages[0].replace('\\"', '"'),
                         'StatusNotFound 5 as you like: details '
                         '[{"@type":"type.googleapis.com/probe.v1.Reason","why":"because","weight":7}] asked for')
        self.assertEqual(run.messages[1].replace('\\"', '"'),
                         'StatusUnauthenticated {"code":16,"message":"as you like: plain","details":[]} '
                         '{"text":"","number":"0","data":"","metadata":{}}')
        self.assertEqual(run.messages[2], 'StatusUnimplemented The server does not implement the method '
                                          '/probe.v1.Probe/Absent')

    def test_what_is_no_request_throws(self):
        run = self.call('''
            const round = {}; round.again = round;
            for (const f of [() => client.invoke(P + 'Echo', round), () => client.invoke(P + 'Echo'), () => client.invoke('', {}),
                             () => client.invoke(P + 'Echo', { number: 1 }), () => client.invoke(P + 'Echo', { times: NaN })]) {
                try { f(); console.log('fine'); } catch (e) { console.log(String(e)); }
            }''')
        start = 'GoError: unable to serialise request object to protocol buffer: proto: '
        self.assertEqual([m.replace('\\"', '"').replace('\xa0', ' ') for m in run.messages], [
            'GoError: unable to normalize number strings: cyclic reference to an object found',
            'GoError: request cannot be nil', 'GoError: method to invoke cannot be empty',
            start + '(line 1:2): unknown field "number"',
            start + '(line 1:10): invalid value for int32 field times: "NaN"'])

    def test_a_deadline_ends_the_call_here_and_there(self):
        run = self.call('''
            const t = Date.now();
            const r = client.invoke(P + 'Echo', { text: 'slow', wait_ms: 20000 }, { timeout: '150ms' });
            console.log(status(r.status), r.error.message, Date.now() - t < 5000);
            let n = '0';
            for (let i = 0; i < 100 && n === '0'; i++) {
                n = client.invoke(P + 'Echo', { text: 'canceled?' }).message.text;
                sleep(0.01);
            }
            console.log('canceled', n);''')
        self.assertEqual(run.messages, ['StatusDeadlineExceeded context deadline exceeded true', 'canceled 1'])

    def test_big_messages_and_their_limits(self):
        run = self.call('''
            const big = client.invoke(P + 'Echo', { text: 'x'.repeat(4 << 20) }, { timeout: '20s' });
            console.log(status(big.status), big.error.message);
            const half = client.invoke(P + 'Echo', { text: 'y'.repeat(2 << 20), reply_bytes: 1 << 20 });
            console.log(status(half.status), half.message.text.length, half.message.data.length);
            client.connect(A, { plaintext: true, maxReceiveSize: 10 << 20, maxSendSize: 5 << 20 });
            const whole = client.invoke(P + 'Echo', { text: 'z'.repeat(4 << 20) });
            console.log(status(whole.status), whole.message.text.length);
            const sent = client.invoke(P + 'Echo', { text: 'z'.repeat(6 << 20) });
            console.log(status(sent.status), sent.error.message);''')
        self.assertRegex(run.messages[0], r'^StatusResourceExhausted grpc: received message larger than max '
                                          r'\(4194\d{3} vs\. 4194304\)$')
        self.assertEqual(run.messages[1:], [
            'StatusOK 2097152 1398104', 'StatusOK 4194304',
            'StatusResourceExhausted trying to send message larger than max (6291461 vs. 5242880)'])

    def test_compressed_answers(self):
        python = '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else sys.executable
        server = subprocess.Popen([python, os.path.join(HERE, 'grpc_gzip_server.py')], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding='utf-8')
        port = server.stdout.readline().strip()
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.stdin.close)
        if not port:
            self.skipTest('python3-grpcio is missing')
        run = kiln('run', '--quiet', '-e', 'ADDR=127.0.0.1:' + port, script(self, HEAD + vu_code('''
            const r = client.invoke(P + 'Echo', { text: 'gzip '.repeat(20000) });
            console.log(status(r.status), r.message.text.length, r.headers['grpc-encoding']);
            const s = new Stream(client, P + 'Count');
            let n = 0;
            s.on('data', (m) => { n += m.text.length; });
            s.on('end', () => console.log('streamed', n));
            s.write({ text: 'again '.repeat(1000) }); s.end();
            client.connect(A, { plaintext: true, maxReceiveSize: 50000 });
            const big = client.invoke(P + 'Echo', { text: 'gzip '.repeat(20000) });
            console.log(status(big.status), big.error.message);''')))
        self.assertEqual(run.messages, [
            'StatusOK 100000 undefined', 'StatusResourceExhausted grpc: received message after decompression larger '
            'than max 50000', 'streamed 18000'])
        self.assertLess(float(run.summary['data_received'].split()[0]), 5, run.summary)

    def test_calls_share_a_connection_and_overlap(self):
        begin = time.monotonic()
        run = with_server(self, '''
            export default async function () {
                client.connect(A, { plaintext: true });
                const t = Date.now();
                const all = await Promise.all(Array.from({ length: 100 }, (_, i) =>
                    client.asyncInvoke(P + 'Echo', { text: 'n' + i, wait_ms: 300, times: i })));
                console.log(all.every((r, i) => r.message.text === 'n' + i && r.message.number === String(i)));
                console.log(Date.now() - t < 5000);
                client.asyncInvoke(P + 'Echo', {}, { what: 1 }).catch((e) => console.log(String(e)));
            }''')
        self.assertEqual(run.messages, ['true', 'true', r"invalid GRPC's client.invoke() parameters: "
                                                        r'unknown param: \"what\"'])
        self.assertLess(time.monotonic() - begin, 60)
        self.assertEqual(run.summary['grpc_req_duration'].startswith('avg='), True)

    def test_health(self):
        run = self.call('''
            console.log(client.healthCheck().status === grpc.HealthCheckServing,
                        client.healthCheck('probe.v1.Probe').status === grpc.HealthCheckNotServing);
            try { client.healthCheck('nope'); } catch (e) { console.log(String(e)); }''')
        self.assertEqual(run.messages, ['true true', 'GoError: rpc error: code = NotFound desc = Health status '
                                                     'unknown for service nope'])

    def test_samples_carry_the_tags_of_k6(self):
        with tempfile.NamedTemporaryFile('r', suffix='.json') as out:
            self.call('''
                client.invoke(P + 'Echo', { text: 'a' }, { tags: { own: 'yes' } });
                client.invoke('/' + P + 'Echo', { text: 'a', fail_with: 7 }, { tags: { name: 'mine' } });
                const s = new Stream(client, P + 'Count', { tags: { of: 'stream' } });
                s.on('data', () => {});
                s.write({ times: 4 });
                s.end();''', '--out', 'json=' + out.name, '--system-tags', 'url,service,method,name,status,ip')
            points = [json.loads(line) for line in out if '"Point"' in line]
        self.assertTrue(points)
        mine = [(p['metric'], p['data']['tags']) for p in points if p['metric'].startswith('grpc_')]
        durations = [tags for name, tags in mine if name == 'grpc_req_duration']
        self.assertEqual(len(durations), 3)
        self.assertEqual({k: v for k, v in durations[0].items() if k != 'url'},
                         {'service': 'probe.v1.Probe', 'method': 'Echo', 'name': '/probe.v1.Probe/Echo', 'status': '0',
                          'ip': '127.0.0.1', 'own': 'yes'})
        self.assertRegex(durations[0]['url'], r'^127\.0\.0\.1:\d+/probe\.v1\.Probe/Echo$')
        self.assertEqual((durations[1]['status'], durations[1]['name']), ('7', 'mine'))
        self.assertEqual((durations[2]['status'], durations[2]['of']), ('0', 'stream'))
        names = [name for name, _ in mine]
        self.assertEqual((names.count('grpc_streams'), names.count('grpc_streams_msgs_sent'),
                          names.count('grpc_streams_msgs_received')), (1, 1, 4))


class Streams(unittest.TestCase):
    def call(self, body, *arguments, **options):
        run = with_server(self, vu_code(body), *arguments, **options)
        self.assertEqual(run.code, 0, run.err)
        return run

    def test_every_kind_several_at_once(self):
        run = self.call('''
            const count = new Stream(client, P + 'Count');
            let seen = 0;
            count.on('data', (m, metadata) => { seen += Number(m.number) + (metadata.ts > 1e9 ? 0 : 1e6); });
            count.on('end', () => console.log('count', seen));
            count.write({ times: 100 }); count.end();
            const collect = new Stream(client, P + 'Collect');
            collect.on('data', (m) => console.log('collect', m.text, m.number));
            collect.on('end', () => console.log('collect end'));
            for (let i = 0; i < 4; i++) collect.write({ text: 't' + i });
            collect.end();
            const chat = new Stream(client, P + 'Chat');
            chat.on('data', (m) => {
                console.log('chat', m.text);
                if (m.text === 'three') chat.end(); else chat.write({ text: m.text === 'one' ? 'two' : 'three' });
            });
            chat.on('end', () => console.log('chat end'));
            chat.write({ text: 'one' });''')
        self.assertNotIn('level=error', run.err)
        self.assertIn('count 5050', run.messages)
        self.assertIn('collect t0+t1+t2+t3 8', run.messages)
        self.assertIn('collect end', run.messages)
        chat = [m for m in run.messages if m.startswith('chat')]
        self.assertEqual(chat, ['chat one', 'chat two', 'chat three', 'chat end'])
        self.assertEqual((run.count('grpc_streams'), run.count('grpc_streams_msgs_sent'),
                          run.count('grpc_streams_msgs_received')), (3, 8, 104))

    def test_failures_come_as_error_and_then_end(self):
        run = self.call('''
            const s = new Stream(client, P + 'Chat');
            s.on('error', (e) => console.log('error', J(e)));
            s.on('end', () => console.log('end'));
            s.write({ text: 'details', fail_with: 9 });
            const bad = new Stream(client, P + 'Chat');
            bad.on('error', (e) => console.log('bad', e.code, e.message));
            bad.write({ nope: 1 });
            const late = new Stream(client, P + 'Count', { timeout: '200ms' });
            late.on('error', (e) => console.log('late', e.code, e.message));
            late.write({ times: 1000, wait_ms: 50 });''')
        text = [m.replace('\\"', '"').replace('\\\\"', '"') for m in run.messages]
        self.assertIn('error {"code":9,"message":"as you like: details","details":[{"@type":'
                      '"type.googleapis.com/probe.v1.Reason","why":"because","weight":7}]}', text)
        self.assertLess([i for i, m in enumerate(text) if m.startswith('error')][0], text.index('end'))
        self.assertTrue(any(m.startswith("bad 2 can't serialise request object to protocol buffer: proto: ") and
                            'unknown field' in m for m in text), text)
        self.assertIn('late 4 context deadline exceeded', text)

    def test_a_second_message_to_a_method_that_takes_one(self):
        run = self.call('''
            const s = new Stream(client, P + 'Count');
            s.on('error', (e) => console.log('error', J(e)));
            s.on('end', () => console.log('end'));
            s.write({ times: 1000, wait_ms: 50 });
            s.write({ times: 1 });
            s.write({ times: 1 });
            const fine = new Stream(client, P + 'Count');
            fine.on('error', (e) => console.log('fine error', J(e)));
            fine.on('end', () => console.log('fine end'));
            fine.write({ times: 1 });
            fine.end();
            fine.write({ times: 1 });''')
        text = [m.replace('\\"', '"') for m in run.messages]
        self.assertEqual([m for m in text if not m.startswith('fine')],
                         ['error {"code":13,"message":"SendMsg called after CloseSend","details":[]}', 'end'])
        self.assertEqual([m for m in text if m.startswith('fine')], ['fine end'])
        self.assertEqual(run.count('grpc_streams_msgs_sent'), 2)
        self.assertLess(run.seconds, 20)  # the server would have taken 50 s

    def test_an_error_nobody_listens_for_is_logged(self):
        run = self.call('''
            const s = new Stream(client, P + 'Chat');
            s.write({ fail_with: 13 });''')
        self.assertTrue(any(level == 'warning' and message.startswith('no handlers for error registered, but an error '
                                                                      'happened: rpc error: code = Internal desc = ')
                            for level, message, _ in run.log), run.err)

    def test_a_slow_script_slows_the_server(self):
        # 400 messages of 256 KiB: without flow control they would all be in memory at once.
        run = self.call('''
            const s = new Stream(client, P + 'Count');
            let n = 0;
            s.on('data', (m) => { n++; if (n < 5) sleep(0.2); if (n === 100) client.close(); });
            s.on('error', (e) => console.log('error', e.code, e.message));
            s.on('end', () => console.log('end', n >= 100));
            s.write({ times: 400, reply_bytes: 256 << 10 });''')
        self.assertEqual(run.messages, ['error 2 canceled by client (k6)', 'end true'])

    def test_the_end_of_the_run_ends_open_streams(self):
        run = self.call('''
            const s = new Stream(client, P + 'Count');
            s.on('data', () => {});
            s.write({ times: 1000000, wait_ms: 20 });''',
                        head=HEAD + "export const options = { scenarios: { d: { executor: 'constant-vus', vus: 3, "
                                    "duration: '1s', gracefulStop: '0s' } } };\n")
        self.assertLess(run.seconds, 15)

    def test_ten_thousand_messages_each_way(self):
        run = self.call('''
            const s = new Stream(client, P + 'Chat');
            let n = 0;
            s.on('data', () => { if (++n === 10000) s.end(); });
            s.on('end', () => console.log('end', n));
            for (let i = 0; i < 10000; i++) s.write({ text: 'message ' + i });''')
        self.assertEqual(run.messages, ['end 10000'])


class Connections(unittest.TestCase):
    def test_reflection_with_metadata(self):
        run = with_server(self, '''
            export default function () {
                const own = new Client();
                own.connect(A, { plaintext: true, reflect: true, reflectMetadata: { 'x-own': 'r' } });
                console.log(own.invoke(P + 'Echo', { text: 'found' }).message.text);
                own.connect(A, { plaintext: true, reflect: true });
                console.log(own.invoke(P + 'Echo', { text: 'again' }).message.text);
            }''', '-i', '4', '-u', '2', reflection=True)
        self.assertEqual(sorted(run.messages), ['again'] * 4 + ['found'] * 4, run.err)

    def test_reflection_that_is_not_there(self):
        run = with_server(self, '''
            export default function () {
                try { new Client().connect(A, { plaintext: true, reflect: true }); } catch (e) { console.log(String(e)); }
            }''')
        self.assertTrue(run.messages[0].startswith("GoError: can't list services: rpc error: code = Unimplemented "
                                                   'desc = '), run.messages)

    def test_a_server_killed_and_started_again(self):
        with GrpcServer() as server:
            path = script(self, HEAD + '''
                export const options = { scenarios: { s: { executor: 'shared-iterations', iterations: 1, vus: 1 } } };
                export default function () {
                    client.connect(A, { plaintext: true });
                    let last = '';
                    for (let good = 0; good < 2;) {
                        const now = status(client.invoke(P + 'Echo', { text: 'x' }, { timeout: '5s' }).status);
                        if (now !== last) console.log(now);
                        if (now === 'StatusOK' && last !== now) good++;
                        last = now;
                        sleep(0.02);
                    }
                }''')
            with Started('run', '--quiet', '-e', 'ADDR=' + server.address, path) as run:
                run.wait_for('StatusOK')
                server.stop()
                run.wait_for('StatusUnavailable')
                server.start()
                done = run.finish(60)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual([done.messages[0], done.messages[-1]], ['StatusOK', 'StatusOK'])
        self.assertNotIn('panic', done.err)

    def test_pings_are_answered_while_the_script_sleeps(self):
        # A server that gets no answer ends the connection after 3.5 seconds: another port would come next.
        run = with_server(self, vu_code('''
            const before = client.invoke(P + 'Echo', { text: 'peer?' }).message.text;
            sleep(5);
            console.log(client.invoke(P + 'Echo', { text: 'peer?' }).message.text === before, before.length > 5);'''),
                          args={'grpc.keepalive_time_ms': 500, 'grpc.keepalive_timeout_ms': 3000,
                                'grpc.keepalive_permit_without_calls': 1})
        self.assertEqual(run.messages, ['true true'], run.err)

    def test_a_server_that_retires_connections(self):
        run = with_server(self, vu_code('''
            let bad = 0;
            for (let i = 0; i < 200; i++) {
                if (client.invoke(P + 'Echo', { text: 'a' }).status !== grpc.StatusOK) bad++;
                sleep(0.01);
            }
            console.log('bad', bad);'''), args={'grpc.max_connection_age_ms': 300,
                                               'grpc.max_connection_age_grace_ms': 300})
        self.assertEqual(run.messages, ['bad 0'], run.err)

    def test_hosts_and_blacklists_hold(self):
        with GrpcServer() as server:
            port = server.options['port']
            head = HEAD + '''
                export const options = { hosts: { 'made.up.test': '127.0.0.1' }, blacklistIPs: ['127.0.0.2/32'] };
                export default function () {
                    client.connect('made.up.test:%d', { plaintext: true });
                    console.log(client.invoke(P + 'Echo', { text: 'by name' }).message.text);
                    try { client.connect('127.0.0.2:%d', { plaintext: true }); } catch (e) { console.log(String(e)); }
                }''' % (port, port)
            run = kiln('run', '--quiet', '-e', 'ADDR=x', script(self, head))
        self.assertEqual(run.messages[0], 'by name')
        self.assertIn('IP (127.0.0.2) is in a blacklisted range (127.0.0.2/32)', run.messages[1])

    def test_a_server_that_is_no_grpc_server(self):
        port = free_port()
        server = subprocess.Popen(['nghttpd', '--no-tls', '-d', os.path.join(HERE, 'grpc'), str(port)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        run = kiln('run', '--quiet', '-e', 'ADDR=127.0.0.1:%d' % port, script(self, HEAD + '''
            export default function () {
                client.connect(A, { plaintext: true, timeout: '20s' });
                const r = client.invoke(P + 'Echo', {});
                console.log(status(r.status), r.error.message);
            }'''))
        self.assertRegex(run.messages[0], r'^StatusUnimplemented unexpected HTTP status code received from server: '
                                          r'404 \(Not Found\); transport: received unexpected content-type')


class Tls(unittest.TestCase):
    made = threading.Lock()
    dir = None

    def setUp(self):
        with self.made:
            if not Tls.dir:
                self.make_certificates()

    @classmethod
    def make_certificates(cls):
        cls.dir = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, cls.dir)
        new = ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2']

        def make(name, subject, signer=None, *more):
            files = ['-keyout', '%s/%s.key' % (cls.dir, name), '-out', '%s/%s.pem' % (cls.dir, name)]
            signed = ['-CA', '%s/%s.pem' % (cls.dir, signer), '-CAkey', '%s/%s.key' % (cls.dir, signer)] if signer else []
            subprocess.run([*new, *files, '-subj', '/CN=' + subject, *signed, *more], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        make('ca', 'tests')
        make('server', 'server', 'ca', '-addext', 'subjectAltName=DNS:probe.test,IP:127.0.0.1',
             '-addext', 'basicConstraints=critical,CA:FALSE')
        make('client', 'client', 'ca', '-addext', 'basicConstraints=critical,CA:FALSE')
        subprocess.run(['openssl', 'rsa', '-aes256', '-traditional', '-passout', 'pass:secret', '-in', cls.dir + '/client.key',
                        '-out', cls.dir + '/client-enc.key'], check=True, stderr=subprocess.DEVNULL)

    def connect(self, params, body="console.log(client.invoke(P + 'Echo', { text: 'safe' }).message.text);", mutual=True):
        tls = {'key': self.dir + '/server.key', 'cert': self.dir + '/server.pem'}
        if mutual:
            tls['ca'] = self.dir + '/ca.pem'
        files = ''.join("const %s = open('%s/%s');\n" % (name, self.dir, file) for name, file in
                        (('ca', 'ca.pem'), ('cert', 'client.pem'), ('key', 'client.key'), ('encrypted', 'client-enc.key')))
        return with_server(self, files + '''
            export default function () {
                try { client.connect(A, %s); %s } catch (e) { console.log(String(e)); }
            }''' % (params, body), tls=tls)

    def test_client_certificates(self):
        for params in ("{ tls: { cacerts: ca, cert, key } }",
                       "{ tls: { cacerts: [ca], cert, key: encrypted, password: 'secret' } }",
                       "{ tls: { cacerts: ca, cert, key }, authority: 'probe.test' }"):
            run = self.connect(params)
            self.assertEqual(run.messages, ['safe'], run.err)

    def test_what_is_refused(self):
        run = self.connect("{ tls: { cacerts: ca, cert, key: encrypted, password: 'wrong' } }")
        self.assertEqual(run.messages, ['GoError: x509: decryption password incorrect'])
        run = self.connect("{ tls: { cacerts: 'nothing' } }")
        self.assertEqual(run.messages, ['GoError: failed to append ca certificate [0] from PEM'])
        run = self.connect("{ timeout: '3s' }")
        self.assertIn('certificate signed by unknown authority', run.messages[0])
        run = self.connect("{ tls: { cacerts: ca }, timeout: '3s', authority: 'other.test' }", mutual=False)
        self.assertIn('x509: certificate is valid for probe.test, not other.test', run.messages[0])
        run = self.connect("{ tls: { cert: 0 } }")
        self.assertEqual(run.messages[0].replace('\\"', '"'),
                         "GoError: invalid grpc.connect() parameters: invalid tls cert value: 'map[string]interface "
                         "{}{\"cert\":0}', it needs to be a PEM formatted string")

    def test_without_a_certificate_the_server_hangs_up(self):
        run = self.connect("{ tls: { cacerts: ca }, timeout: '1s' }")
        self.assertIn('GoError: ', run.messages[0])


if __name__ == '__main__':
    run_tests_together()
