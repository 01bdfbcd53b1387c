#!/usr/bin/env python3
"""probe.v1.Probe with answers compressed by gzip, from python3-grpcio: grpc-js compresses none. Replies have the
request's text (the messages' first field is the same). Prints its port; ends with its standard input."""
import sys
from concurrent import futures

import grpc

server = grpc.server(futures.ThreadPoolExecutor(4), compression=grpc.Compression.Gzip)
handlers = {
    'Echo': grpc.unary_unary_rpc_method_handler(lambda request, _: request),
    'Count': grpc.unary_stream_rpc_method_handler(lambda request, _: iter([request] * 3)),
}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler('probe.v1.Probe', handlers),))
print(server.add_insecure_port('127.0.0.1:0'), flush=True)
server.start()
sys.stdin.read()
server.stop(None)
