#include "http_unit.h"

#include "http/h1_parser.h"
#include "http/header.h"

#include "base/buf.h"

#include <stdlib.h>

/* Feeds the wire bytes in pieces of `step` and writes down what comes out: one line a head, one for
 * each field, and what became of the body. The end of the wire is the end of the connection. */
static char *events_of(struct slice wire, size_t step, bool is_head_request) {
    struct buf out, in;
    struct h1_head head;
    struct h1_chunked chunked;
    struct error err = {0};
    size_t fed = 0;
    long head_bytes = 0;
    buf_init(&out, BUF_NO_CAP);
    buf_init(&in, BUF_NO_CAP);
    do {
        buf_consume(&in, (size_t)head_bytes);
        h1_head_init(&head, is_head_request);
        while ((head_bytes = h1_head_parse(&head, in.ptr, &in.len, &err)) == 0 && fed < wire.len) {
            size_t n = wire.len - fed < step ? wire.len - fed : step;
            buf_append(&in, wire.ptr + fed, n);
            fed += n;
        }
        if (head_bytes <= 0) {
            buf_printf(&out, "%s", head_bytes < 0 ? err.text : in.len ? "unexpected EOF" : "EOF");
            goto done;
        }
        buf_printf(&out, "%d.%d %.*s%s\n", head.proto_major, head.proto_minor,
                   (int)head.status_text.len, in.ptr + head.status_text.at,
                   head.is_close ? " close" : "");
        struct slice rest = slice_from(in.ptr, (size_t)head_bytes);
        slice_cut(&rest, '\n');
        struct http_header f;
        for (size_t pos = 0; http_header_next(rest, &pos, &f);)
            buf_printf(&out, "%.*s=%.*s\n", SLICE_FMT(f.name), SLICE_FMT(f.value));
    } while (head.status / 100 == 1 && head.status != 101);
    buf_consume(&in, (size_t)head_bytes);

    const char *end = "done";
    size_t body_bytes = 0, used = 0;
    switch (head.framing) {
    case H1_NO_BODY:
        buf_append_str(&out, "no body");
        goto done;
    case H1_CHUNKED: {
        h1_chunked_init(&chunked);
        int rc;
        for (;;) {
            size_t n_out, n_used;
            rc = h1_chunked_decode(&chunked, in.ptr + body_bytes, in.len - body_bytes, &n_out,
                                   &n_used, &err);
            size_t tail = in.len - body_bytes - n_used;
            if (rc == 1)
                used = tail; /* left over */
            body_bytes += n_out;
            in.len = body_bytes;
            if (rc || fed == wire.len)
                break;
            size_t n = wire.len - fed < step ? wire.len - fed : step;
            buf_append(&in, wire.ptr + fed, n);
            fed += n;
        }
        end = rc == 1 ? "done" : rc == 0 ? h1_chunked_eof_text(&chunked) : err.text;
        if (rc == 1)
            used += wire.len - fed;
        break;
    }
    default:
        buf_append(&in, wire.ptr + fed, wire.len - fed);
        body_bytes = in.len;
        if (head.framing == H1_LENGTH) {
            if ((int64_t)in.len < head.content_length) {
                end = "unexpected EOF";
            } else {
                body_bytes = (size_t)head.content_length;
                used = in.len - body_bytes;
            }
        }
    }
    buf_printf(&out, "\"%.*s\" %s", (int)body_bytes, in.ptr, end);
    if (used)
        buf_printf(&out, " +%zu", used);
done:
    buf_release(&in);
    return buf_detach(&out, NULL);
}

#define OK11 "HTTP/1.1 200 OK\r\n"

struct row {
    const char *wire, *events;
};

