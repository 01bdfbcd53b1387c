#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/check.h"
#include "load/tar.h"

static void put(struct buf *out, const char *name, const char *content) {
    char *copy = xstrdup(name);
    struct tar_entry e = {
        .type = TAR_FILE, .name = copy, .content = slice_cstr(content), .mode = 0644};
    assert_int_equal(tar_write(out, &e), 0);
    free(copy);
}

static void assert_entry(struct slice *rest, const char *name, const char *content) {
    struct tar_entry e;
    struct error err = {0};
    assert_int_equal(tar_read(rest, &e, &err), 1);
    assert_string_equal(e.name, name);
    assert_true(slice_eq(e.content, slice_cstr(content)));
    free(e.name);
}

static void what_was_written_is_read_back(void **state) {
    struct buf out;
    struct tar_entry e;
    char long_name[301], split_name[181];
    (void)state;
    memset(long_name, 'n', 300);
    long_name[300] = '\0';
    memset(split_name, 's', 180);
    split_name[90] = '/';
    split_name[180] = '\0';
    buf_init(&out, BUF_NO_CAP);
    put(&out, "metadata.json", "{}");
    put(&out, split_name, "split at a slash");
    put(&out, long_name, "named by a PAX record");
    put(&out, "empty", "");
    assert_int_equal(tar_finish(&out), 0);
    assert_int_equal(out.len % 512, 0);
    assert_true(tar_is_archive(buf_slice(&out)));
    struct slice rest = buf_slice(&out);
    assert_entry(&rest, "metadata.json", "{}");
    assert_entry(&rest, split_name, "split at a slash");
    assert_entry(&rest, long_name, "named by a PAX record");
    assert_entry(&rest, "empty", "");
    assert_int_equal(tar_read(&rest, &e, NULL), 0);
    buf_release(&out);
}

static void a_script_is_no_archive(void **state) {
    char script[1024];
    (void)state;
    memset(script, ' ', sizeof script);
    assert_false(tar_is_archive(slice_from(script, sizeof script)));
    assert_false(tar_is_archive(SLICE("export default function () {}")));
}

static void damage_is_reported(void **state) {
    struct buf out;
    struct tar_entry e;
    struct error err;
    (void)state;
    buf_init(&out, BUF_NO_CAP);
    put(&out, "file", "some content");
    struct slice cut = slice_from(out.ptr, 300), headless = slice_from(out.ptr, 512);
    assert_int_equal(tar_read(&cut, &e, &err), KE_INVALID);
    assert_string_equal(err.text, "unexpected EOF");
    assert_int_equal(tar_read(&headless, &e, &err), KE_INVALID);
    assert_string_equal(err.text, "unexpected EOF");
    out.ptr[10] ^= 1;
    struct slice damaged = buf_slice(&out);
    assert_int_equal(tar_read(&damaged, &e, &err), KE_INVALID);
    assert_string_equal(err.text, "archive/tar: invalid tar header");
    buf_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(a_script_is_no_archive),
        cmocka_unit_test(damage_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
