#!/usr/bin/env python3
"""GET of a small JSON document in HTTP/2 over TLS, 50 VUs with a connection each on one processor: requests per CPU-second
beside h2load. The same in HTTP/1.1 over TLS says what the protocol costs. Then ten VUs with http.batch() of ten, beside h2load with
ten connections of ten streams."""
from measure import Server, compare, run_h2load, run_kiln


def figures(title, results):
    return [('%s, %s' % (title, name), '%.0f requests per CPU-second' % rate, '%.2f of h2load' % ratio)
            for name, (rate, ratio) in results.items()]


def main():
    with Server(is_h2=True) as server:
        one = compare('GET loop in HTTP/2', [
            ('h2load', lambda: run_h2load(server.url)), ('kiln', lambda: run_kiln('http2.js', server.url)),
            ('kiln/1.1', lambda: run_kiln('http2.js', server.url, env={'GODEBUG': 'http2client=0'}))])
        ten = compare('Batches of ten in HTTP/2', [
            ('h2load', lambda: run_h2load(server.url, connections=10, streams=10)),
            ('kiln', lambda: run_kiln('http2_batch.js', server.url))])
    return figures('HTTP/2 GET loop', one) + figures('HTTP/2 batch of ten', ten)


if __name__ == '__main__':
    main()
