#!/usr/bin/env python3
"""k6/x/redis against real Redis servers: every method, TLS, passwords, a cluster, sentinels, a server that is restarted in the
middle of a run. Environment: KILN, path of the program."""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from kiln_runner import Started, kiln, run_tests_together, script
from redis_server import CLI, PROGRAM, Cluster, Redis, wait_for

if not PROGRAM or not CLI:
    print('redis-server is missing')
    sys.exit(77)

# Says what each promise came to.
PRELUDE = """
import { Client } from 'k6/x/redis';
const say = (...all) => console.log(all.map((v) => JSON.stringify(v)).join(' '));
const tell = (promise) => promise.then((v) => say(v), (e) => say('error: ' + e.error()));
"""

METHODS = """
    await tell(c.set('s', 'text', 0)); await tell(c.set('n', 41)); await tell(c.set('f', 1.5)); await tell(c.set('b', true));
    await tell(c.get('s')); await tell(c.get('none')); await tell(c.mget('s', 'none', 'n', 'f', 'b'));
    await tell(c.getSet('s', 'new')); await tell(c.getSet('none', 'x')); await tell(c.getDel('none')); await tell(c.getDel('none'));
    await tell(c.exists('s', 'n', 'none')); await tell(c.del('f', 'b', 'none'));
    await tell(c.incr('n')); await tell(c.incrBy('n', 8)); await tell(c.decr('n')); await tell(c.decrBy('n', -1));
    await tell(c.incr('s'));
    await tell(c.expire('s', 100)); await tell(c.ttl('s')); await tell(c.persist('s')); await tell(c.persist('s'));
    await tell(c.ttl('s')); await tell(c.ttl('none')); await tell(c.expire('none', 1));
    await tell(c.set('t', 'x', 50)); await tell(c.ttl('t')); await tell(c.expire('t', -1)); await tell(c.get('t'));
    await tell(c.lpush('l', 'b', 1, true)); await tell(c.rpush('l', 'z')); await tell(c.lrange('l', 0, -1));
    await tell(c.lindex('l', 0)); await tell(c.lindex('l', 9)); await tell(c.lset('l', 0, 'first')); await tell(c.lset('l', 9, 'x'));
    await tell(c.lrem('l', 0, 'z')); await tell(c.llen('l')); await tell(c.lpop('l')); await tell(c.rpop('l'));
    await tell(c.lpop('none')); await tell(c.rpop('none')); await tell(c.llen('none')); await tell(c.lset('none', 0, 'x'));
    await tell(c.hset('h', 'f', 'v')); await tell(c.hset('h', 'f', 2)); await tell(c.hsetnx('h', 'f', 'x'));
    await tell(c.hsetnx('h', 'g', 'y')); await tell(c.hget('h', 'f')); await tell(c.hget('h', 'none')); await tell(c.hgetall('h'));
    await tell(c.hgetall('none')); await tell(c.hkeys('h')); await tell(c.hvals('h')); await tell(c.hlen('h'));
    await tell(c.hincrby('h', 'f', 5)); await tell(c.hincrby('h', 'g', 5)); await tell(c.hdel('h', 'f', 'g', 'none'));
    await tell(c.sadd('set', 'a', 1)); await tell(c.sadd('set', 'a')); await tell(c.srem('set', 1, 2));
    await tell(c.sismember('set', 'a')); await tell(c.sismember('set', 'z')); await tell(c.smembers('set'));
    await tell(c.srandmember('set')); await tell(c.spop('set')); await tell(c.spop('set')); await tell(c.srandmember('set'));
    await tell(c.sendCommand('SET', 'x', 'y', 'NX')); await tell(c.sendCommand('SET', 'x', 'y', 'NX'));
    await tell(c.sendCommand('LPUSH', 'y', 1, 'two', 2.5)); await tell(c.sendCommand('LRANGE', 'y', 0, -1));
    await tell(c.sendCommand('EVAL', 'return {1, {"a", false}, redis.error_reply("ERR inner")}', 0).then((v) =>
        [v[0], v[1], v[2].error()]));
    await tell(c.sendCommand('nonsense')); await tell(c.randomKey().then((k) => typeof k)); await tell(c.get('l'));
    await tell(c.lpush('l', 'b')); await tell(c.get('l'));
"""

EXPECTED = """
"OK" "OK" "OK" "OK"
"text" error:redis:nil ["text",null,"41","1.5","1"]
"text" error:redis:nil "x" error:redis:nil
2 2
42 50 49 50
error:ERR_value_is_not_an_integer_or_out_of_range
true 100 true false
-1e-9 -2e-9 false
"OK" 50 true error:redis:nil
3 4 ["1","1","b","z"]
"1" error:redis:nil "OK" error:ERR_index_out_of_range
1 3 "first" "b"
error:redis:nil error:redis:nil 0 error:ERR_no_such_key
1 0 false true "2" error:redis:nil {"f":"2","g":"y"}
{} ["f","g"] ["2","y"] 2
7 error:ERR_hash_value_is_not_an_integer 2
2 0 1
true false ["a"]
"a" "a" error:redis:nil error:redis:nil
"OK" error:redis:nil
3 ["2.5","two","1"]
[1,["a",null],"ERR_inner"]
"""


