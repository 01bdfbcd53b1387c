/* The codec: bytes on the wire beside what is read from them, in pieces of every size. */
#include "redis_unit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "redis/resp.h"

static void describe(struct buf *out, struct slice reply) {
    static const char *const names[] = {
        [RESP_STATUS] = "status", [RESP_ERROR] = "error",    [RESP_INTEGER] = "int",
        [RESP_STRING] = "string", [RESP_ARRAY] = "array",    [RESP_PUSH] = "push",
        [RESP_MAP] = "map",       [RESP_NULL] = "null",      [RESP_DOUBLE] = "double",
        [RESP_BOOL] = "bool",     [RESP_BIG_INTEGER] = "big"};
    struct resp_item item;
    while (resp_next(&reply, &item)) {
        buf_append_str(out, names[item.type]);
        if (item.type == RESP_DOUBLE)
            buf_printf(out, " %g", item.number);
        else if (item.type == RESP_STATUS || item.type == RESP_ERROR || item.type == RESP_STRING ||
                 item.type == RESP_BIG_INTEGER)
            buf_printf(out, " %.*s", SLICE_FMT(item.text));
        else if (item.type != RESP_NULL)
            buf_printf(out, " %" PRId64, item.integer);
        buf_append_str(out, ";");
    }
    assert_int_equal(reply.len, 0);
}

/* Each piece comes into a block that has just the bytes so far. */
static char *read_in_pieces(struct slice wire, size_t step) {
    struct resp_scan scan;
    struct buf out;
    struct error err = {0};
    size_t begin = 0, have = 0, len;
    int rc = 0;
    buf_init(&out, BUF_NO_CAP);
    resp_scan_init(&scan);
    while (rc >= 0 && (have < wire.len || rc > 0)) {
        if (rc == 0)
            have = wire.len - have < step ? wire.len : have + step;
        char *block = xmalloc(have - begin + 1);
        memcpy(block, wire.ptr + begin, have - begin);
        rc = resp_scan(&scan, slice_from(block, have - begin), &len, &err);
        if (rc > 0) {
            describe(&out, slice_from(block, len));
            buf_append_str(&out, " ");
            begin += len;
        } else if (rc < 0) {
            buf_append_str(&out, err.text);
        }
        free(block);
    }
    if (rc == 0 && begin < wire.len)
        buf_append_str(&out, "more");
    return buf_detach(&out, NULL);
}

static void gives(struct slice wire, const char *expected) {
    static const size_t steps[] = {1, 2, 3, 5, 7, 64, 1000000};
    for (size_t i = 0; i < countof(steps); i++) {
        char *got = read_in_pieces(wire, steps[i]);
        if (strcmp(got, expected) != 0)
            fail_msg("in pieces of %zu: \"%s\" != \"%s\"", steps[i], got, expected);
        free(got);
    }
}

static void replies_of_version_2(void **state) {
    (void)state;
    gives(SLICE("+OK\r\n-ERR no\r\n:-42\r\n"), "status OK; error ERR no; int -42; ");
    gives(SLICE("$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n"), "string a\r\nbc; string ; null; ");
    gives(SLICE("*0\r\n*-1\r\n"), "array 0; null; ");
    gives(SLICE("*3\r\n:1\r\n*2\r\n+a\r\n$-1\r\n-E\r\n+next\r\n"),
          "array 3;int 1;array 2;status a;null;error E; status next; ");
    gives(SLICE(":9223372036854775807\r\n:-9223372036854775808\r\n"),
          "int 9223372036854775807; int -9223372036854775808; ");
}

static void replies_of_version_3(void **state) {
    (void)state;
    gives(SLICE("_\r\n#t\r\n#f\r\n,3.25\r\n,-inf\r\n(123456789012345678901234567890\r\n"),
          "null; bool 1; bool 0; double 3.25; double -inf; big 123456789012345678901234567890; ");
    gives(SLICE("!5\r\nERR x\r\n=7\r\ntxt:abc\r\n"), "error ERR x; string abc; ");
    gives(SLICE("%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n:2\r\n>1\r\n+p\r\n"),
          "map 2;status a;int 1;status b;array 1;int 2; push 1;status p; ");
    gives(SLICE("%0\r\n,nan\r\n"), "map 0; double nan; ");
}

