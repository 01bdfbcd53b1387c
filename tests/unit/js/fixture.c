#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "metrics/tags.h"

static struct fixture *current;

static void on_record(void *arg, enum log_level level, int64_t wall_ns, struct slice msg,
                      const struct log_field *fields, size_t n_fields) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    (void)arg;
    (void)wall_ns;
    (void)fields;
    (void)n_fields;
    if (!current)
        return;
    buf_printf(&current->log, "%s: ", names[level]);
    buf_append_slice(&current->log, msg);
    if (msg.len == 0 || msg.ptr[msg.len - 1] != '\n')
        buf_append_char(&current->log, '\n');
}

static void on_abort(void *arg, const char *reason) {
    struct fixture *f = arg;
    f->aborted++;
    snprintf(f->reason, sizeof f->reason, "%s", reason);
}

static void on_fail(void *arg, const char *reason) {
    struct fixture *f = arg;
    f->failed++;
    snprintf(f->reason, sizeof f->reason, "%s", reason);
}

void fixture_init(struct fixture *f) {
    static bool has_sink;
    memset(f, 0, sizeof *f);
    log_init(&(struct log_config){.level = LOG_DEBUG, .format = LOG_FORMAT_RAW, .fd = -1});
    if (!has_sink)
        log_add_sink(on_record, NULL);
    has_sink = true;
    buf_init(&f->log, BUF_NO_CAP);
    map_init(&f->files);
    map_init(&f->env);
    metrics_init();
    f->tags = tag_table_new();
    f->shard = shard_new(f->tags);
    f->instance.abort_test = on_abort;
    f->instance.fail_test = on_fail;
    f->instance.arg = f;
    f->scenario.name = "default";
    f->scenario.executor = "shared-iterations";
    f->scenario.exec = "default";
    f->config.instance = &f->instance;
    f->config.system_tags = SYSTEM_TAGS_DEFAULT;
    f->config.options_json = "{\"vus\":1,\"iterations\":1,\"paused\":null}";
    f->config.batch = 20;
    f->config.batch_per_host = 6;
    f->config.max_redirects = 10;
    f->config.http_timeout_ns = 60 * NS_PER_S;
    if (getenv("KILN_GC_STRESS"))
        f->config.gc_threshold_bytes = 1;
    current = f;
}

void fixture_release(struct fixture *f) {
    struct map_entry *e;
    current = NULL;
    if (f->script)
        script_free(f->script);
    shard_free(f->shard);
    tag_table_free(f->tags);
    metrics_shutdown();
    for (size_t i = 0; (e = map_next(&f->files, &i));)
        free(e->value);
    map_release(&f->files);
    map_release(&f->env);
    buf_release(&f->log);
}

void fixture_file(struct fixture *f, const char *path, const char *content) {
    char *url = xasprintf("file://%s", path);
    struct slice *s = xmalloc(sizeof *s);
    *s = slice_cstr(content);
    free(map_set(&f->files, slice_cstr(url), s));
    free(url);
}

struct task {
    struct fixture *f;
    void (*fn)(void *);
    void *arg;
};

static void run_task(void *arg) {
    struct task *t = arg;
    t->fn(t->arg);
    worker_stop(t->f->worker);
}

void fixture_run(struct fixture *f, void (*fn)(void *), void *arg) {
    struct task t = {f, fn, arg};
    f->worker = worker_new(0);
    fiber_detach(fiber_start(f->worker, FIBER_STACK_DEFAULT, run_task, &t));
    worker_run(f->worker);
    worker_free(f->worker);
    f->worker = NULL;
}

bool fixture_load(struct fixture *f, const char *source) {
    struct error err;
    fixture_file(f, "/test/script.js", source);
    struct script_config cfg = {.path = "/test/script.js",
                                .cwd = "/test",
                                .env = &f->env,
                                .is_extended = true,
                                .files = &f->files};
    f->script = script_load(&cfg, &err);
    f->config.script = f->script;
    return f->script != NULL;
}

struct vu *fixture_vu(struct fixture *f) {
    struct error err;
    struct vu_params params = {.config = &f->config};
    struct vu *vu = vu_new(&params, &err);
    if (!vu)
        return NULL;
    vu_free(vu);
    script_freeze(f->script);
    params.shard = f->shard;
    params.id = params.id_global = 1;
    vu = vu_new(&params, &err);
    if (vu && script_exports_function(f->script, f->scenario.exec))
        vu_activate(vu, &f->scenario);
    return vu;
}

struct script_run {
    struct fixture *f;
    int n;
};

static void run_iterations(void *arg) {
    struct script_run *r = arg;
    struct vu *vu = fixture_vu(r->f);
    if (!vu) {
        buf_printf(&r->f->log, "init: %s\n", vu_last_error_text());
        return;
    }
    for (int i = 0; i < r->n; i++) {
        struct vu_iteration it = {.in_instance = i, .in_test = i, .late_ns = -1};
        if (vu_iterate(vu, &it) == VU_INTERRUPTED)
            buf_append_str(&r->f->log, "interrupted\n");
    }
    vu_free(vu);
}

void fixture_script(struct fixture *f, const char *source, int n) {
    struct script_run r = {f, n};
    CHECK(fixture_load(f, source));
    fixture_run(f, run_iterations, &r);
}

const char *fixture_log(struct fixture *f) {
    return buf_cstr(&f->log);
}
