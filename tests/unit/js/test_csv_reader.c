#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "js/csv_reader.h"

static size_t piece_bytes;

static long read_piece(const void *source, size_t offset, void *out, size_t bytes) {
    const char *text = source;
    size_t n = strlen(text + offset);
    n = n < bytes ? n : bytes;
    n = n < piece_bytes ? n : piece_bytes;
    memcpy(out, text + offset, n);
    return (long)n;
}

/* All records as "a|b;c|d;", and the words of the error that ended them. */
static void check_in_pieces(const char *text, uint32_t comma, const char *records) {
    struct csv_reader r;
    struct buf out;
    struct error err;
    int rc;
    csv_reader_init(&r, read_piece, text, 0, comma);
    buf_init(&out, BUF_NO_CAP);
    while ((rc = csv_read(&r, &err)) == 0) {
        for (size_t i = 0; i < csv_len(&r); i++) {
            if (i > 0)
                buf_append_char(&out, '|');
            buf_append_slice(&out, csv_field(&r, i));
        }
        buf_append_char(&out, ';');
    }
    if (rc != KE_EOF)
        buf_append_str(&out, err.text);
    assert_string_equal(buf_cstr(&out), records);
    buf_release(&out);
    csv_reader_release(&r);
}

static void check(const char *text, uint32_t comma, const char *records) {
    piece_bytes = SIZE_MAX;
    check_in_pieces(text, comma, records);
    piece_bytes = 1;
    check_in_pieces(text, comma, records);
}

static void plain_records(void **state) {
    (void)state;
    check("", ',', "");
    check("a,b\n1,2\n", ',', "a|b;1|2;");
    check("a,b\r\n1,2", ',', "a|b;1|2;");
    check("a,b\n1,2\r", ',', "a|b;1|2;");
    check(",\n", ',', "|;");
    check("a;b,c\n", ';', "a|b,c;");
}

static void empty_lines_are_no_records(void **state) {
    (void)state;
    check("\n\r\na,b\n\n1,2\n\n", ',', "a|b;1|2;");
}

static void quoted_fields_hold_anything(void **state) {
    (void)state;
    check("\"a,b\",\"c\"\"d\"\n", ',', "a,b|c\"d;");
    check("\"x\ny\r\n\nz\",2\n", ',', "x\ny\n\nz|2;");
    check("\"\",\"\"", ',', "|;");
}

static void errors_have_go_s_words(void **state) {
    (void)state;
    check("a,b\n1,2,3\n", ',', "a|b;record on line 2: wrong number of fields");
    check("a,b\n1\n", ',', "a|b;record on line 2: wrong number of fields");
    check("a\"b\n", ',', "parse error on line 1, column 2: bare \" in non-quoted field");
    check("x,\"a\"b\n", ',',
          "parse error on line 1, column 5: extraneous or missing \" in quoted-field");
    check("\"abc", ',',
          "parse error on line 1, column 5: extraneous or missing \" in quoted-field");
    check("\"abc\nd\"e", ',',
          "record on line 1; parse error on line 2, column 2: extraneous or missing \" in "
          "quoted-field");
    check("a", '"', "csv: invalid field or comment delimiter");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_records),
        cmocka_unit_test(empty_lines_are_no_records),
        cmocka_unit_test(quoted_fields_hold_anything),
        cmocka_unit_test(errors_have_go_s_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