static const struct row rows[] = {
    {OK11 "Content-Length: 2\r\n\r\nok", "1.1 200 OK\nContent-Length=2\n\"ok\" done"},
    {OK11 "Content-Length: 2\n\nok", "1.1 200 OK\nContent-Length=2\n\"ok\" done"},
    {OK11 "Content-Length: 0\r\n\r\n", "1.1 200 OK\nContent-Length=0\n\"\" done"},
    {OK11 "content-length:2\r\nX-A:  b \t\r\n\r\nokmore",
     "1.1 200 OK\ncontent-length=2\nX-A=b\n\"ok\" done +4"},
    {OK11 "Content-Length: 50\r\n\r\nonly this",
     "1.1 200 OK\nContent-Length=50\n\"only this\" unexpected EOF"},
    {"HTTP/1.1 204 No Content\r\n\r\nxx", "1.1 204 No Content\nno body"},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
     "1.1 304 Not Modified\nContent-Length=9\nno body"},
    {"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold protocol",
     "1.0 200 OK close\nContent-Type=text/plain\n\"old protocol\" done"},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
     "1.0 200 OK\nConnection=keep-alive\nContent-Length=1\n\"x\" done"},
    {"HTTP/1.1 200\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
     "1.1 200 close\nContent-Length=2\nConnection=close\n\"ok\" done"},
    {"HTTP/1.1 299 Rather Odd Reason\r\nContent-Length: 0\r\nConnection: Keep-Alive, CLOSE\r\n\r\n",
     "1.1 299 Rather Odd Reason close\nContent-Length=0\nConnection=Keep-Alive, CLOSE\n\"\" done"},
    {OK11 "\r\nuntil close", "1.1 200 OK close\n\"until close\" done"},
    {"HTTP/1.1 100 Continue\r\n\r\n" OK11 "Content-Length: 1\r\n\r\nx",
     "1.1 100 Continue\n1.1 200 OK\nContent-Length=1\n\"x\" done"},
    {"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" OK11 "Content-Length: 1\r\n\r\nx",
     "1.1 103 Early Hints\nLink=</a.css>\n1.1 200 OK\nContent-Length=1\n\"x\" done"},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
     "1.1 101 Switching Protocols\nUpgrade=x\nno body"},
    /* Folded lines. */
    {OK11 "X-Fold: one\r\n two\r\nContent-Length: 2\r\n\r\nok",
     "1.1 200 OK\nX-Fold=one two\nContent-Length=2\n\"ok\" done"},
    {OK11 "X-Fold: one \t\r\n\t  two\n three\r\nA: b\r\nContent-Length: 0\r\n\r\n",
     "1.1 200 OK\nX-Fold=one two three\nA=b\nContent-Length=0\n\"\" done"},
    {OK11 " X: y\r\n\r\n", "malformed MIME header initial line:  X: y"},
    /* Status lines. */
    {"this is not http at all\r\n\r\n", "malformed HTTP status code \"is\""},
    {"nonsense\r\n\r\n", "malformed HTTP response \"nonsense\""},
    {"HTTP/1.1 abc Odd\r\n\r\n", "malformed HTTP status code \"abc\""},
    {"HTTP/1.1 20 OK\r\n\r\n", "malformed HTTP status code \"20\""},
    {"HTTP/1.x 200 OK\r\n\r\n", "malformed HTTP version \"HTTP/1.x\""},
    {"ICY 200 OK\r\n\r\n", "malformed HTTP version \"ICY\""},
    {"\r\n" OK11 "\r\n", "malformed HTTP response \"\""},
    {"HTTP/1.1  200  OK\r\nContent-Length: 0\r\n\r\n", "1.1 200  OK\nContent-Length=0\n\"\" done"},
    {"", "EOF"},
    {"HTTP/1.1 200 OK\r\nContent-Le", "unexpected EOF"},
    {OK11 "Content-Length: 2\r\n", "unexpected EOF"},
    /* Fields. */
    {OK11 "no colon here\r\n\r\n", "malformed MIME header: missing colon: \"no colon here\""},
    {OK11 ": no name\r\n\r\n", "malformed MIME header line: : no name"},
    {OK11 "Bad\x01Name: x\r\n\r\n", "malformed MIME header line: Bad\x01Name: x"},
    {OK11 "X: a\x01"
          "b\r\n\r\n",
     "malformed MIME header line: X: a\x01"
     "b"},
    {OK11 "X: 0123456789\x7f\r\n\r\n", "malformed MIME header line: X: 0123456789\x7f"},
    {OK11 "X: caf\xc3\xa8 and\tmore\r\nContent-Length: 0\r\n\r\n",
     "1.1 200 OK\nX=caf\xc3\xa8 and\tmore\nContent-Length=0\n\"\" done"},
    {OK11 "Spaced Name : x\r\nContent-Length: 0\r\n\r\n",
     "1.1 200 OK\nSpaced Name =x\nContent-Length=0\n\"\" done"},
    {OK11 "Empty:\r\nContent-Length: 0\r\n\r\n", "1.1 200 OK\nEmpty=\nContent-Length=0\n\"\" done"},
    /* Lengths. */
    {OK11 "Content-Length: ten\r\n\r\nok", "bad Content-Length \"ten\""},
    {OK11 "Content-Length: -5\r\n\r\nok", "bad Content-Length \"-5\""},
    {OK11 "Content-Length: +5\r\n\r\nok", "bad Content-Length \"+5\""},
    {OK11 "Content-Length: 9223372036854775808\r\n\r\n",
     "bad Content-Length \"9223372036854775808\""},
    {OK11 "Content-Length:\r\n\r\n", "invalid empty Content-Length \"\""},
    {OK11 "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
     "http: message cannot contain multiple Content-Length headers; got [\"2\" \"3\"]"},
    {OK11 "Content-Length: 2\r\nA: b\r\ncontent-length: 2\r\nLocation: /x\r\n\r\nok",
     "1.1 200 OK\nContent-Length=2\nA=b\nLocation=/x\n\"ok\" done"},
    /* Transfer codings. */
    {OK11 "Transfer-Encoding: gzip\r\n\r\n", "unsupported transfer encoding: \"gzip\""},
    {OK11 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     "too many transfer encodings: [\"chunked\" \"chunked\"]"},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "1.0 200 OK close\nTransfer-Encoding=chunked\n\"0\r\n\r\n\" done"},
};

