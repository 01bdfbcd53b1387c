#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <fcntl.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"

static void assert_add_error(struct world *w, const char *spec, const char *want) {
    struct error err;
    world_outputs(w);
    assert_int_equal(outputs_add(w->outputs, slice_cstr(spec), &err), KE_CONFIG);
    assert_string_equal(err.text, want);
    assert_int_equal(outputs_count(w->outputs), 0);
}

static void unknown_types_are_refused_with_the_list(void **state) {
    struct world *w = *state;
    assert_add_error(w, "nothing=5",
                     "invalid output type 'nothing', available types are: cloud, csv, "
                     "experimental-opentelemetry, experimental-prometheus-rw, influxdb, json, "
                     "opentelemetry, statsd, web-dashboard");
    compat_set(COMPAT_V0_51);
    assert_add_error(w, "opentelemetry",
                     "invalid output type 'opentelemetry', available types are: cloud, csv, "
                     "experimental-prometheus-rw, influxdb, json, statsd, web-dashboard");
}

static void types_that_k6_removed_say_so(void **state) {
    struct world *w = *state;
    struct error err;
    world_outputs(w);
    static const char *const types[] = {"kafka", "datadog=x", "statsd"};
    for (size_t i = 0; i < countof(types); i++) {
        assert_int_equal(outputs_add(w->outputs, slice_cstr(types[i]), &err), KE_CONFIG);
        assert_non_null(strstr(err.text, "it was removed in k6 v0."));
    }
}

static void the_cloud_is_refused_with_what_there_is_instead(void **state) {
    struct world *w = *state;
    struct error err;
    world_outputs(w);
    assert_int_equal(outputs_add(w->outputs, S("cloud"), &err), KE_CONFIG);
    assert_true(slice_starts(slice_cstr(err.text),
                             S("could not create the 'cloud' output: kiln has no cloud")));
    assert_non_null(strstr(err.text, "influxdb"));
}

static void descriptions_are_those_of_the_run_header(void **state) {
    struct world *w = *state;
    struct error err;
    world_add(w, "json", "a.json");
    world_add(w, "csv", "b.csv");
    assert_int_equal(outputs_add(w->outputs, S("json"), &err), 0);
    assert_int_equal(outputs_add(w->outputs, S("json=-"), &err), 0);
    assert_int_equal(outputs_add(w->outputs, S("csv=-"), &err), 0);
    char *want = xasprintf("json (%s/a.json)", w->dir);
    assert_string_equal(outputs_description(w->outputs, 0), want);
    free(want);
    want = xasprintf("csv (%s/b.csv)", w->dir);
    assert_string_equal(outputs_description(w->outputs, 1), want);
    free(want);
    assert_string_equal(outputs_description(w->outputs, 2), "json(stdout)");
    assert_string_equal(outputs_description(w->outputs, 3), "json(stdout)");
    assert_string_equal(outputs_description(w->outputs, 4), "csv (stdout)");
}

static void a_file_that_cannot_be_made_fails_json_at_its_start(void **state) {
    struct world *w = *state;
    struct error err;
    world_add(w, "json", "good.json");
    world_add(w, "json", "no/such/x.json");
    assert_int_equal(outputs_start(w->outputs, &err), KE_IO);
    char *want = xasprintf("open %s/no/such/x.json: no such file or directory", w->dir);
    assert_string_equal(err.text, want);
    free(want);
}

static void a_file_that_cannot_be_made_fails_csv_at_its_creation(void **state) {
    struct world *w = *state;
    struct error err;
    world_outputs(w);
    assert_int_equal(outputs_add(w->outputs, S("csv=/no/such/dir/x.csv"), &err), KE_CONFIG);
    assert_string_equal(err.text, "could not create the 'csv' output: open /no/such/dir/x.csv: no "
                                  "such file or directory");
}

static size_t count_lines(const char *text, const char *with) {
    size_t n = 0;
    for (const char *line = text; (line = strstr(line, with)) != NULL; line++)
        n++;
    return n;
}

