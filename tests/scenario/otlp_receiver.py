"""Receives OTLP metrics for a test: over HTTP by Python's own server, over gRPC by python3-grpcio.

    with HttpReceiver() as receiver: … receiver.endpoint, receiver.requests
    metrics = decode(receiver.requests[-1].body)   {name: Metric}, the last value of each series
"""
import collections
import gzip
import struct
from concurrent import futures

from http_server import HttpServer

Request = collections.namedtuple('Request', 'path headers body')
Metric = collections.namedtuple('Metric', 'kind unit temporality is_monotonic points')


# ---------------------------------------------------------------- protobuf

def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def zigzag(value):
    return value >> 1 ^ -(value & 1)


def fields(data):
    """(number, value): an int, a float64's 8 bytes, or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = data[at:at + 8], at + 8
        else:
            assert wire == 2, 'wire type %d' % wire
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size, 'a field goes beyond its message'
        yield number, value


def first(data, number, default=b''):
    return next((value for n, value in fields(data) if n == number), default)


def every(data, number):
    return [value for n, value in fields(data) if n == number]


def packed(data, form, size):
    return [struct.unpack_from(form, data, i)[0] for i in range(0, len(data), size)]


# ---------------------------------------------------------------- OTLP

def attributes(message, number):
    pairs = (dict(fields(pair)) for pair in every(message, number))
    return {pair[1].decode(): first(pair[2], 1).decode() for pair in pairs}


def double(data):
    return struct.unpack('<d', data)[0]


def integer(data):
    return struct.unpack('<q', data)[0]


def number_point(point):
    got = dict(fields(point))
    value = double(got[4]) if 4 in got else integer(got[6])
    return {'attributes': attributes(point, 7), 'start': integer(got[2]), 'time': integer(got[3]), 'value': value}


def histogram_point(point):
    got = dict(fields(point))
    return {'attributes': attributes(point, 9), 'start': integer(got[2]), 'time': integer(got[3]),
            'count': integer(got[4]), 'sum': double(got[5]), 'counts': packed(got[6], '<Q', 8),
            'bounds': packed(got[7], '<d', 8), 'min': double(got[11]), 'max': double(got[12])}


def buckets(message):
    offset, counts, at = zigzag(first(message, 1, 0)), first(message, 2), 0
    out = {}
    while at < len(counts):
        n, at = varint(counts, at)
        if n:
            out[offset] = n
        offset += 1
    return out


def exponential_point(point):
    got = dict(fields(point))
    return {'attributes': attributes(point, 1), 'count': integer(got[4]), 'sum': double(got[5]),
            'scale': zigzag(got[6]), 'zeros': integer(got[7]), 'positive': buckets(got.get(8, b'')),
            'negative': buckets(got.get(9, b'')), 'min': double(got[12]), 'max': double(got[13])}


KINDS = {5: ('gauge', number_point), 7: ('sum', number_point), 9: ('histogram', histogram_point),
         10: ('exponential', exponential_point)}


def decode(body, metrics=None, resource=None):
    """Adds what an ExportMetricsServiceRequest holds to metrics, {name: Metric}."""
    metrics = {} if metrics is None else metrics
    for resource_metrics in every(body, 1):
        if resource is not None:
            resource.update(attributes(first(resource_metrics, 1), 1))
        for scope_metrics in every(resource_metrics, 2):
            for metric in every(scope_metrics, 2):
                got = dict(fields(metric))
                number = next(n for n in KINDS if n in got)
                kind, read = KINDS[number]
                name, data = got[1].decode(), got[number]
                points = [read(point) for point in every(data, 1)]
                assert points, '%s has no points' % name
                new = Metric(kind, got.get(3, b'').decode(), first(data, 2, 0), first(data, 3, 0), points)
                if name in metrics:
                    new = new._replace(points=metrics[name].points + points)
                metrics[name] = new
    return metrics


# ---------------------------------------------------------------- servers

class HttpReceiver(HttpServer):
    """Answers with the statuses given, then with 200. answer: the body of a 200, an encoded response."""

    def __init__(self, statuses=(), answer=b'', context=None):
        super().__init__(self.receive, context)
        self.requests, self.statuses, self.body = [], list(statuses), answer
        self.endpoint = '127.0.0.1:%d' % self.port

    def receive(self, http):
        body = http.body()
        if http.headers.get('Content-Encoding') == 'gzip':
            body = gzip.decompress(body)
        self.requests.append(Request(http.path, dict(http.headers.items()), body))
        status = self.statuses.pop(0) if self.statuses else 200
        http.answer(status, self.body if status == 200 else b'not now')


class GrpcReceiver:
    """The collector's service MetricsService; fails with the codes given first."""

    def __init__(self, failures=(), credentials=None):
        import grpc
        self.requests, self.failures = [], list(failures)

        def export(body, context):
            self.requests.append(Request('', dict(context.invocation_metadata()), body))
            if self.failures:
                context.abort(self.failures.pop(0), 'not now, 100% sure')
            return b''

        handlers = grpc.method_handlers_generic_handler(
            'opentelemetry.proto.collector.metrics.v1.MetricsService',
            {'Export': grpc.unary_unary_rpc_method_handler(export)})
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        self.server.add_generic_rpc_handlers((handlers,))
        port = (self.server.add_secure_port('127.0.0.1:0', credentials) if credentials
                else self.server.add_insecure_port('127.0.0.1:0'))
        self.endpoint = '127.0.0.1:%d' % port

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(None).wait()
