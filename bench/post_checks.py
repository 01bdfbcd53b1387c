#!/usr/bin/env python3
"""POST of JSON, the answer parsed, two checks, 50 VUs on one processor: beside wrk, which only sends the POST."""
from measure import Server, compare, run_kiln, run_wrk


def main():
    with Server() as server:
        results = compare('POST, JSON both ways, 2 checks', [
            ('wrk', lambda: run_wrk(server.url, 'post.lua')),
            ('kiln', lambda: run_kiln('post_checks.js', server.url))])
    return [('POST and checks, %s' % name, '%.0f requests per CPU-second' % rate, '%.2f of wrk' % ratio)
            for name, (rate, ratio) in results.items()]


if __name__ == '__main__':
    main()
