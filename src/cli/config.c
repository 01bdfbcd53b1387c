#include "cli/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/compat.h"
#include "cli/option_flags.h"
#include "base/go_parse.h"
#include "load/jansson_read.h"

#define CONFIG_MAX_BYTES (4 * 1024 * 1024)

const struct flag_def config_flag_defs[] = {
    {"out", 'o', FLAG_LIST, NULL, "send the measurements there, as TYPE[=ARGUMENT]", NULL},
    {"linger", 'l', FLAG_BOOL, NULL, "stay after the test until Ctrl+C", NULL},
    {"no-usage-report", 0, FLAG_BOOL, NULL, "accepted; nothing is ever reported", NULL},
    {"features", 0, FLAG_LIST, NULL,
     "turn features on: freeze-env, merge-run-tags, native-histograms (env K6_FEATURES)", NULL},
    {NULL},
};

static const char *get_variable(void *arg, const char *name) {
    (void)arg;
    return getenv(name);
}

/* $XDG_CONFIG_HOME/k6/config.json and its like. */
static const char *default_path(struct arena *a) {
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    const char *folder = compat_is_v051() ? "loadimpact/k6" : "k6";
    if (base != NULL && *base)
        return arena_printf(a, "%s/%s/config.json", base, folder);
#ifdef __APPLE__
    return arena_printf(a, "%s/Library/Application Support/%s/config.json", home ? home : "",
                        folder);
#else
    return arena_printf(a, "%s/.config/%s/config.json", home ? home : "", folder);
#endif
}

static const char *quoted(struct arena *a, const char *path) {
    return arena_printf(a, "\"%s\"", path);
}

static int file_failure(struct failure *f, const char *what, const char *path, const char *why) {
    return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL,
                       "failed to load the configuration file from the local file system: %s%s: %s",
                       what, path, why);
}

static int read_file(struct arena *a, const char *path, struct slice *out, struct failure *f) {
    struct stat st;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &st) != 0 || st.st_size > CONFIG_MAX_BYTES) {
        if (file != NULL)
            fclose(file);
        return file_failure(f, "couldn't load the configuration from ", quoted(a, path),
                            strerror(errno));
    }
    char *text = arena_alloc(a, (size_t)st.st_size + 1);
    out->len = fread(text, 1, (size_t)st.st_size, file);
    out->ptr = text;
    fclose(file);
    return 0;
}

static bool json_flag(const json_t *root, const char *name, bool fallback) {
    const json_t *v = json_object_get(root, name);
    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

static void read_extras(struct config *c, struct arena *a, struct slice text) {
    json_t *root = json_loadb(text.ptr, text.len, 0, NULL), *item;
    size_t i;
    json_array_foreach(json_object_get(root, "out"), i, item) {
        if (json_is_string(item))
            option_list_append(a, &c->out, slice_cstr(json_string_value(item)));
    }
    collectors_read(&c->collectors, a, json_object_get(root, "collectors"));
    c->linger = json_flag(root, "linger", c->linger);
    c->web_dashboard = json_flag(root, "webDashboard", c->web_dashboard);
    json_decref(root);
}

/* The path that was given; NULL = the default one. */
static const char *given_path(const struct flags *flags) {
    const char *given = flags_text(flags, "config");
    return given != NULL ? given : getenv("K6_CONFIG");
}

void config_file_features(struct arena *a, const struct flags *flags, struct opt_list *out) {
    const char *given = given_path(flags);
    json_t *root = json_load_file(given != NULL ? given : default_path(a), 0, NULL), *item;
    size_t i;
    json_array_foreach(json_object_get(root, "features"), i, item) {
        if (json_is_string(item))
            option_list_append(a, out, slice_cstr(json_string_value(item)));
    }
    json_decref(root);
}

static int read_disk(struct config *c, struct arena *a, const struct flags *flags,
                     struct failure *f) {
    const char *path = given_path(flags);
    bool is_default = path == NULL;
    struct slice text = {0};
    struct error err = {0};
    struct stat st;
    options_init(&c->file);
    if (is_default)
        path = default_path(a);
    if (stat(path, &st) != 0) {
        if (is_default && errno == ENOENT)
            return 0;
        return file_failure(f, "stat ", path,
                            errno == ENOENT ? "no such file or directory" : strerror(errno));
    }
    int rc = read_file(a, path, &text, f);
    if (rc != 0)
        return rc;
    if (options_from_json(a, text, false, &c->file, NULL, &err) != 0)
        return file_failure(f, "couldn't parse the configuration from ", quoted(a, path), err.text);
    read_extras(c, a, text);
    return 0;
}

static bool bool_variable(const char *name, bool fallback) {
    const char *value = getenv(name);
    bool result = fallback;
    if (value != NULL && *value)
        go_parse_bool(slice_cstr(value), &result, NULL);
    return result;
}

static void read_environment_extras(struct config *c, struct arena *a) {
    const char *out = getenv("K6_OUT");
    if (out != NULL && *out)
        option_list_parse(a, slice_cstr(out), &c->out);
    c->linger = bool_variable("K6_LINGER", c->linger);
    c->web_dashboard = bool_variable("K6_WEB_DASHBOARD", c->web_dashboard);
}

static void read_flag_extras(struct config *c, struct arena *a, const struct flags *flags) {
    struct opt_list out = {0};
    for (size_t i = 0; i < flags->uses.len; i++) {
        const struct flag_use *u = &flags->uses.ptr[i];
        if (strcmp(u->def->name, "out") == 0)
            option_list_append(a, &out, slice_cstr(u->value));
    }
    if (out.len > 0)
        c->out = out;
    c->linger = flags_bool(flags, "linger", c->linger);
}

int config_init(struct config *c, struct arena *a, const struct flags *flags, bool with_run_flags,
                struct failure *f) {
    struct error err = {0};
    *c = (struct config){0};
    if (options_from_flags(a, flags, &c->cli, &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    int rc = read_disk(c, a, flags, f);
    if (rc != 0)
        return rc;
    if (options_from_env(a, get_variable, NULL, &c->env, &err) != 0)
        return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL, "%s", err.text);
    read_environment_extras(c, a);
    if (with_run_flags)
        read_flag_extras(c, a, flags);
    return 0;
}
