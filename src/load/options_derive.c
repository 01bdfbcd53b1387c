#include <stdio.h>

#include "base/compat.h"
#include "load/scenario.h"

static int conflict(const char *a, const char *b, struct error *err) {
    if (!compat_is_v051())
        return error_set(err, KE_CONFIG,
                         "using `%s` and `%s` options simultaneously is not allowed", a, b);
    if (strcmp(b, "scenarios") == 0)
        return error_set(err, KE_CONFIG,
                         "using an execution configuration shortcut (`%s`) and `scenarios` "
                         "simultaneously is not allowed",
                         a);
    return error_set(err, KE_CONFIG,
                     "using multiple execution config shortcuts (`%s` and `%s`) simultaneously is "
                     "not allowed",
                     a, b);
}

static struct scenario *replace_scenarios(struct arena *a, struct options *o,
                                          enum executor_type type) {
    struct scenario *s = arena_alloc(a, sizeof *s);
    scenario_init(s, "default", type);
    o->scenarios = (struct opt_scenarios){s, 1, true};
    return s;
}

static int check_conflicts(const struct options *o, const char *shortcut, struct error *err) {
    if (strcmp(shortcut, "stages") != 0 && o->stages.len > 0)
        return conflict(shortcut, "stages", err);
    if (o->scenarios.is_set)
        return conflict(shortcut, "scenarios", err);
    return 0;
}

static int derive_iterations(struct arena *a, struct options *o, struct error *err) {
    int rc = check_conflicts(o, "iterations", err);
    if (rc != 0)
        return rc;
    struct scenario *s = replace_scenarios(a, o, EXECUTOR_SHARED_ITERATIONS);
    s->vus = o->vus;
    s->iterations = o->iterations;
    if (o->duration.is_set)
        s->max_duration = o->duration;
    return 0;
}

static int derive_duration(struct arena *a, struct options *o, struct error *err) {
    int rc = check_conflicts(o, "duration", err);
    if (rc != 0)
        return rc;
    if (o->duration.ns <= 0)
        return error_set(err, KE_CONFIG,
                         "`duration` option should be more than 0, for infinite duration use the "
                         "externally-controlled executor");
    struct scenario *s = replace_scenarios(a, o, EXECUTOR_CONSTANT_VUS);
    s->vus = o->vus;
    s->duration = o->duration;
    return 0;
}

static int derive_stages(struct arena *a, struct options *o, struct error *err) {
    int rc = check_conflicts(o, "stages", err);
    if (rc != 0)
        return rc;
    struct scenario *s = replace_scenarios(a, o, EXECUTOR_RAMPING_VUS);
    s->start_vus = o->vus;
    s->stages = o->stages;
    return 0;
}

/* `vus` alone: v2 runs one iteration a VU, v0.51 ignores it with a warning. */
static void derive_vus(struct arena *a, struct options *o, options_warn_fn *warn, void *arg) {
    char text[80];
    if (o->scenarios.is_set) {
        snprintf(text, sizeof text, "`vus=%lld` overrides scenarios configuration",
                 (long long)o->vus.value);
        warn(arg, text);
    }
    struct scenario *s = replace_scenarios(a, o, EXECUTOR_SHARED_ITERATIONS);
    s->vus = s->iterations = o->iterations = o->vus;
}

static void derive_default(struct arena *a, struct options *o, options_warn_fn *warn, void *arg) {
    char text[160];
    if (compat_is_v051() && o->vus.is_set && o->vus.value != 1) {
        snprintf(text, sizeof text,
                 "the `vus=%lld` option will be ignored, it only works in conjunction with "
                 "`iterations`, `duration`, or `stages`",
                 (long long)o->vus.value);
        warn(arg, text);
    }
    if (o->stages.is_set && o->stages.len == 0)
        warn(arg, "`stages` was explicitly set to an empty value, running the script with 1 "
                  "iteration in 1 VU");
    if (o->scenarios.is_set)
        warn(arg, "`scenarios` was explicitly set to an empty value, running the script with 1 "
                  "iteration in 1 VU");
    replace_scenarios(a, o, EXECUTOR_PER_VU_ITERATIONS);
}

int options_derive(struct arena *a, struct options *o, options_warn_fn *warn, void *arg,
                   struct error *err) {
    if (o->iterations.is_set)
        return derive_iterations(a, o, err);
    if (o->duration.is_set)
        return derive_duration(a, o, err);
    if (o->stages.len > 0)
        return derive_stages(a, o, err);
    if (o->vus.is_set && !o->stages.is_set && !compat_is_v051())
        derive_vus(a, o, warn, arg);
    else if (o->scenarios.len == 0)
        derive_default(a, o, warn, arg);
    return 0;
}
