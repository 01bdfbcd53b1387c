#!/usr/bin/env python3
"""The web dashboard: its endpoints and events, in a real browser, its report, and control from the page."""
import base64
import gzip
import http.client
import json
import os
import re
import socket
import sys
import tempfile
import time
import unittest

from chromium import Chromium, find_program
from http_server import HttpServer
from kiln_runner import Started, kiln, script

SCRIPT = '''
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Trend } from 'k6/metrics';
const calories = new Trend('calories');
export const options = {
  thresholds: { checks: ['rate>0.1'], http_req_duration: ['p(95)<0.000001'] },
  %s
};
export default function () {
  group('menu', () => { check(http.get('%s/'), { 'is there': (r) => r.status === 200 }) });
  group('order', () => { check(http.get('%s/order'), { 'is not there': (r) => r.status === 200 }) });
  calories.add(500);
  sleep(0.05);
}
'''
EXTERNAL = "scenarios: { shop: { executor: 'externally-controlled', vus: 2, maxVUs: 10, duration: '5m' } },"
TOKEN = 'open-sesame'


def serve(http):
    http.answer(200 if http.path == '/' else 404, 'pizza')


def embedded_events(html):
    """What a report carries: {event: [data, …]}."""
    packed = re.search(r'<script id="kiln-data" type="text/plain">([^<]*)</script>', html).group(1)
    events = {}
    for line in gzip.decompress(base64.b64decode(packed)).decode().splitlines():
        e = json.loads(line)
        events.setdefault(e['event'], []).append(e['data'])
    return events


def totals(events):
    """{metric: values} at the end."""
    names = sorted(name for metrics in events['metric'] for name in metrics)
    return dict(zip(names, events['cumulative'][-1]))


