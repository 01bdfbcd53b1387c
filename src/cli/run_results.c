#include "cli/run_results.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "api/windows.h"
#include "base/atomic_file.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "cli/run_report.h"
#include "load/control.h"
#include "report/report_html.h"
#include "report/result_file.h"

#define TOKEN_BYTES 12
/* Ticks of REST requests come in between. */
#define TICK_MIN_NS (800 * NS_PER_MS)

extern char **environ;

/* ---- what is asked for */

int run_results_add_dashboard(struct run_results *r, struct slice query, struct error *err) {
    struct error why = {0};
    if (r->has_dashboard) {
        if (query.len == 0) /* K6_WEB_DASHBOARD=true beside -o web-dashboard=… */
            return 0;
        dashboard_options_release(&r->options);
    }
    r->has_dashboard = true;
    if (dashboard_options_init(&r->options, query, &why) == 0)
        return 0;
    return error_set(err, KE_CONFIG, "could not create the 'web-dashboard' output: %s", why.text);
}

static bool wants_events(const struct run_results *r) {
    return r->has_dashboard || r->html_path != NULL;
}

bool run_results_want_windows(const struct run_results *r) {
    return wants_events(r) || r->save_path != NULL || r->api != NULL;
}

void run_results_prepare_shard(struct run_results *r, struct shard *s) {
    if (run_results_want_windows(r) && r->options.tags.len > 0)
        shard_break_down(s, r->options.tags.ptr, r->options.tags.len);
    if (r->save_path != NULL)
        shard_keep_series(s);
}

/* ---- events */

static void on_event(void *arg, const char *event, struct slice json, bool is_latest) {
    struct run_results *r = arg;
    event_log_add(r->events, event, json, is_latest);
    if (!r->is_recording)
        return;
    buf_printf(&r->record.buf, "{\"event\":\"%s\",\"data\":%.*s}\n", event, SLICE_FMT(json));
    file_writer_spill(&r->record);
}

static void write_html(void *arg, struct buf *out) {
    struct run_results *r = arg;
    struct buf lines;
    buf_init(&lines, BUF_NO_CAP);
    event_log_write_lines(r->events, &lines);
    report_html_write(buf_slice(&lines), out);
    buf_release(&lines);
}

static const char *state_name(const struct run *run) {
    static const char *const names[] = {
        [RUN_CREATED] = "starting",        [RUN_INIT_VUS] = "starting VUs",
        [RUN_INIT_EXECUTORS] = "starting", [RUN_INIT_DONE] = "starting",
        [RUN_PAUSED] = "paused",           [RUN_STARTED] = "running",
        [RUN_SETUP] = "setup()",           [RUN_RUNNING] = "running",
        [RUN_TEARDOWN] = "teardown()",     [RUN_ENDED] = "finished",
        [RUN_INTERRUPTED] = "stopped",     [RUN_MARKED_AS_FAILED] = "failed"};
    int status = atomic_load(&run->status);
    if (status < RUN_ENDED && atomic_load(&run->is_paused))
        return "paused";
    return status >= 0 && status < (int)countof(names) ? names[status] : "running";
}

static double progress(const struct run *run) {
    double sum = 0;
    if (atomic_load(&run->status) >= RUN_TEARDOWN)
        return 1;
    for (size_t i = 0; i < run->n_scenarios; i++)
        sum += run->scenarios[i].info.progress(&run->scenarios[i].info);
    return run->n_scenarios > 0 ? sum / (double)run->n_scenarios : 0;
}

static bool can_pause(const struct run *run) {
    bool can = true;
    for (size_t i = 0; i < run->n_scenarios && compat_on(COMPAT_CONTROL_EXTERNAL_ONLY); i++)
        can &= run->scenarios[i].config->type == EXECUTOR_EXTERNALLY_CONTROLLED;
    return can;
}

static struct recorder_state get_state(const struct run *run) {
    return (struct recorder_state){.now_ns = clock_now_ns(),
                                   .elapsed_ns = run_elapsed_ns(run),
                                   .state = state_name(run),
                                   .vus = atomic_load(&run->instance.vus_active),
                                   .vus_max = atomic_load(&run->instance.vus_initialized),
                                   .iterations = atomic_load(&run->instance.iterations_completed),
                                   .interrupted =
                                       atomic_load(&run->instance.iterations_interrupted),
                                   .progress = progress(run),
                                   .is_paused = atomic_load(&run->is_paused),
                                   .can_pause = can_pause(run),
                                   .can_scale = run_can_scale(run)};
}

/* ---- start */

/* 0: some scenario ends when its iterations are done. */
static int64_t known_duration_ns(const struct test *t) {
    int64_t longest = 0;
    for (size_t i = 0; i < t->derived.scenarios.len; i++) {
        const struct scenario *s = &t->derived.scenarios.items[i];
        if (s->type == EXECUTOR_SHARED_ITERATIONS || s->type == EXECUTOR_PER_VU_ITERATIONS)
            return 0;
        int64_t end = s->start_time.ns + scenario_regular_duration_ns(s);
        longest = end > longest ? end : longest;
    }
    return longest;
}

