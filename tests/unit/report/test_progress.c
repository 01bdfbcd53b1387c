#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "report/header.h"
#include "report/progress.h"

static struct progress_bar bar(const char *left, enum progress_status status, double fraction,
                               const char *a, const char *b, const char *c) {
    struct progress_bar out = {.left = left, .status = status, .fraction = fraction};
    const char *right[] = {a, b, c};
    for (size_t i = 0; i < 3 && right[i]; i++)
        out.right[out.n_right++] = right[i];
    return out;
}

static void check_render(const struct progress_view *view, struct progress_layout layout,
                         const char *expected) {
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    progress_render(&out, view, &layout);
    assert_string_equal(buf_cstr(&out), expected);
    buf_release(&out);
}

static const struct progress_layout plain = {.term_width = 80, .bar_width = PROGRESS_BAR_MAX};

static void plain_form_has_percentages(void **state) {
    (void)state;
    const struct progress_bar bars[] = {
        bar("default", PROGRESS_RUNNING, 1.0 / 3, "09/10 VUs", "1.0s/3.0s", NULL)};
    const struct progress_view view = {
        .headline = "running (01.0s), 09/10 VUs, 38 complete and 0 interrupted iterations",
        .test = {.left = "Run"},
        .bars = bars,
        .n_bars = 1};
    check_render(&view, plain,
                 "\nrunning (01.0s), 09/10 VUs, 38 complete and 0 interrupted iterations\n"
                 "default   [  33% ] 09/10 VUs  1.0s/3.0s\n");
}

static void short_names_are_padded_to_the_first_bar_and_marks_shown(void **state) {
    (void)state;
    const struct progress_bar bars[] = {
        bar("ui", PROGRESS_DONE, 1, "1 VUs", "00m02.2s/10m0s", "1/1 shared iters")};
    const struct progress_view view = {.headline = "h", .bars = bars, .n_bars = 1};
    check_render(&view, plain, "\nh\nui   ✓ [ 100% ] 1 VUs  00m02.2s/10m0s  1/1 shared iters\n");
}

static void right_columns_align_over_scenarios(void **state) {
    (void)state;
    const struct progress_bar bars[] = {
        bar("a", PROGRESS_INTERRUPTED, 0.1, "1 VUs", "1.0s/5s", "x"),
        bar("a_long_name_of_more_than_thirty_letters", PROGRESS_WAITING, 0, "waiting", "04.0s",
            NULL),
        bar("b", PROGRESS_STOPPING, 1, "10/10 VUs", "5s", NULL),
    };
    const struct progress_view view = {.headline = "h", .bars = bars, .n_bars = 3};
    check_render(&view, plain,
                 "\nh\n"
                 "a                              ✗ [  10% ] 1 VUs      1.0s/5s  x\n"
                 "a_long_name_of_more_than_th... • [   0% ] waiting    04.0s   \n"
                 "b                              ↓ [ 100% ] 10/10 VUs  5s      \n");
}

static void terminal_form_draws_bars_and_goes_back(void **state) {
    (void)state;
    const struct progress_bar bars[] = {
        bar("default", PROGRESS_RUNNING, 0.5, "2 VUs", "1.0s/2s", NULL)};
    const struct progress_view view = {.headline = "h", .bars = bars, .n_bars = 1};
    struct progress_layout layout = {
        .is_tty = true, .go_back = true, .term_width = 80, .bar_width = PROGRESS_BAR_MAX};
    check_render(&view, layout,
                 "\x1b[K\nh\x1b[K\n"
                 "default   [==================>-------------------] 2 VUs  1.0s/2s\x1b[K\n"
                 "\r\x1b[J\x1b[3A");
    layout.color = true;
    layout.go_back = false;
    check_render(&view, layout,
                 "\x1b[K\nh\x1b[K\ndefault   [==================>\x1b[2m-------------------\x1b[0m]"
                 " 2 VUs  1.0s/2s\x1b[K\n");
}

