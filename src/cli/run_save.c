/* --save: what a run writes to its file, while it runs and at the end. */
#include "cli/run_report.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/vec.h"
#include "report/result_file.h"

#define SAVED_WINDOWS 3600
/* What a process that is killed may lose. */
#define CHECKPOINT_NS (5 * NS_PER_S)
#define DIGEST_BYTES 32
/* Larger ones are not kept: kiln merge says so, and prints its own summary. */
#define ARCHIVE_BYTES_MAX ((size_t)16 << 20)

/* The options, without keys of TLS clients. */
static void write_options(struct json_writer *w, const struct test *t) {
    struct options public = t->derived;
    memset(&public.tls_auth, 0, sizeof public.tls_auth);
    json_key(w, "options");
    options_export(w, &public, OPTIONS_EXPORT_ALL);
}

static void write_segment(struct json_writer *w, const struct test *t) {
    json_key(w, "segment");
    json_object_begin(w);
    json_pair_int(w, "index", (int64_t)t->tuple.index);
    json_pair_int(w, "of", (int64_t)t->tuple.sequence.len);
    json_key(w, "length");
    json_double(w, segment_length(&t->tuple.sequence.items[t->tuple.index]));
    json_object_end(w);
}

struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

static struct digest digest(struct slice data) {
    struct digest d;
    CHECK(EVP_Digest(data.ptr, data.len, d.bytes, NULL, EVP_sha256(), NULL) == 1);
    return d;
}

static int by_bytes(const void *a, const void *b) {
    return memcmp(a, b, DIGEST_BYTES);
}

/* One name for the script with all it imports and opens, wherever it lies. */
static void write_digest(struct json_writer *w, const struct test *t) {
    struct map files;
    struct map_entry *e;
    VEC(struct digest) all = {0};
    char text[2 * DIGEST_BYTES + 1];
    map_init(&files);
    script_files(t->script, &files);
    vec_push(&all, digest(script_source(t->script)));
    for (size_t i = 0; (e = map_next(&files, &i));) {
        vec_push(&all, digest(*(const struct slice *)e->value));
        free(e->value);
    }
    qsort(all.ptr, all.len, sizeof *all.ptr, by_bytes);
    struct digest whole = digest(slice_from((const char *)all.ptr, all.len * sizeof *all.ptr));
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", whole.bytes[i]);
    json_pair_cstr(w, "digest", text);
    map_release(&files);
    vec_release(&all);
}

static bool has_summary_function(const struct test *t) {
    return script_exports_function(t->script, "handleSummary");
}

static void write_meta(const struct run_results *r, struct buf *out) {
    const struct test *t = &r->t->test;
    struct json_writer w;
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    json_write_init(&w, out, NULL, false);
    json_object_begin(&w);
    json_pair_cstr(&w, "program", "kiln");
    json_pair_cstr(&w, "version", KILN_VERSION);
    json_pair_cstr(&w, "script", t->path);
    json_pair_cstr(&w, "host", host);
    json_pair_int(&w, "pid", getpid());
    json_pair_int(&w, "saved_ms", clock_wall_ns() / NS_PER_MS);
    json_pair_int(&w, "end_offset_ms", t->plan.end_offset_ns / NS_PER_MS);
    json_pair_int(&w, "max_vus", t->plan.max_possible_vus);
    json_pair_bool(&w, "handle_summary", has_summary_function(t));
    json_pair_bool(&w, "thresholds", t->has_thresholds);
    if (r->digest != NULL)
        json_pair_cstr(&w, "digest", r->digest);
    else
        write_digest(&w, t);
    write_segment(&w, t);
    write_options(&w, t);
    json_object_end(&w);
}

/* A window a second for tests of up to an hour; not many more of them for longer ones. */
static int64_t save_period_ns(const struct run_results *r) {
    int64_t end_ns = r->t->test.plan.end_offset_ns;
    if (end_ns == 0) /* nobody knows how long */
        return 10 * NS_PER_S;
    return (end_ns / (SAVED_WINDOWS * NS_PER_S) + 1) * NS_PER_S;
}

