/* Server-sent events: bytes beside the events expected, in pieces of every size. */
#include "http_unit.h"

#include <stdlib.h>

#include "http/event_stream.h"

#define MAX_EVENT 64

static void describe(struct buf *out, const struct event_stream_event *e) {
    if (e->is_unknown_line) {
        buf_printf(out, "?%.*s;", SLICE_FMT(e->data));
        return;
    }
    buf_printf(out, "%.*s|%.*s|%.*s", SLICE_FMT(e->id), SLICE_FMT(e->name), SLICE_FMT(e->data));
    if (e->comment.len)
        buf_printf(out, "#%.*s", SLICE_FMT(e->comment));
    if (e->has_id)
        buf_append_str(out, " id");
    if (!e->has_data)
        buf_append_str(out, " empty");
    if (e->retry_ms >= 0)
        buf_printf(out, " %lld", (long long)e->retry_ms);
    buf_append_str(out, ";");
}

static char *events_of(struct slice wire, size_t step) {
    struct event_stream s;
    struct event_stream_event e;
    struct error err = {0};
    struct buf out;
    int rc = 0;
    buf_init(&out, BUF_NO_CAP);
    event_stream_init(&s, MAX_EVENT);
    while (wire.len && rc >= 0) {
        size_t n = wire.len < step ? wire.len : step, used;
        char *piece = xmalloc(n);
        struct slice rest = slice_from(piece, n);
        memcpy(piece, wire.ptr, n);
        wire = slice_from(wire.ptr + n, wire.len - n);
        do {
            rc = event_stream_feed(&s, rest, &used, &e, &err);
            assert_true(used <= rest.len);
            rest = slice_from(rest.ptr + used, rest.len - used);
            if (rc > 0)
                describe(&out, &e);
            else if (rc < 0)
                buf_append_str(&out, err.text);
        } while (rc > 0 && rest.len);
        assert_true(rc != 0 || rest.len == 0);
        free(piece);
    }
    event_stream_release(&s);
    return buf_detach(&out, NULL);
}

static void gives(struct slice wire, const char *expected) {
    static const size_t steps[] = {1, 2, 3, 5, 7, 1000000};
    for (size_t i = 0; i < countof(steps); i++) {
        char *got = events_of(wire, steps[i]);
        if (strcmp(got, expected) != 0)
            fail_msg("in pieces of %zu: \"%s\" != \"%s\"", steps[i], got, expected);
        free(got);
    }
}

static void fields_make_an_event(void **state) {
    (void)state;
    gives(SLICE("id: 7\nevent: add\ndata: 73857293\n\n"), "7|add|73857293 id;");
    gives(SLICE("data:a\ndata: b\ndata:  c\n\n"), "||a\nb\n c;");
    gives(SLICE("data\n\ndata\ndata\n\ndata:\n"), "||;||\n;");
    gives(SLICE(": note\n\ndata: x\n\n"), "||#note empty;||x;");
    gives(SLICE("event: a\nevent: b\ndata: x\n\ndata: y\n\n"), "|b|x;||y;");
    gives(SLICE("id\ndata: x\n\n"), "||x id;");
    gives(SLICE("id: a\0b\ndata: x\n\n"), "||x;");
    gives(SLICE("data: unfinished\n"), "");
}

static void lines_end_in_three_ways(void **state) {
    (void)state;
    gives(SLICE("data: a\r\n\r\ndata: b\n\ndata: c\r\rdata: d\r\n\n"), "||a;||b;||c;||d;");
}

static void a_byte_order_mark_is_left_out(void **state) {
    (void)state;
    gives(SLICE("\xef\xbb\xbf"
                "data: x\n\n\xef\xbb\xbf"
                "data: y\n\n"),
          "||x;?\xef\xbb\xbf"
          "data: y;|| empty;");
}

static void retry_is_a_number(void **state) {
    (void)state;
    gives(SLICE("retry: 1500\n\nretry: 1.5\n\nretry: -1\n\nretry:\n\n"),
          "|| empty 1500;|| empty;|| empty;|| empty;");
}

static void unknown_lines_are_shown(void **state) {
    (void)state;
    gives(SLICE("data: a\nDATA: b\nnonsense\ndata: c\n\n"), "?DATA: b;?nonsense;||a\nc;");
}

static void an_event_has_a_cap(void **state) {
    (void)state;
    static const char words[] = "a server-sent event is larger than 64 bytes";
    struct buf wire;
    buf_init(&wire, BUF_NO_CAP);
    for (int i = 0; i < 100; i++)
        buf_append_str(&wire, "x");
    gives(buf_slice(&wire), words); /* a line without end */
    buf_release(&wire);
    buf_init(&wire, BUF_NO_CAP);
    for (int i = 0; i < 100; i++)
        buf_append_str(&wire, "data\n");
    gives(buf_slice(&wire), words); /* lines without end */
    buf_release(&wire);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_make_an_event),          cmocka_unit_test(lines_end_in_three_ways),
        cmocka_unit_test(a_byte_order_mark_is_left_out), cmocka_unit_test(retry_is_a_number),
        cmocka_unit_test(unknown_lines_are_shown),       cmocka_unit_test(an_event_has_a_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
