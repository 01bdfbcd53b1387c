#!/usr/bin/env python3
"""TLS, 50 VUs on one processor. GET of a small JSON document over connections that stay, in HTTP/1.1, beside wrk; and a
new connection for each request, beside openssl s_time, which makes one handshake after the other and nothing else. Nobody
resumes sessions."""
from measure import Server, compare, run_kiln, run_s_time, run_wrk

HTTP1 = {'GODEBUG': 'http2client=0'}


def main():
    with Server(is_h2=True) as server:
        kept = compare('GET loop over TLS', [('wrk', lambda: run_wrk(server.url)),
                                             ('kiln', lambda: run_kiln('http2.js', server.url, env=HTTP1))])
        fresh = compare('TLS handshakes', [
            ('s_time', lambda: run_s_time(server)),
            ('kiln', lambda: run_kiln('http2.js', server.url, env=dict(HTTP1, K6_NO_CONNECTION_REUSE='true')))])
    return [('HTTPS GET loop, %s' % name, '%.0f requests per CPU-second' % rate, '%.2f of wrk' % ratio)
            for name, (rate, ratio) in kept.items()] + \
           [('TLS handshakes, %s' % name, '%.0f handshakes per CPU-second' % rate, '%.2f of s_time' % ratio)
            for name, (rate, ratio) in fresh.items()]


if __name__ == '__main__':
    main()