static void attributes_are_skipped(void **state) {
    (void)state;
    gives(SLICE("|1\r\n+ttl\r\n*2\r\n:1\r\n%1\r\n+k\r\n+v\r\n:7\r\n"), "int 7; ");
    gives(SLICE("*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n|0\r\n:2\r\n+end\r\n"),
          "array 2;int 1;int 2; status end; ");
    gives(SLICE("|1\r\n+a\r\n|1\r\n+b\r\n+c\r\n+d\r\n:1\r\n"), "int 1; ");
    /* An attribute alone is no reply. */
    gives(SLICE("|1\r\n+a\r\n+b\r\n"), "more");
}

static void what_is_no_reply_has_go_rediss_words(void **state) {
    (void)state;
    gives(SLICE("HTTP/1.1 400\r\n"), "redis: can't parse \"HTTP/1.1 400\"");
    gives(SLICE("\r\n"), "redis: invalid reply: \"\\r\"");
    gives(SLICE("+OK\n"), "redis: invalid reply: \"+OK\"");
    gives(SLICE(":1x\r\n"), "redis: can't parse \":1x\"");
    gives(SLICE(":9223372036854775808\r\n"), "redis: can't parse \":9223372036854775808\"");
    gives(SLICE("$-2\r\n"), "redis: can't parse \"$-2\"");
    gives(SLICE("$1\r\nab\r\n"), "redis: invalid reply: \"b\\r\"");
    gives(SLICE("*1000000000\r\n"), "redis: can't parse \"*1000000000\"");
    gives(SLICE("$?\r\n"), "redis: can't parse \"$?\"");
    gives(SLICE("#x\r\n"), "redis: can't parse \"#x\"");
    gives(SLICE("(12a\r\n"), "redis: can't parse \"(12a\"");
    gives(SLICE("=3\r\nabc\r\n"), "redis: can't parse verbatim string reply: \"abc\"");
    gives(SLICE("*2\r\n:1\r\nx\r\n"), "redis: can't parse \"x\"");
}

static void depth_and_lines_have_a_cap(void **state) {
    (void)state;
    struct buf deep, line;
    buf_init(&deep, BUF_NO_CAP);
    buf_init(&line, BUF_NO_CAP);
    for (int i = 0; i < RESP_DEPTH_MAX; i++)
        buf_append_str(&deep, "*1\r\n");
    gives(buf_slice(&deep), "redis: reply is nested too deeply");
    buf_append_char(&line, '+');
    for (size_t i = 0; i < RESP_LINE_MAX; i++)
        buf_append_char(&line, 'x');
    struct resp_scan scan;
    struct error err;
    size_t len;
    resp_scan_init(&scan);
    assert_int_equal(resp_scan(&scan, slice_from(line.ptr, RESP_LINE_MAX - 1), &len, &err), 0);
    assert_int_equal(resp_scan(&scan, buf_slice(&line), &len, &err), KE_TOO_LARGE);
    assert_string_equal(err.text, "redis: reply is too large");
    buf_release(&deep);
    buf_release(&line);
}

static void reading_what_was_not_scanned_ends(void **state) {
    (void)state;
    static const struct slice wires[] = {
        SLICE(""),      SLICE("$5\r\nab"),     SLICE("=2\r\nab\r\n"),
        SLICE("x\r\n"), SLICE("|2\r\n+a\r\n"), SLICE("+a")};
    for (size_t i = 0; i < countof(wires); i++) {
        struct slice rest = wires[i];
        struct resp_item item;
        assert_false(resp_next(&rest, &item));
        assert_int_equal(resp_head(wires[i]).type, RESP_NULL);
    }
}

static void commands(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    resp_put_command(&out, 12);
    resp_put_arg(&out, SLICE("set"));
    resp_put_arg(&out, SLICE(""));
    resp_put_arg(&out, SLICE("a\r\n"));
    resp_put_int(&out, INT64_MIN);
    assert_string_equal(
        buf_cstr(&out),
        "*12\r\n$3\r\nset\r\n$0\r\n\r\n$3\r\na\r\n\r\n$20\r\n-9223372036854775808\r\n");
    buf_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_of_version_2),
        cmocka_unit_test(replies_of_version_3),
        cmocka_unit_test(attributes_are_skipped),
        cmocka_unit_test(what_is_no_reply_has_go_rediss_words),
        cmocka_unit_test(depth_and_lines_have_a_cap),
        cmocka_unit_test(reading_what_was_not_scanned_ends),
        cmocka_unit_test(commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
