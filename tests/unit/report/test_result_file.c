/* Saved runs: what is written is read again, what is damaged is refused; and the comparison. */
#include "unit.h"

#include <math.h>
#include <unistd.h>

#include "base/check.h"
#include "report/compare.h"

struct world {
    struct tag_table *tags;
    struct shard *shard;
    struct aggregate *aggregate;
    int64_t period_ns;
    char path[2][64];
};

static int setup(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    metrics_init();
    w->period_ns = NS_PER_S;
    for (int i = 0; i < 2; i++)
        snprintf(w->path[i], sizeof w->path[i], "/tmp/kiln-test-%d-%d.kiln", (int)getpid(), i);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    for (int i = 0; i < 2; i++)
        unlink(w->path[i]);
    free(w);
    metrics_shutdown();
    return 0;
}

static void begin(struct world *w) {
    w->tags = tag_table_new();
    w->shard = shard_new(w->tags);
    w->aggregate = aggregate_new();
    aggregate_keep_windows(w->aggregate);
    shard_keep_series(w->shard);
}

static void end(struct world *w) {
    aggregate_free(w->aggregate);
    shard_free(w->shard);
    tag_table_free(w->tags);
}

/* A run of some seconds: 20 requests each, of about so many milliseconds. */
static void save(struct world *w, int which, int seconds, double ms) {
    struct error err = {0};
    unlink(w->path[which]);
    begin(w);
    const struct tagset *tags =
        tagset_with(w->tags, tagset_empty(w->tags), SLICE("status"), SLICE("200"));
    struct series *duration = shard_series(w->shard, metric_by_id(M_HTTP_REQ_DURATION), tags);
    struct series *reqs = shard_series(w->shard, metric_by_id(M_HTTP_REQS), tags);
    struct result_writer *out =
        result_writer_open(w->path[which], SLICE("{\"script\":\"a.js\"}"), w->period_ns, &err);
    assert_non_null(out);
    assert_int_not_equal(access(w->path[which], F_OK), 0); /* not before it is complete */
    for (int s = 0; s < seconds; s++) {
        for (int i = 0; i < 20; i++) {
            series_add(duration, ms * (1 + (s * 20 + i) % 7 * 0.01), 1);
            series_add(reqs, 1, 1);
        }
        aggregate_merge(w->aggregate, shard_take(w->shard));
        result_writer_window(out, w->aggregate, s * NS_PER_S, (s + 1) * NS_PER_S);
        aggregate_reset_windows(w->aggregate);
    }
    struct buf outcome;
    buf_init(&outcome, BUF_NO_CAP);
    buf_printf(&outcome, "{\"start_ms\":1,\"elapsed_ns\":%lld}", (long long)seconds * NS_PER_S);
    assert_int_equal(result_writer_finish(out, w->aggregate, buf_slice(&outcome), &err), 0);
    buf_release(&outcome);
    end(w);
}

static void count_windows(void *arg, int64_t from_ms, int64_t length_ms, size_t series,
                          const struct sink *sink) {
    (void)from_ms;
    (void)series;
    assert_true(length_ms == 1000 || length_ms == 7000 || length_ms == 5000);
    if (sink->metric->type == METRIC_TREND)
        *(uint64_t *)arg += sink->trend.count;
}

static void a_run_is_read_as_it_was_written(void **state) {
    struct world *w = *state;
    struct result r;
    struct error err = {0};
    uint64_t n = 0;
    save(w, 0, 40, 10);
    assert_int_equal(result_read(w->path[0], RESULT_WHOLE, count_windows, &n, &r, &err), 0);
    assert_int_equal(n, 800);
    assert_int_equal(r.n_windows, 40);
    assert_string_equal(r.meta.ptr, "{\"script\":\"a.js\"}");
    const struct result_series *s = result_find(&r, "http_req_duration");
    assert_int_equal(s->total.trend.count, 800);
    assert_true(s->metric.is_builtin && s->metric.contains == METRIC_TIME);
    size_t n_series = 0;
    for (size_t i = 0; i < r.series.len; i++) {
        if (r.series.ptr[i]->kind != RESULT_SERIES)
            continue;
        n_series++;
        assert_int_equal(r.series.ptr[i]->n_tags, 1);
        assert_true(slice_eq(r.series.ptr[i]->tags[0].value, SLICE("200")));
        assert_true(r.series.ptr[i]->total.has_samples);
    }
    assert_int_equal(n_series, 2);
    assert_null(result_find(&r, "nothing"));
    result_release(&r);
}