def said(run):
    """What the script said, without the log's escapes."""
    return [json.loads('"%s"' % message) for message in run.messages]


def words(lines):
    return [line.strip('"') if line.startswith('"error: ') else line for line in lines]


class Single(unittest.TestCase):
    def run_script(self, body, head='', arguments=(), code=0, server=None, prelude=PRELUDE, env=None):
        text = prelude + head + 'export default async function () {' + body + '}'
        run = kiln('run', '--quiet', *arguments, script(self, text), env=env)
        self.assertEqual(run.code, code, run.err)
        return run

    def test_every_method(self):
        expected = EXPECTED.split()
        with Redis() as server:
            for name in ('k6/x/redis', 'k6/experimental/redis'):
                server.cli('flushall')
                run = self.run_script(METHODS, 'const c = new Client("%s");' % server.url,
                                      prelude=PRELUDE.replace('k6/x/redis', name))
                got = [line.replace('error: ', 'error:').replace('redis: nil', 'redis:nil').replace(' ', '_')
                       for line in words(said(run))]
                self.assertEqual(got[:len(expected)], expected)
                rest = got[len(expected):]
                self.assertTrue(rest[0].startswith("error:ERR_unknown_command_'nonsense'"), rest)
                wrong_type = 'error:WRONGTYPE_Operation_against_a_key_holding_the_wrong_kind_of_value'
                self.assertEqual(rest[1:], ['"string"', wrong_type, '2', wrong_type])

    def test_what_cannot_be_sent_is_refused(self):
        with Redis() as server:
            run = self.run_script("""
                await tell(c.set('k', ['x'])); await tell(c.set('k')); await tell(c.set('k', {})); await tell(c.set('k', null));
                await tell(c.getSet('k', new Array(1))); await tell(c.lpush('k', 'a', 1, [])); await tell(c.hset('k', 'f', {}));
                await tell(c.sadd('k', () => 1)); await tell(c.sismember('k', [])); await tell(c.sendCommand('GET', 'a', {}));
                await tell(c.exists('k'));
                await tell(c.set(5, -0)); await tell(c.get('5')); await tell(c.set('k', 1e21)); await tell(c.get('k'));
                await tell(c.set('k', 1e-7)); await tell(c.get('k')); await tell(c.set('k', NaN)); await tell(c.get('k'));
                await tell(c.set('k', 'grüße\\u0000x')); await tell(c.get('k')); await tell(c.set('k', -Infinity));
                await tell(c.get('k')); await tell(c.set('', 'empty')); await tell(c.get()); await tell(c.get(undefined));
                """, 'const c = new Client("%s");' % server.url)
        indices = [1, 1, 1, 1, 1, 3, 2, 1, 1, 2]
        refused = ['"error: unsupported type provided for argument at index %d, supported types are string, number, and boolean"'
                   % i for i in indices]
        got = said(run)
        self.assertEqual(got[:10], refused)
        self.assertEqual(got[10:], ['0', '"OK"', '"0"', '"OK"', '"1000000000000000000000"', '"OK"', '"0.0000001"', '"OK"', '"NaN"',
                                    '"OK"', '"grüße\\u0000x"', '"OK"', '"-Inf"', '"OK"', '"empty"', '"empty"'])

    def test_concurrent_commands_share_a_connection_and_keep_their_answers(self):
        with Redis() as server:
            run = self.run_script("""
                const all = await Promise.all(Array.from({ length: 5000 }, (_, i) =>
                    i % 3 ? c.incr('n') : c.sendCommand('ECHO', 'e' + i)));
                let n = 0;
                say(all.every((v, i) => v === (i % 3 ? ++n : 'e' + i)), n);
                const big = 'x'.repeat(3000000);
                await c.set('big', big);
                const [one, two, three] = await Promise.all([c.get('big'), c.incr('n'), c.get('big')]);
                say(one === big, two, three === big);
                say(/connected_clients:(\\d+)/.exec(await c.sendCommand('INFO', 'clients'))[1]);
                """, 'const c = new Client("%s");' % server.url)
            received = int(dict(line.split(':') for line in server.cli('info', 'stats').split() if ':' in line)
                           ['total_connections_received'])
        self.assertEqual(said(run), ['true 3333', 'true 3334 true', '"1"'])
        self.assertLessEqual(received, 4)  # with redis-cli's own and those that waited for the server

    def test_commands_that_block_do_not_hold_up_the_others(self):
        with Redis() as server:
            run = self.run_script("""
                const waiting = [c.sendCommand('BLPOP', 'queue', 2), c.sendCommand('BLPOP', 'queue', 2)];
                await c.set('k', 'v');
                say(await c.get('k'));
                await c.rpush('queue', 'one', 'two');
                say((await Promise.all(waiting)).map((v) => v[1]).sort());
                say(await c.sendCommand('SUBSCRIBE', 'news'));
                say(await c.get('k'));
                const limited = new Client('%s?pool_size=1&pool_timeout=50ms&max_retries=-1');
                limited.sendCommand('BLPOP', 'none', 0.5).catch(() => {});
                await tell(limited.sendCommand('BLPOP', 'none', 0.5));
                """ % server.url, 'const c = new Client("%s");' % server.url)
        self.assertEqual(said(run),
                         ['"v"', '["one","two"]', '["subscribe","news",1]', '"v"', '"error: redis: connection pool timeout"'])

    def test_transactions_and_version_3_of_the_protocol(self):
        with Redis('--enable-debug-command', 'yes') as server:
            run = self.run_script("""
                await tell(c.sendCommand('MULTI')); await tell(c.set('a', '1')); await tell(c.incr('a'));
                await tell(c.sendCommand('EXEC'));
                await c.sendCommand('HELLO', 3);
                await c.hset('h', 'f', 'v'); await tell(c.hgetall('h')); await tell(c.sendCommand('HGETALL', 'h'));
                await c.sadd('s', 'a'); await tell(c.smembers('s')); await tell(c.get('none'));
                await tell(c.sendCommand('DEBUG', 'PROTOCOL', 'double')); await tell(c.sendCommand('DEBUG', 'PROTOCOL', 'true'));
                await tell(c.sendCommand('DEBUG', 'PROTOCOL', 'bignum').then((v) => typeof v + v));
                await tell(c.sendCommand('DEBUG', 'PROTOCOL', 'attrib')); await tell(c.sendCommand('DEBUG', 'PROTOCOL', 'verbatim'));
                """, 'const c = new Client("%s");' % server.url)
            self.assertEqual(said(run), [
                '"OK"', '"QUEUED"', '"error: strconv.ParseInt: parsing \\"QUEUED\\": invalid syntax"', '["OK",2]',
                '{"f":"v"}', '{"f":"v"}', '["a"]', '"error: redis: nil"', '3.141', 'true',
                '"bigint1234567999999999999999999999999999999"', '"Some real reply following the attribute"',
                '"This is a verbatim\\nstring"'])

    def test_the_init_context_has_no_connections(self):
        run = self.run_script('say(c.isConnected())', """
            const c = new Client('redis://127.0.0.1:1');
            c.get('k').catch((e) => say(e.error()));""")
        self.assertIn('"connecting to a redis server in the init context is not supported"', said(run))
        self.assertIn('false', said(run))
        run = self.run_script('', "new Client('redis://127.0.0.1:1').get('k');", code=255)
        self.assertIn('connecting to a redis server in the init context is not supported', run.err)

    def test_setup_and_several_vus_and_iterations(self):
        with Redis() as server:
            text = PRELUDE + """
                const c = new Client('%s');
                export const options = { vus: 10, iterations: 1000 };
                export async function setup() { await c.set('sum', 0); }
                export default async function () { await c.incrBy('sum', __ITER %% 2 ? 2 : 2); }
                export async function teardown() { say(await c.get('sum')); }
                """ % server.url
            run = kiln('run', '--quiet', script(self, text))
            received = [line for line in server.cli('info', 'stats').split() if line.startswith('total_connections_received')]
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(said(run), ['"2000"'])
        self.assertIn('data_sent', run.summary)
        self.assertLess(int(received[0].split(':')[1]), 18, 'a connection lives as long as its VU')

    def test_the_example(self):
        with Redis() as server:
            run = kiln('run', '--quiet', '-e', 'REDIS_URL=' + server.url, 'examples/redis.js')
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(said(run), ['seen: 50'])
        self.assertRegex(run.summary['checks'], r'100.00% ✓ 150 +✗ 0')

    def test_passwords_databases_and_names(self):
        with Redis('--requirepass', 'secret') as server:
            server.cli('-a', 'secret', '--no-auth-warning', 'acl', 'setuser', 'me', 'on', '>mine', '~*', '+@all')
            run = self.run_script("""
                const url = (who, rest) => `redis://${who}@127.0.0.1:PORT${rest || ''}`;
                const go = async (options) => {
                    const c = new Client(options);
                    await tell(c.sendCommand('CLIENT', 'GETNAME').then((name) => name, (e) => { throw e; }));
                    return c;
                };
                await tell(new Client(url(':secret', '/2')).set('k', 'two'));
                await tell(new Client(url('me:mine', '/2')).get('k'));
                await tell(new Client(url('me:mine')).get('k'));
                await tell(new Client(url('me:wrong')).get('k'));
                await tell(new Client('redis://127.0.0.1:PORT').get('k'));
                await tell(new Client(url(':secret', '/99')).get('k'));
                const socket = { host: '127.0.0.1', port: PORT };
                await tell(new Client({ socket, username: 'me', password: 'mine', database: 2 }).get('k'));
                await tell(new Client({ socket, password: 'secret', clientName: 'tester' }).sendCommand('CLIENT', 'GETNAME'));
                """.replace('PORT', str(server.port)))
        self.assertEqual(said(run), [
            '"OK"', '"two"', '"error: redis: nil"',
            '"error: failed to authenticate: WRONGPASS invalid username-password pair or user is disabled."',
            '"error: NOAUTH Authentication required."',
            '"error: failed to initialize connection options: ERR DB index is out of range"', '"two"', '"tester"'])

    def test_wrong_options(self):
        cases = [
            ('', 'must specify one argument'),
            ("'a', 'b'", 'must specify one argument'),
            ('1', 'invalid options type: int64; expected string or object'),
            ('undefined', 'invalid options type: <nil>; expected string or object'),
            ('[]', 'invalid options type: []interface {}; expected string or object'),
            ("'https://localhost:6379'", 'invalid options; reason: redis: invalid URL scheme: https'),
            ("{addrs: ['localhost:6379']}", 'invalid options; reason: json: unknown field "addrs"'),
            ("{username: 'user'}", 'invalid options; reason: empty socket options'),
            ('{socket: 5}', 'invalid options; reason: json: cannot unmarshal number into Go struct field '
                            'singleNodeOptions.socket of type redis.socketOptions'),
            ("{socket: {port: '1'}}", 'invalid options; reason: json: cannot unmarshal string into Go struct field '
                                      'socketOptions.socket.port of type int'),
            ('{socket: {port: 1.5}}', 'invalid options; reason: json: cannot unmarshal number 1.5 into Go struct field '
                                      'socketOptions.socket.port of type int'),
            ('{socket: {tls: {ca: [1]}}}', 'invalid options; reason: json: cannot unmarshal number into Go struct field '
                                           'tlsOptions.socket.tls.ca of type string'),
            ("{socket: {tls: {cert: 'x', key: 'y'}}}",
             'invalid options; reason: tls: failed to find any PEM data in certificate input'),
            ('{socket: {}, zebra: 1, abc: 2}', 'invalid options; reason: json: unknown field "abc"'),
            ('{cluster: {nodes: 1}}', 'invalid options; reason: cluster nodes property must be an array; got int64'),
            ('{cluster: {nodes: [1, 2]}}',
             'invalid options; reason: cluster nodes array must contain string or object elements; got int64'),
            ('{cluster: {nodes: []}}', 'invalid options; reason: cluster nodes property cannot be empty'),
            ("{cluster: {nodes: ['redis://u1@a', 'redis://u2@b']}}",
             'invalid options; reason: inconsistent username option: u1 != u2'),
            ("{cluster: {nodes: [{username: 'u1', socket: {}}, {username: 'u2', socket: {}}]}}",
             'invalid options; reason: inconsistent username option: u1 != u2'),
            ("{cluster: {nodes: ['redis://a', 1]}}", 'invalid options; reason: json: cannot unmarshal number into Go struct field '
                                                     'clusterNodesStringOptions.nodes of type string'),
            ("{cluster: {nodes: ['redis://a'], maxRedirect: 1}}", 'invalid options; reason: json: unknown field "maxRedirect"'),
            ('{cluster: 5}', 'invalid options; reason: json: unknown field "cluster"'),
        ]
        good = ["'redis://user:pass@localhost:6379/0'", "'rediss://somesecurehost'",
                "{clientName: 'c', Username: 'user', password: null, socket: {host: 'localhost', port: 6379, tls: {ca: ['...']}}}",
                "{cluster: {maxRedirects: 3, readOnly: true, routeByLatency: true, routeRandomly: true, nodes: ['redis://a:1']}}",
                "{socket: {host: 'h', port: 1}, masterName: 'm', sentinelUsername: 'u', sentinelPassword: 'p'}"]
        body = '[%s].forEach((f) => { try { f(); say("fine"); } catch (e) { say(e.name + ": " + e.message); } });' % ','.join(
            '() => new Client(%s)' % text for text in [c[0] for c in cases] + good)
        run = self.run_script(body)
        got = [json.loads(text) for text in said(run)]
        self.assertEqual(got, ['GoError: ' + c[1] for c in cases] + ['fine'] * len(good))

    def test_nobody_there_and_the_rules_of_the_network(self):
        run = self.run_script("""
            const begin = Date.now();
            await tell(new Client('redis://127.0.0.1:1').get('k'));
            say(Date.now() - begin >= 24, 'tries');
            await tell(new Client('redis://127.0.0.1:1?max_retries=-1').get('k'));
            await tell(new Client('redis://10.1.2.3:1').get('k'));
            await tell(new Client('redis://db.blocked.test:1').get('k'));
            await tell(new Client('redis://nope.invalid:1?max_retries=-1').get('k'));
            await tell(new Client('unix:///tmp/redis.sock').get('k'));
            """, "export const options = { blacklistIPs: ['10.0.0.0/8'], blockHostnames: ['*.blocked.test'] };")
        refused = '"error: dial tcp 127.0.0.1:1: connect: connection refused"'
        self.assertEqual(said(run), [
            refused, 'true "tries"', refused, '"error: IP (10.1.2.3) is in a blacklisted range (10.0.0.0/8)"',
            '"error: hostname (db.blocked.test) is in a blocked pattern (*.blocked.test)"',
            '"error: lookup nope.invalid: no such host"', '"error: address /tmp/redis.sock: missing port in address"'])

    def test_a_server_that_talks_nonsense(self):
        hello = b'*2\r\n$5\r\nproto\r\n:2\r\n'
        cases = [
            (b'HTTP/1.1 400 Bad Request\r\n\r\n', "get('k')", 'error: redis: can\'t parse "HTTP/1.1 400 Bad Request"'),
            (b'$5\r\nabc', "get('k')", 'error: EOF'),
            (b'', "get('k')", 'error: EOF'),
            (b'*2\r\n$1\r\na\r\n', "mget('a', 'b')", 'error: EOF'),
            (b'*1\r\n' * 70, "sendCommand('X')", 'error: redis: reply is nested too deeply'),
            (b'*999999999999\r\n', "sendCommand('X')", 'error: redis: can\'t parse "*999999999999"'),
            (b'$999999999999\r\n', "get('k')", 'error: redis: can\'t parse "$999999999999"'),
            (b'*3\r\n+a\r\n', "hgetall('k')", 'error: EOF'),
            (b'*1\r\n+a\r\n', "hgetall('k')", 'error: redis: can\'t parse map reply: "*1"'),
            (b'+OK\r\n', "hkeys('k')", 'error: redis: can\'t parse array/set/push reply: "+OK"'),
            (b'*0\r\n', "incr('k')", 'error: redis: can\'t parse int reply: "*0"'),
            (b'*0\r\n', "get('k')", 'error: redis: can\'t parse reply as a string: "*0"'),
            (b':7\r\n', "get('k')", '7'),
            (b'$1\r\n7\r\n', "incr('k')", 7),
            (b'+OK\r\n+more\r\n:3\r\n', "set('k', 'v')", 'OK'),
            (b'$2\r\n\xff\xfe\r\n', "get('k')", '\ufffd\ufffd'),
            (b'-MOVED 1 127.0.0.1:1\r\n', "get('k')", 'error: MOVED 1 127.0.0.1:1'),
        ]
        cluster_cases = [
            (b'+nonsense\r\n', "error: redis: can't parse the cluster's slots"),
            (b'*1\r\n*3\r\n:5\r\n:99999\r\n*0\r\n', "error: redis: can't parse the cluster's slots"),
            (b'*1\r\n*3\r\n:0\r\n:9\r\n*1\r\n+x\r\n', "error: redis: can't parse the cluster's slots"),
            (b'-ERR no\r\n', 'error: ERR no'),
        ]
        redirections = [('MOVED 1 :%d', 'error: MOVED 1 :%d'),  # for ever
                        ('MOVED what', 'error: MOVED what'), ('ASK 1 [::1]:x', 'error: ASK 1 [::1]:x')]

        def answer(peer, reply, slots):
            """HELLO first; then what it is asked for, once."""
            with peer:
                while True:
                    question = peer.recv(65536)
                    is_hello, is_slots = b'hello' in question, b'slots' in question and slots
                    peer.sendall(hello if is_hello else slots if is_slots else reply)
                    if not question or not is_hello:
                        return

        def serve(listener, reply, slots):
            with listener:
                try:
                    while True:
                        peer, _ = listener.accept()
                        threading.Thread(target=answer, args=(peer, reply, slots)).start()
                except OSError:
                    pass

        def server(reply, has_slots=False):
            listener = socket.create_server(('127.0.0.1', 0))
            port = listener.getsockname()[1]
            slots = b'*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$0\r\n\r\n:%d\r\n$1\r\nx\r\n' % port
            self.addCleanup(listener.close)
            self.addCleanup(listener.shutdown, socket.SHUT_RDWR)
            threading.Thread(target=serve, args=(listener, reply.replace(b'%d', b'%d' % port), slots if has_slots else b'')).start()
            return port

        calls, expected = [], []
        for reply, call, result in cases:
            calls.append("new Client('redis://127.0.0.1:%d?max_retries=-1').%s" % (server(reply), call))
            expected.append(result)
        cluster = "new Client({ cluster: { nodes: ['redis://127.0.0.1:%d'], maxRedirects: 2 } }).get('k')"
        for reply, result in cluster_cases:
            calls.append(cluster % server(reply))
            expected.append(result)
        for words, result in redirections:
            port = server(b'-%s\r\n' % words.encode(), has_slots=True)
            calls.append(cluster % port)
            expected.append(result.replace('%d', str(port)))
        run = self.run_script('\n'.join('await tell(%s);' % call for call in calls))
        self.assertEqual([json.loads(text) for text in said(run)], expected)

    def test_a_server_that_is_silent(self):
        with Redis('--enable-debug-command', 'yes') as server:
            run = self.run_script("""
                const slow = new Client('%s?read_timeout=100ms&max_retries=1');
                await tell(slow.sendCommand('DEBUG', 'SLEEP', '1').catch((e) => { throw { error: () => e.error().replace(/[0-9]+/g, '') }; }));
                """ % server.url)
        self.assertEqual(said(run), ['"error: read tcp ...:->...:: i/o timeout"'])

    def test_an_interrupted_iteration_leaves_nothing_behind(self):
        with Redis() as server:
            run = self.run_script("""
                c.sendCommand('BLPOP', 'none', 0).catch(() => {});
                new Client('redis://127.0.0.1:1?min_retry_backoff=10s&max_retry_backoff=20s').get('k').catch(() => {});
                await c.get('none');""", """
                export const options = { scenarios: { s: { executor: 'constant-vus', vus: 2, duration: '1s',
                                                           gracefulStop: '200ms' } } };
                const c = new Client('%s?read_timeout=-1');""" % server.url)
            wait_for(lambda: server.cli('info', 'clients').count('blocked_clients:0'), 'the end of the connections')
        self.assertLess(run.seconds, 10)
        self.assertIn('redis: nil', run.err)


