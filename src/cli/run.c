#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/cpu_quota.h"
#include "base/log.h"
#include "cli/console_file.h"
#include "cli/load_test.h"
#include "cli/log_setup.h"
#include "cli/option_flags.h"
#include "cli/run_api.h"
#include "cli/run_results.h"
#include "cli/run_screen.h"
#include "cli/run_summary.h"
#include "cli/setup_from.h"
#include "cli/signals.h"
#include "base/go_parse.h"
#include "output/output.h"

#define WORKERS_MAX 1024
#define LOG_PAUSE_NS (100 * NS_PER_MS)

struct run_command {
    struct loaded_test *t;
    struct run_screen screen;
    struct metric *start_lateness, *corrected;
    struct outputs *outputs;
    struct output_threshold *output_thresholds;
    struct run *run;
    struct run_api api;
    struct run_results results;
    struct setup_from setup_from;
    struct fiber *lingerer;
    bool fail_if_all_throw;
    bool is_interrupted;
    struct {
        struct worker_msg msg; /* from the outputs: they have stopped */
        struct fiber *fiber;   /* that waits for it */
        bool is_on, is_done;
    } stopping;
};

const struct flag_def run_flag_defs[] = {
    {"iteration-start-lateness", 0, FLAG_BOOL, NULL,
     "measure how late arrival-rate iterations start (env KILN_ITERATION_START_LATENESS)", NULL},
    {"corrected-latency", 0, FLAG_BOOL, NULL,
     "measure requests of arrival rates from when they should have been sent (env "
     "KILN_CORRECTED_LATENCY)",
     NULL},
    {"fail-if-all-throw", 0, FLAG_BOOL, NULL,
     "exit with 107 when every iteration ended with an exception (env KILN_FAIL_IF_ALL_THROW)",
     NULL},
    {"setup-from", 0, FLAG_TEXT, "URL",
     "get setup()'s data from the REST API of the first instance (env KILN_SETUP_FROM)", NULL},
    {"workers", 0, FLAG_INT, NULL,
     "threads that run VUs; by default as many as there are cores, or as the control group allows "
     "(env KILN_WORKERS)",
     NULL},
    {NULL},
};

/* ---- set-up */

static bool flag_or_variable(const struct flags *flags, const char *flag, const char *variable) {
    const char *value = getenv(variable);
    bool is_on = false;
    if (value != NULL)
        go_parse_bool(slice_cstr(value), &is_on, NULL);
    return flags_bool(flags, flag, is_on);
}

/* Before the script is loaded: its thresholds may name the metrics. */
static void register_own_metrics(struct run_command *c, const struct flags *flags) {
    if (flag_or_variable(flags, "iteration-start-lateness", "KILN_ITERATION_START_LATENESS"))
        c->start_lateness =
            metric_register(SLICE("iteration_start_lateness"), METRIC_TREND, METRIC_TIME, NULL);
    if (flag_or_variable(flags, "corrected-latency", "KILN_CORRECTED_LATENCY"))
        c->corrected =
            metric_register(SLICE("http_req_duration_corrected"), METRIC_TREND, METRIC_TIME, NULL);
}

static int count_workers(const struct flags *flags, struct failure *f) {
    const char *variable = getenv("KILN_WORKERS");
    int64_t n = 0;
    if (variable != NULL && *variable && go_parse_int(slice_cstr(variable), 10, &n, NULL) != 0)
        n = -1;
    n = flags_int(flags, "workers", n);
    if (n == 0)
        n = cpu_count();
    if (n < 1 || n > WORKERS_MAX) {
        failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL, "the number of workers must be 1 to %d",
                    WORKERS_MAX);
        return 0;
    }
    return (int)n;
}

/* Every VU holds connections; nothing else is gained by the soft limit. */
static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static const char *get_variable(void *arg, const char *name) {
    const struct config *config = arg;
    const char *value = getenv(name);
    return value && *value ? value : collectors_get(&config->collectors, name);
}

