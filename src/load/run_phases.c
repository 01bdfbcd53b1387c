/* setup(), teardown() and handleSummary(): each in a VU of its own (id 0) on the main thread's
 * worker. */
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "load/run.h"

struct phase {
    struct run *run;
    const char *function, *group_tag; /* group_tag NULL: handleSummary() */
    struct slice argument;
    int64_t timeout_ns;
    struct vu **vu; /* where the VU is shown while it runs; may be NULL */
    bool is_abortable;
    /* results */
    bool is_init_error;
    int rc;
    struct error err;
    char *text; /* of the error, in full */
    char *json;
    struct vu_summary_item *items;
    size_t n_items;
};

static void phase_main(void *arg) {
    struct phase *p = arg;
    struct run *run = p->run;
    bool is_summary = p->group_tag == NULL;
    int64_t deadline_ns = clock_now_ns() + p->timeout_ns;
    struct vu_params params = {.config = run->config.vu_config,
                               .shard = is_summary ? NULL : run->main.shard};
    struct vu *vu = vu_new(&params, &p->err);
    if (vu == NULL) {
        p->is_init_error = true;
        p->rc = p->err.code;
        p->text = xstrdup(vu_last_error_text());
        return;
    }
    if (p->vu != NULL)
        *p->vu = vu;
    if (run->is_aborted && p->is_abortable)
        p->rc = KE_CANCELED;
    else if (is_summary)
        p->rc = vu_call_summary(vu, p->argument, deadline_ns, &p->items, &p->n_items, &p->err);
    else
        p->rc = vu_call(vu, p->function, p->group_tag, p->argument, deadline_ns, &p->json, &p->err);
    if (p->vu != NULL)
        *p->vu = NULL;
    if (p->rc != 0)
        p->text = xstrdup(vu_last_error_text());
    fiber_clear_cancel(fiber_self());
    vu_free(vu);
}

/* On a fiber of its own, so that nothing of an interruption sticks to the caller's. */
static void call(struct phase *p) {
    fiber_join(fiber_start(p->run->main.worker, FIBER_STACK_DEFAULT, phase_main, p));
}

static void set_timeout(struct failure *f, const struct phase *p, int exit_code) {
    failure_set(f, exit_code, NULL, "%s() execution timed out after %.0f seconds", p->function,
                (double)p->timeout_ns / (double)NS_PER_S);
    failure_add_hint(f, "You can increase the time limit via the %sTimeout option", p->function);
}

static int phase_failure(const struct phase *p, int timeout_code, struct failure *f) {
    if (p->rc == 0)
        return 0;
    if (p->rc == KE_TIMEOUT)
        set_timeout(f, p, timeout_code);
    else if (p->rc == KE_CANCELED) /* the reason is the run's own failure */
        return EXIT_CODE_GENERIC;
    else if (p->rc == KE_JS)
        failure_set_exception(f, p->text);
    else
        failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", p->text);
    return f->exit_code;
}

static int finish(struct phase *p, int timeout_code, struct failure *f) {
    int rc = phase_failure(p, timeout_code, f);
    free(p->text);
    return rc;
}

#define OLD_SETUP_DATA_MAX_BYTES ((size_t)256 * 1024 * 1024)

int run_set_setup_data(struct run *run, char *json) {
    size_t bytes = json != NULL ? strlen(json) + 1 : 0;
    if (run->old_setup_data_bytes + bytes > OLD_SETUP_DATA_MAX_BYTES) {
        free(json);
        return KE_TOO_LARGE;
    }
    char *old = atomic_exchange(&run->setup_data, json);
    if (old != NULL)
        vec_push(&run->old_setup_data, old);
    run->old_setup_data_bytes += bytes;
    return 0;
}

static int setup(struct run *run, struct phase *p, struct failure *f) {
    p->run = run;
    p->function = "setup";
    p->group_tag = "::setup";
    p->timeout_ns = run->config.options->setup_timeout.ns;
    if (!script_exports_function(run->config.vu_config->script, "setup"))
        return run_set_setup_data(run, NULL);
    call(p);
    if (p->rc != 0)
        free(p->json);
    else if (run_set_setup_data(run, p->json) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "setup() ran too often");
    return finish(p, EXIT_CODE_SETUP_TIMEOUT, f);
}

static int teardown(struct run *run, struct phase *p, struct failure *f) {
    const char *data = atomic_load(&run->setup_data);
    p->run = run;
    p->function = "teardown";
    p->group_tag = "::teardown";
    p->argument = (struct slice){data, data != NULL ? strlen(data) : 0};
    p->timeout_ns = run->config.options->teardown_timeout.ns;
    if (!script_exports_function(run->config.vu_config->script, "teardown"))
        return 0;
    call(p);
    free(p->json);
    return finish(p, EXIT_CODE_TEARDOWN_TIMEOUT, f);
}

static int fetch_setup(struct run *run, struct failure *f) {
    char *json = NULL;
    int rc = run->config.fetch_setup(run->config.fetch_arg, run, &json, f);
    return rc != 0 ? rc : run_set_setup_data(run, json);
}

int run_setup(struct run *run, struct failure *f) {
    struct phase p = {.vu = &run->special_vu, .is_abortable = true};
    if (run->config.options->no_setup.value ||
        !script_exports_function(run->config.vu_config->script, "setup"))
        return 0;
    atomic_store(&run->status, (int)RUN_SETUP);
    return run->config.fetch_setup != NULL ? fetch_setup(run, f) : setup(run, &p, f);
}

int run_teardown(struct run *run, struct failure *f) {
    struct phase p = {0};
    bool is_elsewhere = run->config.fetch_setup != NULL;
    return run->config.options->no_teardown.value || is_elsewhere ? 0 : teardown(run, &p, f);
}

int run_call_setup(struct run *run, struct vu **vu, struct failure *f) {
    struct phase p = {.vu = vu};
    return setup(run, &p, f);
}

int run_call_teardown(struct run *run, struct vu **vu, struct failure *f) {
    struct phase p = {.vu = vu};
    return teardown(run, &p, f);
}

static void log_exception(const char *text) {
    struct failure f = {0};
    failure_set_exception(&f, text);
    failure_log(&f);
    failure_release(&f);
}

int run_handle_summary(struct run *run, struct slice data_json, struct vu_summary_item **out_items,
                       size_t *out_len, struct failure *f) {
    struct phase p = {.run = run,
                      .function = "handleSummary",
                      .argument = data_json,
                      .timeout_ns = run->config.options->handle_summary_timeout.ns};
    *out_items = NULL;
    *out_len = 0;
    /* The VU is there in any case: its init code may be seen (k6 does the same). */
    call(&p);
    *out_items = p.items;
    *out_len = p.n_items;
    if (p.rc == KE_TIMEOUT) {
        log_printf(LOG_ERROR, "context canceled");
    } else if (p.rc == KE_JS && !p.is_init_error) { /* logged; the standard summary follows */
        log_exception(p.text);
        p.rc = 0;
    }
    return finish(&p, EXIT_CODE_TIMEOUT, f);
}