class Restart(unittest.TestCase):
    def test_a_run_goes_on_when_its_server_is_restarted(self):
        with Redis() as server:
            text = PRELUDE + """
                import { Counter } from 'k6/metrics';
                import exec from 'k6/execution';
                import { sleep } from 'k6';
                const ok = new Counter('ok'), failed = new Counter('failed');
                export const options = { vus: 4, duration: '20s' };
                const c = new Client('%s?max_retries=1&max_retry_backoff=20ms');
                let state = 'new';
                export default async function () {
                    try {
                        await Promise.all([c.incr('n'), c.incr('n'), c.set('k' + __VU, __ITER)]);
                        ok.add(1);
                        if (state !== 'good') say(state === 'bad' ? 'again' : 'first');
                        state = 'good';
                    } catch (e) {
                        failed.add(1);
                        if (state !== 'bad') say(e.error());
                        state = 'bad';
                        sleep(0.01);
                    }
                    if (await c.exists('stop').catch(() => 0)) exec.test.abort('stopped');
                }
                """ % server.url
            with Started('run', '--quiet', script(self, text)) as started:
                started.wait_for('first')
                server.stop()
                started.wait_for('connection refused')
                server.start()
                started.wait_for('again')
                wait_for(lambda: started.err_text().count('again') == 4, 'all VUs')
                server.cli('set', 'stop', '1')
                run = started.finish(20)
        self.assertEqual(run.code, 108, run.err)
        self.assertGreater(run.count('ok'), 8)
        self.assertGreaterEqual(run.count('failed'), 4)


