#include "cli/runtime_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "base/log.h"
#include "js/remote.h"
#include "base/go_parse.h"

extern char **environ;

const struct flag_def runtime_flag_defs[] = {
    {"include-system-env-vars", 0, FLAG_BOOL, NULL, "scripts see the environment in __ENV", NULL},
    {"compatibility-mode", 0, FLAG_TEXT, NULL, "base, or extended: `global` is globalThis", NULL},
    {"type", 't', FLAG_TEXT, NULL, "js or archive, whatever the file looks like", NULL},
    {"env", 'e', FLAG_LIST, NULL, "set a variable of __ENV, as NAME=VALUE", NULL},
    {"no-thresholds", 0, FLAG_BOOL, NULL, "ignore the thresholds", NULL},
    {"no-summary", 0, FLAG_BOOL, NULL, "no end-of-test summary", NULL},
    {"summary-mode", 0, FLAG_TEXT, NULL,
     "end-of-test summary: legacy, compact, full or disabled (env K6_SUMMARY_MODE)", NULL},
    {"summary-export", 0, FLAG_TEXT, NULL, "write the summary to this file, as JSON", NULL},
    {"new-machine-readable-summary", 0, FLAG_BOOL, NULL,
     "the newer JSON form for handleSummary() and --summary-export", NULL},
    {"offline", 0, FLAG_BOOL, NULL,
     "load no modules from the network, only copies of earlier runs (env KILN_OFFLINE)", NULL},
    {"traces-output", 0, FLAG_TEXT, NULL, "accepted, without effect", NULL},
    {NULL},
};

/* Flag, else variable, else fallback. */
static int read_bool(const struct flags *flags, const char *flag, const char *variable,
                     bool fallback, bool *out, struct error *err) {
    const char *value = getenv(variable);
    struct error why = {0};
    *out = fallback;
    if (value != NULL && go_parse_bool(slice_cstr(value), out, &why) != 0)
        return error_set(err, KE_INVALID, "env var '%s' is not a valid boolean value: %s", variable,
                         why.text);
    *out = flags_bool(flags, flag, *out);
    return 0;
}

static const char *read_text(const struct flags *flags, const char *flag, const char *variable) {
    const char *value = flags_text(flags, flag);
    return value != NULL ? value : getenv(variable);
}

static int read_compatibility(struct runtime_options *o, const struct flags *flags,
                              struct error *err) {
    const char *mode = read_text(flags, "compatibility-mode", "K6_COMPATIBILITY_MODE");
    o->is_web = mode != NULL && strcmp(mode, "web") == 0; /* not k6's */
    o->is_extended = mode == NULL || o->is_web || strcmp(mode, "extended") == 0;
    if (o->is_extended || strcmp(mode, "base") == 0)
        return 0;
    if (strcmp(mode, "experimental_enhanced") != 0)
        return error_set(err, KE_INVALID,
                         "invalid compatibility mode \"%s\". Use: \"extended\", \"base\"%s", mode,
                         compat_is_v051() ? "" : ", \"experimental_enhanced\"");
    log_printf(LOG_WARN,
               "CompatibilityMode \"%s\" is deprecated. Types are stripped by default for `.ts` "
               "files. Please move to using \"base\" instead as \"%s\" will be removed in the "
               "future",
               mode, mode);
    return 0;
}

static void set_env(struct map *env, struct slice name, const char *value) {
    free(map_set(env, name, strdup(value)));
}

static bool is_variable_name(struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c != '_' && !(i == 0 ? isalpha(c) : isalnum(c)))
            return false;
    }
    return s.len > 0;
}

static int read_env(struct runtime_options *o, const struct flags *flags, bool include_system,
                    struct error *err) {
    for (char **e = environ; include_system && *e; e++) {
        struct slice value = slice_cstr(*e), name = slice_cut(&value, '=');
        if (value.ptr != NULL && name.len > 0)
            set_env(&o->env, name, value.ptr);
    }
    for (size_t i = 0; i < flags->uses.len; i++) {
        const struct flag_use *u = &flags->uses.ptr[i];
        if (strcmp(u->def->name, "env") != 0 || *u->value == '\0')
            continue;
        struct slice value = slice_cstr(u->value), name = slice_cut(&value, '=');
        if (!is_variable_name(name))
            return error_set(err, KE_INVALID, "invalid environment variable name '%.*s'",
                             SLICE_FMT(name));
        set_env(&o->env, name, value.ptr != NULL ? value.ptr : "");
    }
    return 0;
}

static int read_summary(struct runtime_options *o, const struct flags *flags, struct error *err) {
    const char *mode = read_text(flags, "summary-mode", "K6_SUMMARY_MODE");
    const char *path = read_text(flags, "summary-export", "K6_SUMMARY_EXPORT");
    bool is_off;
    o->summary_export = path != NULL ? path : "";
    o->summary_mode = SUMMARY_LEGACY;
    if (mode != NULL && *mode && summary_mode_parse(slice_cstr(mode), &o->summary_mode) != 0)
        return error_set(err, KE_INVALID, "invalid summary mode");
    int rc = read_bool(flags, "no-summary", "K6_NO_SUMMARY", false, &is_off, err);
    if (rc == 0 && is_off)
        o->summary_mode = SUMMARY_DISABLED;
    return rc;
}

int runtime_options_init(struct runtime_options *o, const struct flags *flags,
                         bool include_system_env, struct error *err) {
    bool include_system, is_offline;
    const char *type = read_text(flags, "type", "K6_TYPE");
    *o = (struct runtime_options){.test_type = type != NULL ? type : ""};
    map_init(&o->env);
    int rc = read_compatibility(o, flags, err);
    if (rc == 0)
        rc = read_bool(flags, "include-system-env-vars", "K6_INCLUDE_SYSTEM_ENV_VARS",
                       include_system_env, &include_system, err);
    if (rc == 0)
        rc = read_bool(flags, "no-thresholds", "K6_NO_THRESHOLDS", false, &o->no_thresholds, err);
    if (rc == 0)
        rc = read_summary(o, flags, err);
    if (rc == 0)
        rc = read_bool(flags, "new-machine-readable-summary", "K6_NEW_MACHINE_READABLE_SUMMARY",
                       false, &o->machine_readable, err);
    if (rc == 0)
        rc = read_bool(flags, "offline", "KILN_OFFLINE", false, &is_offline, err);
    if (rc == 0)
        remote_set_offline(is_offline);
    return rc != 0 ? rc : read_env(o, flags, include_system, err);
}

void runtime_options_release(struct runtime_options *o) {
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&o->env, &i));)
        free(e->value);
    map_release(&o->env);
}
