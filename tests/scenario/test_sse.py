#!/usr/bin/env python3
"""Server-sent events: sse.open() and EventSource against a scripted server. Environment: KILN."""
import signal
import socket
import unittest

from http_server import HttpServer
from kiln_runner import Started, kiln, script


class EventServer(HttpServer):

    def __init__(self, serve):
        super().__init__(serve)
        self.url += '/events'


class Sse(unittest.TestCase):
    def run_script(self, serve, body, *arguments):
        with EventServer(serve) as server:
            path = script(self, "import sse, { EventSource } from 'k6/x/sse';\nconst URL = '%s';\n%s" % (server.url, body))
            return kiln('run', '--quiet', *arguments, path)

    def test_events_until_the_script_closes(self):
        def serve(http):
            seen.append((http.command, http.headers['Accept'], http.headers['X-Own'],
                         http.body()))
            http.begin(200, 'text/event-stream')
            # Cut where it hurts, and the same event in three forms of line ends.
            for piece in (': welcome\n\n', 'id: 1\nevent: or', 'der\nda', 'ta: {"a":1}\ndata: more\n', '\n',
                          'data: zwei\r\n\r\n', 'nonsense\n', 'id: 3\ndata: drei\r\r'):
                http.chunk(piece)
            http.wait_for_end()
            ended.append(True)

        seen, ended = [], []
        run = self.run_script(serve, '''
            export default function () {
                const res = sse.open(URL, { method: 'POST', body: 'ask', headers: { 'X-Own': 'v' }, tags: { a: 'b' } },
                    (client) => {
                        client.on('open', () => console.log('open'));
                        client.on('event', (e) => { console.log(JSON.stringify(e)); if (e.id === '3') client.close(); });
                        client.on('error', (e) => console.log('error', e.error().trim()));
                    });
                console.log(res.status, res.url === URL, res.error === '', res.headers['Content-Type']);
            }''')
        self.assertEqual(run.messages, [
            'open', r'{\"id\":\"\",\"comment\":\"welcome\",\"name\":\"\",\"data\":\"\"}',
            r'{\"id\":\"1\",\"comment\":\"\",\"name\":\"order\",\"data\":\"{\\\"a\\\":1}\\nmore\"}',
            r'{\"id\":\"\",\"comment\":\"\",\"name\":\"\",\"data\":\"zwei\"}', 'error unknown event: nonsense',
            r'{\"id\":\"3\",\"comment\":\"\",\"name\":\"\",\"data\":\"drei\"}', '200 true true text/event-stream'], run.err)
        self.assertEqual(seen, [('POST', 'text/event-stream', 'v', b'ask')])
        self.assertEqual(ended, [True])
        self.assertEqual(run.count('sse_event'), 4)
        self.assertEqual(run.count('http_reqs'), 1)
        self.assertIn('http_req_duration', run.summary)

    def test_the_end_of_the_stream_ends_the_call(self):
        def serve(http):
            if http.path == '/missing':
                http.begin(404, 'text/plain')
                http.chunk('data: x\n\n')
            else:
                http.begin(200, 'text/event-stream')
                http.chunk('data: a\n\ndata: never finished\n')
            http.chunk('')

        run = self.run_script(serve, '''
            export default function () {
                for (const url of [URL, URL.replace('events', 'missing')]) {
                    const got = [];
                    const res = sse.open(url, (client) => client.on('event', (e) => got.push(e.data)));
                    console.log(res.status, got.join());
                }
            }''')
        self.assertEqual(run.messages, ['200 a', '404 x'], run.err)
        self.assertEqual(run.count('http_reqs'), 2)

    def test_errors_of_the_connection(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
        path = script(self, '''
            import sse from 'k6/x/sse';
            export default function () {
                for (const args of [[], ['http://x'], ['http://x', {}], ['http://x', {}, 1]])
                    try { sse.open(...args); } catch (e) { console.log(e); }
                const res = sse.open('http://127.0.0.1:%d/', {}, () => console.log('not called'));
                console.log(res.status, res.error.includes('connection refused'));
            }''' % port)
        run = kiln('run', '--quiet', path)
        wrong = ['GoError: invalid number of arguments to sse.open', 'GoError: invalid number of arguments to sse.open',
                 'GoError: last argument to sse.open must be a function', 'GoError: last argument to sse.open must be a function']
        self.assertEqual(run.messages, wrong + ['0 true'], run.err)

    def test_a_handler_that_throws_ends_the_stream(self):
        def serve(http):
            http.begin(200, 'text/event-stream')
            http.chunk('data: x\n\n')
            http.wait_for_end()

        run = self.run_script(serve, '''
            export default function () {
                try { sse.open(URL, (c) => c.on('event', () => { throw new Error('boom'); })); }
                catch (e) { console.log('caught', e.message); }
            }''')
        self.assertEqual(run.messages, ['caught boom'], run.err)

    def test_the_end_of_the_duration_cuts_streams(self):
        def serve(http):
            http.begin(200, 'text/event-stream')
            http.chunk('data: x\n\n')
            http.wait_for_end()

        run = self.run_script(serve, '''
            export const options = { scenarios: { s: { executor: 'constant-vus', vus: 2, duration: '1s', gracefulStop: '0s' } } };
            export default function () {
                if (__VU === 1) new EventSource(URL).onmessage = (e) => console.log('source', e.data);
                else sse.open(URL, (c) => c.on('event', (e) => console.log('open', e.data)));
            }''')
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(sorted(run.messages), ['open x', 'source x'])

    def test_more_events_than_the_queue_holds(self):
        def serve(http):
            http.begin(200, 'text/event-stream')
            for i in range(50):
                http.chunk('data: %s\n\n' % ('x' * 100) * 200)
            http.chunk('')

        run = self.run_script(serve, '''
            export default function () {
                let n = 0;
                sse.open(URL, (client) => client.on('event', (e) => { n++; }));
                console.log(n);
            }''')
        self.assertEqual(run.messages, ['10000'], run.err)
        self.assertEqual(run.count('sse_event'), 10000)


class Source(unittest.TestCase):
    run_script = Sse.run_script

    def test_it_reconnects_with_the_last_id(self):
        def serve(http):
            ids.append(http.headers['Last-Event-ID'])
            http.begin(200, 'text/event-stream')
            if len(ids) == 1:
                http.chunk('retry: 20\nid: 7\ndata: one\n\n')
                http.chunk('')
            else:
                http.chunk('event: done\ndata: two\n\n')
                http.wait_for_end()

        ids = []
        run = self.run_script(serve, '''
            export default function () {
                const source = new EventSource(URL);
                const log = (e) => console.log(e.type, source.readyState, e.data, e.lastEventId);
                source.onopen = log;
                source.onmessage = log;
                source.onerror = log;
                source.addEventListener('done', (e) => { log(e); source.close(); console.log(source.readyState); });
                console.log(source.readyState, source.url === URL, EventSource.OPEN);
            }''')
        self.assertEqual(run.messages, ['0 true 1', 'open 1 undefined undefined', 'message 1 one 7', 'error 0 undefined undefined',
                                        'open 1 undefined undefined', 'done 1 two 7', '2'], run.err)
        self.assertEqual(ids, [None, '7'])
        self.assertEqual(run.count('sse_event'), 2)
        self.assertEqual(run.count('http_reqs'), 2)

    def test_what_is_no_stream_is_not_tried_again(self):
        def serve(http):
            http.begin(200, 'text/html')
            http.chunk('<p>')
            http.chunk('')

        run = self.run_script(serve, '''
            export default function () {
                const source = new EventSource(URL);
                source.onopen = () => console.log('open');
                source.onerror = (e) => console.log(e.type, source.readyState, e.message);
            }''')
        self.assertEqual(run.messages, ['error 2 Content-Type is not a stream of events'], run.err)

    def test_an_exception_of_a_listener_fails_the_iteration(self):
        def serve(http):
            http.begin(200, 'text/event-stream')
            http.chunk('data: x\n\n')
            http.wait_for_end()

        run = self.run_script(serve, '''
            export default function () {
                new EventSource(URL).onmessage = () => { throw new Error('boom'); };
            }''')
        self.assertIn('Error: boom', [text for level, text, _ in run.log if level == 'error'][0])
        self.assertEqual(run.count('iterations'), 1)

    def test_an_interrupt_ends_it(self):
        def serve(http):
            http.begin(200, 'text/event-stream')
            http.chunk('data: ready\n\n')
            http.wait_for_end()

        with EventServer(serve) as server:
            path = script(self, "import { EventSource } from 'k6/x/sse';\n"
                          "export default function () { new EventSource('%s').onmessage = (e) => console.log(e.data); }" % server.url)
            with Started('run', '--quiet', path) as run:
                run.wait_for('ready')
                run.process.send_signal(signal.SIGINT)
                self.assertEqual(run.finish(10).code, 105)


if __name__ == '__main__':
    unittest.main()