static void bars_shrink_to_the_terminal_and_then_become_percentages(void **state) {
    (void)state;
    const struct progress_bar bars[] = {
        bar("default", PROGRESS_RUNNING, 0, "2 VUs", "1.0s/2s", NULL)};
    const struct progress_view view = {.headline = "h", .bars = bars, .n_bars = 1};
    struct progress_layout layout = {.is_tty = true, .term_width = 60, .bar_width = 40};
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    progress_render(&out, &view, &layout);
    assert_int_equal(layout.bar_width, 40 + 60 - 65 - 1);
    layout.term_width = 30;
    buf_reset(&out);
    progress_render(&out, &view, &layout);
    assert_int_equal(layout.bar_width, 8);
    buf_reset(&out);
    progress_render(&out, &view, &layout);
    assert_non_null(strstr(buf_cstr(&out), "[   0% ]"));
    buf_release(&out);
}

static void long_lines_count_for_going_back(void **state) {
    (void)state;
    const struct progress_view view = {.headline = "0123456789012345678901234"};
    const struct progress_layout layout = {.is_tty = true, .go_back = true, .term_width = 10};
    check_render(&view, layout, "\x1b[K\n0123456789012345678901234\x1b[K\n\r\x1b[J\x1b[4A");
}

static void first_bar_is_drawn_until_there_is_a_headline(void **state) {
    (void)state;
    const struct progress_bar bars[] = {bar("default", PROGRESS_RUNNING, 0, NULL, NULL, NULL)};
    const struct progress_view view = {
        .test = bar("Init", PROGRESS_RUNNING, 0.5, "1/2 VUs initialized", NULL, NULL),
        .bars = bars,
        .n_bars = 1};
    check_render(&view, plain, "\nInit      [  50% ] 1/2 VUs initialized\ndefault   [   0% ]\n");
}

static void headline_widths_follow_the_maxima(void **state) {
    (void)state;
    struct buf out;
    struct progress_stats s = {.has_started = true,
                               .elapsed_ns = 1040 * NS_PER_MS,
                               .max_duration_ns = 630 * NS_PER_S,
                               .vus_active = 0,
                               .vus_initialized = 10,
                               .vus_max_possible = 10,
                               .iterations_complete = 5};
    buf_init(&out, BUF_NO_CAP);
    progress_headline(&out, &s);
    assert_string_equal(buf_cstr(&out), "running (00m01.0s), 00/10 VUs, 5 complete and 0 "
                                        "interrupted iterations");
    buf_reset(&out);
    s.has_started = false;
    s.is_paused = true;
    progress_headline(&out, &s);
    assert_string_equal(buf_cstr(&out),
                        "paused, 00/10 VUs, 5 complete and 0 interrupted iterations");
    buf_release(&out);
}

static void fixed_durations_have_one_width(void **state) {
    (void)state;
    char out[DURATION_TEXT_MAX];
    assert_string_equal(duration_format_fixed(1040 * NS_PER_MS, 3 * NS_PER_S, out), "1.0s");
    assert_string_equal(duration_format_fixed(NS_PER_S, 33 * NS_PER_S, out), "01.0s");
    assert_string_equal(duration_format_fixed(NS_PER_S, 90 * NS_PER_S, out), "0m01.0s");
    assert_string_equal(duration_format_fixed(NS_PER_S, 630 * NS_PER_S, out), "00m01.0s");
    assert_string_equal(duration_format_fixed(0, 3600 * NS_PER_S, out), "0h00m00.0s");
    assert_string_equal(duration_format_fixed(0, 36000 * NS_PER_S, out), "00h00m00.0s");
    assert_string_equal(duration_format_fixed(86400 * NS_PER_S, 864000 * NS_PER_S, out),
                        "01d00h00m00.0s");
    assert_string_equal(duration_format_fixed(59960 * NS_PER_MS, 0, out), "1m00.0s");
}

