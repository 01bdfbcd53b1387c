#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define WHEN (INT64_C(1795422899) * NS_PER_S) /* 2026-11-23T08:34:59Z */

static void check(enum log_format format, bool tty, bool color, enum log_level level,
                  struct slice msg, const struct log_field *fields, size_t n,
                  const char *expected) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    log_format_record(&b, format, tty, color, level, WHEN, 61 * NS_PER_S, msg, fields, n);
    assert_string_equal(buf_cstr(&b), expected);
    buf_release(&b);
}

static void text_form_quotes_what_needs_it(void **state) {
    (void)state;
    const struct log_field f[] = {LOG_STR("source", "console")};
    check(LOG_FORMAT_TEXT, false, false, LOG_INFO, SLICE("The Deep Romana (6)"), f, 1,
          "time=\"2026-11-23T08:34:59Z\" level=info msg=\"The Deep Romana (6)\" source=console\n");
    check(LOG_FORMAT_TEXT, false, false, LOG_WARN, SLICE("plain-1.0_/@^+"), NULL, 0,
          "time=\"2026-11-23T08:34:59Z\" level=warning msg=plain-1.0_/@^+\n");
    check(LOG_FORMAT_TEXT, false, false, LOG_ERROR, SLICE("a\n\t\"\\\x01\xff\xc3\xa9\xc2\xa0"),
          NULL, 0,
          "time=\"2026-11-23T08:34:59Z\" level=error "
          "msg=\"a\\n\\t\\\"\\\\\\x01\\xff\xc3\xa9\\u00a0\"\n");
}

static void empty_message_has_no_key_and_empty_field_no_quotes(void **state) {
    (void)state;
    const struct log_field f[] = {LOG_STR("source", "")};
    check(LOG_FORMAT_TEXT, false, false, LOG_INFO, SLICE(""), f, 1,
          "time=\"2026-11-23T08:34:59Z\" level=info source=\n");
}

static void fields_are_sorted_and_clashes_renamed(void **state) {
    (void)state;
    const struct log_field f[] = {LOG_STR("source", "b"), LOG_STR("error", "x y"),
                                  LOG_STR("time", "t")};
    check(LOG_FORMAT_TEXT, false, false, LOG_INFO, SLICE("m"), f, 3,
          "time=\"2026-11-23T08:34:59Z\" level=info msg=m error=\"x y\" source=b fields.time=t\n");
}

static void terminal_form_pads_the_message_to_44_runes(void **state) {
    (void)state;
    const struct log_field f[] = {LOG_STR("source", "console")};
    check(LOG_FORMAT_TEXT, true, false, LOG_INFO, SLICE("h\xc3\xa9\n"), f, 1,
          "INFO[0061] h\xc3\xa9                                            source=console\n");
    check(LOG_FORMAT_TEXT, true, true, LOG_WARN, SLICE("x"), f, 1,
          "\x1b[33mWARN\x1b[0m[0061] x                                            "
          " \x1b[33msource\x1b[0m=console\n");
    check(LOG_FORMAT_TEXT, true, false, LOG_ERROR,
          SLICE("a message of more than forty-four letters is not cut"), f, 1,
          "ERRO[0061] a message of more than forty-four letters is not cut  source=console\n");
}

static void json_form_sorts_all_keys(void **state) {
    (void)state;
    const struct log_field f[] = {LOG_STR("source", "console"), LOG_STR("a", "<1>"),
                                  LOG_STR("msg", "own")};
    check(LOG_FORMAT_JSON, false, false, LOG_WARN, SLICE("hi"), f, 3,
          "{\"a\":\"\\u003c1\\u003e\",\"fields.msg\":\"own\",\"level\":\"warning\",\"msg\":\"hi\","
          "\"source\":\"console\",\"time\":\"2026-11-23T08:34:59Z\"}\n");
}

static void raw_form_is_the_message(void **state) {
    (void)state;
    const struct log_field f[] = {LOG_STR("source", "console")};
    check(LOG_FORMAT_RAW, false, false, LOG_INFO, SLICE("hi \"there\""), f, 1, "hi \"there\"\n");
}

static size_t read_all(int fd, char *out, size_t size) {
    size_t len = 0;
    for (ssize_t n; len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0;)
        len += (size_t)n;
    out[len] = '\0';
    return len;
}

struct pipe_log {
    int fds[2];
};

static struct pipe_log open_log(enum log_level level, bool is_tty) {
    struct pipe_log p;
    assert_int_equal(pipe2(p.fds, O_NONBLOCK), 0);
    struct log_config cfg = {
        .level = level, .format = LOG_FORMAT_RAW, .is_tty = is_tty, .fd = p.fds[1]};
    log_init(&cfg);
    return p;
}

