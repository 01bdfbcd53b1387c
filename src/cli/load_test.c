#include "cli/load_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "cli/loki.h"
#include "js/remote.h"
#include "js/several.h"
#include "load/tar.h"
#include "metrics/metric.h"

#define COMMAND_STACK_BYTES (1024 * 1024)
#define FILE_MAX_BYTES (1024 * 1024 * 1024)

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
    loki_stop();
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
    archive_release(&c.t.archive);
    free(c.t.text);
    free(c.t.title);
    worker_free(c.t.main_worker);
    metrics_shutdown();
    return c.rc;
}

static struct slice read_all(struct loaded_test *t, FILE *file) {
    struct buf text;
    char chunk[65536];
    size_t n, len;
    buf_init(&text, FILE_MAX_BYTES);
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0 && buf_append(&text, chunk, n) == 0)
        ;
    t->text = buf_detach(&text, &len);
    return slice_from(t->text, len);
}

/* An archive by its first block or by --type; *out_text is its content then. A file that is none is
 * left to be read by whoever loads the script. */
static bool find_archive(struct loaded_test *t, const char *path, struct slice stdin_text,
                         struct slice *out_text) {
    char block[512];
    bool is_forced = strcmp(t->runtime.test_type, "archive") == 0, is_archive = is_forced;
    bool is_script = strcmp(t->runtime.test_type, "js") == 0;
    *out_text = stdin_text;
    if (is_script || stdin_text.ptr != NULL)
        return !is_script && (is_forced || tar_is_archive(stdin_text));
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t n = fread(block, 1, sizeof block, file);
    is_archive = is_forced || tar_is_archive(slice_from(block, n));
    if (is_archive) {
        rewind(file);
        *out_text = read_all(t, file);
    }
    fclose(file);
    return is_archive;
}

static bool has_archive_header(const char *path) {
    char block[512];
    FILE *file = fopen(path, "rb");
    size_t n = file != NULL ? fread(block, 1, sizeof block, file) : 0;
    if (file != NULL)
        fclose(file);
    return tar_is_archive(slice_from(block, n));
}

/* One script that is made of all. */
static int combine_scripts(struct loaded_test *t, const char *const *paths, size_t n,
                           struct test_source *source, struct failure *f) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(paths[i], "-") == 0 || has_archive_header(paths[i]))
            return failure_set(f, EXIT_CODE_GENERIC, NULL,
                               "several tests in one run must be script files, and '%s' is %s",
                               paths[i], paths[i][0] == '-' ? "standard input" : "an archive");
    t->text = several_source(paths, n, &t->title);
    source->path = "-";
    source->title = t->title;
    source->source = slice_cstr(t->text);
    return 0;
}

static int open_archive(struct loaded_test *t, struct slice text, struct test_source *source,
                        struct failure *f) {
    struct error err = {0};
    struct map_entry *e;
    if (archive_read(&t->archive, text, &err) != 0) {
        bool is_absolute = source->path[0] == '/';
        return failure_set(f, EXIT_CODE_GENERIC, NULL,
                           "could not initialize '%s': could not load test archive bundle "
                           "'file://%s%s%s': %s",
                           source->path, is_absolute ? "" : source->cwd, is_absolute ? "" : "/",
                           source->path, err.text);
    }
    /* What was given now wins over what was packed. */
    for (size_t i = 0; (e = map_next(&t->archive.env, &i));)
        if (!map_has(&t->runtime.env, e->key))
            map_set(&t->runtime.env, e->key, xstrdup(e->value));
    t->runtime.is_extended &= !t->archive.is_base;
    source->source = (struct slice){0};
    source->archive_url = t->archive.filename;
    source->archive_pwd = t->archive.pwd;
    source->files = &t->archive.files;
    source->archive_options_json = t->archive.options_json;
    return 0;
}

/* A test on a web server, script or archive. */
static int fetch_test(struct loaded_test *t, struct test_source *source, struct failure *f) {
    struct error why, err;
    size_t len;
    if (strncmp(source->path, "https://", 8) != 0 || access(source->path, F_OK) == 0)
        return 0;
    if (remote_fetch(source->path, &t->text, &len, &why) != 0) {
        remote_failed(source->path, source->path, &why, &err);
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    }
    source->source = slice_from(t->text, len);
    return 0;
}

int load_script(struct loaded_test *t, const struct flags *flags, bool include_system_env,
                struct failure *f) {
    const char *path = flags->args.ptr[0];
    struct error err = {0};
    char cwd[4096];
    struct slice archive;
    struct test_source source = {.path = path,
                                 .cwd = getcwd(cwd, sizeof cwd),
                                 .env = &t->runtime.env,
                                 .only_imports = t->only_imports};
    if (source.cwd == NULL)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "cannot tell the current directory");
    if (runtime_options_init(&t->runtime, flags, include_system_env, &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    if (!compat_is_v051())
        feature_flags_resolve(&t->features, &t->test.arena, flags, &t->runtime.env);
    source.is_env_frozen = t->features.is_on[FEATURE_FREEZE_ENV];
    if (flags->args.len > 1) {
        int rc = combine_scripts(t, flags->args.ptr, flags->args.len, &source, f);
        source.is_extended = t->runtime.is_extended;
        return rc != 0 ? rc : test_load(&t->test, &source, f);
    }
    if (strcmp(path, "-") == 0)
        source.source = read_all(t, stdin);
    else if (fetch_test(t, &source, f) != 0)
        return f->exit_code;
    if (find_archive(t, path, source.source, &archive)) {
        int rc = open_archive(t, archive, &source, f);
        if (rc != 0)
            return rc;
    }
    const char *type = t->runtime.test_type;
    if (*type != '\0' && strcmp(type, "js") != 0 && strcmp(type, "archive") != 0)
        return failure_set(
            f, EXIT_CODE_GENERIC, NULL,
            "could not initialize '%s': unknown or unspecified test type '%s' for '%s'", path, type,
            path);
    source.is_extended = t->runtime.is_extended;
    source.is_web = t->runtime.is_web;
    return test_load(&t->test, &source, f);
}

int load_archived(struct loaded_test *t, const char *path, struct slice tar, struct failure *f) {
    char cwd[4096];
    struct test_source source = {
        .path = "-", .title = path, .cwd = getcwd(cwd, sizeof cwd), .env = &t->runtime.env};
    source.cwd = source.cwd != NULL ? source.cwd : "/";
    source.source = SLICE("export default function () {}");
    if (tar.ptr != NULL && open_archive(t, tar, &source, f) != 0)
        return f->exit_code;
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
                               .merge_tags = t->features.is_on[FEATURE_MERGE_RUN_TAGS]};
    if (t->test.script_options.features.len > 0 && !compat_is_v051())
        log_fields(LOG_WARN,
                   SLICE("Feature flags in script options are not supported; use --features, "
                         "K6_FEATURES, or the JSON config"),
                   LOG_STR("source", "options"));
    return rc != 0 ? rc : test_consolidate(&t->test, &tiers, f);
}
