#include "unit.h"

#include <math.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/vec.h"

static const char *env_of(void *arg, const char *name) {
    const char *const *pairs = arg;
    for (; pairs[0]; pairs += 2)
        if (strcmp(pairs[0], name) == 0)
            return pairs[1];
    return NULL;
}

/* The n-th line, 0 the header. */
static char *line(const char *text, size_t n) {
    for (; n > 0; n--) {
        text = strchr(text, '\n');
        assert_non_null(text);
        text++;
    }
    return xstrndup(text, strcspn(text, "\n"));
}

static void assert_line(struct world *w, const char *name, size_t n, const char *want) {
    char *text = world_read(w, name), *got = line(text, n);
    assert_string_equal(got, want);
    free(got);
    free(text);
}

static void record_at(struct world *w, int64_t mono_ns, const struct tagset *tags, double value,
                      const struct sample_meta *meta) {
    series_add_with(shard_series(w->shard, metric_by_id(M_ITERATIONS), tags), value, mono_ns, meta);
}

/* The monotonic reading of a wall time. */
static int64_t mono_of(int64_t wall_ns) {
    return wall_ns - clock_mono_to_wall_ns(0);
}

static const int64_t noon_ns = INT64_C(1700000000123456789);

static void header_has_the_enabled_tags_sorted(void **state) {
    struct world *w = *state;
    world_add(w, "csv", "a.csv");
    world_start(w);
    world_stop(w);
    assert_line(w, "a.csv", 0,
                "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,"
                "method,name,proto,scenario,service,status,subproto,tls_version,url,extra_tags,"
                "metadata");
}

static void rows_have_tags_in_their_columns(void **state) {
    struct world *w = *state;
    const struct tagset *tags =
        world_tags(w, (const char *const[]){"scenario", "default", "group", "::g", "more", "x&y,z",
                                            "extra", "tag", "ip", "127.0.0.1", "vu", "9", NULL});
    world_add(w, "csv", "a.csv");
    world_start(w);
    record_at(w, mono_of(noon_ns), tags, 2.5, NULL);
    world_stop(w);
    /* ip is a system tag that is off: dropped. A tag named vu is no system tag of a row. */
    assert_line(
        w, "a.csv", 1,
        "iterations,1700000000,2.500000,,,,,::g,,,,default,,,,,,\"extra=tag&more=x&y,z&vu=9\""
        ",");
}

static void fewer_system_tags_are_fewer_columns(void **state) {
    struct world *w = *state;
    w->params.system_tags = TAG_URL | TAG_IP | TAG_VU | TAG_ITER;
    const struct tagset *tags = world_tags(
        w, (const char *const[]){"url", "http://x/", "status", "200", "ip", "::1", NULL});
    world_add(w, "csv", "a.csv");
    world_start(w);
    record_at(w, mono_of(noon_ns), tags, 1, &(struct sample_meta){3, 4, NULL});
    world_stop(w);
    assert_line(w, "a.csv", 0, "metric_name,timestamp,metric_value,ip,url,extra_tags,metadata");
    assert_line(w, "a.csv", 1, "iterations,1700000000,1.000000,::1,http://x/,,iter=4&vu=3");
}

static void fields_are_quoted_as_in_go(void **state) {
    struct world *w = *state;
    static const struct {
        const char *value, *text;
    } cases[] = {{"plain text", "plain text"}, {" lead", "\" lead\""},
                 {"a,b", "\"a,b\""},           {"say \"hi\"", "\"say \"\"hi\"\"\""},
                 {"\\.", "\"\\.\""},           {"tab\tin", "tab\tin"}};
    w->params.system_tags = TAG_NAME;
    world_add(w, "csv", "a.csv");
    world_start(w);
    for (size_t i = 0; i < countof(cases); i++)
        record_at(w, mono_of(noon_ns),
                  world_tags(w, (const char *const[]){"name", cases[i].value, NULL}), 1, NULL);
    world_stop(w);
    for (size_t i = 0; i < countof(cases); i++) {
        char *want = xasprintf("iterations,1700000000,1.000000,%s,,", cases[i].text);
        assert_line(w, "a.csv", i + 1, want);
        free(want);
    }
}

static void infinite_values_have_gos_names(void **state) {
    struct world *w = *state;
    w->params.system_tags = 0;
    world_add(w, "csv", "a.csv");
    world_start(w);
    record_at(w, mono_of(noon_ns), tagset_empty(w->tags), INFINITY, NULL);
    record_at(w, mono_of(noon_ns), tagset_empty(w->tags), -INFINITY, NULL);
    world_stop(w);
    assert_line(w, "a.csv", 1, "iterations,1700000000,+Inf,,");
    assert_line(w, "a.csv", 2, "iterations,1700000000,-Inf,,");
}