static void close_log(struct pipe_log *p) {
    struct log_config cfg = {.level = LOG_INFO, .fd = -1};
    log_init(&cfg);
    close(p->fds[0]);
    close(p->fds[1]);
}

static void records_wait_for_the_flush_unless_a_terminal(void **state) {
    (void)state;
    char text[256];
    struct pipe_log p = open_log(LOG_INFO, false);
    log_printf(LOG_INFO, "one %d", 1);
    log_printf(LOG_DEBUG, "hidden");
    assert_int_equal(read_all(p.fds[0], text, sizeof text), 0);
    log_flush();
    read_all(p.fds[0], text, sizeof text);
    assert_string_equal(text, "one 1\n");
    close_log(&p);
    p = open_log(LOG_DEBUG, true);
    log_printf(LOG_DEBUG, "seen");
    read_all(p.fds[0], text, sizeof text);
    assert_string_equal(text, "seen\n");
    close_log(&p);
}

static int hook_calls[2];

static void hook_before(void *arg) {
    (void)arg;
    hook_calls[0]++;
}

static void hook_after(void *arg) {
    (void)arg;
    hook_calls[1]++;
}

static void ui_hook_surrounds_records_of_a_terminal(void **state) {
    (void)state;
    struct pipe_log p = open_log(LOG_INFO, true);
    log_set_ui_hook(hook_before, hook_after, NULL);
    log_printf(LOG_INFO, "x");
    log_printf(LOG_INFO, "y");
    log_set_ui_hook(NULL, NULL, NULL);
    log_printf(LOG_INFO, "z");
    assert_int_equal(hook_calls[0], 2);
    assert_int_equal(hook_calls[1], 2);
    close_log(&p);
}

#define THREADS 4
#define LINES 200

static void *log_lines(void *arg) {
    for (int i = 0; i < LINES; i++)
        log_printf(LOG_INFO, "%d %d", (int)(intptr_t)arg, i);
    return NULL;
}

static void threads_keep_their_order_and_lines_stay_whole(void **state) {
    (void)state;
    static char text[65536];
    pthread_t threads[THREADS];
    struct pipe_log p = open_log(LOG_INFO, false);
    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_lines, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_flush();
    read_all(p.fds[0], text, sizeof text);
    int next[THREADS] = {0}, total = 0;
    struct slice rest = slice_cstr(text);
    while (rest.len > 0) {
        int thread, line;
        struct slice s = slice_cut(&rest, '\n');
        assert_int_equal(sscanf(s.ptr, "%d %d", &thread, &line), 2);
        assert_int_equal(line, next[thread]++);
        total++;
    }
    assert_int_equal(total, THREADS * LINES);
    close_log(&p);
}

static void take_record(void *arg, enum log_level level, int64_t wall_ns, struct slice msg,
                        const struct log_field *fields, size_t n_fields) {
    struct buf *out = arg;
    assert_true(wall_ns > 0);
    buf_printf(out, "%s:%.*s:%zu:%s;", log_level_name(level), SLICE_FMT(msg), n_fields,
               n_fields ? fields[0].key : "");
}

static void sinks_get_records_of_the_level_and_above(void **state) {
    (void)state;
    static struct buf got = {.cap = BUF_NO_CAP};
    struct log_config cfg = {.level = LOG_WARN, .fd = -1};
    log_init(&cfg);
    log_add_sink(take_record, &got);
    log_fields(LOG_WARN, SLICE("w"), LOG_STR("k", "v"));
    log_printf(LOG_INFO, "i");
    log_printf(LOG_ERROR, "e");
    assert_string_equal(buf_cstr(&got), "warning:w:1:k;error:e:0:;");
    buf_release(&got);
}

int main(void) {
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_form_quotes_what_needs_it),
        cmocka_unit_test(empty_message_has_no_key_and_empty_field_no_quotes),
        cmocka_unit_test(fields_are_sorted_and_clashes_renamed),
        cmocka_unit_test(terminal_form_pads_the_message_to_44_runes),
        cmocka_unit_test(json_form_sorts_all_keys),
        cmocka_unit_test(raw_form_is_the_message),
        cmocka_unit_test(records_wait_for_the_flush_unless_a_terminal),
        cmocka_unit_test(ui_hook_surrounds_records_of_a_terminal),
        cmocka_unit_test(threads_keep_their_order_and_lines_stay_whole),
        cmocka_unit_test(sinks_get_records_of_the_level_and_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
