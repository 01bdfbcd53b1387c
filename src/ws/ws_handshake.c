#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/random.h"
#include "http/h1_parser.h"
#include "ws/ws_internal.h"

#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define OFFER "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
#define READ_BYTES 4096
/* Of a refusal's body, as gorilla/websocket keeps it. */
#define BODY_MAX 1024
#define HEADERS_MAX 1000

int ws_url(struct slice text, struct url *out, struct error *err) {
    struct error why;
    struct url url;
    if (url_parse(text, &url, &why)) {
        const char *prefix = "invalid URL: ";
        size_t skip = strncmp(why.text, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
        return error_set(err, KE_URL, "%s", why.text + skip);
    }
    bool is_tls = slice_eq(url.scheme, SLICE("wss"));
    bool is_good = (is_tls || slice_eq(url.scheme, SLICE("ws"))) && !url.has_user;
    char *http =
        is_good ? xasprintf("http%s%s", is_tls ? "s" : "", url.text + url.scheme.len) : NULL;
    url_release(&url);
    if (!http)
        return error_set(err, KE_URL, "malformed ws or wss URL");
    int rc = url_parse(slice_cstr(http), out, err);
    free(http);
    return rc;
}

/* ---------------------------------------------------------------- request */

struct field {
    struct slice name; /* canonical, and owned, when it is the script's */
    struct slice value;
    char *owned;
};

struct request {
    struct field *fields;
    size_t len;
    struct slice host, user_agent;
    struct buf cookies;
    char key[32]; /* Sec-WebSocket-Key */
};

static void request_release(struct request *r) {
    for (size_t i = 0; i < r->len; i++)
        free(r->fields[i].owned);
    free(r->fields);
    buf_release(&r->cookies);
}

/* Keeps the order of names; a name that is there already gets the new value. Takes owned. */
static void put_field(struct request *r, struct slice name, struct slice value, char *owned) {
    size_t at = r->len;
    int c = 1;
    while (at > 0) {
        const struct field *f = &r->fields[at - 1];
        size_t n = name.len < f->name.len ? name.len : f->name.len;
        c = n ? memcmp(name.ptr, f->name.ptr, n) : 0;
        c = c ? c : (name.len > f->name.len) - (name.len < f->name.len);
        if (c >= 0)
            break;
        at--;
    }
    if (at > 0 && c == 0) {
        r->fields[at - 1].value = value;
        free(owned);
        return;
    }
    memmove(r->fields + at + 1, r->fields + at, (r->len - at) * sizeof(struct field));
    r->fields[at] = (struct field){name, value, owned};
    r->len++;
}

static bool is_ours(struct slice name, const struct ws_params *p) {
    static const char *const names[] = {"Upgrade", "Connection", "Sec-Websocket-Key",
                                        "Sec-Websocket-Version", "Sec-Websocket-Extensions"};
    for (size_t i = 0; i < countof(names); i++)
        if (slice_eq(name, slice_cstr(names[i])))
            return true;
    return p->protocols.len && slice_eq(name, SLICE("Sec-Websocket-Protocol"));
}

static int put_script_header(struct request *r, const struct ws_params *p,
                             const struct http_header *h, struct error *err) {
    char *copy = slice_dup(h->name);
    http_canonical_name(copy, h->name.len);
    struct slice name = slice_from(copy, h->name.len);
    if (is_ours(name, p)) {
        error_set(err, KE_INVALID, "websocket: duplicate header not allowed: %.*s",
                  SLICE_FMT(name));
        free(copy);
        return KE_INVALID;
    }
    if (slice_eq(name, SLICE("Host")) || slice_eq(name, SLICE("User-Agent"))) {
        *(name.ptr[0] == 'H' ? &r->host : &r->user_agent) = h->value;
        free(copy);
    } else if (slice_eq(name, SLICE("Sec-Websocket-Protocol"))) {
        put_field(r, SLICE("Sec-WebSocket-Protocol"), h->value, NULL);
        free(copy);
    } else {
        put_field(r, name, h->value, copy);
    }
    return 0;
}

static void make_key(char out[32]) {
    uint64_t random[2] = {random_u64(), random_u64()};
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    base64_encode(&text, slice_from((const char *)random, sizeof random),
                  (struct base64_form){BASE64_STD, false});
    CHECK(text.len < 32);
    memcpy(out, buf_cstr(&text), text.len + 1);
    buf_release(&text);
}

static void put_cookie(void *arg, struct slice name, struct slice value) {
    cookie_append(arg, 0, name, value);
}

static int request_make(struct request *r, const struct ws_params *p, const struct url *url,
                        struct error *err) {
    size_t n = p->n_headers < HEADERS_MAX ? p->n_headers : HEADERS_MAX;
    r->fields = xmalloc((n + 8) * sizeof *r->fields);
    r->host = url->host_header;
    r->user_agent = p->http->user_agent;
    buf_init(&r->cookies, BUF_NO_CAP);
    make_key(r->key);
    if (p->jar)
        cookie_jar_each(p->jar, url, put_cookie, &r->cookies);
    if (r->cookies.len)
        put_field(r, SLICE("Cookie"), buf_slice(&r->cookies), NULL);
    for (size_t i = 0; i < n; i++) {
        int rc = put_script_header(r, p, &p->headers[i], err);
        if (rc)
            return rc;
    }
    put_field(r, SLICE("Upgrade"), SLICE("websocket"), NULL);
    put_field(r, SLICE("Connection"), SLICE("Upgrade"), NULL);
    put_field(r, SLICE("Sec-WebSocket-Key"), slice_cstr(r->key), NULL);
    put_field(r, SLICE("Sec-WebSocket-Version"), SLICE("13"), NULL);
    if (p->protocols.len)
        put_field(r, SLICE("Sec-WebSocket-Protocol"), p->protocols, NULL);
    if (p->offers_deflate)
        put_field(r, SLICE("Sec-WebSocket-Extensions"), SLICE(OFFER), NULL);
    if (!http_is_host(r->host))
        return error_set(err, KE_INVALID, "http: invalid Host header");
    return 0;
}

/* As Go writes headers: what could end the line becomes a blank. */
static void write_field(struct buf *out, struct slice name, struct slice value) {
    value = slice_trim(value);
    if (name.len == 0 || !http_all_of(name, HTTP_TOKEN))
        return;
    buf_append_slice(out, name);
    buf_append_str(out, ": ");
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        buf_append_char(out, c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
    }
    buf_append_str(out, "\r\n");
}

static int request_send(const struct request *r, struct conn *conn, const struct url *url,
                        int64_t deadline_ns, struct error *err) {
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    buf_append_str(&out, "GET ");
    buf_append_slice(&out, url->request_uri);
    buf_append_str(&out, " HTTP/1.1\r\n");
    write_field(&out, SLICE("Host"), r->host);
    if (r->user_agent.len)
        write_field(&out, SLICE("User-Agent"), r->user_agent);
    for (size_t i = 0; i < r->len; i++)
        write_field(&out, r->fields[i].name, r->fields[i].value);
    buf_append_str(&out, "\r\n");
    int rc = conn_write(conn, &(struct iovec){out.ptr, out.len}, 1, deadline_ns, err);
    buf_release(&out);
    return rc;
}

/* ---------------------------------------------------------------- response */

struct slice ws_response_header(const struct ws_response *r, struct slice name) {
    struct http_header h;
    for (size_t pos = 0; ws_response_next(r, &pos, &h);)
        if (slice_ieq(h.name, name))
            return h.value;
    return slice_from(NULL, 0);
}

bool ws_response_next(const struct ws_response *r, size_t *pos, struct http_header *out) {
    struct slice fields = slice_from(r->head, r->head_bytes);
    slice_cut(&fields, '\n'); /* the status line */
    return fields.ptr && http_header_next(fields, pos, out);
}

void ws_response_release(struct ws_response *r) {
    free(r->head);
    free(r->body);
    *r = (struct ws_response){0};
}

static int read_more(struct conn *conn, struct buf *in, int64_t deadline_ns, struct error *err) {
    if (buf_reserve(in, READ_BYTES))
        return error_set(err, KE_TOO_LARGE, "response headers are larger than %d bytes",
                         HTTP_MAX_HEADER_BYTES);
    long n = conn_read(conn, in->ptr + in->len, READ_BYTES, true, deadline_ns, NULL, err);
    if (n == 0)
        return error_set(err, KE_EOF, "unexpected EOF");
    if (n < 0)
        return (int)n;
    in->len += (size_t)n;
    return 0;
}

/* The first KiB of the body, as far as it comes. */
static void read_body(struct conn *conn, const struct h1_head *head, struct buf *in,
                      int64_t deadline_ns, struct ws_response *r) {
    struct h1_chunked chunked;
    struct error ignored;
    size_t got = 0;
    bool is_complete = head->framing == H1_NO_BODY;
    h1_chunked_init(&chunked);
    for (;;) {
        size_t want = BODY_MAX;
        if (head->framing == H1_CHUNKED) {
            size_t n, taken;
            int rc =
                h1_chunked_decode(&chunked, in->ptr + got, in->len - got, &n, &taken, &ignored);
            got += n;
            in->len = got;
            is_complete = rc != 0;
        } else if (!is_complete) {
            got = in->len;
            if (head->framing == H1_LENGTH && (uint64_t)head->content_length < want)
                want = (size_t)head->content_length;
        }
        got = got < want ? got : want;
        if (is_complete || got == want)
            break;
        if (read_more(conn, in, deadline_ns, &ignored))
            break;
    }
    r->body = slice_dup(slice_from(in->ptr, got));
    r->body_bytes = got;
}

static bool has_token(const struct ws_response *r, struct slice name, struct slice token) {
    struct http_header h;
    for (size_t pos = 0; ws_response_next(r, &pos, &h);)
        if (slice_ieq(h.name, name) && http_value_has_token(h.value, token))
            return true;
    return false;
}

static bool accepts_key(const struct ws_response *r, const char *key) {
    unsigned char digest[SHA_DIGEST_LENGTH];
    char text[96];
    struct buf expected;
    int n = snprintf(text, sizeof text, "%s" ACCEPT_GUID, key);
    SHA1((const unsigned char *)text, (size_t)n, digest);
    buf_init(&expected, BUF_NO_CAP);
    base64_encode(&expected, slice_from((const char *)digest, sizeof digest),
                  (struct base64_form){BASE64_STD, false});
    bool is_right =
        slice_eq(buf_slice(&expected), ws_response_header(r, SLICE("Sec-WebSocket-Accept")));
    buf_release(&expected);
    return is_right;
}

/* "permessage-deflate; server_no_context_takeover; …": what is agreed on must be what was offered.
 */
static int check_extensions(const struct ws_response *r, bool *out_has_deflate, struct error *err) {
    struct http_header h;
    *out_has_deflate = false;
    for (size_t pos = 0; ws_response_next(r, &pos, &h);) {
        if (!slice_ieq(h.name, SLICE("Sec-WebSocket-Extensions")))
            continue;
        while (h.value.ptr) {
            struct slice extension = slice_cut(&h.value, ',');
            struct slice name = slice_trim(slice_cut(&extension, ';'));
            bool server = false, client = false;
            if (!slice_eq(name, SLICE("permessage-deflate")))
                continue;
            while (extension.ptr) {
                struct slice part = slice_cut(&extension, ';');
                part = slice_trim(slice_cut(&part, '='));
                server |= slice_eq(part, SLICE("server_no_context_takeover"));
                client |= slice_eq(part, SLICE("client_no_context_takeover"));
            }
            if (!server || !client)
                return error_set(err, KE_INVALID, "websocket: invalid compression negotiation");
            *out_has_deflate = true;
        }
    }
    return 0;
}

static void store_cookies(const struct ws_params *p, const struct url *url,
                          const struct ws_response *r) {
    struct http_header h;
    struct cookie c;
    for (size_t pos = 0; p->jar && ws_response_next(r, &pos, &h);)
        if (slice_ieq(h.name, SLICE("Set-Cookie")) && cookie_parse(h.value, &c))
            cookie_jar_set(p->jar, url, &c);
}

static int response_read(struct conn *conn, const struct ws_params *p, const struct url *url,
                         const char *key, int64_t deadline_ns, struct ws_response *r,
                         struct buf *in, struct error *err) {
    struct h1_head head;
    long bytes;
    h1_head_init(&head, false);
    while ((bytes = h1_head_parse(&head, in->ptr, &in->len, err)) == 0) {
        int rc = read_more(conn, in, deadline_ns, err);
        if (rc)
            return rc;
    }
    if (bytes < 0)
        return (int)bytes;
    r->status = head.status;
    r->head = slice_dup(slice_from(in->ptr, (size_t)bytes));
    r->head_bytes = (size_t)bytes;
    buf_consume(in, (size_t)bytes);
    store_cookies(p, url, r);
    if (r->status == 101 && has_token(r, SLICE("Upgrade"), SLICE("websocket")) &&
        has_token(r, SLICE("Connection"), SLICE("upgrade")) && accepts_key(r, key))
        return 0;
    read_body(conn, &head, in, deadline_ns, r);
    return error_set(err, KE_INVALID, "websocket: bad handshake");
}

int ws_handshake(struct conn *conn, const struct ws_params *p, const struct url *url,
                 int64_t deadline_ns, struct ws_response *r, struct buf *out_rest,
                 bool *out_has_deflate, struct error *err) {
    struct request req = {0};
    int rc = request_make(&req, p, url, err);
    if (rc == 0)
        rc = request_send(&req, conn, url, deadline_ns, err);
    if (rc == 0)
        rc = response_read(conn, p, url, req.key, deadline_ns, r, out_rest, err);
    if (rc == 0)
        rc = check_extensions(r, out_has_deflate, err);
    request_release(&req);
    return rc;
}