static void times_come_in_six_forms(void **state) {
    struct world *w = *state;
    static const char *const cases[][2] = {{"unix", "1700000000"},
                                           {"unix_milli", "1700000000123"},
                                           {"unix_micro", "1700000000123456"},
                                           {"unix_nano", "1700000000123456789"},
                                           {"rfc3339", "2023-11-14T22:13:20Z"},
                                           {"RFC3339_nano", "2023-11-14T22:13:20.123456789Z"}};
    struct error err;
    w->params.system_tags = 0;
    world_outputs(w);
    for (size_t i = 0; i < countof(cases); i++) {
        char *spec = xasprintf("csv=fileName=%s/%zu.csv,timeFormat=%s,saveInterval=5s", w->dir, i,
                               cases[i][0]);
        assert_int_equal(outputs_add(w->outputs, slice_cstr(spec), &err), 0);
        free(spec);
    }
    world_start(w);
    record_at(w, mono_of(noon_ns), tagset_empty(w->tags), 1, NULL);
    world_stop(w);
    for (size_t i = 0; i < countof(cases); i++) {
        char *name = xasprintf("%zu.csv", i);
        char *want = xasprintf("iterations,%s,1.000000,,", cases[i][1]);
        assert_line(w, name, 1, want);
        free(name);
        free(want);
    }
}

static void the_environment_stands_behind_the_argument(void **state) {
    struct world *w = *state;
    struct error err;
    char *file = xasprintf("%s/env.csv", w->dir);
    const char *const env[] = {"K6_CSV_FILENAME",
                               file,
                               "K6_CSV_TIME_FORMAT",
                               "unix_nano",
                               "K6_CSV_SAVE_INTERVAL",
                               "2s",
                               NULL};
    w->params.getenv = env_of;
    w->params.getenv_arg = (void *)env;
    w->params.system_tags = 0;
    world_outputs(w);
    assert_int_equal(outputs_add(w->outputs, S("csv"), &err), 0);
    world_add(w, "csv", "arg.csv");
    world_start(w);
    record_at(w, mono_of(noon_ns), tagset_empty(w->tags), 1, NULL);
    world_stop(w);
    assert_line(w, "env.csv", 1, "iterations,1700000000123456789,1.000000,,");
    assert_line(w, "arg.csv", 1, "iterations,1700000000123456789,1.000000,,");
    free(file);
}

static void bad_arguments_are_refused_in_k6s_words(void **state) {
    struct world *w = *state;
    static const char *const cases[][2] = {
        {"csv=timeFormat=odd,fileName=c.csv",
         "could not create the 'csv' output: odd does not belong to TimeFormat values"},
        {"csv=what=ever",
         "could not create the 'csv' output: unknown key \"what\" as argument for csv output"},
        {"csv=fileName=a,b",
         "could not create the 'csv' output: couldn't parse \"fileName=a,b\" as argument for csv "
         "output"},
        {"csv=saveInterval=x", "could not create the 'csv' output: time: invalid duration \"x\""},
    };
    world_outputs(w);
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err;
        assert_int_equal(outputs_add(w->outputs, slice_cstr(cases[i][0]), &err), KE_CONFIG);
        assert_string_equal(err.text, cases[i][1]);
    }
}

static void bad_environment_is_refused(void **state) {
    struct world *w = *state;
    struct error err;
    const char *const env[] = {"K6_CSV_SAVE_INTERVAL", "often", NULL};
    w->params.getenv = env_of;
    w->params.getenv_arg = (void *)env;
    world_outputs(w);
    assert_int_equal(outputs_add(w->outputs, S("csv=x.csv"), &err), KE_CONFIG);
    assert_string_equal(err.text,
                        "could not create the 'csv' output: envconfig.Process: assigning "
                        "K6_CSV_SAVE_INTERVAL to SaveInterval: converting 'often' to type "
                        "types.NullDuration. details: time: invalid duration \"often\"");
}

static void an_interval_must_be_positive(void **state) {
    struct world *w = *state;
    struct error err;
    world_outputs(w);
    char *spec = xasprintf("csv=fileName=%s/a.csv,saveInterval=0s", w->dir);
    assert_int_equal(outputs_add(w->outputs, slice_cstr(spec), &err), 0);
    assert_int_equal(outputs_start(w->outputs, &err), KE_CONFIG);
    assert_string_equal(err.text, "metric flush period should be positive but was 0s");
    free(spec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        world_test(header_has_the_enabled_tags_sorted),
        world_test(rows_have_tags_in_their_columns),
        world_test(fewer_system_tags_are_fewer_columns),
        world_test(fields_are_quoted_as_in_go),
        world_test(infinite_values_have_gos_names),
        world_test(times_come_in_six_forms),
        world_test(the_environment_stands_behind_the_argument),
        world_test(bad_arguments_are_refused_in_k6s_words),
        world_test(bad_environment_is_refused),
        world_test(an_interval_must_be_positive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
