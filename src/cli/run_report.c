#include "cli/run_report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/check.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/vec.h"
#include "report/report_text.h"
#include "report/result_file.h"

#define SAVED_WINDOWS 3600

const struct flag_def result_flag_defs[] = {
    {"report", 0, FLAG_LIST, "KIND=FILE",
     "write a report: html=FILE, junit=FILE, md=FILE, several with commas (env KILN_REPORT)", NULL},
    {"save", 0, FLAG_TEXT, "FILE",
     "save the run for kiln compare (env KILN_SAVE); the file appears at the end", NULL},
    {NULL},
};

/* ---- what is asked for */

static int add_report(struct run_results *r, char *item, struct failure *f) {
    const struct {
        const char *name;
        const char **path;
    } kinds[] = {{"html", &r->html_path},
                 {"junit", &r->junit_path},
                 {"md", &r->markdown_path},
                 {"markdown", &r->markdown_path}};
    char *path = strchr(item, '=');
    if (path != NULL)
        *path++ = '\0';
    for (size_t i = 0; path != NULL && *path && i < countof(kinds); i++) {
        if (strcmp(item, kinds[i].name) != 0)
            continue;
        *kinds[i].path = path;
        return 0;
    }
    return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL,
                       "invalid report '%s%s%s', expected html=FILE, junit=FILE or md=FILE", item,
                       path != NULL ? "=" : "", path != NULL ? path : "");
}

/* All that was given, with commas. */
static char *join_reports(const struct flags *flags) {
    const char *variable = getenv("KILN_REPORT");
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    for (size_t i = 0; i < flags->uses.len; i++)
        if (strcmp(flags->uses.ptr[i].def->name, "report") == 0)
            buf_printf(&text, "%s,", flags->uses.ptr[i].value);
    if (text.len == 0 && variable != NULL)
        buf_append_str(&text, variable);
    return buf_detach(&text, NULL);
}

int run_results_init(struct run_results *r, struct loaded_test *t, const struct flags *flags,
                     struct failure *f) {
    int rc = 0;
    *r = (struct run_results){.t = t};
    r->report_text = join_reports(flags);
    char *place = NULL;
    for (char *item = strtok_r(r->report_text, ",", &place); item != NULL && rc == 0;
         item = strtok_r(NULL, ",", &place))
        rc = add_report(r, item, f);
    const char *save = flags_text(flags, "save");
    save = save != NULL ? save : getenv("KILN_SAVE");
    r->save_path = save != NULL && *save ? save : NULL;
    return rc;
}

/* ---- the saved run */

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

int run_report_start_saving(struct run_results *r, struct error *err) {
    struct buf meta;
    buf_init(&meta, BUF_NO_CAP);
    write_meta(r, &meta);
    r->writer = result_writer_open(r->save_path, buf_slice(&meta), save_period_ns(r), err);
    r->last_ns = clock_now_ns();
    buf_release(&meta);
    return r->writer != NULL ? 0 : KE_IO;
}

void run_report_save_window(struct run_results *r, int64_t from_ns, int64_t to_ns) {
    result_writer_window(r->writer, r->run->aggregate, from_ns, to_ns);
}

static void write_thresholds(struct json_writer *w, const struct threshold_set *set) {
    json_key(w, "thresholds");
    json_array_begin(w);
    for (size_t i = 0; set != NULL && i < set->len; i++) {
        const struct threshold *t = &set->items[i];
        json_object_begin(w);
        json_pair_cstr(w, "metric", t->metric != NULL ? t->metric->name : "");
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

static int64_t start_wall_ns(const struct run *run) {
    int64_t start_ns = atomic_load(&run->instance.start_ns);
    return start_ns != 0 ? clock_mono_to_wall_ns(start_ns) : clock_wall_ns();
}

static void write_outcome(const struct run_results *r, const struct failure *f, struct buf *out) {
    const struct run *run = r->run;
    struct json_writer w;
    json_write_init(&w, out, NULL, false);
    json_object_begin(&w);
    json_pair_int(&w, "start_ms", start_wall_ns(run) / NS_PER_MS);
    json_pair_int(&w, "elapsed_ns", run_elapsed_ns(run));
    json_pair_int(&w, "exit_code", f->exit_code);
    if (f->text != NULL)
        json_pair_cstr(&w, "failure", f->text);
    json_pair_int(&w, "iterations", atomic_load(&run->instance.iterations_completed));
    json_pair_int(&w, "interrupted", atomic_load(&run->instance.iterations_interrupted));
    json_pair_int(&w, "series", (int64_t)aggregate_series_count(run->aggregate));
    write_thresholds(&w, run->config.thresholds);
    json_key(&w, "group");
    const struct group_stats *root = aggregate_root_group(run->aggregate);
    root != NULL ? write_group(&w, root) : json_null(&w);
    json_object_end(&w);
}

static void finish_saving(struct run_results *r, const struct failure *f) {
    struct error err = {0};
    struct buf outcome;
    buf_init(&outcome, BUF_NO_CAP);
    write_outcome(r, f, &outcome);
    if (result_writer_finish(r->writer, r->run->aggregate, buf_slice(&outcome), &err) != 0)
        log_printf(LOG_ERROR, "could not save the run: %s", err.text);
    r->writer = NULL;
    buf_release(&outcome);
}

/* ---- reports as text */

static const char *const stat_names[] = {"avg", "min", "med", "max", "p(90)", "p(95)", "p(99)"};

typedef void report_write_fn(const struct summary *s, const struct report_facts *f,
                             struct buf *out);

static void write_report(const struct summary *s, const struct report_facts *f, const char *path,
                         report_write_fn *fn) {
    struct error err = {0};
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    fn(s, f, &text);
    if (atomic_file_put(path, buf_slice(&text), &err) != 0)
        log_printf(LOG_ERROR, "could not save the report: %s", err.text);
    buf_release(&text);
}

static void write_reports(struct run_results *r, const struct failure *f) {
    struct trend_stat stats[countof(stat_names)];
    struct summary summary;
    for (size_t i = 0; i < countof(stat_names); i++)
        trend_stat_parse(slice_cstr(stat_names[i]), &stats[i], NULL);
    struct summary_options options = {.mode = SUMMARY_COMPACT,
                                      .trend_stats = stats,
                                      .n_trend_stats = countof(stat_names),
                                      .time_unit = r->t->test.derived.summary_time_unit.value,
                                      .duration_ns = run_elapsed_ns(r->run),
                                      .no_color = true};
    struct report_facts facts = {.script = r->t->test.path,
                                 .failure = f->text,
                                 .is_threshold_failure = f->exit_code == EXIT_CODE_THRESHOLDS,
                                 .start_wall_ns = start_wall_ns(r->run)};
    summary_collect(&summary, &options, r->run->aggregate, r->run->config.thresholds);
    if (r->junit_path != NULL)
        write_report(&summary, &facts, r->junit_path, report_junit_write);
    if (r->markdown_path != NULL)
        write_report(&summary, &facts, r->markdown_path, report_markdown_write);
    summary_release(&summary);
}

void run_report_write(struct run_results *r, const struct failure *f) {
    if (r->writer != NULL)
        finish_saving(r, f);
    if (r->junit_path != NULL || r->markdown_path != NULL)
        write_reports(r, f);
}