static const char *find_test_id(const struct test *t) {
    const struct opt_map *tags = &t->derived.tags;
    for (size_t i = 0; i < tags->len; i++)
        if (strcmp(tags->items[i].key, "testid") == 0)
            return tags->items[i].value;
    return NULL;
}

static void create_recorder(struct run_results *r, bool can_control) {
    const struct test *t = &r->t->test;
    const struct opt_scenarios *all = &t->derived.scenarios;
    int64_t wanted_ns = r->has_dashboard ? r->options.period_ns : 0;
    r->scenarios = xcalloc(all->len + 1, sizeof *r->scenarios);
    for (size_t i = 0; i < all->len; i++)
        r->scenarios[i] = all->items[i].name;
    struct recorder_config config = {
        .script = t->path,
        .program = "kiln " KILN_VERSION,
        .test_id = find_test_id(t),
        .scenarios = r->scenarios,
        .n_scenarios = all->len,
        .end_offset_ns = t->plan.end_offset_ns,
        .period_ns = recorder_period_ns(wanted_ns, t->plan.end_offset_ns, known_duration_ns(t)),
        .tags = r->options.tags.ptr,
        .n_tags = r->options.tags.len,
        .thresholds = t->has_thresholds ? &t->thresholds : NULL,
        .can_control = can_control,
        .give = on_event,
        .arg = r};
    r->events = event_log_new();
    r->recorder = recorder_new(&config, r->start_ns != 0 ? r->start_ns : clock_now_ns());
}

static char *make_token(void) {
    unsigned char bytes[TOKEN_BYTES];
    struct buf text;
    CHECK(getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes);
    buf_init(&text, BUF_NO_CAP);
    for (size_t i = 0; i < sizeof bytes; i++)
        buf_printf(&text, "%02x", bytes[i]);
    return buf_detach(&text, NULL);
}

static void open_browser(const char *url) {
    pid_t pid;
    char *argv[] = {(char *)"xdg-open", (char *)(uintptr_t)url, NULL};
    posix_spawnattr_t attributes;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int rc = posix_spawnp(&pid, argv[0], NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    if (rc != 0)
        log_printf(LOG_WARN, "cannot open the web dashboard in a browser: xdg-open: %s",
                   strerror(rc));
}

static int start_dashboard(struct run_results *r, struct api *api, struct error *err) {
    struct error why = {0};
    if (api != NULL)
        r->token = r->options.token != NULL ? xstrdup(r->options.token) : make_token();
    struct dashboard_config config = {.host = r->options.host,
                                      .port = r->options.port,
                                      .events = r->events,
                                      .page = report_page(),
                                      .token = r->token,
                                      .write_report = write_html,
                                      .arg = r};
    r->dashboard = dashboard_start(&config, &why);
    if (r->dashboard == NULL) {
        log_fields(LOG_WARN, SLICE("Error from Web dashboard"), LOG_STR("error", why.text));
        return r->options.is_default_port ? 0 : error_set(err, why.code, "%s", why.text);
    }
    dashboard_set_api(r->dashboard, api);
    const char *url = dashboard_url(r->dashboard);
    if (r->token != NULL)
        log_printf(LOG_INFO,
                   "To pause, scale or stop the test from the web dashboard, open "
                   "%s/ui/?endpoint=/#token=%s",
                   url, r->token);
    if (r->options.is_opened)
        open_browser(url);
    return 0;
}

static int start_following(struct run_results *r, struct error *err) {
    if (!wants_events(r))
        return error_set(err, KE_CONFIG,
                         "--follow is for the web dashboard: K6_WEB_DASHBOARD=true turns it on");
    return follow_start(&r->follow, r->follow_text, &r->t->test, r->self, err);
}

/* Instances with one command line are told to follow themselves, too: they know their own windows.
 */
static char *name_self(void) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    return xasprintf("{\"self\":\"%s %d %lld\"}", host, (int)getpid(), (long long)clock_wall_ns());
}

int run_results_start(struct run_results *r, struct run *run, struct api *api, struct error *err) {
    bool is_served = r->has_dashboard && r->options.port >= 0;
    r->run = run;
    r->api = api;
    r->self = name_self();
    r->last_ns = r->start_ns != 0 ? r->start_ns : clock_now_ns();
    if (r->follow_text != NULL && start_following(r, err) != 0)
        return KE_CONFIG;
    if (!run_results_want_windows(r))
        return 0;
    aggregate_keep_windows(run->aggregate);
    if (r->has_dashboard && *r->options.record_path != '\0') {
        if (file_writer_open(&r->record, r->options.record_path, STDOUT_FILENO, err) != 0)
            return KE_IO;
        r->is_recording = true;
    }
    if (wants_events(r))
        create_recorder(r, is_served && api != NULL);
    if (r->save_path != NULL && run_report_start_saving(r, err) != 0)
        return KE_IO;
    return is_served ? start_dashboard(r, api, err) : 0;
}

