"""The web site that browser tests visit, and what they know of browser processes.

    with Site() as site:
        kiln('run', script(self, ui("… await page.goto('%s/page?1') …" % site.url)))
"""
import base64
import json
import subprocess
import time

from http_server import HttpServer

DOWNLOAD_BYTES = 300000
PAGE = """<!doctype html><title>page %(n)s</title><h1>page %(n)s</h1><a id=next href="/page?2">next</a>
<a id=download href="/download">download</a><script>addEventListener('load', () => 0)</script>"""
POPUPS = """<title>popups</title><a id=blank target=_blank rel=noopener href="/page?1">blank</a>
<button id=open onclick="window.open('/page?2')">open</button>"""
WORKER = """<title>worker</title><script>window.worker = new Worker('/worker.js'); worker.onmessage = (e) => { window.said = e.data; }</script>"""
FORM = """<form action="/upload" method=post enctype="multipart/form-data"><input type=file name=f><button>send</button></form>"""
FRAMES = """<title>frames</title><style>body { margin: 30px } iframe { border: 7px solid; margin-top: 11px }</style>
<iframe name=other src="http://localhost:%d/framed"></iframe>"""
FRAMED = """<title>framed</title><button onclick="this.textContent = 'clicked'; fetch('/json?framed')">click</button><input>"""


class Site:
    """What the scripts in browser/ visit."""

    def __init__(self):
        self.downloaded = 0
        self.uploads = []
        self.server = HttpServer(self.serve)
        self.url = self.server.url
        self.port = self.server.server.server_address[1]

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    def serve(self, http):
        if http.path.startswith('http://'):
            return self.send(http, 'proxied ' + http.path)
        path, _, query = http.path.partition('?')
        handler = getattr(self, 'at_' + path.strip('/').replace('.', '_'), None)
        if not handler:
            return self.send(http, 'not found', 'text/plain', 404)
        return handler(http, query)

    @staticmethod
    def send(http, text, kind='text/html; charset=utf-8', status=200, headers=()):
        data = text.encode()
        http.send_response(status)
        http.send_header('Content-Type', kind)
        http.send_header('Content-Length', str(len(data)))
        http.send_header('Cache-Control', 'no-store')
        for name, value in headers:
            http.send_header(name, value)
        http.end_headers()
        http.wfile.write(data)

    def at_page(self, http, query):
        self.send(http, PAGE % {'n': query or '0'}, status=404 if query == '404' else 200)

    at_grouped = at_page

    def at_redirect(self, http, query):
        self.send(http, '', status=302, headers=[('Location', query.partition('=')[2])])

    def at_slow(self, http, query):
        time.sleep(int(query) / 1000)
        self.send(http, 'slow')

    def at_json(self, http, query):
        self.send(http, '{"a": [1]}', 'application/json', headers=[('X-Two', 'one'), ('X-Two', 'two')])

    def at_headers(self, http, query):
        self.send(http, json.dumps({k.lower(): v for k, v in http.headers.items()}), 'application/json')

    def at_echo(self, http, query):
        self.send(http, json.dumps({'method': http.command, 'body': http.body().decode(), 'added': http.headers.get('X-Added')}))

    def at_popups(self, http, query):
        self.send(http, POPUPS)

    def at_worker(self, http, query):
        self.send(http, WORKER)

    def at_worker_js(self, http, query):
        self.send(http, "fetch('/json').then((r) => r.text()).then((t) => postMessage('from the worker: ' + t));", 'text/javascript')

    def at_download(self, http, query):
        http.send_response(200)
        http.send_header('Content-Type', 'application/octet-stream')
        http.send_header('Content-Disposition', 'attachment; filename="pizza.bin"')
        http.send_header('Content-Length', str(DOWNLOAD_BYTES))
        http.end_headers()
        http.wfile.write(bytes(DOWNLOAD_BYTES))
        self.downloaded += DOWNLOAD_BYTES

    def at_downloaded(self, http, query):
        self.send(http, str(self.downloaded))

    def at_form(self, http, query):
        self.send(http, FORM)

    def at_upload(self, http, query):
        self.uploads.append((http.path, http.headers.get('Content-Type'), http.body()))
        self.send(http, self.uploads[-1][2].decode('latin-1'), 'text/plain')

    def at_sign(self, http, query):
        self.signed = json.loads(http.body()), http.headers.get('X-Token')
        name = self.signed[0]['files'][0]['name']
        self.send(http, json.dumps({'service': 'aws_s3', 'urls': [{'name': name, 'pre_signed_url': self.url + '/upload?signed',
                                                                  'method': 'POST', 'form_fields': {'key': 'k1'}}]}))

    def at_private(self, http, query):
        wanted = 'Basic ' + base64.b64encode(b'ann:secret').decode()
        if http.headers.get('Authorization') == wanted:
            self.send(http, 'welcome')
        else:
            self.send(http, 'who are you', status=401, headers=[('WWW-Authenticate', 'Basic realm="x"')])

    def at_cookie(self, http, query):
        self.send(http, 'set', headers=[('Set-Cookie', 'from=server; Path=/')])

    def at_frames(self, http, query):
        self.send(http, FRAMES % self.port)

    def at_framed(self, http, query):
        self.send(http, FRAMED)

    def at_csp(self, http, query):
        self.send(http, '<title>csp</title>', headers=[('Content-Security-Policy', "script-src 'none'")])

    def at_favicon_ico(self, http, query):
        self.send(http, '', 'image/x-icon')


def children_of(pid):
    """All processes below one."""
    out = subprocess.run(['ps', '-eo', 'pid=,ppid='], stdout=subprocess.PIPE, encoding='utf-8', check=True).stdout
    parents = dict(map(int, line.split()) for line in out.splitlines())
    found, new = set(), {pid}
    while new:
        new = {p for p, parent in parents.items() if parent in new} - found
        found |= new
    return found


def is_alive(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


def browser_below(pid):
    """The main process of kiln's browser."""
    def arguments(p):
        with open('/proc/%d/cmdline' % p, 'rb') as f:
            return f.read()
    return next(p for p in sorted(children_of(pid)) if b'--remote-debugging-pipe' in arguments(p) and b'--type=' not in arguments(p))


def ui(body, options='', more=''):
    """A script with one browser scenario and this body of its function."""
    return """
        import { browser } from 'k6/browser';
        export const options = { scenarios: { ui: { executor: 'shared-iterations', %s options: { browser: { type: 'chromium' } } } }, %s };
        export default async function () { %s }""" % (options, more, body)
