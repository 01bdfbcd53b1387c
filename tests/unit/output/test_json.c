#include "unit.h"

#include <math.h>
#include <regex.h>

#include "base/check.h"
#include "base/log.h"
#include "base/vec.h"
#include "output/sample_text.h"

/* Replaces times, whose form is checked on the way. */
static char *without_times(const char *text) {
    regex_t re;
    regmatch_t m;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    assert_int_equal(regcomp(&re,
                             "\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{0,8}"
                             "[1-9])?(Z|[+-][0-9]{2}:[0-9]{2})\"",
                             REG_EXTENDED),
                     0);
    while (regexec(&re, text, 1, &m, 0) == 0) {
        buf_append(&b, text, (size_t)m.rm_so);
        buf_append_char(&b, 'T');
        text += m.rm_eo;
    }
    buf_append_str(&b, text);
    regfree(&re);
    return buf_detach(&b, NULL);
}

static void assert_content(struct world *w, const char *name, const char *want) {
    char *text = world_read(w, name), *got = without_times(text);
    assert_string_equal(got, want);
    free(text);
    free(got);
}

static void metric_line_comes_before_the_first_point(void **state) {
    struct world *w = *state;
    const struct tagset *tags =
        world_tags(w, (const char *const[]){"scenario", "default", "group", "", NULL});
    world_add(w, "json", "made.json");
    world_start(w);
    world_record(w, M_ITERATIONS, tags, 1, NULL);
    world_record(w, M_ITERATION_DURATION, tags, 0.25, NULL);
    world_record(w, M_ITERATIONS, tags, 1, NULL);
    world_stop(w);
    assert_content(
        w, "made.json",
        "{\"type\":\"Metric\",\"data\":{\"name\":\"iterations\",\"type\":\"counter\",\"contains\":"
        "\"default\",\"thresholds\":[],\"submetrics\":null},\"metric\":\"iterations\"}\n"
        "{\"metric\":\"iterations\",\"type\":\"Point\",\"data\":{\"time\":T,\"value\":1,\"tags\":{"
        "\"group\":\"\",\"scenario\":\"default\"}}}\n"
        "{\"type\":\"Metric\",\"data\":{\"name\":\"iteration_duration\",\"type\":\"trend\","
        "\"contains\":\"time\",\"thresholds\":[],\"submetrics\":null},\"metric\":"
        "\"iteration_duration\"}\n"
        "{\"metric\":\"iteration_duration\",\"type\":\"Point\",\"data\":{\"time\":T,\"value\":0.25,"
        "\"tags\":{\"group\":\"\",\"scenario\":\"default\"}}}\n"
        "{\"metric\":\"iterations\",\"type\":\"Point\",\"data\":{\"time\":T,\"value\":1,\"tags\":{"
        "\"group\":\"\",\"scenario\":\"default\"}}}\n");
}

static void metric_line_lists_thresholds_and_submetrics(void **state) {
    struct world *w = *state;
    static const struct output_threshold thresholds[] = {
        {"http_reqs", "count>0", false, -1},
        {"http_reqs", "rate<5", true, -1},
        {"http_reqs", "count<9", true, 90000000000},
        {"http_reqs{a:b}", "count>=0", false, -1},
    };
    w->params.thresholds = thresholds;
    w->params.n_thresholds = countof(thresholds);
    metric_submetric(S("http_reqs{a:b}"), NULL);
    metric_submetric(S("http_reqs{ z : 1 , c : 'd' }"), NULL);
    world_add(w, "json", "made.json");
    world_start(w);
    world_record(w, M_HTTP_REQS, tagset_empty(w->tags), 1, NULL);
    world_stop(w);
    assert_content(
        w, "made.json",
        "{\"type\":\"Metric\",\"data\":{\"name\":\"http_reqs\",\"type\":\"counter\",\"contains\":"
        "\"default\",\"thresholds\":[\"count>0\",{\"threshold\":\"rate<5\",\"abortOnFail\":true,"
        "\"delayAbortEval\":null},{\"threshold\":\"count<9\",\"abortOnFail\":true,"
        "\"delayAbortEval\":\"1m30s\"}],\"submetrics\":[{\"name\":\"http_reqs{a:b}\",\"suffix\":"
        "\"a:b\",\"tags\":{\"a\":\"b\"}},{\"name\":\"http_reqs{z : 1 , c : 'd'}\",\"suffix\":\"z : 1 "
        ", c : 'd'\",\"tags\":{\"c\":\"d\",\"z\":\"1\"}}]},\"metric\":\"http_reqs\"}\n"
        "{\"metric\":\"http_reqs\",\"type\":\"Point\",\"data\":{\"time\":T,\"value\":1,\"tags\":{}}}"
        "\n");
}