static void every_output_gets_every_sample(void **state) {
    struct world *w = *state;
    enum { N = 5000 };
    world_add(w, "json", "a.json");
    world_add(w, "csv", "b.csv.gz");
    world_add(w, "json", "c.json.gz");
    world_start(w);
    for (int i = 0; i < N; i++)
        world_record(w, M_ITERATIONS, tagset_empty(w->tags), i, NULL);
    world_stop(w);
    char *a = world_read(w, "a.json"), *b = world_read(w, "b.csv.gz"),
         *c = world_read(w, "c.json.gz");
    assert_int_equal(count_lines(a, "\"Point\""), N);
    assert_int_equal(count_lines(b, "iterations,"), N);
    assert_string_equal(a, c);
    assert_non_null(strstr(a, "\"value\":0,"));
    assert_non_null(strstr(a, "\"value\":4999,"));
    assert_true(strstr(a, "\"value\":1023,") < strstr(a, "\"value\":1024,"));
    assert_int_equal(outputs_dropped(w->outputs), 0);
    free(a);
    free(b);
    free(c);
}

/* Standard output is a pipe that nobody reads: the output's thread blocks on it. */
static void a_blocked_output_drops_and_counts_without_blocking_the_worker(void **state) {
    struct world *w = *state;
    struct error err;
    enum { N = 1600 * RAW_CHUNK_SAMPLES };
    world_outputs(w);
    assert_int_equal(outputs_add(w->outputs, S("json=-"), &err), 0);
    world_start(w);
    struct series *s = shard_series(w->shard, metric_by_id(M_ITERATIONS), tagset_empty(w->tags));
    for (int i = 0; i < N; i++)
        series_add(s, i, 1);
    uint64_t dropped = outputs_dropped(w->outputs);
    assert_in_range(dropped, 1, N - 1);
    close(w->stdout_pipe[0]); /* lets the thread fail and end */
    w->stdout_pipe[0] = open("/dev/null", O_RDONLY);
    world_stop(w);
}

static void *give_from_a_worker(void *arg) {
    struct outputs *o = arg;
    struct tag_table *tags = tag_table_new();
    struct shard *shard = shard_new(tags);
    outputs_attach(o, shard);
    struct series *s = shard_series(shard, metric_by_id(M_ITERATIONS), tagset_empty(tags));
    for (int i = 0; i < 10000; i++)
        series_add(s, 1, 1);
    shard_flush_raw(shard);
    return shard;
}

static void several_workers_feed_one_output(void **state) {
    struct world *w = *state;
    pthread_t threads[3];
    void *shards[3];
    world_add(w, "csv", "w.csv");
    world_start(w);
    for (size_t i = 0; i < countof(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, give_from_a_worker, w->outputs), 0);
    for (size_t i = 0; i < countof(threads); i++)
        pthread_join(threads[i], &shards[i]);
    world_stop(w);
    char *text = world_read(w, "w.csv");
    assert_int_equal(count_lines(text, "iterations,"), 30000);
    free(text);
    for (size_t i = 0; i < countof(shards); i++) {
        struct tag_table *tags = shard_tags(shards[i]);
        shard_free(shards[i]);
        tag_table_free(tags);
    }
}

static void without_outputs_nothing_is_streamed(void **state) {
    struct world *w = *state;
    world_outputs(w);
    world_start(w);
    assert_null(((struct shard_head *)w->shard)->raw);
    world_stop(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        world_test(unknown_types_are_refused_with_the_list),
        world_test(types_that_k6_removed_say_so),
        world_test(the_cloud_is_refused_with_what_there_is_instead),
        world_test(descriptions_are_those_of_the_run_header),
        world_test(a_file_that_cannot_be_made_fails_json_at_its_start),
        world_test(a_file_that_cannot_be_made_fails_csv_at_its_creation),
        world_test(every_output_gets_every_sample),
        world_test(a_blocked_output_drops_and_counts_without_blocking_the_worker),
        world_test(several_workers_feed_one_output),
        world_test(without_outputs_nothing_is_streamed),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