static void header_describes_the_run(void **state) {
    (void)state;
    struct buf out;
    const char *outputs[] = {"json (a.json)", "csv (b.csv)"};
    const struct header_scenario scenarios[] = {{"a", "2 looping VUs for 5s (gracefulStop: 30s)"},
                                                {"b", "x"}};
    struct run_header h = {.execution = "local",
                           .script = "t.js",
                           .segment_fraction = 0.5,
                           .max_vus = 2,
                           .max_duration_ns = 35049 * NS_PER_MS,
                           .scenarios = scenarios,
                           .n_scenarios = 1};
    buf_init(&out, BUF_NO_CAP);
    header_write(&out, &h, false);
    assert_string_equal(
        buf_cstr(&out),
        "     execution: local\n        script: t.js\n        output: -\n\n"
        "     scenarios: (50.00%) 1 scenario, 2 max VUs, 35s max duration (incl. graceful stop):\n"
        "              * a: 2 looping VUs for 5s (gracefulStop: 30s)\n\n");
    h.outputs = outputs;
    h.n_outputs = h.n_scenarios = 2;
    h.dashboard_url = "http://127.0.0.1:5665";
    h.profiling_address = "localhost:6565";
    buf_reset(&out);
    header_write(&out, &h, false);
    assert_string_equal(
        buf_cstr(&out),
        "     execution: local\n        script: t.js\n web dashboard: http://127.0.0.1:5665\n"
        "        output: json (a.json), csv (b.csv)\n"
        "     profiling: http://localhost:6565/debug/pprof/\n\n"
        "     scenarios: (50.00%) 2 scenarios, 2 max VUs, 35s max duration (incl. graceful stop):\n"
        "              * a: 2 looping VUs for 5s (gracefulStop: 30s)\n              * b: x\n\n");
    buf_release(&out);
}

static const char *read_pipe(int fd) {
    static char text[4096];
    ssize_t n = read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void log_records_go_above_the_bars(void **state) {
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    log_init(&(struct log_config){
        .level = LOG_INFO, .format = LOG_FORMAT_RAW, .is_tty = true, .fd = fds[1]});
    struct progress *p =
        progress_new(&(struct progress_config){.fd = fds[1], .is_tty = true, .no_color = true});
    const struct progress_view view = {.headline = "h"};
    assert_true(progress_period_ns(p) == 100 * NS_PER_MS);
    progress_update(p, &view);
    const char *block = "\x1b[K\nh\x1b[K\n\r\x1b[J\x1b[2A";
    assert_string_equal(read_pipe(fds[0]), block);
    log_printf(LOG_INFO, "record");
    char expected[128];
    snprintf(expected, sizeof expected, "\r\x1b[Jrecord\n%s", block);
    assert_string_equal(read_pipe(fds[0]), expected);
    progress_print(p, SLICE("summary\n"));
    snprintf(expected, sizeof expected, "\r\x1b[Jsummary\n%s", block);
    assert_string_equal(read_pipe(fds[0]), expected);
    progress_finish(p, &view);
    assert_string_equal(read_pipe(fds[0]), "\x1b[K\nh\x1b[K\n");
    log_printf(LOG_INFO, "after");
    assert_string_equal(read_pipe(fds[0]), "after\n");
    progress_free(p);
    log_init(&(struct log_config){.fd = -1});
    close(fds[0]);
    close(fds[1]);
}

static void quiet_draws_nothing_but_prints(void **state) {
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    struct progress *p = progress_new(&(struct progress_config){.fd = fds[1], .is_quiet = true});
    progress_update(p, &(struct progress_view){.headline = "h"});
    progress_print(p, SLICE("summary\n"));
    progress_finish(p, &(struct progress_view){.headline = "h"});
    assert_string_equal(read_pipe(fds[0]), "summary\n");
    progress_free(p);
    close(fds[0]);
    close(fds[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_form_has_percentages),
        cmocka_unit_test(short_names_are_padded_to_the_first_bar_and_marks_shown),
        cmocka_unit_test(right_columns_align_over_scenarios),
        cmocka_unit_test(terminal_form_draws_bars_and_goes_back),
        cmocka_unit_test(bars_shrink_to_the_terminal_and_then_become_percentages),
        cmocka_unit_test(long_lines_count_for_going_back),
        cmocka_unit_test(first_bar_is_drawn_until_there_is_a_headline),
        cmocka_unit_test(headline_widths_follow_the_maxima),
        cmocka_unit_test(fixed_durations_have_one_width),
        cmocka_unit_test(header_describes_the_run),
        cmocka_unit_test(log_records_go_above_the_bars),
        cmocka_unit_test(quiet_draws_nothing_but_prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