static void a_file_may_get_its_name_after_it_was_seen(void **state) {
    struct world *w = *state;
    struct error err = {0};
    struct result r;
    char part[96];
    save(w, 0, 3, 20);
    snprintf(part, sizeof part, "%s.12345.part", w->path[0]);
    assert_int_equal(result_read(part, RESULT_PARTIAL, NULL, NULL, &r, &err), 0);
    assert_true(r.is_complete);
    result_release(&r);
    snprintf(part, sizeof part, "%s.part", w->path[0]);
    assert_int_equal(result_read(part, RESULT_PARTIAL, NULL, NULL, &r, &err), KE_IO);
    result_release(&r);
}

static void a_long_run_has_longer_windows(void **state) {
    struct world *w = *state;
    struct result r;
    struct error err = {0};
    uint64_t n = 0;
    w->period_ns = 7 * NS_PER_S;
    save(w, 0, 40, 10);
    assert_int_equal(result_read(w->path[0], RESULT_WHOLE, count_windows, &n, &r, &err), 0);
    assert_int_equal(n, 800);
    assert_int_equal(r.n_windows, 6);
    result_release(&r);
}

static struct buf read_all(const char *path) {
    struct buf b;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    buf_init(&b, BUF_NO_CAP);
    buf_reserve(&b, 1 << 20);
    b.len = fread(b.ptr, 1, 1 << 20, f);
    fclose(f);
    return b;
}

static void assert_refused(struct slice bytes) {
    struct result r;
    struct error err = {0};
    assert_int_equal(result_parse(bytes, "x.kiln", RESULT_WHOLE, NULL, NULL, &r, &err), KE_INVALID);
    assert_true(strncmp(err.text, "x.kiln ", 7) == 0);
    result_release(&r);
}

static void a_damaged_file_is_refused(void **state) {
    struct world *w = *state;
    save(w, 0, 3, 10);
    struct buf b = read_all(w->path[0]);
    for (size_t n = 0; n < b.len; n++)
        assert_refused(slice_from(b.ptr, n));
    for (size_t i = 0; i < b.len; i++) {
        b.ptr[i] ^= 0x10;
        assert_refused(buf_slice(&b));
        b.ptr[i] ^= 0x10;
    }
    buf_append_char(&b, 'x');
    assert_refused(buf_slice(&b));
    buf_release(&b);
}

static void a_file_that_cannot_be_written_is_told(void **state) {
    struct error err = {0};
    (void)state;
    assert_null(result_writer_open("/nowhere/x.kiln", SLICE("{}"), NS_PER_S, &err));
    assert_string_equal(err.text, "open /nowhere/x.kiln: no such file or directory");
}

static struct compare_gate gate(const char *text) {
    struct compare_gate g;
    struct error err = {0};
    if (compare_gate_parse(slice_cstr(text), &g, &err) != 0)
        fail_msg("%s", err.text);
    return g;
}