class Dashboard:
    """A kiln with a dashboard on a free port."""

    def __init__(self, *arguments, **env):
        env = {'K6_WEB_DASHBOARD': 'true', 'K6_WEB_DASHBOARD_PORT': '0', 'KILN_WEB_DASHBOARD_TOKEN': TOKEN, **env}
        self.started = Started('run', '--address', '127.0.0.1:0', *arguments, env=env)

    def __enter__(self):
        self.run = self.started.__enter__()
        end = time.monotonic() + 60
        while True:
            self.run.out.flush()
            with open('/proc/self/fd/%d' % self.run.out.fileno(), encoding='utf-8') as f:
                found = re.search(r'web dashboard: http://127\.0\.0\.1:(\d+)', f.read())
            if found:
                break
            assert self.run.process.poll() is None, self.run.err_text()
            assert time.monotonic() < end, 'no dashboard in the header'
            time.sleep(0.02)
        self.port = int(found.group(1))
        self.url = 'http://127.0.0.1:%d' % self.port
        return self

    def __exit__(self, *_):
        self.started.__exit__()

    def ask(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return r.status, r.headers, r.read()
        finally:
            c.close()

    def control(self, token=TOKEN, **attributes):
        body = json.dumps({'data': {'type': 'status', 'id': 'default', 'attributes': attributes}})
        return self.ask('POST', '/control', body, {'X-Kiln-Token': token})


class Events:
    """Reads /events as a browser does."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), 60)
        self.socket.sendall(b'GET /events HTTP/1.1\r\nHost: x\r\n\r\n')
        self.file = self.socket.makefile('rb')
        self.headers = b''
        while not self.headers.endswith(b'\r\n\r\n'):
            self.headers += self.file.readline()
        self.text = b''

    def next(self):
        while b'\n\n' not in self.text:
            size = int(self.file.readline(), 16)
            if size == 0:
                return None
            self.text += self.file.read(size)
            self.file.readline()
        block, self.text = self.text.split(b'\n\n', 1)
        fields = dict(line.split(': ', 1) for line in block.decode().split('\n'))
        return fields['event'], json.loads(fields['data']), fields

    def until(self, name):
        while True:
            e = self.next()
            assert e is not None, 'the stream ended before ' + name
            if e[0] == name:
                return e

    def close(self):
        self.file.close()
        self.socket.close()


class DashboardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = HttpServer(serve)
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.base = cls.server.url
        cls.folder = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def script(self, options=EXTERNAL):
        return script(self, SCRIPT % (options, self.base, self.base))

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def test_endpoints_events_and_control(self):
        with Dashboard(self.script()) as d:
            status, headers, _ = d.ask('GET', '/')
            self.assertEqual((status, headers['Location']), (307, '/ui/?endpoint=/'))
            status, headers, body = d.ask('GET', '/ui/?endpoint=/')
            self.assertEqual(status, 200)
            self.assertIn(b'<title>kiln</title>', body)
            self.assertEqual(d.ask('GET', '/ui/../secret')[0], 404)
            self.assertEqual(d.ask('POST', '/events')[0], 405)

            early = Events(d.port)
            self.addCleanup(early.close)
            self.assertIn(b'text/event-stream', early.headers)
            self.assertIn(b'Access-Control-Allow-Origin: *', early.headers)
            _, param, _ = early.until('param')
            self.assertEqual(param['scenarios'], ['shop'])
            self.assertEqual(param['tags'], ['group'])
            self.assertEqual(param['aggregates']['trend'], ['avg', 'max', 'med', 'min', 'p(90)', 'p(95)', 'p(99)'])
            _, status, _ = early.until('status')
            self.assertEqual(status['control'], {'pause': True, 'scale': True})

            self.assertEqual(d.control(token='guessed', paused=True)[0], 403)
            self.assertEqual(d.control(vus=5)[0], 200)
            while status['vus'] != 5:
                _, status, _ = early.until('status')
            self.assertEqual(d.control(paused=True)[0], 200)
            while status['state'] != 'paused':
                _, status, _ = early.until('status')
            code, _, body = d.control(vus=11)
            self.assertEqual(code, 400, body)
            self.assertEqual(d.control(paused=False)[0], 200)
            while status['state'] != 'running':
                _, status, _ = early.until('status')

            late = Events(d.port)  # gets what has been, in order
            self.addCleanup(late.close)
            self.assertEqual(late.next()[0], 'param')
            late.until('snapshot')
            report = d.ask('GET', '/report')[2].decode()
            self.assertIn('snapshot', embedded_events(report))
            self.assertEqual(d.control(stopped=True)[0], 200)
            stop = late.until('stop')
            self.assertEqual(stop[2]['retry'], '9007199254740991')
            # The streams are still open: kiln ends all the same.
            done = d.run.finish(60)
            self.assertEqual(done.code, 103, done.err)

    def test_short_tests_have_graphs_that_agree_with_the_summary(self):
        html, packed, record = self.path('r.html'), self.path('r.html.gz'), self.path('r.ndjson')
        run = kiln('run', '--address', '', '-i', '3', '-o', 'web-dashboard=port=-1&tag=group&tag=status&record=%s' % record,
                   self.script(''), env={'K6_WEB_DASHBOARD_EXPORT': html})
        self.assertEqual(run.code, 99, run.err)
        self.assertNotIn('web dashboard:', run.out)
        with open(html, encoding='utf-8') as f:
            text = f.read()
        self.assertNotRegex(text, r'(src|href)="?https?:')
        events = embedded_events(text)
        self.assertGreaterEqual(len(events['snapshot']), 1)
        values = totals(events)
        self.assertEqual(values['http_reqs'][0], run.count('http_reqs'))
        self.assertEqual(values['http_reqs{group:::menu}'][0], 3)
        self.assertEqual(values['http_reqs{status:404}'][0], 3)
        self.assertEqual(values['calories'][0], 500)
        self.assertEqual([t['ok'] for t in events['thresholds'][-1]], [True, False])
        self.assertEqual(sum(c['passes'] for c in events['checks'][-1]), 3)
        with open(record, encoding='utf-8') as f:
            self.assertEqual(json.loads(f.readline())['event'], 'param')
        run = kiln('run', '--address', '', '-i', '1', '-o', 'web-dashboard=port=-1&report=%s&record=%s' % (packed, record + '.gz'),
                   self.script(''))
        with gzip.open(packed, 'rt', encoding='utf-8') as f:
            self.assertEqual(totals(embedded_events(f.read()))['http_reqs'][0], 2)
        with gzip.open(record + '.gz', 'rt', encoding='utf-8') as f:
            self.assertEqual(json.loads(f.read().splitlines()[-1])['event'], 'stop')

    def test_wrong_settings_are_refused(self):
        for env, words in (({'K6_WEB_DASHBOARD_PORT': 'x'}, 'strconv.Atoi: parsing \\"x\\": invalid syntax'),
                           ({'K6_WEB_DASHBOARD_PERIOD': 'soon'}, 'invalid duration'),
                           ({'K6_WEB_DASHBOARD_PORT': str(self.server.port)}, 'address already in use')):
            run = kiln('run', '--address', '', '-i', '1', self.script(''), env={'K6_WEB_DASHBOARD': 'true', **env})
            self.assertNotEqual(run.code, 0)
            self.assertIn(words, run.err)

    @unittest.skipUnless(find_program(), 'needs Chromium')
    def test_in_a_browser(self):
        html = self.path('browser.html')
        with Chromium() as chromium, Dashboard(self.script(), K6_WEB_DASHBOARD_EXPORT=html) as d:
            page = chromium.open(d.url + '/ui/?endpoint=/')
            self.addCleanup(page.close)
            page.wait_for('Number(document.documentElement.dataset.points) >= 2', 60)
            seen = page.evaluate('Number(document.documentElement.dataset.points)')
            page.wait_for('Number(document.documentElement.dataset.points) > %d' % seen, 60)  # it lives
            page.wait_for('/\\d\\/s$/.test(document.querySelectorAll(".card .figure")[1].textContent)', 60)
            self.assertEqual(page.evaluate('document.querySelectorAll(".card").length'), 6)
            titles = page.evaluate('[...document.querySelectorAll("#view-overview .panel:not([hidden]) h2")].map(e => e.textContent)')
            for title in ('HTTP Performance overview', 'VUs', 'Transfer Rate', 'HTTP Request Duration', 'HTTP Request Failed', 'calories'):
                self.assertIn(title, titles)
            self.assertIn('running', page.text('#state'))
            self.look_at_themes(page)
            self.look_at_tabs(page)
            page.resize(390, 800, True)
            page.wait_for('document.documentElement.scrollWidth <= 390', 60)
            page.resize(1280, 900)
            self.assertIn('group:::menu', page.evaluate('[...document.getElementById("filter").options].map(o => o.value)'))

            self.look_at_filter(page)
            self.look_at_keyboard(page)

            # The page is opened with the token: it can pause the test.
            page.evaluate('location.hash = "token=%s"' % TOKEN)
            page.call('Page.reload')
            page.wait_for('document.getElementById("pause").textContent.includes("Pause")', 60)
            page.wait_for('document.getElementById("vus").value === "2"', 60)
            page.evaluate('document.getElementById("vus").value = "4"')
            page.click('#scale button')
            page.wait_for('document.getElementById("vus").value === "4" && /vus\\s*4$/.test(document.querySelectorAll(".panel .key")[3].textContent)', 60)
            page.click('#pause')
            page.wait_for('document.getElementById("state").textContent.includes("paused")', 60)
            page.wait_for('document.getElementById("pause").textContent.includes("Resume")', 60)
            page.click('#stop')
            page.click('#stop')
            page.wait_for('document.getElementById("state").textContent.includes("stopped")', 60)
            d.run.finish(60)  # although the page is open
            # The report can be had when kiln is gone, too.
            page.evaluate('URL.createObjectURL = (blob) => { blob.text().then((t) => { window.saved = t }); return "#" }')
            page.click('#report')
            saved = page.wait_for('window.saved', 60)
            self.assertEqual(len(embedded_events(saved)['status']), 1)
            self.assertEqual(len(embedded_events(saved)['param']), 1)
            self.assertEqual(page.console, [])

            report = chromium.open('file://' + html)
            self.addCleanup(report.close)
            report.wait_for('Number(document.documentElement.dataset.points) >= 2', 60)
            self.assertGreater(report.evaluate('document.querySelectorAll("#view-overview .panel:not(.bare) canvas").length'), 4)
            report.click('#tab-summary')
            text = report.wait_for('document.getElementById("view-summary").textContent.includes("calories")', 60)
            text = report.text('#view-summary')
            for words in ('rate>0.1', '✓ pass', '✗ fail', 'is not there', 'http_req_duration', 'group:::order'):
                self.assertIn(words, text)
            self.assertEqual(report.console, [])

    def look_at_themes(self, page):
        colours = set()
        for _ in range(2):
            page.evaluate('document.getElementById("theme").click()')
            colours.add(page.evaluate('getComputedStyle(document.body).backgroundColor'))
        self.assertEqual(len(colours), 2)

    def look_at_filter(self, page):
        failed = 'document.querySelectorAll(".card .figure")[3].textContent'
        choose = 'const s = document.getElementById("filter"); s.value = "%s"; s.dispatchEvent(new Event("change"))'
        for value, shown in (('group:::menu', '0%'), ('group:::order', '100%'), ('', 'some')):
            page.evaluate('(() => { %s })()' % (choose % value))
            # Of everything it is half, but for a period that ended between the two requests of an iteration.
            page.wait_for('%s === "%s"' % (failed, shown) if value else 'parseFloat(%s) > 0 && parseFloat(%s) < 100' % (failed, failed), 60)
            self.assertEqual(page.evaluate('document.querySelectorAll(".panel.unfiltered").length > 0'), bool(value))

    def look_at_keyboard(self, page):
        page.evaluate('document.querySelector(".plot").focus()')
        page.evaluate('document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "End", bubbles: true}))')
        page.wait_for('/\\d\\d:\\d\\d:\\d\\d/.test(document.querySelector(".moment").textContent)', 60)

    def look_at_tabs(self, page):
        page.evaluate('document.getElementById("tab-overview").focus()')
        page.evaluate('document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"}))')
        page.wait_for('document.activeElement.id === "tab-timings" && !document.getElementById("view-timings").hidden', 60)
        page.click('#tab-summary')
        page.wait_for('document.getElementById("view-summary").textContent.includes("is there")', 60)
        self.assertIn('✗ fail', page.text('#view-summary'))
        page.click('#tab-overview')


if __name__ == '__main__':
    if not os.environ.get('KILN') and not os.path.exists('build/kiln'):
        sys.exit(77)
    unittest.main(verbosity=1)
