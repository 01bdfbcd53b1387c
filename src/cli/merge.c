/* kiln merge FOLDER|FILE...: saved runs of several instances as the one run that they are.
 *
 * A `struct run` that never ran gets the merged sums and histograms as its aggregate; from there on
 * thresholds, handleSummary(), summary and reports are those of `kiln run`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/duration.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/load_test.h"
#include "cli/log_setup.h"
#include "cli/merge_curves.h"
#include "cli/run_report.h"
#include "cli/run_summary.h"
#include "report/merge.h"

#define LOOK_EVERY_NS (200 * NS_PER_MS)

struct merge_command {
    struct loaded_test *t;
    const struct flags *flags;
    struct run_screen screen;
    struct merge_options options;
    VEC(const char *) only, submetrics;
    struct merge_files files;
    struct result newest; /* with the script's archive */
    struct merge merge;
    struct run *run;
    struct run_results results;
    bool is_incomplete;
};

static const struct flag_def own_flags[] = {
    {"expect", 0, FLAG_INT, "N", "how many instances there are; by default as many as segments",
     NULL},
    {"wait", 0, FLAG_DURATION, NULL, "wait so long until all of them are there", NULL},
    {"since", 0, FLAG_DURATION, NULL, "runs that began longer ago than this are old ones", NULL},
    {"only", 0, FLAG_LIST, "TAG=VALUE", "look only at runs with this tag", NULL},
    {"allow-gaps", 0, FLAG_BOOL, NULL, "instances may have run one after the other", NULL},
    {NULL},
};

/* ---- which files */

static int read_duration(const struct flags *flags, const char *name, int64_t *out_ns,
                         struct failure *f) {
    const char *text = flags_text(flags, name);
    *out_ns = 0;
    if (text == NULL || (duration_parse_go(slice_cstr(text), out_ns) == 0 && *out_ns >= 0))
        return 0;
    return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL, "invalid --%s '%s'", name, text);
}

static int read_flags(struct merge_command *c, int64_t *out_wait_ns, struct failure *f) {
    const struct flags *flags = c->flags;
    int64_t since_ns;
    if (read_duration(flags, "wait", out_wait_ns, f) != 0 ||
        read_duration(flags, "since", &since_ns, f) != 0)
        return f->exit_code;
    if (since_ns > 0)
        c->options.since_ms = (clock_wall_ns() - since_ns) / NS_PER_MS;
    c->options.expected = flags_int(flags, "expect", 0);
    if (c->options.expected < 0)
        return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL, "--expect must be 1 or more");
    c->options.allow_gaps = flags_bool(flags, "allow-gaps", false);
    for (size_t i = 0; i < flags->uses.len; i++) {
        if (strcmp(flags->uses.ptr[i].def->name, "only") != 0)
            continue;
        if (strchr(flags->uses.ptr[i].value, '=') == NULL)
            return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL,
                               "invalid --only '%s', expected TAG=VALUE", flags->uses.ptr[i].value);
        vec_push(&c->only, flags->uses.ptr[i].value);
    }
    c->options.only = c->only.ptr;
    c->options.n_only = c->only.len;
    return 0;
}

/* Yields. */
static int find_files(struct merge_command *c, struct failure *f) {
    struct error err = {0};
    int64_t wait_ns, end_ns;
    int rc = read_flags(c, &wait_ns, f);
    if (rc != 0)
        return rc;
    end_ns = clock_now_ns() + wait_ns;
    for (;;) {
        bool are_there =
            merge_files_look(&c->files, c->flags->args.ptr, c->flags->args.len, &c->options, &err);
        if (are_there && merge_files_are_all(&c->files))
            return 0;
        if (clock_now_ns() >= end_ns) {
            if (!are_there)
                return failure_set(f, EXIT_CODE_INCOMPLETE, NULL, "%s", err.text);
            break;
        }
        fiber_park(clock_now_ns() + LOOK_EVERY_NS);
    }
    return 0;
}

static void tell_problems(const struct merge_command *c) {
    struct buf lines;
    buf_init(&lines, BUF_NO_CAP);
    merge_files_describe(&c->files, &lines);
    struct slice rest = buf_slice(&lines);
    while (rest.ptr != NULL && rest.len > 0)
        log_write(LOG_WARN, slice_cut(&rest, '\n'), NULL, 0);
    buf_release(&lines);
}

/* ---- the test that was run */

/* The archive is there when the script has handleSummary(). A script that cannot be loaded here,
 * for want of a variable perhaps, is done without. */
