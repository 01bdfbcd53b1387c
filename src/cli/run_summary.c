#include "cli/run_summary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/fd.h"
#include "base/log.h"

#define TREND_STATS_MAX 64

/* Things that could not be written, one line each. */
static void note_problem(struct buf *problems, const char *what, const char *path,
                         const char *why) {
    buf_printf(problems, "\n\t- %s '%s': %s", what, path, why);
}

static void write_file(const char *path, struct slice content, struct buf *problems) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    char why[600];
    if (fd < 0) {
        snprintf(why, sizeof why, "open %s: %s", path,
                 errno == ENOENT ? "no such file or directory" : strerror(errno));
        note_problem(problems, "could not open", path, why);
        return;
    }
    if (fd_write_all(fd, content) != 0)
        note_problem(problems, "error saving summary to", path, strerror(errno));
    close(fd);
}

static void deliver(struct run_screen *screen, const char *destination, struct slice content,
                    struct buf *problems) {
    if (strcmp(destination, "stdout") == 0)
        run_screen_print(screen, content);
    else if (strcmp(destination, "stderr") == 0)
        fd_write_all(STDERR_FILENO, content);
    else
        write_file(destination, content, problems);
}

static size_t parse_trend_stats(const struct options *o, struct trend_stat *out) {
    size_t n = 0;
    for (size_t i = 0; i < o->summary_trend_stats.len && n < TREND_STATS_MAX; i++)
        if (trend_stat_parse(slice_cstr(o->summary_trend_stats.items[i]), &out[n], NULL) == 0)
            n++;
    return n;
}

static struct slice setup_data(const struct run *run) {
    bool has_data = run->setup_data != NULL && *run->setup_data;
    return has_data ? slice_cstr(run->setup_data) : SLICE("null");
}

static void write_export(const struct loaded_test *t, const struct summary *summary,
                         struct buf *problems) {
    struct buf text;
    if (*t->runtime.summary_export == '\0')
        return;
    buf_init(&text, BUF_NO_CAP);
    if (t->runtime.machine_readable)
        summary_write_machine_readable(summary, true, &text);
    else
        summary_write_export(summary, &text);
    write_file(t->runtime.summary_export, buf_slice(&text), problems);
    buf_release(&text);
}

/* The script's own summary. *out_used: it returned something, so the standard text is not printed.
 */
static int custom_summary(struct run_screen *screen, struct loaded_test *t, struct run *run,
                          const struct summary *summary, bool *out_used, struct buf *problems,
                          struct failure *f) {
    struct vu_summary_item *items;
    size_t n;
    struct buf data;
    buf_init(&data, BUF_NO_CAP);
    if (t->runtime.machine_readable)
        summary_write_machine_readable(summary, false, &data);
    else
        summary_write_data(summary, &data);
    int rc = run_handle_summary(run, buf_slice(&data), &items, &n, f);
    *out_used = items != NULL;
    for (size_t i = 0; i < n; i++)
        deliver(screen, items[i].destination, slice_from(items[i].content, items[i].len), problems);
    vu_summary_free(items, n);
    buf_release(&data);
    return rc;
}

static void log_problem(const char *text) {
    log_fields(LOG_ERROR, SLICE("failed to handle the end-of-test summary"),
               LOG_STR("error", text));
}

void run_summary(struct run_screen *screen, struct loaded_test *t, struct run *run) {
    struct trend_stat stats[TREND_STATS_MAX];
    const struct options *o = &t->test.derived;
    struct failure f = {0};
    struct summary summary;
    struct buf problems, text;
    bool is_custom = false;
    if (t->runtime.summary_mode == SUMMARY_DISABLED)
        return;
    struct summary_options options = {.mode = t->runtime.summary_mode,
                                      .trend_stats = stats,
                                      .n_trend_stats = parse_trend_stats(o, stats),
                                      .time_unit = o->summary_time_unit.value,
                                      .duration_ns = run_elapsed_ns(run),
                                      .no_color = screen->no_color,
                                      .is_stdout_tty = screen->is_tty,
                                      .is_stderr_tty = screen->is_stderr_tty,
                                      .setup_data = setup_data(run),
                                      .script = script_source(t->test.script),
                                      .wall_ns = clock_wall_ns()};
    summary_collect(&summary, &options, run->aggregate, run->config.thresholds);
    buf_init(&problems, BUF_NO_CAP);
    buf_init(&text, BUF_NO_CAP);
    if (custom_summary(screen, t, run, &summary, &is_custom, &problems, &f) != 0) {
        log_problem(f.text != NULL ? f.text : "context canceled");
    } else {
        write_export(t, &summary, &problems);
        if (!is_custom) {
            summary_write_text(&summary, &text);
            run_screen_print(screen, buf_slice(&text));
        }
    }
    if (problems.len > 0) {
        buf_reset(&text);
        buf_append_str(&text, "Could not save some summary information:");
        buf_append_slice(&text, buf_slice(&problems));
        log_problem(buf_cstr(&text));
    }
    buf_release(&problems);
    buf_release(&text);
    failure_release(&f);
    summary_release(&summary);
}