class Secure(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='kiln-redis-tls-')
        self.addCleanup(self.folder.cleanup)

        def openssl(*arguments):
            subprocess.run(['openssl', *arguments], check=True, cwd=self.folder.name, stdin=subprocess.DEVNULL, capture_output=True)
        new_key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
        openssl('req', '-x509', *new_key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority')
        for name in ('server', 'client'):
            openssl('req', *new_key, '-keyout', name + '.key', '-out', name + '.csr', '-subj', '/CN=' + name)
            with open(os.path.join(self.folder.name, 'ext'), 'w', encoding='ascii') as f:
                f.write('subjectAltName=DNS:localhost,IP:127.0.0.1\n')
            openssl('x509', '-req', '-in', name + '.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
                    '-extfile', 'ext', '-out', name + '.pem')

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def text(self, name):
        with open(self.path(name), encoding='ascii') as f:
            return json.dumps(f.read())

    def test_tls_with_authorities_and_client_certificates(self):
        arguments = ['--tls-cert-file', self.path('server.pem'), '--tls-key-file', self.path('server.key'),
                     '--tls-ca-cert-file', self.path('ca.pem')]
        with Redis(*arguments, '--tls-auth-clients', 'yes', tls=True) as strict, \
                Redis(*arguments, '--tls-auth-clients', 'no', tls=True) as server:
            text = PRELUDE + 'const ca = [%s], cert = %s, key = %s, port = %d, strict = %d;' % (
                self.text('ca.pem'), self.text('client.pem'), self.text('client.key'), server.port, strict.port) + """
                const client = (port, tls) => new Client({ socket: { host: '127.0.0.1', port, tls } });
                export default async function () {
                    await tell(client(port, { ca }).set('k', 'v'));
                    await tell(Promise.all(Array.from({ length: 200 }, () => client(port, { ca }))
                        .slice(0, 3).map((c) => c.get('k'))));
                    await tell(client(strict, { ca, cert, key }).sendCommand('PING'));
                    await tell(client(strict, { ca }).sendCommand('PING').catch((e) => { throw { error: () => 'refused' }; }));
                    await tell(client(port, {}).sendCommand('PING'));
                    await tell(new Client(`rediss://localhost:${port}`).sendCommand('PING'));
                    await tell(new Client(`rediss://localhost:${port}?skip_verify=true`).sendCommand('PING'));
                }"""
            run = kiln('run', '--quiet', script(self, text))
            unknown = '"error: tls: failed to verify certificate: x509: certificate signed by unknown authority"'
            self.assertEqual(said(run),
                             ['"OK"', '["v","v","v"]', '"PONG"', '"error: refused"', unknown, unknown, '"PONG"'], run.err)
            run = kiln('run', '--quiet', '--insecure-skip-tls-verify', script(self, text))
            self.assertEqual(said(run)[4:], ['"PONG"'] * 3)


class InACluster(unittest.TestCase):
    def test_keys_go_to_their_nodes_and_move_with_their_slots(self):
        with Cluster(3) as nodes:
            text = PRELUDE + """
                const c = new Client({ cluster: { nodes: NODES } }), one = new Client({ cluster: { nodes: NODES.slice(0, 1) } });
                const keys = Array.from({ length: 300 }, (_, i) => 'key' + i);
                export const options = { scenarios: { s: { executor: 'per-vu-iterations', vus: 1, iterations: 1 } } };
                export default async function () {
                    await Promise.all(keys.map((k, i) => c.set(k, i)));
                    say((await Promise.all(keys.map((k) => c.get(k)))).every((v, i) => v === String(i)));
                    say((await c.mget('none', ...keys)).every((v, i) => i ? v === String(i - 1) : v === null));
                    say(await c.exists(...keys, 'none'), await c.sendCommand('DBSIZE'), (await c.sendCommand('KEYS', 'key1?')).length);
                    say(await one.get('key7'), await c.del('key7', 'key8', 'key9'), await one.sendCommand('MSET', 'a', 1, 'b', 2));
                    await tell(c.sendCommand('SINTERSTORE', 'a', 'b', 'c'));
                    await c.lpush('{user1000}.a', 1); await tell(c.sendCommand('RPOPLPUSH', '{user1000}.a', '{user1000}.b'));
                    say('before');
                    await c.sendCommand('BLPOP', '{go}', 20).then((v) => say(v[1]));
                    // slots have moved in the meantime: old map, new places
                    say((await Promise.all(keys.slice(10).map((k) => c.get(k)))).every((v, i) => v === String(i + 10)));
                    await c.incr('foo'); say(await c.get('foo'), await one.get('foo'));
                    say(await c.sendCommand('FLUSHALL'), await c.sendCommand('DBSIZE'));
                }""".replace('NODES', json.dumps([node.url for node in nodes]))
            with Started('run', '--quiet', '-v', script(self, text), env={'K6_LOG_LEVEL': 'info'}) as started:
                started.wait_for('before')
                # foo's slot is being moved (its keys are asked for elsewhere), others are gone already.
                owner = next(n for n in nodes if 'MOVED' not in n.cli('set', 'foo', '41'))
                other = next(n for n in nodes if n is not owner)
                ids = {node: node.cli('cluster', 'myid') for node in nodes}
                other.cli('cluster', 'setslot', '12182', 'importing', ids[owner])
                owner.cli('cluster', 'setslot', '12182', 'migrating', ids[other])
                owner.cli('migrate', '127.0.0.1', str(other.port), 'foo', '0', '5000')
                for slot in self.slots_of_keys(owner, 20):
                    self.move(owner, other, ids, slot)
                go = next(n for n in nodes if 'MOVED' not in n.cli('rpush', '{go}', 'went'))
                self.assertTrue(go)
                run = started.finish(30)
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(said(run), [
            'true', 'true', '300 300 10', '"7" 3 "OK"', '"error: CROSSSLOT Keys in request don\'t hash to the same slot"', '"1"',
            '"before"', '"went"', 'true', '"42" "42"', '"OK" 0'])

    def slots_of_keys(self, node, n):
        keys = [k for k in node.cli('keys', 'key*').split()][:n]
        return sorted({int(node.cli('cluster', 'keyslot', k)) for k in keys})

    def move(self, owner, other, ids, slot):
        other.cli('cluster', 'setslot', str(slot), 'importing', ids[owner])
        owner.cli('cluster', 'setslot', str(slot), 'migrating', ids[other])
        keys = owner.cli('cluster', 'getkeysinslot', str(slot), '100').split()
        owner.cli('migrate', '127.0.0.1', str(other.port), '', '0', '5000', 'keys', *keys)
        for node in (other, owner):
            node.cli('cluster', 'setslot', str(slot), 'node', ids[other])

    def test_replicas_answer_when_they_may(self):
        # A replica that has got nothing yet is not on the map: a ping is something.
        arguments = ('--cluster-enabled', 'yes', '--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1')
        with Redis(*arguments) as master, Redis(*arguments) as replica:
            master.cli('cluster', 'addslotsrange', '0', '16383')
            master.cli('cluster', 'meet', '127.0.0.1', str(replica.port))
            wait_for(lambda: replica.cli('cluster', 'nodes').count('connected') == 2, 'the nodes')
            self_id = master.cli('cluster', 'myid')
            wait_for(lambda: replica.cli('cluster', 'replicate', self_id, check=False) == 'OK', 'the replica')
            wait_for(lambda: 'master_link_status:up' in replica.cli('info', 'replication'), 'replication')
            # [first, last, master's host, port, id, …, replica's]: one more node than before.
            wait_for(lambda: str(replica.port) in master.cli('cluster', 'slots').split(), 'the map')
            for node in (master, replica):
                wait_for(lambda: 'cluster_state:ok' in node.cli('cluster', 'info'), 'the cluster')
            text = PRELUDE + """
                const nodes = ['%s'];
                const client = (more) => new Client({ cluster: Object.assign({ nodes }, more) });
                const plain = client({}), reading = client({ readOnly: true }), random = client({ routeRandomly: true }),
                    near = client({ routeByLatency: true });
                export default async function () {
                    await plain.set('k', 'v'); await plain.sendCommand('WAIT', 1, 5000);
                    for (const [c, n] of [[plain, 7], [reading, 100], [random, 200], [near, 50]])
                        say(new Set(await Promise.all(Array.from({ length: n }, () => c.get('k')))).size);
                    await tell(reading.set('k', 'w'));
                }""" % master.url
            run = kiln('run', '--quiet', script(self, text))
            self.assertEqual(said(run), ['1', '1', '1', '1', '"OK"'], run.err)

            def gets(server):
                found = re.search(r'cmdstat_get:calls=(\d+)', server.cli('info', 'commandstats'))
                return int(found.group(1)) if found else 0
            self.assertEqual(gets(master) + gets(replica), 357)
            self.assertGreater(gets(replica), 100 + 20)  # 100 for readOnly, half of random's, all or none of the nearest's
            self.assertGreater(gets(master), 7 + 20)

    def test_a_cluster_of_one_server_that_is_none(self):
        with Redis() as server:
            text = PRELUDE + """
                const c = new Client({ cluster: { nodes: ['%s'] } });
                export default async function () { await tell(c.set('a', 1)); await tell(c.mget('a', 'b')); }""" % server.url
            run = kiln('run', '--quiet', script(self, text))
        self.assertEqual(said(run), ['"OK"', '["1",null]'], run.err)


class WithSentinels(unittest.TestCase):
    CONFIG = """port {port}
sentinel monitor mymaster 127.0.0.1 MASTER 1
sentinel down-after-milliseconds mymaster 600
sentinel failover-timeout mymaster 2000
requirepass guard
"""

    def test_the_master_is_found_again_after_a_failover(self):
        with Redis('--repl-diskless-sync-delay', '0') as master, \
                Redis('--replicaof', '127.0.0.1', str(master.port), '--repl-diskless-sync-delay', '0') as replica:
            wait_for(lambda: 'master_link_status:up' in replica.cli('info', 'replication'), 'replication')
            with Redis('--sentinel', config=self.CONFIG.replace('MASTER', str(master.port))) as sentinel:
                def ask(*words):
                    return sentinel.cli('-a', 'guard', '--no-auth-warning', *words)
                wait_for(lambda: 'num-slaves\n1' in ask('sentinel', 'master', 'mymaster'), 'the sentinel')
                text = PRELUDE + """
                    import { sleep } from 'k6';
                    const c = new Client({ socket: { host: '127.0.0.1', port: %d }, masterName: 'mymaster',
                                           sentinelPassword: 'guard', database: 1, maxRetries: 1 });
                    export const options = { vus: 1, iterations: 1 };
                    export default async function () {
                        await c.set('who', 'master');
                        say('set');
                        for (let failed = false;; sleep(0.05)) {
                            try {
                                const v = await c.set('who', 'replica');
                                if (failed) break;
                            } catch (e) {
                                if (!failed) say('failed');
                                failed = true;
                            }
                        }
                        say('again');
                        const lost = new Client({ socket: { host: '127.0.0.1', port: %d }, masterName: 'other',
                                                  sentinelPassword: 'guard', maxRetries: -1 });
                        await tell(lost.get('k'));
                    }""" % (sentinel.port, sentinel.port)
                with Started('run', '--quiet', script(self, text)) as started:
                    started.wait_for('set')
                    master.stop()
                    run = started.finish(30)
            self.assertEqual(replica.cli('-n', '1', 'get', 'who'), 'replica')
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(said(run), [
            '"set"', '"failed"', '"again"',
            '"error: redis: all sentinels specified in configuration are unreachable: redis: nil"'])


if __name__ == '__main__':
    run_tests_together()
