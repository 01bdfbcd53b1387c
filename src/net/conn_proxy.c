/* CONNECT through an HTTP proxy. */
#include <string.h>

#include "base/buf.h"
#include "net/conn_internal.h"

#define ANSWER_MAX_BYTES (16 * 1024)

static int ask(struct conn *c, const struct conn_target *t, int64_t deadline_ns,
               struct error *err) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    bool is_v6 = memchr(t->host.ptr, ':', t->host.len) != NULL;
    const char *open = is_v6 ? "[" : "", *close = is_v6 ? "]" : "";
    buf_printf(&b, "CONNECT %s%.*s%s:%u HTTP/1.1\r\nHost: %s%.*s%s:%u\r\n", open,
               SLICE_FMT(t->host), close, t->port, open, SLICE_FMT(t->host), close, t->port);
    if (t->proxy_auth.len)
        buf_printf(&b, "Proxy-Authorization: %.*s\r\n", SLICE_FMT(t->proxy_auth));
    buf_append_str(&b, "\r\n");
    struct iovec iov = {b.ptr, b.len};
    int rc = conn_write(c, &iov, 1, deadline_ns, err);
    buf_release(&b);
    return rc;
}

/* "HTTP/1.1 200 Connection established" */
static int judge(struct slice head, struct error *err) {
    struct slice rest = head, line = slice_cut(&rest, '\n');
    struct slice status = slice_trim(line), version = slice_cut(&status, ' ');
    if (!slice_starts(version, SLICE("HTTP/1.")))
        return error_set(err, KE_FAILED, "malformed HTTP response \"%.*s\"",
                         (int)(line.len < 200 ? line.len : 200), line.ptr);
    struct slice words = status, code = slice_cut(&words, ' ');
    if (slice_eq(code, SLICE("200")))
        return 0;
    if (words.ptr == NULL || words.len == 0)
        return error_set(err, KE_FAILED, "unknown status code");
    return error_set(err, KE_FAILED, "%.*s", (int)(words.len < 200 ? words.len : 200), words.ptr);
}

int conn_proxy_connect(struct conn *c, const struct conn_target *t, int64_t deadline_ns,
                       struct error *err) {
    int rc = ask(c, t, deadline_ns, err);
    if (rc)
        return rc;
    struct buf answer;
    buf_init(&answer, ANSWER_MAX_BYTES);
    const char *end = NULL;
    while (!end) {
        rc = buf_reserve(&answer, 1024);
        if (rc) {
            error_set(err, rc, "the proxy's answer is too large");
            break;
        }
        long n = conn_read(c, answer.ptr + answer.len, 1024, true, deadline_ns, NULL, err);
        if (n <= 0) {
            rc = n < 0 ? (int)n : error_set(err, KE_EOF, "unexpected EOF");
            break;
        }
        answer.len += (size_t)n;
        end = memmem(answer.ptr, answer.len, "\r\n\r\n", 4);
    }
    if (end) {
        rc = judge(slice_from(answer.ptr, (size_t)(end - answer.ptr)), err);
        /* Who is behind the proxy does not speak first. */
        if (rc == 0 && end + 4 != answer.ptr + answer.len)
            rc = error_set(err, KE_FAILED, "the proxy sent data before the tunnel was used");
    }
    buf_release(&answer);
    return rc;
}