static void write_thresholds(struct json_writer *w, const struct threshold_set *set) {
    json_key(w, "thresholds");
    json_array_begin(w);
    for (size_t i = 0; set != NULL && i < set->len; i++) {
        const struct threshold *t = &set->items[i];
        json_object_begin(w);
        json_pair_cstr(w, "metric", t->metric != NULL ? t->metric->name : "");
        if (t->metric != NULL) {
            json_pair_cstr(w, "type", metric_type_name(t->metric->type));
            json_pair_cstr(w, "contains", metric_contains_name(t->metric->contains));
        }
        json_pair_cstr(w, "source", t->source);
        json_pair_bool(w, "ok", !t->has_failed);
        json_pair_bool(w, "abort_on_fail", t->abort_on_fail);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_group(struct json_writer *w, const struct group_stats *g) {
    json_object_begin(w);
    json_pair_cstr(w, "path", g->path);
    json_key(w, "checks");
    json_array_begin(w);
    for (size_t i = 0; i < g->n_checks; i++) {
        json_object_begin(w);
        json_pair_cstr(w, "name", g->checks[i].name);
        json_pair_int(w, "passes", (int64_t)g->checks[i].passes);
        json_pair_int(w, "fails", (int64_t)g->checks[i].fails);
        json_pair_int(w, "first_ms", clock_mono_to_wall_ns(g->checks[i].first_ns) / NS_PER_MS);
        json_object_end(w);
    }
    json_array_end(w);
    json_key(w, "groups");
    json_array_begin(w);
    for (size_t i = 0; i < g->n_groups; i++)
        write_group(w, g->groups[i]);
    json_array_end(w);
    json_object_end(w);
}

int64_t run_report_start_wall_ns(const struct run *run) {
    int64_t start_ns = atomic_load(&run->instance.start_ns);
    return start_ns != 0 ? clock_mono_to_wall_ns(start_ns) : clock_wall_ns();
}

void run_report_write_outcome(const struct run_results *r, const struct failure *f,
                              struct buf *out) {
    const struct run *run = r->run;
    struct json_writer w;
    json_write_init(&w, out, NULL, false);
    json_object_begin(&w);
    json_pair_int(&w, "start_ms", run_report_start_wall_ns(run) / NS_PER_MS);
    json_pair_int(&w, "elapsed_ns", run_elapsed_ns(run));
    json_pair_int(&w, "exit_code", f->exit_code);
    if (f->text != NULL)
        json_pair_cstr(&w, "failure", f->text);
    json_pair_bool(&w, "aborted", run->is_aborted);
    json_pair_int(&w, "iterations", atomic_load(&run->instance.iterations_completed));
    json_pair_int(&w, "interrupted", atomic_load(&run->instance.iterations_interrupted));
    json_pair_int(&w, "series", (int64_t)aggregate_series_count(run->aggregate));
    write_thresholds(&w, run->config.thresholds);
    json_key(&w, "group");
    const struct group_stats *root = aggregate_root_group(run->aggregate);
    root != NULL ? write_group(&w, root) : json_null(&w);
    json_object_end(&w);
}

/* So that who merges runs can call handleSummary(). The variables of the run are left out: they may
 * be secret. */
static void save_archive(struct run_results *r) {
    struct buf tar;
    if (!has_summary_function(&r->t->test))
        return;
    buf_init(&tar, ARCHIVE_BYTES_MAX);
    if (archive_write(&tar, &r->t->test, NULL, r->t->runtime.is_extended) == 0)
        result_writer_archive(r->writer, buf_slice(&tar));
    buf_release(&tar);
}

int run_report_start_saving(struct run_results *r, struct error *err) {
    struct buf meta;
    buf_init(&meta, BUF_NO_CAP);
    write_meta(r, &meta);
    r->writer = result_writer_open(r->save_path, buf_slice(&meta), save_period_ns(r), err);
    r->last_ns = r->checkpoint_ns = r->start_ns != 0 ? r->start_ns : clock_now_ns();
    buf_release(&meta);
    if (r->writer == NULL)
        return KE_IO;
    save_archive(r);
    return 0;
}

void run_report_save_window(struct run_results *r, int64_t from_ns, int64_t to_ns) {
    static const struct failure none = {0};
    struct buf so_far;
    result_writer_window(r->writer, r->run->aggregate, from_ns, to_ns);
    if (to_ns - r->checkpoint_ns < CHECKPOINT_NS)
        return;
    r->checkpoint_ns = to_ns;
    buf_init(&so_far, BUF_NO_CAP);
    run_report_write_outcome(r, &none, &so_far);
    result_writer_checkpoint(r->writer, buf_slice(&so_far));
    buf_release(&so_far);
}

void run_report_finish_saving(struct run_results *r, const struct failure *f) {
    struct error err = {0};
    struct buf outcome;
    buf_init(&outcome, BUF_NO_CAP);
    run_report_write_outcome(r, f, &outcome);
    if (result_writer_finish(r->writer, r->run->aggregate, buf_slice(&outcome), &err) != 0)
        log_printf(LOG_ERROR, "could not save the run: %s", err.text);
    r->writer = NULL;
    buf_release(&outcome);
}
