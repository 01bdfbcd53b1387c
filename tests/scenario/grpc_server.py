"""gRPC's own server in JavaScript (grpc_server.mjs) for a test.

    with GrpcServer(reflection=True) as server:
        server.address      '127.0.0.1:…'
"""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DEPS = os.path.join(HERE, '../../.deps')


def node():
    own = os.path.join(DEPS, 'node/node_modules/node/bin/node')
    return own if os.path.exists(own) else shutil.which('node')


def need_it():
    """Ends the program as skipped when the server is not on this machine."""
    if not node() or not os.path.exists(os.path.join(DEPS, 'grpc-js/.stamp')):
        print('needs grpc-js: tools/setup.sh test installs it')
        sys.exit(77)


class GrpcServer:
    def __init__(self, **options):
        self.options = options

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """On the same port again when it was stopped before."""
        self.process = subprocess.Popen([node(), os.path.join(HERE, 'grpc_server.mjs'), json.dumps(self.options)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding='utf-8')
        line = self.process.stdout.readline()
        assert line.strip().isdigit(), 'the server did not start'
        self.options['port'] = int(line)
        self.address = '127.0.0.1:%d' % self.options['port']

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