static size_t list_thresholds(struct run_command *c) {
    const struct opt_thresholds *all = &c->t->test.derived.thresholds;
    size_t n = 0;
    for (size_t i = 0; i < all->len; i++)
        n += all->items[i].len;
    c->output_thresholds = xcalloc(n + 1, sizeof *c->output_thresholds);
    n = 0;
    for (size_t i = 0; i < all->len; i++)
        for (size_t k = 0; k < all->items[i].len; k++) {
            const struct threshold_def *def = &all->items[i].items[k];
            c->output_thresholds[n++] =
                (struct output_threshold){all->items[i].metric, def->source, def->abort_on_fail,
                                          def->delay_abort.is_set ? def->delay_abort.ns : -1};
        }
    return n;
}

/* The web dashboard is asked for as an output, but it is not fed with samples. */
static int add_output(struct run_command *c, struct slice spec, struct error *err) {
    struct slice arg = spec, name = slice_cut(&arg, '=');
    if (!slice_eq(name, SLICE("web-dashboard")))
        return outputs_add(c->outputs, spec, err);
    return run_results_add_dashboard(&c->results, arg.ptr != NULL ? arg : SLICE(""), err);
}

static int create_outputs(struct run_command *c, struct failure *f) {
    struct error err = {0};
    size_t n_thresholds = list_thresholds(c);
    struct output_params params = {.system_tags = c->t->test.derived.system_tags.bits,
                                   .thresholds = c->output_thresholds,
                                   .n_thresholds = n_thresholds,
                                   .getenv = get_variable,
                                   .getenv_arg = &c->t->config,
                                   .stdout_fd = STDOUT_FILENO};
    c->outputs = outputs_new(&params);
    for (size_t i = 0; i < c->t->config.out.len; i++) {
        struct slice spec = slice_cstr(c->t->config.out.items[i]);
        if (spec.len > 0 && add_output(c, spec, &err) != 0)
            return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    }
    if (c->t->config.web_dashboard && run_results_add_dashboard(&c->results, SLICE(""), &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    return 0;
}

static bool prepare_shard(void *arg, struct shard *s) {
    struct run_command *c = arg;
    run_results_prepare_shard(&c->results, s);
    if (outputs_count(c->outputs) == 0)
        return false;
    outputs_attach(c->outputs, s);
    return true;
}

static void on_tick(void *arg) {
    run_screen_tick(&((struct run_command *)arg)->screen);
}

static void on_collected(void *arg) {
    struct run_command *c = arg;
    outputs_tick(c->outputs, c->run->aggregate);
    run_results_collected(&c->results);
}

static void create_run(struct run_command *c, int n_workers) {
    struct test *t = &c->t->test;
    struct run_config config = {.options = &t->derived,
                                .tuple = &t->tuple,
                                .plan = &t->plan,
                                .vu_config = &t->vu_config,
                                .thresholds = t->has_thresholds ? &t->thresholds : NULL,
                                .local_ips = t->has_local_ips ? &t->local_ips : NULL,
                                .program = program_name,
                                .main_worker = c->t->main_worker,
                                .n_workers = n_workers,
                                .start_lateness = c->start_lateness,
                                .fetch_setup =
                                    c->setup_from.address != NULL ? setup_from_fetch : NULL,
                                .fetch_arg = &c->setup_from,
                                .keep_series = c->t->runtime.summary_mode == SUMMARY_FULL,
                                .prepare_shard = prepare_shard,
                                .on_tick = on_tick,
                                .on_collected = on_collected,
                                .arg = c};
    c->run = run_new(&config);
    run_api_set_run(&c->api, c->run);
}

/* ---- the run */

static void on_interrupt(void *arg, const char *name) {
    struct run_command *c = arg;
    struct failure f = {0};
    if (c->stopping.is_on) { /* the test is over */
        outputs_hurry(c->outputs);
        return;
    }
    failure_set(&f, EXIT_CODE_EXTERNAL_ABORT, NULL,
                "test run was aborted because %s received a '%s' signal", program_name, name);
    c->is_interrupted = true;
    run_abort(c->run, &f);
    if (c->lingerer != NULL)
        fiber_wake(c->lingerer);
}

static void linger(struct run_command *c) {
    static const char words[] = "The test is done, but --linger was enabled, so %s is waiting for "
                                "Ctrl+C to continue...";
    char text[sizeof words + 64];
    if (!c->t->config.linger || c->is_interrupted)
        return;
    snprintf(text, sizeof text, words, program_name);
    if (!c->screen.is_quiet)
        run_screen_print(&c->screen, slice_cstr(text));
    c->lingerer = fiber_self();
    while (!c->is_interrupted)
        fiber_park(NEVER_NS);
    c->lingerer = NULL;
}

/* A test whose script is broken measures nothing, and yet k6 calls it a success. */
static void check_exceptions(const struct run_command *c, struct failure *f) {
    int64_t threw = atomic_load(&c->run->instance.iterations_threw);
    if (!c->fail_if_all_throw || failure_is_set(f) || threw == 0 ||
        threw < atomic_load(&c->run->instance.iterations_completed))
        return;
    failure_set(f, EXIT_CODE_SCRIPT_EXCEPTION, NULL,
                threw == 1 ? "the only iteration ended with an exception"
                           : "all of the %lld iterations ended with an exception",
                (long long)threw);
}

/* What this machine may not hold is said before it shows. */
static void warn_of_limits(const struct run_command *c) {
    const struct test *t = &c->t->test;
    int64_t n_addresses = t->has_local_ips ? (int64_t)t->local_ips.count : 1;
    struct buf lines;
    buf_init(&lines, BUF_NO_CAP);
    health_preflight(&t->plan, n_addresses, &lines);
    struct slice rest = buf_slice(&lines);
    while (rest.ptr != NULL && rest.len > 0)
        log_write(LOG_WARN, slice_cut(&rest, '\n'), NULL, 0);
    buf_release(&lines);
}

/* Below the summary: whether the figures are the target's or our own. */
static void report_health(struct run_command *c) {
    struct health h = {0};
    struct buf text;
    for (int i = 0; i < c->run->n_workers; i++)
        health_add(&h, &c->run->workers[i].health);
    if (!health_is_bad(&h) || c->t->runtime.summary_mode == SUMMARY_DISABLED)
        return;
    buf_init(&text, BUF_NO_CAP);
    buf_printf(
        &text,
        "     ! the load generator itself was at its limit: a worker was busy %.0f%% of the "
        "time,\n       late in %.0f%% of the seconds, by up to %.0f ms. Times and "
        "rates may be its own;\n       use fewer VUs, less work in the script, more cores or "
        "more machines.\n\n",
        h.busy_share * 100, h.late_share * 100, (double)h.max_lag_ns / (double)NS_PER_MS);
    run_screen_print(&c->screen, buf_slice(&text));
    buf_release(&text);
}

static void execute(struct run_command *c, struct failure *f) {
    struct run *run = c->run;
    run_screen_start(&c->screen, run);
    run_start(run);
    if (run_init_vus(run, f) != 0)
        return;
    int rc = run_test(run, f);
    if (rc == 0 && atomic_load(&run->instance.iterations_completed) == 0)
        log_printf(LOG_WARN, "No script iterations fully finished, consider making the test "
                             "duration longer");
    check_exceptions(c, f);
    if (!failure_is_set(f) && run->is_marked_failed)
        failure_set(f, EXIT_CODE_MARKED_AS_FAILED, NULL, "test run was marked as failed");
    linger(c);
}

static void check_thresholds(struct run_command *c, struct failure *f) {
    struct buf names;
    buf_init(&names, BUF_NO_CAP);
    if (run_final_thresholds(c->run, &names) > 0 && !failure_is_set(f))
        failure_set(f, EXIT_CODE_THRESHOLDS, NULL, "thresholds on metrics '%s' have been crossed",
                    buf_cstr(&names));
    buf_release(&names);
}

static void on_outputs_stopped(struct worker_msg *msg) {
    struct run_command *c = container_of(msg, struct run_command, stopping.msg);
    c->stopping.is_done = true;
    fiber_wake(c->stopping.fiber);
}

static void tell_outputs_stopped(void *arg) {
    struct run_command *c = arg;
    c->stopping.msg.run = on_outputs_stopped;
    worker_post(c->t->main_worker, &c->stopping.msg);
}

/* Signals are heard and the log is written meanwhile: a server that is away may take seconds. */
static void stop_outputs(struct run_command *c) {
    c->stopping.is_on = true;
    c->stopping.fiber = fiber_self();
    outputs_stop_begin(c->outputs, tell_outputs_stopped, c);
    while (!c->stopping.is_done) {
        fiber_park(clock_now_ns() + LOG_PAUSE_NS);
        log_flush();
    }
    outputs_stop(c->outputs);
    c->stopping.is_on = false;
}

/* From here on there is something to report, whatever happens. */
static void run_and_report(struct run_command *c, struct failure *f) {
    struct error err = {0};
    bool is_streaming = outputs_start(c->outputs, &err) == 0 &&
                        run_results_start(&c->results, c->run, c->api.api, &err) == 0;
    if (is_streaming) {
        c->screen.dashboard_url = run_results_dashboard_url(&c->results);
        run_screen_header(&c->screen, &c->t->test, c->outputs);
        signals_start(c->t->main_worker, on_interrupt, c);
        execute(c, f);
        run_finish(c->run);
        check_thresholds(c, f);
        stop_outputs(c);
        run_results_stop(&c->results, f);
    } else {
        failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    }
    log_flush();
    run_summary(&c->screen, c->t, c->run);
    report_health(c);
    if (is_streaming)
        run_screen_finish(&c->screen);
    signals_stop();
}

static int run_test_file(struct loaded_test *t, const struct flags *flags, struct failure *f) {
    struct run_command c = {.t = t};
    run_screen_init(&c.screen, log_setup_no_color(flags), flags_bool(flags, "quiet", false));
    if (compat_is_v051())
        run_screen_banner(&c.screen);
    register_own_metrics(&c, flags);
    c.fail_if_all_throw = flag_or_variable(flags, "fail-if-all-throw", "KILN_FAIL_IF_ALL_THROW");
    int rc = run_api_start(&c.api, flags, t->main_worker), n_workers = 0;
    c.screen.profiling_address = c.api.profiling_address;
    if (rc == 0)
        rc = load_script(t, flags, true, f);
    if (rc == 0)
        rc = load_config(t, flags, true, f);
    if (rc == 0)
        rc = test_derive(&t->test, f);
    if (rc == 0 && !compat_is_v051())
        feature_flags_tag(&t->features, &t->test.arena, &t->test.derived.tags);
    if (rc == 0 && !compat_is_v051())
        run_screen_banner(&c.screen);
    if (rc == 0)
        rc = test_make_vu_config(&t->test, f);
    t->test.vu_config.http_corrected = c.corrected;
    if (rc == 0 && t->test.derived.console_output.is_set)
        rc = console_file_open(t->test.derived.console_output.value, f);
    if (rc == 0)
        rc = run_results_init(&c.results, t, flags, f);
    if (rc == 0)
        rc = setup_from_init(&c.setup_from, flags, &t->test, t->main_worker, f);
    if (rc == 0)
        rc = create_outputs(&c, f);
    if (rc == 0 && (n_workers = count_workers(flags, f)) == 0)
        rc = f->exit_code;
    if (rc == 0) {
        raise_file_limit();
        warn_of_limits(&c);
        create_run(&c, n_workers);
        run_and_report(&c, f);
        rc = f->exit_code;
        run_results_close(&c.results);
        run_api_stop(&c.api);
#ifdef __SANITIZE_ADDRESS__
        run_free(c.run);
#endif
    }
    run_api_stop(&c.api);
    run_results_release(&c.results);
    setup_from_release(&c.setup_from);
    if (c.outputs != NULL)
        outputs_free(c.outputs);
    free(c.output_thresholds);
    run_screen_release(&c.screen);
    return rc;
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)self;
    (void)argc;
    (void)argv;
    return run_on_fiber(flags, run_test_file);
}

const struct command cmd_run = {
    .name = "run",
    .usage = "run FILE...",
    .summary = "Run a test",
    .about =
        "Runs a test script, or an archive of one. FILE is a path or an https URL; - reads the "
        "script from standard input.\nSeveral scripts make one test: their scenarios, named "
        "after their files, run together.",
    .examples = "run script.js\n"
                "run -u 10 -d 30s script.js\n"
                "run -s 10s:100 -s 1m:100 -s 10s:0 script.js\n"
                "run login.js checkout.js\n"
                "run --out json=samples.json script.js",
    .min_args = 1,
    .max_args = -1,
    .args_error = "arg should either be \"-\", if reading script from stdin, or a path to a script "
                  "file",
    .flags = (const struct flag_def *const[]){option_flag_defs, runtime_flag_defs, config_flag_defs,
                                              result_flag_defs, run_flag_defs, NULL},
    .run = run,
};
