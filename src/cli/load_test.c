#include "cli/load_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "metrics/metric.h"

#define COMMAND_STACK_BYTES (1024 * 1024)
#define STDIN_MAX_BYTES (1024 * 1024 * 1024)

struct command_fiber {
    command_fiber_fn *fn;
    const struct flags *flags;
    struct loaded_test t;
    struct failure failure;
    int rc;
};

static void fiber_main(void *arg) {
    struct command_fiber *c = arg;
    c->rc = c->fn(&c->t, c->flags, &c->failure);
    worker_stop(c->t.main_worker);
}

/* Taking thousands of VUs down one by one would only delay the exit; leak checkers want it done. */
static void leave_at_once(int rc) {
#ifndef __SANITIZE_ADDRESS__
    log_flush();
    fflush(NULL);
    _exit(rc);
#else
    (void)rc;
#endif
}

int run_on_fiber(const struct flags *flags, command_fiber_fn *fn) {
    struct command_fiber c = {.fn = fn, .flags = flags};
    metrics_init();
    test_init(&c.t.test);
    c.t.main_worker = worker_new(-1);
    fiber_detach(fiber_start(c.t.main_worker, COMMAND_STACK_BYTES, fiber_main, &c));
    worker_run(c.t.main_worker);
    if (failure_is_set(&c.failure)) {
        failure_log(&c.failure);
        c.rc = c.failure.exit_code;
    }
    leave_at_once(c.rc);
    failure_release(&c.failure);
    test_release(&c.t.test);
    runtime_options_release(&c.t.runtime);
    free(c.t.stdin_text);
    worker_free(c.t.main_worker);
    metrics_shutdown();
    return c.rc;
}

static struct slice read_stdin(struct loaded_test *t) {
    struct buf text;
    char chunk[65536];
    size_t n;
    buf_init(&text, STDIN_MAX_BYTES);
    while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0 && buf_append(&text, chunk, n) == 0)
        ;
    size_t len;
    t->stdin_text = buf_detach(&text, &len);
    return slice_from(t->stdin_text, len);
}

int load_script(struct loaded_test *t, const struct flags *flags, bool include_system_env,
                struct failure *f) {
    const char *path = flags->args.ptr[0];
    struct error err = {0};
    char cwd[4096];
    struct test_source source = {
        .path = path, .cwd = getcwd(cwd, sizeof cwd), .env = &t->runtime.env};
    if (source.cwd == NULL)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "cannot tell the current directory");
    if (runtime_options_init(&t->runtime, flags, include_system_env, &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    if (path[0] == '-' && path[1] == '\0')
        source.source = read_stdin(t);
    source.is_extended = t->runtime.is_extended;
    return test_load(&t->test, &source, f);
}

int load_config(struct loaded_test *t, const struct flags *flags, bool with_run_flags,
                struct failure *f) {
    int rc = config_init(&t->config, &t->test.arena, flags, with_run_flags, f);
    struct test_tiers tiers = {.file = &t->config.file,
                               .env = &t->config.env,
                               .cli = &t->config.cli,
                               .no_thresholds = t->runtime.no_thresholds,
                               .merge_tags = t->config.merge_tags};
    return rc != 0 ? rc : test_consolidate(&t->test, &tiers, f);
}