static void metadata_is_sorted_and_only_there_when_set(void **state) {
    struct world *w = *state;
    const struct tagset *custom =
        world_tags(w, (const char *const[]){"trace", "abc", "aa", "1", NULL});
    const struct tagset *tags = tagset_empty(w->tags);
    world_add(w, "json", "made.json");
    world_start(w);
    world_record(w, M_ITERATIONS, tags, 1, &(struct sample_meta){-1, -1, NULL});
    world_record(w, M_ITERATIONS, tags, 2, &(struct sample_meta){7, 0, NULL});
    world_record(w, M_ITERATIONS, tags, 3, &(struct sample_meta){7, 12, custom});
    world_record(w, M_ITERATIONS, tags, 4, &(struct sample_meta){-1, -1, custom});
    world_stop(w);
    char *text = world_read(w, "made.json");
    assert_non_null(strstr(text, "\"value\":1,\"tags\":{}}}\n"));
    assert_non_null(strstr(text,
                           "\"value\":2,\"tags\":{},\"metadata\":{\"iter\":\"0\",\"vu\":\"7\"}"
                           "}}\n"));
    assert_non_null(strstr(text,
                           "\"value\":3,\"tags\":{},\"metadata\":{\"aa\":\"1\",\"iter\":\"12\","
                           "\"trace\":\"abc\",\"vu\":\"7\"}}}\n"));
    assert_non_null(strstr(text, "\"value\":4,\"tags\":{},\"metadata\":{\"aa\":\"1\",\"trace\":"
                                 "\"abc\"}}}\n"));
    free(text);
}

static void html_is_escaped_in_v051_only(void **state) {
    struct world *w = *state;
    const struct tagset *tags = world_tags(w, (const char *const[]){"q", "a<b>&\"\n", NULL});
    world_add(w, "json", "new.json");
    compat_set(COMPAT_V0_51);
    world_add(w, "json", "old.json");
    world_start(w);
    world_record(w, M_ITERATIONS, tags, 1, NULL);
    world_stop(w);
    char *new = world_read(w, "new.json"), *old = world_read(w, "old.json");
    assert_non_null(strstr(new, "{\"q\":\"a<b>&\\\"\\n\"}"));
    assert_non_null(strstr(old, "{\"q\":\"a\\u003cb\\u003e\\u0026\\\"\\n\"}"));
    free(new);
    free(old);
}

struct seen_log {
    int errors;
    char text[256];
};

static struct seen_log seen;

static void on_log(void *arg, enum log_level level, int64_t wall_ns, struct slice msg,
                   const struct log_field *fields, size_t n_fields) {
    (void)arg;
    (void)wall_ns;
    if (level != LOG_ERROR)
        return;
    seen.errors++;
    int at = snprintf(seen.text, sizeof seen.text, "%.*s", SLICE_FMT(msg));
    for (size_t i = 0; i < n_fields; i++)
        at += snprintf(seen.text + at, sizeof seen.text - (size_t)at, " %s=%.*s", fields[i].key,
                       SLICE_FMT(fields[i].value));
}

static void values_that_json_cannot_hold_are_told_once(void **state) {
    struct world *w = *state;
    log_add_sink(on_log, NULL);
    world_add(w, "json", "x.json");
    world_start(w);
    world_record(w, M_VUS, tagset_empty(w->tags), INFINITY, NULL);
    world_record(w, M_VUS, tagset_empty(w->tags), 5, NULL);
    world_record(w, M_VUS, tagset_empty(w->tags), -INFINITY, NULL);
    world_stop(w);
    char *text = world_read(w, "x.json");
    assert_non_null(strstr(text, "\"value\":5,"));
    assert_int_equal(seen.errors, 1);
    char *want =
        xasprintf("Sample(s) couldn't be marshalled to JSON error=json: unsupported value: "
                  "+Inf failed=2 filename=%s/x.json output=json",
                  w->dir);
    assert_string_equal(seen.text, want);
    free(want);
    free(text);
}

