#!/usr/bin/env python3
"""POST of JSON, the answer parsed, two checks, 50 VUs on one processor: beside wrk, which only sends the POST, and beside
kiln's own GET loop."""
from measure import Server, compare, run_kiln, run_wrk


def main():
    with Server() as server:
        results = compare('POST, JSON both ways, 2 checks', [
            ('wrk', lambda: run_wrk(server.url, 'post.lua')),
            ('kiln', lambda: run_kiln('post_checks.js', server.url)),
            ('kiln GET', lambda: run_kiln('get_loop.js', server.url))])
    post, get = results['kiln'][0], results.pop('kiln GET')[0]
    return [('POST and checks, CPU beside a GET', '%.2f of a GET a request' % (get / post), '')] + [('POST and checks, %s' % name, '%.0f requests per CPU-second' % rate, '%.2f of wrk' % ratio)
            for name, (rate, ratio) in results.items()]


if __name__ == '__main__':
    main()