static const struct row head_rows[] = {
    {OK11 "Content-Length: 5\r\n\r\n", "1.1 200 OK\nContent-Length=5\nno body"},
    {OK11 "Transfer-Encoding: chunked\r\n\r\n", "1.1 200 OK\nTransfer-Encoding=chunked\nno body"},
};

#define CHUNKED OK11 "Transfer-Encoding: Chunked\r\n\r\n"
#define CHUNKED_HEAD "1.1 200 OK\nTransfer-Encoding=Chunked\n"

static const struct row chunked_rows[] = {
    {CHUNKED "5\r\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "\"hello\" done"},
    {CHUNKED "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\nmore", CHUNKED_HEAD "\"hello\" done +4"},
    {CHUNKED "5;name=value\r\nhello\r\n0;x\r\n\r\n", CHUNKED_HEAD "\"hello\" done"},
    {CHUNKED "5  \r\nhello\r\n00\r\n\r\n", CHUNKED_HEAD "\"hello\" done"},
    {CHUNKED "5\r\nhello\r\n0\r\nX-After: yes\r\nB: c\r\n\r\n", CHUNKED_HEAD "\"hello\" done"},
    {CHUNKED "A\r\n0123456789\r\n0\r\n\r\n", CHUNKED_HEAD "\"0123456789\" done"},
    {CHUNKED "zz\r\nhello\r\n0\r\n\r\n", CHUNKED_HEAD "\"\" invalid byte in chunk length"},
    {CHUNKED "5\r\nhello\r\nx\r\n", CHUNKED_HEAD "\"hello\" invalid byte in chunk length"},
    {CHUNKED "\r\nhello", CHUNKED_HEAD "\"\" empty hex number for chunk length"},
    {CHUNKED "5\r\nhelloXX", CHUNKED_HEAD "\"hello\" malformed chunked encoding"},
    {CHUNKED "5\nhello", CHUNKED_HEAD "\"\" chunked line ends with bare LF"},
    {CHUNKED "5\rx", CHUNKED_HEAD "\"\" invalid CR in chunked line"},
    {CHUNKED "11111111111111111\r\n", CHUNKED_HEAD "\"\" http chunk length too large"},
    {CHUNKED "20\r\nshort", CHUNKED_HEAD "\"short\" unexpected EOF"},
    {CHUNKED "ffffffffffffffff\r\nshort", CHUNKED_HEAD "\"short\" unexpected EOF"},
    {CHUNKED "5\r\nhello\r\n", CHUNKED_HEAD "\"hello\" unexpected EOF"},
    {CHUNKED "5\r\nhello\r\n0\r\nX: y\r\n",
     CHUNKED_HEAD "\"hello\" http: unexpected EOF reading trailer"},
    {CHUNKED "", CHUNKED_HEAD "\"\" unexpected EOF"},
};