static int load_test(struct merge_command *c, struct failure *f) {
    struct error err = {0};
    struct failure why = {0};
    struct loaded_test *t = c->t;
    const char *path = c->files.newest->path;
    if (result_read(path, RESULT_PARTIAL, NULL, NULL, &c->newest, &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    if (runtime_options_init(&t->runtime, c->flags, true, &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    if (c->files.newest->has_summary && c->newest.archive.ptr == NULL)
        log_printf(LOG_WARN, "handleSummary() is left out: with its files, the script is larger "
                             "than what a saved run carries");
    if (load_archived(t, path, c->newest.archive, &why) == 0)
        return 0;
    log_printf(LOG_WARN, "handleSummary() is left out, as the script cannot be loaded here: %s",
               why.text);
    failure_release(&why);
    archive_release(&t->archive);
    t->archive = (struct archive){0};
    test_release(&t->test);
    test_init(&t->test);
    return load_archived(t, path, (struct slice){0}, f);
}

static void drop_instance_tag(struct opt_map *tags) {
    size_t n = 0;
    for (size_t i = 0; i < tags->len; i++)
        if (strcmp(tags->items[i].key, "instance_id") != 0)
            tags->items[n++] = tags->items[i];
    tags->len = n;
}

/* The object behind "options" in the description. */
static int read_options(struct merge_command *c, struct failure *f) {
    struct test *t = &c->t->test;
    struct error err = {0};
    const char *json = merge_files_read_options(&c->newest, &t->arena);
    if (json == NULL ||
        options_from_json(&t->arena, slice_cstr(json), false, &t->consolidated, NULL, &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s has no options that can be read: %s",
                           c->files.newest->path, err.text);
    t->consolidated.execution_segment.is_set = false;
    t->consolidated.execution_segment_sequence.is_set = false;
    drop_instance_tag(&t->consolidated.tags);
    t->derived = t->consolidated;
    t->path = c->files.newest->script != NULL ? c->files.newest->script : "";
    t->has_thresholds = !c->t->runtime.no_thresholds;
    if (execution_tuple_init(&t->arena, NULL, NULL, &t->tuple, &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    execution_plan_init(&t->plan, &t->derived, &t->tuple);
    for (size_t i = 0; i < t->consolidated.thresholds.len; i++)
        vec_push(&c->submetrics, t->consolidated.thresholds.items[i].metric);
    return test_make_vu_config(t, f);
}

/* ---- the run */

static void create_run(struct merge_command *c) {
    struct test *t = &c->t->test;
    struct run_config config = {.options = &t->derived,
                                .tuple = &t->tuple,
                                .plan = &t->plan,
                                .vu_config = &t->vu_config,
                                .program = program_name,
                                .main_worker = c->t->main_worker};
    c->run = run_new(&config);
}

static void merge_all(struct merge_command *c) {
    if (run_results_want_windows(&c->results))
        aggregate_keep_windows(c->run->aggregate);
    merge_init(&c->merge, c->run->aggregate, c->submetrics.ptr, c->submetrics.len);
    for (size_t i = 0; i < c->files.all.len; i++) {
        const struct merge_file *file = c->files.all.ptr[i];
        struct error err = {0};
        if (file->state != MERGE_TAKEN && file->state != MERGE_INCOMPLETE)
            continue;
        if (merge_add(&c->merge, file, &err) == 0)
            continue;
        log_printf(LOG_ERROR, "%s was left out: %s", file->label, err.text);
        c->is_incomplete = true;
    }
    merge_finish(&c->merge);
    c->run->end_ns = merge_mono_ns(c->merge.end_ms);
    atomic_store(&c->run->instance.start_ns, merge_mono_ns(c->merge.start_ms));
    atomic_store(&c->run->instance.iterations_completed, c->merge.iterations);
    atomic_store(&c->run->instance.iterations_interrupted, c->merge.interrupted);
    atomic_store(&c->run->status, (int)RUN_ENDED);
}

/* What ended an instance early ends the whole badly. An instance's own verdict on its share does
 * not count, unless it stopped the instance. */
static void check_instances(const struct merge_command *c, struct failure *f) {
    for (size_t i = 0; i < c->files.all.len && !failure_is_set(f); i++) {
        const struct merge_file *file = c->files.all.ptr[i];
        if (file->state == MERGE_TAKEN && file->exit_code != EXIT_CODE_OK &&
            (file->exit_code != EXIT_CODE_THRESHOLDS || file->is_aborted))
            failure_set(f, file->exit_code, NULL, "%s: %s", file->label,
                        file->failure != NULL ? file->failure : "it failed");
    }
}

static int judge(struct merge_command *c, struct failure *f) {
    struct buf names;
    int rc = c->t->test.has_thresholds ? test_bind_thresholds(&c->t->test, f) : 0;
    if (rc != 0)
        return rc;
    if (c->t->test.has_thresholds)
        c->run->config.thresholds = &c->t->test.thresholds;
    buf_init(&names, BUF_NO_CAP);
    if (run_final_thresholds(c->run, &names) > 0)
        failure_set(f, EXIT_CODE_THRESHOLDS, NULL, "thresholds on metrics '%s' have been crossed",
                    buf_cstr(&names));
    buf_release(&names);
    check_instances(c, f);
    if (!failure_is_set(f) && c->is_incomplete)
        failure_set(f, EXIT_CODE_INCOMPLETE, NULL, "%lld of %lld instances are whole",
                    (long long)c->files.n_whole, (long long)c->files.expected);
    return 0;
}

/* ---- what is shown */

static void print_header(struct merge_command *c) {
    struct buf text;
    char start[64], took[DURATION_TEXT_MAX];
    int64_t n = c->merge.n_files;
    log_flush();
    if (c->screen.is_quiet)
        return;
    buf_init(&text, BUF_NO_CAP);
    clock_format_rfc3339(c->merge.start_ms * NS_PER_MS, start);
    int64_t took_ms = c->merge.end_ms - c->merge.start_ms;
    buf_printf(&text, "     merged: %lld of %lld instances of %s, started %s, ran %s\n",
               (long long)n, (long long)c->files.expected, c->t->test.path, start,
               duration_format(took_ms * NS_PER_MS, took));
    run_screen_print(&c->screen, buf_slice(&text));
    buf_release(&text);
}

static int merge_runs(struct merge_command *c, struct failure *f) {
    int rc = find_files(c, f);
    tell_problems(c);
    if (rc == 0 && c->files.newest == NULL)
        rc = failure_set(f, EXIT_CODE_INCOMPLETE, NULL, "there is no saved run that can be read");
    c->is_incomplete = !merge_files_are_all(&c->files);
    if (rc == 0)
        rc = load_test(c, f);
    if (rc == 0)
        rc = read_options(c, f);
    if (rc == 0)
        rc = run_results_init(&c->results, c->t, c->flags, f);
    if (rc != 0)
        return rc;
    c->results.digest = c->files.newest->digest;
    create_run(c);
    merge_all(c);
    rc = judge(c, f);
    if (rc == 0) {
        print_header(c);
        rc = merge_curves_write(&c->results, c->run, &c->files, f);
        log_flush();
        run_summary(&c->screen, c->t, c->run);
    }
    return failure_is_set(f) ? f->exit_code : rc;
}

static int on_fiber(struct loaded_test *t, const struct flags *flags, struct failure *f) {
    struct merge_command c = {.t = t, .flags = flags};
    run_screen_init(&c.screen, log_setup_no_color(flags), flags_bool(flags, "quiet", false));
    int rc = merge_runs(&c, f);
#ifdef __SANITIZE_ADDRESS__
    if (c.run != NULL)
        run_free(c.run);
#endif
    run_results_release(&c.results);
    merge_release(&c.merge);
    /* The script may use the archive until the process ends. */
    c.t->test.path = "";
    merge_files_release(&c.files);
    vec_release(&c.only);
    vec_release(&c.submetrics);
    run_screen_release(&c.screen);
    test_release(&t->test);
    test_init(&t->test);
    result_release(&c.newest);
    return rc;
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)self;
    (void)argc;
    (void)argv;
    return run_on_fiber(flags, on_fiber);
}

const struct command cmd_merge = {
    .name = "merge",
    .usage = "merge FOLDER|FILE...",
    .summary = "Merge saved runs of several machines into one result",
    .about =
        "Several instances of a test, each with a segment of it and each saved with `run --save`, "
        "give\none result: summary, handleSummary(), thresholds, reports and exit code are those of "
        "the whole.\nIn a folder, files of other runs are named and left out. The exit code is 99 "
        "when thresholds fail\non the whole, that of an instance that ended early, or 111 when "
        "instances are missing.",
    .examples = "merge results/\n"
                "merge --expect 4 --wait 60s results/\n"
                "merge --report html=report.html --summary-export summary.json a.kiln b.kiln",
    .min_args = 1,
    .max_args = -1,
    .args_error = "saved runs are needed, or folders with such",
    .flags = (const struct flag_def *const[]){own_flags, result_flag_defs, runtime_flag_defs, NULL},
    .run = run,
};
