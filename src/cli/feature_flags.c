#include "cli/feature_flags.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/go_parse.h"
#include "base/log.h"
#include "cli/config.h"

#define LEGACY_HISTOGRAMS "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM"

const struct feature_def feature_defs[N_FEATURES] = {
    {"freeze-env", "Experimental", "Scripts cannot change __ENV"},
    {"merge-run-tags", "Experimental", "Add up the tags of all configuration tiers"},
    {"native-histograms", "Experimental", "Send trends as native histograms"},
};

static void add_names(struct arena *a, const char *text, struct opt_list *names) {
    struct slice rest = slice_cstr(text);
    while (rest.ptr != NULL && rest.len > 0) {
        struct slice name = slice_trim(slice_cut(&rest, ','));
        bool is_there = name.len == 0;
        for (size_t i = 0; i < names->len; i++)
            is_there |= slice_eq(slice_cstr(names->items[i]), name);
        if (!is_there)
            option_list_append(a, names, name);
    }
}

static bool from_flags(struct arena *a, const struct flags *flags, struct opt_list *names) {
    bool is_given = false;
    for (size_t i = 0; i < flags->uses.len; i++) {
        const struct flag_use *u = &flags->uses.ptr[i];
        if (strcmp(u->def->name, "features") != 0)
            continue;
        add_names(a, u->value, names);
        is_given = true;
    }
    return is_given;
}

static const char *variable(const struct map *env, const char *name) {
    const char *value = map_get(env, slice_cstr(name));
    return value != NULL ? value : getenv(name);
}

static bool has_legacy(const struct map *env) {
    const char *legacy = variable(env, LEGACY_HISTOGRAMS);
    bool is_on = false;
    struct error ignored;
    return legacy != NULL && go_parse_bool(slice_cstr(legacy), &is_on, &ignored) == 0 && is_on;
}

static bool from_env(struct arena *a, const struct map *env, struct opt_list *names) {
    const char *text = variable(env, "K6_FEATURES");
    bool is_legacy = has_legacy(env);
    if (text != NULL)
        add_names(a, text, names);
    if (is_legacy)
        add_names(a, feature_defs[FEATURE_NATIVE_HISTOGRAMS].name, names);
    return text != NULL || is_legacy;
}

static void turn_on(struct feature_flags *f, const char *name, const char *source) {
    for (int i = 0; i < N_FEATURES; i++) {
        if (strcmp(feature_defs[i].name, name) != 0)
            continue;
        f->is_on[i] = true;
        log_fields(LOG_INFO, SLICE("Experimental feature enabled"), LOG_STR("feature", name),
                   LOG_STR("lifecycle", "experimental"));
        return;
    }
    log_fields(LOG_ERROR, SLICE("Unknown feature flag"), LOG_STR("feature", name),
               LOG_STR("outcome", "unknown"), LOG_STR("source", source));
}

/* What scripts see, and what the output reads. */
static void propagate(const struct feature_flags *f, struct map *env) {
    char names[128] = "";
    for (int i = 0; i < N_FEATURES; i++) {
        size_t len = strlen(names);
        if (f->is_on[i])
            snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? "," : "",
                     feature_defs[i].name);
    }
    struct slice key = SLICE("K6_FEATURES");
    free(*names ? map_set(env, key, xstrdup(names)) : map_delete(env, key));
    if (f->is_on[FEATURE_NATIVE_HISTOGRAMS])
        setenv(LEGACY_HISTOGRAMS, "true", 1);
}

void feature_flags_resolve(struct feature_flags *out, struct arena *a, const struct flags *flags,
                           struct map *env) {
    struct opt_list names = {0};
    const char *source = "cli";
    *out = (struct feature_flags){0};
    if (!from_flags(a, flags, &names)) {
        source = "env";
        if (!from_env(a, env, &names)) {
            source = "json";
            config_file_features(a, flags, &names);
        } else if (has_legacy(env)) {
            log_fields(
                LOG_WARN, SLICE("Legacy env var detected, use --features or K6_FEATURES instead"),
                LOG_STR("env", LEGACY_HISTOGRAMS), LOG_STR("feature", "native-histograms"),
                LOG_STR("lifecycle", "deprecated_alias"), LOG_STR("source", "env_legacy_alias"));
        }
    }
    for (size_t i = 0; i < names.len; i++)
        turn_on(out, names.items[i], source);
    propagate(out, env);
}

void feature_flags_tag(const struct feature_flags *f, struct arena *a, struct opt_map *tags) {
    struct opt_map result = {0};
    for (size_t i = 0; i < tags->len; i++)
        if (strncmp(tags->items[i].key, "k6_feature_", 11) != 0)
            option_map_set(a, &result, slice_cstr(tags->items[i].key),
                           slice_cstr(tags->items[i].value));
    for (int i = 0; i < N_FEATURES; i++) {
        char *name = arena_printf(a, "k6_feature_%s", feature_defs[i].name);
        for (char *p = name; f->is_on[i] && *p; p++)
            *p = *p == '-' ? '_' : *p;
        if (f->is_on[i])
            option_map_set(a, &result, slice_cstr(name), SLICE("true"));
    }
    *tags = result;
}