static void check_rows(const struct row *table, size_t n, bool is_head) {
    for (size_t i = 0; i < n; i++) {
        struct slice wire = slice_cstr(table[i].wire);
        for (size_t step = wire.len + 1; step > 0; step = step > 7 ? 7 : step / 2) {
            char *got = events_of(wire, step, is_head);
            if (strcmp(got, table[i].events) != 0)
                fail_msg("step %zu of:\n%s\n--- expected\n%s\n--- got\n%s", step, table[i].wire,
                         table[i].events, got);
            free(got);
        }
    }
}

static void heads_and_bodies(void **state) {
    (void)state;
    check_rows(rows, countof(rows), false);
    check_rows(head_rows, countof(head_rows), true);
}

static void chunked_bodies(void **state) {
    (void)state;
    check_rows(chunked_rows, countof(chunked_rows), false);
}

static void fields_the_client_needs_are_found(void **state) {
    (void)state;
    char wire[] = "HTTP/1.1 302 Found\r\nLOCATION: /next\r\nset-cookie: a=b\r\n"
                  "Content-Encoding: gzip, br\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n";
    size_t len = sizeof wire - 1;
    struct h1_head h;
    h1_head_init(&h, false);
    assert_int_equal(h1_head_parse(&h, wire, &len, NULL), len);
    assert_slice(slice_from(wire + h.location.at, h.location.len), "/next");
    assert_slice(slice_from(wire + h.content_encoding.at, h.content_encoding.len), "gzip, br");
    assert_true(h.has_set_cookie);
}

static void endless_folds_are_refused(void **state) {
    (void)state;
    struct buf b;
    struct error err;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, OK11 "X: a\r\n");
    for (int i = 0; i < 100000; i++)
        buf_append_str(&b, " b\r\n");
    struct h1_head h;
    h1_head_init(&h, false);
    assert_int_equal(h1_head_parse(&h, b.ptr, &b.len, &err), KE_HTTP_MALFORMED);
    buf_release(&b);
}

static void framing_without_data_is_refused(void **state) {
    (void)state;
    struct buf b;
    struct error err;
    struct h1_chunked c;
    size_t out, used;
    buf_init(&b, BUF_NO_CAP);
    for (int i = 0; i < 100; i++)
        buf_printf(&b, "1;%0400d\r\nx\r\n", 0);
    h1_chunked_init(&c);
    assert_int_equal(h1_chunked_decode(&c, b.ptr, b.len, &out, &used, &err), KE_HTTP_MALFORMED);
    assert_string_equal(err.text, "chunked encoding contains too much non-data");
    buf_reset(&b);
    buf_append_str(&b, "0\r\nX: ");
    for (int i = 0; i < 5000; i++)
        buf_append_char(&b, 'y');
    h1_chunked_init(&c);
    assert_int_equal(h1_chunked_decode(&c, b.ptr, b.len, &out, &used, &err), KE_HTTP_MALFORMED);
    buf_reset(&b);
    for (int i = 0; i < 5000; i++)
        buf_append_char(&b, '0');
    h1_chunked_init(&c);
    assert_int_equal(h1_chunked_decode(&c, b.ptr, b.len, &out, &used, &err), KE_HTTP_MALFORMED);
    buf_release(&b);
}

static void names_become_canonical(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"content-type", "Content-Type"},
        {"ETAG", "Etag"},
        {"x-a--b", "X-A--B"},
        {"x_under", "X_under"},
        {"Bad Name", "Bad Name"},
        {"", ""},
        {"1x-2Y", "1x-2y"},
    };
    for (size_t i = 0; i < countof(names); i++) {
        char name[32];
        snprintf(name, sizeof name, "%s", names[i][0]);
        http_canonical_name(name, strlen(name));
        assert_string_equal(name, names[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_and_bodies),
        cmocka_unit_test(chunked_bodies),
        cmocka_unit_test(fields_the_client_needs_are_found),
        cmocka_unit_test(endless_folds_are_refused),
        cmocka_unit_test(framing_without_data_is_refused),
        cmocka_unit_test(names_become_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