static void gates_are_parsed(void **state) {
    static const char *const bad[] = {"",      "p95",      "p95=10%",  "p95=+x%",
                                      "=+10%", ":p95=+1%", "best=+1%", "p95=+"};
    struct compare_gate g;
    struct error err;
    (void)state;
    g = gate("p95=+10%");
    assert_string_equal(g.metric, "http_req_duration");
    assert_string_equal(g.stat.name, "p(95)");
    assert_true(g.is_percent && g.limit == 10 && g.stat.trend.p == 0.95);
    compare_gate_release(&g);
    g = gate("http_req_duration{group:::menu}:p(99.9)=+1.5s");
    assert_string_equal(g.metric, "http_req_duration{group:::menu}");
    assert_true(!g.is_percent && g.limit == 1500);
    compare_gate_release(&g);
    g = gate("http_reqs:rate=-5%");
    assert_true(g.limit == -5 && g.stat.kind == COMPARE_RATE);
    compare_gate_release(&g);
    for (size_t i = 0; i < countof(bad); i++) {
        assert_int_equal(compare_gate_parse(slice_cstr(bad[i]), &g, &err), KE_INVALID);
        compare_gate_release(&g);
    }
}

static enum compare_verdict verdict_of(const struct compare *c, const char *metric) {
    for (size_t i = 0; i < c->rows.len; i++)
        if (strcmp(c->rows.ptr[i].name, metric) == 0)
            return c->rows.ptr[i].cells[0].verdict;
    fail_msg("%s is not compared", metric);
    return VERDICT_SAME;
}

static enum compare_verdict compare_ms(struct world *w, int seconds, double before, double after,
                                       const char *gate_text, bool *out_passes) {
    struct compare c;
    struct compare_gate g = gate(gate_text);
    struct error err = {0};
    struct buf text;
    save(w, 0, seconds, before);
    save(w, 1, seconds, after);
    assert_int_equal(compare_runs(&c, w->path[0], w->path[1], &err), 0);
    enum compare_verdict v = verdict_of(&c, "http_req_duration");
    assert_int_equal(verdict_of(&c, "http_reqs"), VERDICT_SAME);
    *out_passes = compare_check(&c, &g);
    buf_init(&text, BUF_NO_CAP);
    compare_write_text(&c, &g, 1, &(struct compare_text_options){0}, &text);
    assert_non_null(strstr(buf_cstr(&text), gate_text));
    assert_int_equal(v == VERDICT_WORSE, strstr(buf_cstr(&text), "slower") != NULL);
    buf_reset(&text);
    compare_write_json(&c, &g, 1, &text);
    assert_non_null(strstr(buf_cstr(&text), "\"http_req_duration\""));
    buf_release(&text);
    compare_gate_release(&g);
    compare_release(&c);
    return v;
}

static void what_got_slower_is_told(void **state) {
    struct world *w = *state;
    bool passes;
    assert_int_equal(compare_ms(w, 10, 10, 12, "avg=+10%", &passes), VERDICT_WORSE);
    assert_false(passes);
    assert_int_equal(compare_ms(w, 10, 12, 10, "avg=+10%", &passes), VERDICT_BETTER);
    assert_true(passes);
    assert_int_equal(compare_ms(w, 10, 10, 10.1, "med=+5ms", &passes), VERDICT_SAME);
    assert_true(passes);
    assert_int_equal(compare_ms(w, 3, 10, 12, "p95=+50%", &passes), VERDICT_UNSURE);
    assert_true(passes);
    compare_ms(w, 3, 10, 10, "other:avg=+50%", &passes);
    assert_false(passes); /* a gate on what is not there fails */
    compare_ms(w, 3, 10, 20, "http_req_duration{status:200}:avg=+110%", &passes);
    assert_true(passes); /* by the tags of series */
    compare_ms(w, 3, 10, 20, "http_req_duration{status:'200'}:avg=+90%", &passes);
    assert_false(passes);
    compare_ms(w, 3, 10, 10, "http_req_duration{status:404}:avg=+50%", &passes);
    assert_false(passes);
    compare_ms(w, 3, 10, 10, "http_req_duration{status:200,other:x}:avg=+50%", &passes);
    assert_false(passes);
}

#define with_world(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_world(a_run_is_read_as_it_was_written),
        with_world(a_file_may_get_its_name_after_it_was_seen),
        with_world(a_long_run_has_longer_windows),
        with_world(a_damaged_file_is_refused),
        with_world(a_file_that_cannot_be_written_is_told),
        with_world(gates_are_parsed),
        with_world(what_got_slower_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
