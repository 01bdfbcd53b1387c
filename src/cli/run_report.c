#include "cli/run_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/check.h"
#include "base/log.h"
#include "cli/save_path.h"
#include "report/report_text.h"

const struct flag_def result_flag_defs[] = {
    {"report", 0, FLAG_LIST, "KIND=FILE",
     "write a report: html=FILE, junit=FILE, md=FILE, several with commas (env KILN_REPORT)", NULL},
    {"save", 0, FLAG_TEXT, "FILE",
     "save the run for kiln compare and kiln merge (env KILN_SAVE); the file appears at the end. "
     "%h in its name is the host, %i the instance, %t the test run",
     NULL},
    {"follow", 0, FLAG_LIST, "URL",
     "the web dashboard shows also the instances whose REST APIs are there; several with commas "
     "(env KILN_FOLLOW)",
     NULL},
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
static char *join_uses(const struct flags *flags, const char *name, const char *variable_name) {
    const char *variable = getenv(variable_name);
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    for (size_t i = 0; i < flags->uses.len; i++)
        if (strcmp(flags->uses.ptr[i].def->name, name) == 0)
            buf_printf(&text, "%s,", flags->uses.ptr[i].value);
    if (text.len == 0 && variable != NULL)
        buf_append_str(&text, variable);
    return buf_detach(&text, NULL);
}

int run_results_init(struct run_results *r, struct loaded_test *t, const struct flags *flags,
                     struct failure *f) {
    int rc = 0;
    *r = (struct run_results){.t = t};
    r->report_text = join_uses(flags, "report", "KILN_REPORT");
    r->follow_text = join_uses(flags, "follow", "KILN_FOLLOW");
    if (r->follow_text != NULL && !*r->follow_text) {
        free(r->follow_text);
        r->follow_text = NULL;
    }
    char *place = NULL;
    for (char *item = strtok_r(r->report_text, ",", &place); item != NULL && rc == 0;
         item = strtok_r(NULL, ",", &place))
        rc = add_report(r, item, f);
    const char *save = flags_text(flags, "save");
    save = save != NULL ? save : getenv("KILN_SAVE");
    if (rc != 0 || save == NULL || !*save)
        return rc;
    struct error err = {0};
    r->save_text = save_path_make(save, &t->test, &err);
    r->save_path = r->save_text;
    return r->save_path != NULL ? 0
                                : failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL, "%s", err.text);
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
                                 .start_wall_ns = run_report_start_wall_ns(r->run)};
    summary_collect(&summary, &options, r->run->aggregate, r->run->config.thresholds);
    if (r->junit_path != NULL)
        write_report(&summary, &facts, r->junit_path, report_junit_write);
    if (r->markdown_path != NULL)
        write_report(&summary, &facts, r->markdown_path, report_markdown_write);
    summary_release(&summary);
}

void run_report_write(struct run_results *r, const struct failure *f) {
    if (r->writer != NULL)
        run_report_finish_saving(r, f);
    if (r->junit_path != NULL || r->markdown_path != NULL)
        write_reports(r, f);
}
