#include "unit.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/log_redact.h"

static struct buf seen;

static void on_record(void *arg, enum log_level level, int64_t wall_ns, struct slice msg,
                      const struct log_field *fields, size_t n_fields) {
    (void)arg;
    (void)level;
    (void)wall_ns;
    buf_append_slice(&seen, msg);
    for (size_t i = 0; i < n_fields; i++) {
        buf_printf(&seen, " %s=", fields[i].key);
        buf_append_slice(&seen, fields[i].value);
    }
}

static int set_up(void **state) {
    (void)state;
    buf_init(&seen, BUF_NO_CAP);
    log_init(&(struct log_config){.level = LOG_INFO, .fd = -1});
    log_add_sink(on_record, NULL);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    buf_release(&seen);
    return 0;
}

static const char *logged(const char *msg, const char *field) {
    buf_reset(&seen);
    log_fields(LOG_INFO, slice_cstr(msg), LOG_STR("error", field));
    return buf_cstr(&seen);
}

/* Secrets stay for the life of the process, so the order of these tests matters. */

static void records_pass_while_there_are_no_secrets(void **state) {
    (void)state;
    struct log_redacted r;
    assert_false(log_redact(SLICE("abc"), NULL, 0, &r));
    log_redact_add(SLICE(""));
    log_redact_add(SLICE(" \t\n"));
    assert_false(log_redact(SLICE("abc"), NULL, 0, &r));
    assert_string_equal(logged("a b", "c"), "a b error=c");
}

static void secrets_are_masked_in_message_and_fields(void **state) {
    (void)state;
    log_redact_add(SLICE("hunter2"));
    assert_string_equal(
        logged("x hunter2hunter2 hunter", "(hunter2)"),
        "x ***SECRET_REDACTED******SECRET_REDACTED*** hunter error=(***SECRET_REDACTED***)");
    assert_string_equal(logged("", ""), " error=");
}

static void of_two_that_match_the_older_wins(void **state) {
    (void)state;
    log_redact_add(SLICE("hunter2-longer"));
    assert_string_equal(logged("hunter2-longer", ""), "***SECRET_REDACTED***-longer error=");
    log_redact_add(SLICE("zz-first"));
    log_redact_add(SLICE("zz"));
    assert_string_equal(logged("zz-first zz", ""),
                        "***SECRET_REDACTED*** ***SECRET_REDACTED*** error=");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_pass_while_there_are_no_secrets),
        cmocka_unit_test(secrets_are_masked_in_message_and_fields),
        cmocka_unit_test(of_two_that_match_the_older_wins),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
