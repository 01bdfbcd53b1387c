#include "cli/run_screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/header.h"

static bool is_terminal(int fd) {
    const char *term = getenv("TERM");
    return isatty(fd) && !(term != NULL && strcmp(term, "dumb") == 0);
}

void run_screen_init(struct run_screen *s, bool no_color, bool is_quiet) {
    *s = (struct run_screen){.no_color = no_color, .is_quiet = is_quiet};
    s->is_tty = is_terminal(STDOUT_FILENO);
    s->is_stderr_tty = is_terminal(STDERR_FILENO);
    struct progress_config cfg = {
        .fd = STDOUT_FILENO, .is_tty = s->is_tty, .no_color = no_color, .is_quiet = is_quiet};
    s->progress = progress_new(&cfg);
}

void run_screen_release(struct run_screen *s) {
    progress_free(s->progress);
}

void run_screen_print(struct run_screen *s, struct slice text) {
    progress_print(s->progress, text);
}

void run_screen_banner(const struct run_screen *s) {
    struct buf text;
    if (s->is_quiet)
        return;
    buf_init(&text, BUF_NO_CAP);
    header_write_banner(&text, s->is_tty && !s->no_color);
    progress_print(s->progress, buf_slice(&text));
    buf_release(&text);
}

static void describe_scenarios(const struct test *t, struct arena *a, struct header_scenario *out) {
    const struct opt_scenarios *all = &t->derived.scenarios;
    const struct scenario **sorted = arena_alloc(a, (all->len + 1) * sizeof *sorted);
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    for (size_t i = 0; i < all->len; i++)
        sorted[i] = &all->items[i];
    scenarios_sort(sorted, all->len);
    for (size_t i = 0; i < all->len; i++) {
        buf_reset(&text);
        scenario_describe(sorted[i], &t->tuple, &text);
        out[i].name = sorted[i]->name;
        out[i].description = arena_strndup(a, text.ptr, text.len);
    }
    buf_release(&text);
}

void run_screen_header(const struct run_screen *s, const struct test *t,
                       const struct outputs *outputs) {
    struct arena a;
    struct buf text;
    if (s->is_quiet)
        return;
    arena_init(&a);
    buf_init(&text, BUF_NO_CAP);
    size_t n = t->derived.scenarios.len, n_outputs = outputs_count(outputs);
    struct header_scenario *scenarios = arena_alloc(&a, (n + 1) * sizeof *scenarios);
    const char **descriptions = arena_alloc(&a, (n_outputs + 1) * sizeof *descriptions);
    describe_scenarios(t, &a, scenarios);
    for (size_t i = 0; i < n_outputs; i++)
        descriptions[i] = outputs_description(outputs, i);
    struct run_header header = {.execution = "local",
                                .script = t->path,
                                .dashboard_url = s->dashboard_url,
                                .outputs = descriptions,
                                .n_outputs = n_outputs,
                                .profiling_address = s->profiling_address,
                                .segment_fraction =
                                    segment_length(&t->tuple.sequence.items[t->tuple.index]),
                                .max_vus = (uint64_t)t->plan.max_possible_vus,
                                .max_duration_ns = t->plan.end_offset_ns,
                                .scenarios = scenarios,
                                .n_scenarios = n};
    header_write(&text, &header, s->is_tty && !s->no_color);
    progress_print(s->progress, buf_slice(&text));
    buf_release(&text);
    arena_release(&a);
}

/* ---- bars */

static enum progress_status bar_status(enum scenario_status status, bool has_started) {
    switch (status) {
    case SCENARIO_WAITING:
        return has_started ? PROGRESS_WAITING : PROGRESS_RUNNING;
    case SCENARIO_RUNNING:
        return PROGRESS_RUNNING;
    case SCENARIO_STOPPING:
        return PROGRESS_STOPPING;
    case SCENARIO_INTERRUPTED:
        return PROGRESS_INTERRUPTED;
    case SCENARIO_DONE:
        break;
    }
    return PROGRESS_DONE;
}

static void headline(const struct run *run, struct buf *out) {
    struct progress_stats stats = {
        .is_paused = atomic_load(&run->is_paused),
        .has_started = atomic_load(&run->instance.start_ns) != 0,
        .elapsed_ns = run_elapsed_ns(run),
        .max_duration_ns = run->config.plan->end_offset_ns,
        .vus_active = (uint64_t)atomic_load(&run->instance.vus_active),
        .vus_initialized = (uint64_t)atomic_load(&run->instance.vus_initialized),
        .vus_max_possible = (uint64_t)run->config.plan->max_possible_vus,
        .iterations_complete = (uint64_t)atomic_load(&run->instance.iterations_completed),
        .iterations_interrupted = (uint64_t)atomic_load(&run->instance.iterations_interrupted)};
    progress_headline(out, &stats);
}

/* The test's own bar, as long as no scenario has started. */
static void describe_test(const struct run *run, struct arena *a, struct progress_bar *bar) {
    int status = atomic_load(&run->status);
    bar->left = status < RUN_STARTED ? "Init" : "Run";
    bar->fraction = 1;
    bar->n_right = 1;
    if (status == RUN_SETUP)
        bar->right[0] = "setup()";
    else if (status == RUN_PAUSED)
        bar->right[0] = "paused";
    else if (status == RUN_INIT_VUS && run->vus_to_init > 0) {
        bar->fraction = (double)run->vus_initialized / (double)run->vus_to_init;
        bar->right[0] = arena_printf(a, "%lld/%lld VUs initialized",
                                     (long long)run->vus_initialized, (long long)run->vus_to_init);
    } else {
        bar->right[0] = status < RUN_STARTED ? "Init VUs..." : "Starting test...";
    }
}

static void draw(struct run_screen *s, bool is_last) {
    struct run *run = s->run;
    struct arena a;
    struct buf line;
    arena_init(&a);
    buf_init(&line, BUF_NO_CAP);
    struct progress_bar *bars = arena_alloc(&a, (run->n_scenarios + 1) * sizeof *bars);
    struct progress_view view = {.bars = bars, .n_bars = run->n_scenarios};
    bool has_started = run->scenarios_start_ns != 0;
    for (size_t i = 0; i < run->n_scenarios; i++) {
        const struct scenario_run *scenario = &run->scenarios[i];
        bars[i] = (struct progress_bar){.left = scenario->config->name};
        bars[i].status = bar_status(scenario->status, has_started);
        bars[i].fraction = scenario_bar(scenario, &a, bars[i].right, &bars[i].n_right);
    }
    if (has_started) {
        headline(run, &line);
        view.headline = buf_cstr(&line);
    } else {
        describe_test(run, &a, &view.test);
    }
    if (is_last)
        progress_finish(s->progress, &view);
    else
        progress_update(s->progress, &view);
    buf_release(&line);
    arena_release(&a);
}

void run_screen_start(struct run_screen *s, struct run *run) {
    s->run = run;
    s->next_draw_ns = clock_now_ns() + progress_period_ns(s->progress);
}

void run_screen_tick(struct run_screen *s) {
    int64_t now = clock_now_ns();
    if (s->run == NULL || s->is_quiet)
        return;
    /* ticks come every 100 ms, not to the nanosecond */
    if (now < s->next_draw_ns - 20 * NS_PER_MS)
        return;
    s->next_draw_ns += progress_period_ns(s->progress);
    draw(s, false);
}

void run_screen_finish(struct run_screen *s) {
    if (s->run != NULL)
        draw(s, true);
}
