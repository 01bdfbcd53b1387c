#!/usr/bin/env python3
"""GET of a small JSON document over loopback, 50 VUs on one processor: requests per CPU-second beside wrk and hey."""
from measure import Server, compare, find_program, run_hey, run_kiln, run_wrk


def main():
    with Server() as server:
        clients = [('wrk', lambda: run_wrk(server.url)), ('kiln', lambda: run_kiln('get_loop.js', server.url))]
        if find_program('hey'):
            clients.append(('hey', lambda: run_hey(server.url)))
        else:
            print('bench: hey is missing, left out')
        results = compare('GET loop', clients)
    figures = [('GET loop, %s' % name, '%.0f requests per CPU-second' % rate, '%.2f of wrk' % ratio)
               for name, (rate, ratio) in results.items()]
    return figures


if __name__ == '__main__':
    main()
