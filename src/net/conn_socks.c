/* Through a SOCKS5 proxy (RFC 1928, RFC 1929), which resolves the name. */
#include <string.h>

#include "base/buf.h"
#include "net/dial.h"
#include "net/conn_internal.h"

enum { VERSION = 5, NO_AUTH = 0, PASSWORD_AUTH = 2, NONE_WILL_DO = 0xff };
enum { CONNECT = 1, IP4 = 1, NAME = 3, IP6 = 4 };

struct socks {
    struct conn *c;
    const struct conn_target *t;
    int64_t deadline_ns;
    struct error *err;
};

static int fail(const struct socks *s, const char *words) {
    char proxy[SOCKADDR_TEXT_MAX];
    sockaddr_text(&s->c->peer, proxy, sizeof proxy);
    bool is_v6 = memchr(s->t->host.ptr, ':', s->t->host.len) != NULL;
    return error_set(s->err, KE_TCP, "socks connect tcp %s->%s%.*s%s:%u: %s", proxy,
                     is_v6 ? "[" : "", SLICE_FMT(s->t->host), is_v6 ? "]" : "", s->t->port, words);
}

static int send_all(const struct socks *s, const uint8_t *bytes, size_t n) {
    struct iovec iov = {(void *)(uintptr_t)bytes, n};
    return conn_socket_write(s->c, &iov, 1, s->deadline_ns, s->err);
}

/* Exactly n bytes: what follows them is the server's. */
static int receive(const struct socks *s, uint8_t *out, size_t n) {
    for (size_t have = 0; have < n;) {
        long got = conn_socket_read(s->c, out + have, n - have, true, s->deadline_ns, NULL, s->err);
        if (got <= 0)
            return got < 0 ? (int)got : fail(s, "EOF");
        have += (size_t)got;
    }
    return 0;
}

static int log_in(const struct socks *s) {
    struct slice user = s->t->proxy_user, password = s->t->proxy_password;
    uint8_t ask[3 + 2 * UINT8_MAX], answer[2];
    size_t n = 0;
    if (!user.len || user.len > UINT8_MAX || password.len > UINT8_MAX)
        return fail(s, "invalid username/password");
    ask[n++] = 1; /* version of this part */
    ask[n++] = (uint8_t)user.len;
    memcpy(ask + n, user.ptr, user.len);
    n += user.len;
    ask[n++] = (uint8_t)password.len;
    if (password.len)
        memcpy(ask + n, password.ptr, password.len);
    int rc = send_all(s, ask, n + password.len);
    if (!rc)
        rc = receive(s, answer, sizeof answer);
    if (rc)
        return rc;
    return answer[1] == 0 ? 0 : fail(s, "username/password authentication failed");
}

static int agree(const struct socks *s) {
    const uint8_t ask[] = {VERSION, s->t->proxy_user.len ? 2 : 1, NO_AUTH, PASSWORD_AUTH};
    uint8_t answer[2];
    int rc = send_all(s, ask, 2 + ask[1]);
    if (!rc)
        rc = receive(s, answer, sizeof answer);
    if (rc)
        return rc;
    if (answer[0] != VERSION)
        return fail(s, "unexpected protocol version");
    if (answer[1] == PASSWORD_AUTH)
        return log_in(s);
    return answer[1] == NO_AUTH ? 0 : fail(s, "no acceptable authentication methods");
}

static size_t put_address(uint8_t *out, const struct conn_target *t) {
    union sockaddr_any ip;
    if (sockaddr_parse_ip(t->host, &ip)) {
        out[0] = NAME;
        out[1] = (uint8_t)t->host.len;
        memcpy(out + 2, t->host.ptr, t->host.len);
        return 2 + t->host.len;
    }
    bool is_v6 = ip.sa.sa_family == AF_INET6;
    out[0] = is_v6 ? IP6 : IP4;
    if (is_v6)
        memcpy(out + 1, &ip.in6.sin6_addr, 16);
    else
        memcpy(out + 1, &ip.in4.sin_addr, 4);
    return is_v6 ? 17 : 5;
}

static const char *reply_words(uint8_t code) {
    static const char *const words[] = {
        "",
        "unknown error general SOCKS server failure",
        "unknown error connection not allowed by ruleset",
        "unknown error network unreachable",
        "unknown error host unreachable",
        "unknown error connection refused",
        "unknown error TTL expired",
        "unknown error command not supported",
        "unknown error address type not supported",
    };
    return code < sizeof words / sizeof *words ? words[code] : "unknown error unknown code";
}

static int ask_for_target(const struct socks *s) {
    uint8_t ask[3 + 2 + UINT8_MAX + 2] = {VERSION, CONNECT, 0}, answer[4], rest[2 + UINT8_MAX];
    if (s->t->host.len > UINT8_MAX)
        return fail(s, "FQDN too long");
    size_t n = 3 + put_address(ask + 3, s->t);
    ask[n++] = (uint8_t)(s->t->port >> 8);
    ask[n++] = (uint8_t)s->t->port;
    int rc = send_all(s, ask, n);
    if (!rc)
        rc = receive(s, answer, sizeof answer);
    if (rc)
        return rc;
    if (answer[0] != VERSION)
        return fail(s, "unexpected protocol version");
    if (answer[1] != 0)
        return fail(s, reply_words(answer[1]));
    /* The address it dials from is of no interest. */
    size_t left = answer[3] == IP4 ? 4 : answer[3] == IP6 ? 16 : 0;
    if (answer[3] == NAME) {
        rc = receive(s, rest, 1);
        left = rest[0];
    } else if (!left) {
        return fail(s, "unknown address type");
    }
    return rc ? rc : receive(s, rest, left + 2);
}

int conn_socks_connect(struct conn *c, const struct conn_target *t, int64_t deadline_ns,
                       struct error *err) {
    const struct socks s = {c, t, deadline_ns, err};
    int rc = agree(&s);
    return rc ? rc : ask_for_target(&s);
}
