#include "redis/redis_link.h"

#include <stdlib.h>

#include "base/check.h"
#include "fiber/worker.h"

#define READ_BYTES ((size_t)4 << 10)
/* A buffer that has grown beyond this is given back when it is empty. */
#define KEEP_BYTES ((size_t)64 << 10)

void redis_link_init(struct redis_link *l) {
    *l = (struct redis_link){0};
    buf_init(&l->in, RESP_REPLY_MAX + 2 * READ_BYTES);
    resp_scan_init(&l->scan);
}

void redis_link_close(struct redis_link *l) {
    conn_close(l->conn);
    l->conn = NULL;
    l->taken = 0;
    buf_release(&l->in);
    buf_init(&l->in, RESP_REPLY_MAX + 2 * READ_BYTES);
    resp_scan_init(&l->scan);
}

void redis_link_release(struct redis_link *l) {
    redis_link_close(l);
    buf_release(&l->in);
}

int64_t redis_deadline(int64_t timeout_ns) {
    return timeout_ns ? worker_now_ns(worker_self()) + timeout_ns : NEVER_NS;
}

/* ---------------------------------------------------------------- bytes */

int redis_link_write(struct redis_link *l, const struct iovec *iov, int n_iov, int64_t timeout_ns,
                     struct error *err) {
    int rc = conn_write(l->conn, iov, n_iov, redis_deadline(timeout_ns), err);
    return rc == KE_TIMEOUT ? conn_timed_out(l->conn, "write", err) : rc;
}

/* The reply of the call before, which its reader is done with, goes when the next is wanted. */
static void drop_taken(struct redis_link *l) {
    if (l->taken == 0)
        return;
    if (l->taken < l->in.len) {
        buf_consume(&l->in, l->taken);
    } else if (l->in.alloc > KEEP_BYTES) {
        buf_release(&l->in);
        buf_init(&l->in, RESP_REPLY_MAX + 2 * READ_BYTES);
    } else {
        buf_reset(&l->in);
    }
    l->taken = 0;
}

int redis_link_take(struct redis_link *l, struct slice *out, struct error *err) {
    size_t len;
    struct slice rest = slice_from(l->in.ptr + l->taken, l->in.len - l->taken);
    int rc = rest.len ? resp_scan(&l->scan, rest, &len, err) : 0;
    if (rc == 1) {
        *out = slice_from(rest.ptr, len);
        l->taken += len;
    }
    return rc;
}

int redis_link_fill(struct redis_link *l, int64_t deadline_ns, struct error *err) {
    drop_taken(l);
    if (buf_reserve(&l->in, READ_BYTES))
        return error_set(err, KE_TOO_LARGE, "redis: reply is too large");
    size_t room = l->in.alloc - l->in.len;
    if (room > l->in.cap - l->in.len)
        room = l->in.cap - l->in.len;
    long n = conn_read(l->conn, l->in.ptr + l->in.len, room, true, deadline_ns, NULL, err);
    if (n == 0)
        return error_set(err, KE_EOF, "EOF");
    if (n < 0)
        return n == KE_TIMEOUT ? conn_timed_out(l->conn, "read", err) : (int)n;
    l->in.len += (size_t)n;
    return 0;
}

int redis_link_read(struct redis_link *l, struct slice *out, int64_t deadline_ns,
                    struct error *err) {
    int rc;
    while ((rc = redis_link_take(l, out, err)) == 0) {
        rc = redis_link_fill(l, deadline_ns, err);
        if (rc)
            return rc;
    }
    return rc > 0 ? 0 : rc;
}

struct slice redis_reply_error(struct slice reply) {
    struct resp_item head = resp_head(reply);
    return head.type == RESP_ERROR ? head.text : (struct slice){0};
}

/* ---------------------------------------------------------------- login */

static int ask(struct redis_link *l, const struct redis_options *o, const struct buf *commands,
               struct error *err) {
    return redis_link_write(l, &(struct iovec){commands->ptr, commands->len}, 1,
                            o->write_timeout_ns, err);
}

static int answer(struct redis_link *l, const struct redis_options *o, struct slice *out_error,
                  struct error *err) {
    struct slice reply;
    int rc = redis_link_read(l, &reply, redis_deadline(o->read_timeout_ns), err);
    if (rc == 0)
        *out_error = redis_reply_error(reply);
    return rc;
}

