/* Saved runs put together: which files are one run's, and what comes out. */
#include "unit.h"

#include <dirent.h>
#include <unistd.h>

#include "base/check.h"
#include "report/merge.h"

struct world {
    char folder[64];
};

static int setup(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    metrics_init();
    snprintf(w->folder, sizeof w->folder, "/tmp/kiln-merge-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    DIR *folder = opendir(w->folder);
    const struct dirent *e;
    assert_non_null(folder);
    while ((e = readdir(folder)) != NULL)
        unlinkat(dirfd(folder), e->d_name, 0);
    closedir(folder);
    assert_int_equal(rmdir(w->folder), 0);
    free(w);
    metrics_shutdown();
    return 0;
}

struct part {
    const char *name, *digest, *run;
    int index, of;
    int64_t saved_ms, seconds;
    double first; /* the values: first, first + 1 … */
    int n;
    double vus;
    bool is_killed;
};

/* One second of values, with a gauge of VUs in each second. */
static char *save(struct world *w, const struct part *p) {
    struct error err = {0};
    struct tag_table *tags = tag_table_new();
    struct shard *shard = shard_new(tags);
    struct aggregate *a = aggregate_new();
    char *path = xasprintf("%s/%s", w->folder, p->name);
    char *meta =
        xasprintf("{\"script\":\"a.js\",\"digest\":\"%s\",\"host\":\"h%d\",\"saved_ms\":%lld,"
                  "\"segment\":{\"index\":%d,\"of\":%d},\"options\":{\"vus\":1,"
                  "\"executionSegment\":\"%d\",\"tags\":{\"testid\":\"%s\"}}}",
                  p->digest, p->index, (long long)p->saved_ms, p->index, p->of, p->index, p->run);
    char *outcome =
        xasprintf("{\"start_ms\":%lld,\"elapsed_ns\":%lld,\"iterations\":%d,\"group\":"
                  "{\"path\":\"\",\"checks\":[{\"name\":\"c\",\"passes\":%d,\"fails\":1,"
                  "\"first_ms\":1}],\"groups\":[]}}",
                  (long long)p->saved_ms, (long long)p->seconds * NS_PER_S, p->n, p->n);
    aggregate_keep_windows(a);
    shard_keep_series(shard);
    struct series *took =
        shard_series(shard, metric_by_id(M_HTTP_REQ_DURATION), tagset_empty(tags));
    struct series *vus = shard_series(shard, metric_by_id(M_VUS), tagset_empty(tags));
    struct result_writer *out = result_writer_open(path, slice_cstr(meta), NS_PER_S, &err);
    assert_non_null(out);
    int64_t start_ns = merge_mono_ns(p->saved_ms);
    for (int64_t s = 0; s < p->seconds; s++) {
        for (int i = 0; s == 0 && i < p->n; i++)
            series_add(took, p->first + i, start_ns);
        series_add(vus, p->vus, start_ns + s * NS_PER_S);
        aggregate_merge(a, shard_take(shard));
        result_writer_window(out, a, start_ns + s * NS_PER_S, start_ns + (s + 1) * NS_PER_S);
        aggregate_reset_windows(a);
    }
    if (p->is_killed) {
        char *part = xasprintf("%s.%d.part", path, (int)getpid()),
             *copy = xasprintf("%s.part", path);
        result_writer_checkpoint(out, slice_cstr(outcome));
        assert_int_equal(link(part, copy), 0);
        result_writer_abandon(out);
        free(part);
        free(copy);
    } else {
        assert_int_equal(result_writer_finish(out, a, slice_cstr(outcome), &err), 0);
    }
    aggregate_free(a);
    shard_free(shard);
    tag_table_free(tags);
    free(meta);
    free(outcome);
    return path;
}

static void save_all(struct world *w, const struct part *parts, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(save(w, &parts[i]));
}

static void look(struct world *w, struct merge_files *set, const struct merge_options *o) {
    struct error err = {0};
    const char *const paths[] = {w->folder};
    assert_true(merge_files_look(set, paths, 1, o, &err));
}

static void parts_add_up(void **state) {
    struct world *w = *state;
    static const struct part parts[] = {{"a.kiln", "d", "r", 0, 2, 1000000, 3, 1, 400, 5, false},
                                        {"b.kiln", "d", "r", 1, 2, 1000500, 3, 401, 400, 6, false}};
    struct merge_files set = {0};
    struct merge_options o = {0};
    struct merge m;
    struct error err = {0};
    struct aggregate *a = aggregate_new();
    save_all(w, parts, countof(parts));
    look(w, &set, &o);
    assert_true(merge_files_are_all(&set));
    merge_init(&m, a, NULL, 0);
    for (size_t i = 0; i < set.all.len; i++)
        assert_int_equal(merge_add(&m, set.all.ptr[i], &err), 0);
    merge_finish(&m);
    const struct sink *took = aggregate_sink(a, metric_by_id(M_HTTP_REQ_DURATION));
    assert_int_equal(took->trend.count, 800);
    assert_true(trend_quantile(&took->trend, 0.5) == 400.5);
    assert_true(took->trend.max == 800);
    const struct sink *vus = aggregate_sink(a, metric_by_id(M_VUS));
    assert_true(vus->gauge.max == 11 && vus->gauge.min == 11);
    assert_int_equal(m.end_ms - m.start_ms, 3500);
    assert_int_equal(m.iterations, 800);
    const struct group_stats *root = aggregate_root_group(a);
    assert_int_equal(root->n_checks, 1);
    assert_int_equal(root->checks[0].passes, 800);
    assert_int_equal(root->checks[0].fails, 2);
    assert_int_equal(aggregate_series_count(a), 2);
    merge_release(&m);
    merge_files_release(&set);
    aggregate_free(a);
}

static const struct merge_file *named(const struct merge_files *set, const char *name) {
    for (size_t i = 0; i < set->all.len; i++)
        if (strstr(set->all.ptr[i]->path, name))
            return set->all.ptr[i];
    fail();
    return NULL;
}

static void other_runs_are_left_out(void **state) {
    struct world *w = *state;
    static const struct part parts[] = {{"new1.kiln", "d", "r", 0, 3, 9000000, 2, 1, 9, 1, false},
                                        {"new2.kiln", "d", "r", 1, 3, 9000100, 2, 1, 9, 1, true},
                                        {"again.kiln", "d", "r", 0, 3, 8999000, 2, 1, 9, 1, false},
                                        {"old2.kiln", "d", "r", 1, 3, 1000000, 2, 1, 9, 1, false},
                                        {"old3.kiln", "d", "r", 2, 3, 1000000, 2, 1, 9, 1, false},
                                        {"script.kiln", "e", "r", 2, 3, 9000000, 2, 1, 9, 1, false},
                                        {"other.kiln", "d", "s", 2, 3, 9000000, 2, 1, 9, 1, false},
                                        {"split.kiln", "d", "r", 2, 4, 9000000, 2, 1, 9, 1, false}};
    struct merge_files set = {0};
    struct merge_options o = {0};
    struct buf text;
    save_all(w, parts, countof(parts));
    look(w, &set, &o);
    assert_int_equal(named(&set, "new1.kiln")->state, MERGE_TAKEN);
    assert_int_equal(named(&set, "new2.kiln.part")->state, MERGE_INCOMPLETE);
    assert_int_equal(named(&set, "again.kiln")->state, MERGE_STALE);
    assert_int_equal(named(&set, "old2.kiln")->state, MERGE_STALE);
    assert_int_equal(named(&set, "old3.kiln")->state, MERGE_STALE);
    assert_int_equal(named(&set, "script.kiln")->state, MERGE_FOREIGN);
    assert_int_equal(named(&set, "other.kiln")->state, MERGE_FOREIGN);
    assert_int_equal(named(&set, "split.kiln")->state, MERGE_FOREIGN);
    assert_false(merge_files_are_all(&set));
    buf_init(&text, BUF_NO_CAP);
    merge_files_describe(&set, &text);
    assert_non_null(strstr(buf_cstr(&text), "instance 3 of 3 is missing\n"));
    assert_null(strstr(buf_cstr(&text), "instance 2 of 3 is missing\n"));
    buf_release(&text);
    o.allow_gaps = true;
    look(w, &set, &o);
    assert_int_equal(named(&set, "old3.kiln")->state, MERGE_TAKEN);
    assert_int_equal(named(&set, "old2.kiln")->state, MERGE_STALE); /* new2 is newer */
    o.since_ms = 9000050;
    look(w, &set, &o);
    assert_int_equal(set.n_whole, 0);
    assert_int_equal(named(&set, "new1.kiln")->state, MERGE_STALE);
    o.since_ms = 0;
    static const char *const only[] = {"testid=s"};
    o.only = only;
    o.n_only = 1;
    look(w, &set, &o);
    assert_int_equal(named(&set, "other.kiln")->state, MERGE_TAKEN);
    assert_int_equal(set.n_whole, 1);
    merge_files_release(&set);
}

static void a_killed_runs_windows_count(void **state) {
    struct world *w = *state;
    static const struct part parts[] = {{"k.kiln", "d", "r", 0, 1, 1000000, 2, 1, 600, 3, true}};
    struct merge_files set = {0};
    struct merge_options o = {0};
    struct merge m;
    struct error err = {0};
    struct aggregate *a = aggregate_new();
    save_all(w, parts, 1);
    look(w, &set, &o);
    assert_int_equal(set.n_incomplete, 1);
    merge_init(&m, a, NULL, 0);
    assert_int_equal(merge_add(&m, set.all.ptr[0], &err), 0);
    merge_finish(&m);
    const struct sink *took = aggregate_sink(a, metric_by_id(M_HTTP_REQ_DURATION));
    assert_int_equal(took->trend.count, 600);
    assert_true(took->trend.sum == 600 * 601 / 2);
    assert_int_equal(aggregate_root_group(a)->checks[0].passes, 600);
    merge_release(&m);
    merge_files_release(&set);
    aggregate_free(a);
}

static void a_metric_of_another_type_is_refused(void **state) {
    struct merge m;
    struct error err = {0};
    (void)state;
    struct metric wrong = {.name = "http_reqs", .type = METRIC_TREND};
    assert_null(merge_register_metric(&wrong, &err));
    assert_non_null(strstr(err.text, "already exists"));
    struct metric sub = {.name = "mine{a:b}", .type = METRIC_RATE};
    const struct metric *made = merge_register_metric(&sub, &err);
    assert_non_null(made);
    assert_string_equal(made->parent->name, "mine");
    merge_init(&m, NULL, NULL, 0);
    const struct merge_file none = {.path = (char[]){"/nowhere.kiln"}};
    assert_int_equal(merge_add(&m, &none, &err), KE_IO);
    merge_release(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parts_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(other_runs_are_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_killed_runs_windows_count, setup, teardown),
        cmocka_unit_test_setup_teardown(a_metric_of_another_type_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
