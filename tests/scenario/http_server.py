"""An HTTP/1.1 server whose answers are a function of the test.

    def serve(http):                 # http: BaseHTTPRequestHandler
        http.answer(200, 'hello')    # or in parts: http.begin(200, 'text/plain'), http.chunk('hello'), http.chunk('')
    with HttpServer(serve) as server:
        kiln('run', script(self, "… http.get('%s/path') …" % server.url))

With an SSLContext it is a server of https. What serve raises fails the test when the server stops; a client that is gone,
or does not trust us, is no error.
"""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ManyClients(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Of the connection: what serve raised is kept elsewhere."""


class HttpServer:
    def __init__(self, serve, context=None):
        self.errors = errors = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            timeout = 30
            disable_nagle_algorithm = True

            def answer(self, status, body=b'', headers=()):
                """A whole answer; headers are pairs."""
                data = body.encode() if isinstance(body, str) else body
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                if self.command != 'HEAD':
                    self.wfile.write(data)

            def begin(self, status, kind):
                """The head of a chunked answer."""
                self.send_response(status)
                self.send_header('Content-Type', kind)
                self.send_header('Transfer-Encoding', 'chunked')
                self.end_headers()

            def chunk(self, text):
                data = text.encode()
                self.wfile.write(b'%x\r\n%s\r\n' % (len(data), data))
                self.wfile.flush()

            def body(self):
                return self.rfile.read(int(self.headers['Content-Length'] or 0))

            def wait_for_end(self):
                """Until the client has closed the connection."""
                try:
                    while self.connection.recv(4096):
                        pass
                except OSError:
                    pass
                self.close_connection = True

            def do_GET(self):
                try:
                    serve(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                except Exception as error:
                    errors.append(error)
                    self.close_connection = True

            do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = ManyClients(('127.0.0.1', 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = '%s://127.0.0.1:%d' % ('https' if context else 'http', self.port)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join(30)
        self.server.server_close()
        assert not self.errors, self.errors