static void a_dash_writes_to_standard_output(void **state) {
    struct world *w = *state;
    struct error err;
    char text[512] = "";
    world_outputs(w);
    assert_int_equal(outputs_add(w->outputs, S("json=-"), &err), 0);
    world_start(w);
    world_record(w, M_ITERATIONS, tagset_empty(w->tags), 1, NULL);
    world_stop(w);
    assert_true(read(w->stdout_pipe[0], text, sizeof text - 1) > 0);
    assert_ptr_equal(strstr(text, "{\"type\":\"Metric\",\"data\":{\"name\":\"iterations\""), text);
    assert_non_null(strstr(text, "{\"metric\":\"iterations\",\"type\":\"Point\""));
}

static void values_have_gos_shortest_form(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {1, "1"},
                 {-1.5, "-1.5"},
                 {0.000001, "0.000001"},
                 {0.0000001, "1e-7"},
                 {123.456789, "123.456789"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1e21, "1e+21"},
                 {123456789012345680000.0, "123456789012345680000"},
                 {1000000, "1000000"},
                 {0.5, "0.5"},
                 {1.00001, "1.00001"},
                 {99999999.999999, "99999999.999999"},
                 {3.3000000000000003, "3.3000000000000003"}};
    for (size_t i = 0; i < countof(cases); i++) {
        struct buf b;
        buf_init(&b, BUF_NO_CAP);
        append_value(&b, cases[i].value);
        assert_string_equal(buf_cstr(&b), cases[i].text);
        buf_release(&b);
    }
}

/* The quick way for timings must never differ from the long one. */
static void the_quick_form_of_timings_reads_back(void **state) {
    (void)state;
    uint64_t seed = 5;
    for (int i = 0; i < 100000; i++) {
        struct buf b;
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double value = (double)(seed >> (20 + i % 40)) / 1e6;
        buf_init(&b, BUF_NO_CAP);
        append_value(&b, value);
        if (strtod(buf_cstr(&b), NULL) != value)
            fail_msg("%s is not %.17g", buf_cstr(&b), value);
        assert_true(b.len <= 22);
        buf_release(&b);
    }
}

static void more_tag_sets_than_the_cache_holds_are_written_right(void **state) {
    struct world *w = *state;
    enum { N = 40000 };
    world_add(w, "json", "many.json");
    world_start(w);
    for (int i = 0; i < N; i++) {
        char *value = xasprintf("v%d", i);
        world_record(w, M_ITERATIONS, world_tags(w, (const char *const[]){"k", value, NULL}), i,
                     NULL);
        free(value);
    }
    world_stop(w);
    char *text = world_read(w, "many.json"), *line = text;
    const char *end = text + strlen(text);
    for (int i = 0; i < N; i++) {
        char *want = xasprintf("\"value\":%d,\"tags\":{\"k\":\"v%d\"}}}\n", i, i);
        /* Within the next few lines: a search of all the rest costs minutes under a sanitizer. */
        size_t left = (size_t)(end - line);
        line = memmem(line, left < 1024 ? left : 1024, want, strlen(want));
        if (!line)
            fail_msg("no %s", want);
        free(want);
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        world_test(metric_line_comes_before_the_first_point),
        world_test(metric_line_lists_thresholds_and_submetrics),
        world_test(metadata_is_sorted_and_only_there_when_set),
        world_test(html_is_escaped_in_v051_only),
        world_test(values_that_json_cannot_hold_are_told_once),
        world_test(a_dash_writes_to_standard_output),
        cmocka_unit_test(values_have_gos_shortest_form),
        cmocka_unit_test(the_quick_form_of_timings_reads_back),
        world_test(more_tag_sets_than_the_cache_holds_are_written_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