const char *run_results_dashboard_url(const struct run_results *r) {
    return r->dashboard != NULL ? dashboard_url(r->dashboard) : NULL;
}

/* ---- while it runs */

/* What the dashboard shows. */
static const struct aggregate *shown(const struct run_results *r) {
    return r->follow.all != NULL ? r->follow.all : r->run->aggregate;
}

static void give_to_followers(struct run_results *r, int64_t now_ns) {
    static const struct failure none = {0};
    struct buf so_far, window;
    if (r->api == NULL || !api_windows_are_wanted(r->api))
        return;
    buf_init(&so_far, BUF_NO_CAP);
    buf_init(&window, BUF_NO_CAP);
    run_report_write_outcome(r, &none, &so_far);
    result_write_window(r->run->aggregate, r->last_ns, now_ns, slice_cstr(r->self),
                        buf_slice(&so_far), &window);
    api_windows_add(r->api, buf_slice(&window));
    buf_release(&so_far);
    buf_release(&window);
}

static void take_windows(struct run_results *r, struct recorder_state *state) {
    struct aggregate *a = r->run->aggregate;
    int64_t now_ns = state->now_ns;
    if (r->follow.all != NULL)
        follow_tick(&r->follow, a, state);
    if (r->recorder != NULL)
        recorder_add(r->recorder, shown(r));
    if (r->follow.all != NULL)
        follow_reset(&r->follow);
    give_to_followers(r, now_ns);
    if (r->writer != NULL)
        run_report_save_window(r, r->last_ns, now_ns);
    aggregate_reset_windows(a);
    r->last_ns = now_ns;
}

void run_results_collected(struct run_results *r) {
    if (r->run == NULL || !run_results_want_windows(r))
        return;
    struct recorder_state state = get_state(r->run);
    if (state.now_ns - r->last_ns < TICK_MIN_NS)
        return;
    take_windows(r, &state);
    if (r->recorder != NULL)
        recorder_tick(r->recorder, shown(r), &state);
    if (r->dashboard != NULL)
        dashboard_wake(r->dashboard);
}

/* ---- end */

static void save_text(const char *path, struct slice content) {
    struct error err = {0};
    struct buf packed;
    buf_init(&packed, BUF_NO_CAP);
    if (slice_ends(slice_cstr(path), SLICE(".gz"))) {
        report_gzip(content, &packed);
        content = buf_slice(&packed);
    }
    if (atomic_file_put(path, content, &err) != 0)
        log_printf(LOG_ERROR, "could not save the report: %s", err.text);
    buf_release(&packed);
}

static void save_html(struct run_results *r) {
    const char *export = r->has_dashboard ? r->options.export_path : "";
    struct buf html;
    if (*export == '\0' && r->html_path == NULL)
        return;
    buf_init(&html, BUF_NO_CAP);
    write_html(r, &html);
    if (*export != '\0')
        save_text(export, buf_slice(&html));
    if (r->html_path != NULL)
        save_text(r->html_path, buf_slice(&html));
    buf_release(&html);
}

static void stop_recording(struct run_results *r) {
    if (r->is_recording)
        file_writer_close(&r->record);
    r->is_recording = false;
}

void run_results_replay(struct run_results *r, int64_t now_ns, int64_t elapsed_ns, bool is_last) {
    struct recorder_state state = get_state(r->run);
    state.now_ns = now_ns;
    state.elapsed_ns = elapsed_ns;
    if (is_last) /* run_results_stop takes it */
        return;
    take_windows(r, &state);
    if (r->recorder != NULL)
        recorder_tick(r->recorder, shown(r), &state);
}

void run_results_stop(struct run_results *r, const struct failure *f) {
    if (r->run == NULL)
        return;
    if (run_results_want_windows(r)) {
        struct recorder_state state = get_state(r->run);
        if (r->start_ns != 0)
            state.now_ns = r->start_ns + state.elapsed_ns;
        take_windows(r, &state);
        if (r->recorder != NULL)
            recorder_stop(r->recorder, shown(r), &state, f->text);
        if (r->dashboard != NULL)
            dashboard_wake(r->dashboard);
        save_html(r);
        stop_recording(r);
    }
    run_report_write(r, f);
}

void run_results_close(struct run_results *r) {
    r->api = NULL;
    if (r->dashboard != NULL)
        dashboard_set_api(r->dashboard, NULL);
}

void run_results_release(struct run_results *r) {
    dashboard_stop(r->dashboard);
    recorder_free(r->recorder);
    follow_stop(&r->follow);
    event_log_free(r->events);
    result_writer_abandon(r->writer);
    if (r->has_dashboard)
        dashboard_options_release(&r->options);
    stop_recording(r);
    free(r->scenarios);
    free(r->token);
    free(r->report_text);
    free(r->save_text);
    free(r->follow_text);
    free(r->self);
}