static void put_hello(struct buf *out, const struct redis_login *login) {
    bool has_password = *login->password;
    resp_put_command(out, has_password ? 5 : 2);
    resp_put_arg(out, SLICE("hello"));
    resp_put_arg(out, SLICE("2"));
    if (has_password) {
        resp_put_arg(out, SLICE("auth"));
        resp_put_arg(out, *login->username ? slice_cstr(login->username) : SLICE("default"));
        resp_put_arg(out, slice_cstr(login->password));
    }
}

static void put_auth(struct buf *out, const struct redis_login *login) {
    resp_put_command(out, *login->username ? 3 : 2);
    resp_put_arg(out, SLICE("auth"));
    if (*login->username)
        resp_put_arg(out, slice_cstr(login->username));
    resp_put_arg(out, slice_cstr(login->password));
}

static size_t put_settings(struct buf *out, const struct redis_login *login) {
    size_t n = 0;
    if (login->database > 0) {
        resp_put_command(out, 2);
        resp_put_arg(out, SLICE("select"));
        resp_put_int(out, login->database);
        n++;
    }
    if (login->is_read_only) {
        resp_put_command(out, 1);
        resp_put_arg(out, SLICE("readonly"));
        n++;
    }
    if (*login->client_name) {
        resp_put_command(out, 3);
        resp_put_arg(out, SLICE("client"));
        resp_put_arg(out, SLICE("setname"));
        resp_put_arg(out, slice_cstr(login->client_name));
        n++;
    }
    return n;
}

/* Servers before version 6 know no HELLO: then AUTH alone. */
static int authenticate(struct redis_link *l, const struct redis_options *o,
                        const struct redis_login *login, struct buf *b, struct error *err) {
    struct slice refusal;
    int64_t start_ns = clock_now_ns();
    put_hello(b, login);
    int rc = ask(l, o, b, err);
    rc = rc ? rc : answer(l, o, &refusal, err);
    l->handshake_ns = clock_now_ns() - start_ns;
    if (rc || !refusal.ptr || !*login->password)
        return rc;
    buf_reset(b);
    put_auth(b, login);
    rc = ask(l, o, b, err);
    rc = rc ? rc : answer(l, o, &refusal, err);
    if (rc == 0 && refusal.ptr)
        return error_set(err, KE_FAILED, "failed to authenticate: %.*s", SLICE_FMT(refusal));
    return rc;
}

static int set_up(struct redis_link *l, const struct redis_options *o,
                  const struct redis_login *login, struct buf *b, struct error *err) {
    struct slice refusal;
    buf_reset(b);
    size_t n = put_settings(b, login);
    int rc = n ? ask(l, o, b, err) : 0;
    for (; rc == 0 && n > 0; n--) {
        rc = answer(l, o, &refusal, err);
        if (rc == 0 && refusal.ptr)
            return error_set(err, KE_FAILED, "failed to initialize connection options: %.*s",
                             SLICE_FMT(refusal));
    }
    return rc;
}

static int dial(struct redis_link *l, const struct redis_net *net, const struct redis_options *o,
                const struct redis_address *to, struct error *err) {
    struct conn_target target = {
        .host = slice_cstr(to->host),
        .port = to->port,
        .is_tls = net->tls != NULL,
        .alpn = CONN_ALPN_NONE,
        .dialer = net->dialer,
        .tls = net->tls,
        .counters = net->counters,
    };
    if (o->unix_path)
        return error_set(err, KE_FAILED, "address %s: missing port in address", o->unix_path);
    int rc = conn_open(&target, redis_deadline(o->dial_timeout_ns), &l->conn, NULL, err);
    if (rc == KE_TIMEOUT || rc == KE_DIAL_TIMEOUT)
        error_set(err, rc, "dial tcp %s:%u: i/o timeout", to->host, to->port);
    return rc;
}

int redis_link_open(struct redis_link *l, const struct redis_net *net,
                    const struct redis_options *o, const struct redis_address *to,
                    const struct redis_login *login, struct error *err) {
    struct buf b;
    int rc = dial(l, net, o, to, err);
    if (rc)
        return rc;
    l->opened_ns = clock_now_ns();
    buf_init(&b, BUF_NO_CAP);
    rc = authenticate(l, o, login, &b, err);
    rc = rc ? rc : set_up(l, o, login, &b, err);
    buf_release(&b);
    if (rc)
        redis_link_close(l);
    return rc;
}
