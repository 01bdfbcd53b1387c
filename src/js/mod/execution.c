#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "js/js_util.h"
#include "js/mod.h"
#include "js/mod/execution_tags.h"
#include "js/vu_tags.h"

/* Info objects are made when they are first looked at and kept for the VU. */
struct execution_state {
    JSValue scenario, instance, test, vu, vu_metrics, tags, metadata, options;
};

static struct execution_state *state_of(struct vu *vu) {
    return vu->module_state[JS_SLOT_EXECUTION];
}

enum info {
    SCENARIO_NAME,
    SCENARIO_EXECUTOR,
    SCENARIO_START_TIME,
    SCENARIO_PROGRESS,
    SCENARIO_ITERATION_IN_INSTANCE,
    SCENARIO_ITERATION_IN_TEST,
    INSTANCE_RUN_DURATION,
    INSTANCE_COMPLETED,
    INSTANCE_INTERRUPTED,
    INSTANCE_ACTIVE,
    INSTANCE_INITIALIZED,
    VU_ID_IN_INSTANCE,
    VU_ID_IN_TEST,
    VU_ITERATION_IN_INSTANCE,
    VU_ITERATION_IN_SCENARIO,
    VU_TAGS,
    VU_METRICS,
    VU_METRICS_TAGS,
    VU_METRICS_METADATA,
    TEST_ABORT,
    TEST_FAIL,
    TEST_OPTIONS,
    EXEC_SCENARIO,
    EXEC_INSTANCE,
    EXEC_TEST,
    EXEC_VU,
};

static const char scenario_words[] =
    "getting scenario information outside of the VU context is not supported";

typedef JSValue getter_magic(JSContext *ctx, JSValueConst this_val, int magic);

static void add_getter(JSContext *ctx, JSValueConst o, const char *name, getter_magic *get,
                       int magic) {
    JSCFunctionType f = {.getter_magic = get};
    JSAtom atom = JS_NewAtom(ctx, name);
    JSValue getter = JS_NewCFunction2(ctx, f.generic, name, 0, JS_CFUNC_getter_magic, magic);
    JS_DefinePropertyGetSet(ctx, o, atom, getter, JS_UNDEFINED, JS_PROP_ENUMERABLE);
    JS_FreeAtom(ctx, atom);
}

struct getter {
    const char *name;
    int magic;
};

static void add_getters(JSContext *ctx, JSValueConst o, getter_magic *get,
                        const struct getter *getters, size_t n) {
    for (size_t i = 0; i < n; i++)
        add_getter(ctx, o, getters[i].name, get, getters[i].magic);
}

/* ---- scenario ---- */

static JSValue get_scenario(JSContext *ctx, JSValueConst this_val, int what) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    const struct scenario_info *s = vu->scenario;
    if (!s)
        return js_throw_go_error(ctx, scenario_words);
    switch (what) {
    case SCENARIO_NAME:
        return JS_NewString(ctx, s->name);
    case SCENARIO_EXECUTOR:
        return JS_NewString(ctx, s->executor);
    case SCENARIO_START_TIME:
        return JS_NewInt64(ctx, s->start_wall_ns / NS_PER_MS);
    case SCENARIO_PROGRESS:
        return JS_NewFloat64(ctx, s->progress ? s->progress(s) : 0);
    case SCENARIO_ITERATION_IN_INSTANCE:
        return JS_NewInt64(ctx, vu->current.in_instance);
    default:
        return JS_NewInt64(ctx, vu->current.in_test);
    }
}

static JSValue new_scenario(JSContext *ctx) {
    JSValue o = JS_NewObject(ctx);
    static const struct getter getters[] = {{"name", SCENARIO_NAME},
                                            {"executor", SCENARIO_EXECUTOR},
                                            {"startTime", SCENARIO_START_TIME},
                                            {"progress", SCENARIO_PROGRESS},
                                            {"iterationInInstance", SCENARIO_ITERATION_IN_INSTANCE},
                                            {"iterationInTest", SCENARIO_ITERATION_IN_TEST}};
    add_getters(ctx, o, get_scenario, getters, countof(getters));
    return o;
}

/* ---- instance ---- */

static JSValue get_instance(JSContext *ctx, JSValueConst this_val, int what) {
    (void)this_val;
    struct instance_info *i = vu_from_ctx(ctx)->config->instance;
    if (!i)
        return js_throw_go_error(
            ctx, "getting instance information in the init context is not supported");
    switch (what) {
    case INSTANCE_RUN_DURATION: {
        int64_t start = i->start_ns;
        return JS_NewFloat64(ctx, start ? (double)(clock_now_ns() - start) / (double)NS_PER_MS : 0);
    }
    case INSTANCE_COMPLETED:
        return JS_NewInt64(ctx, i->iterations_completed);
    case INSTANCE_INTERRUPTED:
        return JS_NewInt64(ctx, i->iterations_interrupted);
    case INSTANCE_ACTIVE:
        return JS_NewInt64(ctx, i->vus_active);
    default:
        return JS_NewInt64(ctx, i->vus_initialized);
    }
}

static JSValue new_instance(JSContext *ctx) {
    JSValue o = JS_NewObject(ctx);
    static const struct getter getters[] = {{"currentTestRunDuration", INSTANCE_RUN_DURATION},
                                            {"iterationsCompleted", INSTANCE_COMPLETED},
                                            {"iterationsInterrupted", INSTANCE_INTERRUPTED},
                                            {"vusActive", INSTANCE_ACTIVE},
                                            {"vusInitialized", INSTANCE_INITIALIZED}};
    add_getters(ctx, o, get_instance, getters, countof(getters));
    return o;
}

/* ---- test ---- */

/* "test aborted" or "test aborted: reason". Heap string, NULL with an exception pending. */
static char *reason_text(JSContext *ctx, const char *what, int argc, JSValueConst *argv) {
    struct js_text text;
    if (argc < 1 || JS_IsUndefined(argv[0]) || JS_IsNull(argv[0]))
        return xstrdup(what);
    if (!js_text_get(ctx, argv[0], &text))
        return NULL;
    char *reason = xasprintf("%s: %.*s", what, SLICE_FMT(text.s));
    js_text_release(&text);
    return reason;
}

static JSValue js_abort(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    struct instance_info *i = vu->config->instance;
    char *reason = reason_text(ctx, "test aborted", argc, argv);
    if (!reason)
        return JS_EXCEPTION;
    vu->is_aborting = true;
    if (i && i->abort_test)
        i->abort_test(i->arg, reason);
    free(reason);
    vu_interrupt(vu);
    return js_throw_interrupted(ctx);
}

static JSValue js_fail_test(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    struct instance_info *i = vu->config->instance;
    if (!js_require_vu_context(vu, "execution.test.fail() called outside of VU context"))
        return JS_EXCEPTION;
    char *reason = reason_text(ctx, "test marked as failed", argc, argv);
    if (!reason)
        return JS_EXCEPTION;
    log_write(LOG_ERROR, slice_cstr(reason), NULL, 0);
    if (i && i->fail_test)
        i->fail_test(i->arg, reason);
    free(reason);
    return JS_UNDEFINED;
}

/* The consolidated options: without the shortcuts that became scenarios, frozen. */
static JSValue new_options(JSContext *ctx) {
    static const char *const left_out[] = {"vus", "iterations", "duration", "stages"};
    static const char *const added[] = {"consoleOutput", "localIPs"};
    const char *json = vu_from_ctx(ctx)->config->options_json;
    JSValue o = json ? JS_ParseJSON2(ctx, json, strlen(json), "options", 0) : JS_NewObject(ctx);
    if (JS_IsException(o))
        return o;
    for (size_t i = 0; i < countof(left_out); i++) {
        JSAtom atom = JS_NewAtom(ctx, left_out[i]);
        JS_DeleteProperty(ctx, o, atom, 0);
        JS_FreeAtom(ctx, atom);
    }
    for (size_t i = 0; i < countof(added); i++) {
        JSAtom atom = JS_NewAtom(ctx, added[i]);
        if (!JS_HasProperty(ctx, o, atom))
            JS_SetProperty(ctx, o, atom, JS_NULL);
        JS_FreeAtom(ctx, atom);
    }
    if (js_freeze_deep(ctx, o)) {
        JS_FreeValue(ctx, o);
        return JS_EXCEPTION;
    }
    return o;
}

static JSValue get_test(JSContext *ctx, JSValueConst this_val, int what) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    struct execution_state *st = state_of(vu);
    if (what == TEST_ABORT)
        return JS_NewCFunction(ctx, js_abort, "abort", 1);
    if (what == TEST_FAIL)
        return JS_NewCFunction(ctx, js_fail_test, "fail", 1);
    if (!js_require_vu_context(vu, "getting test options in the init context is not supported"))
        return JS_EXCEPTION;
    if (JS_IsUndefined(st->options)) {
        JSValue o = new_options(ctx);
        if (JS_IsException(o))
            return o;
        st->options = o;
    }
    return JS_DupValue(ctx, st->options);
}

static JSValue new_test(JSContext *ctx) {
    JSValue o = JS_NewObject(ctx);
    static const struct getter getters[] = {
        {"abort", TEST_ABORT}, {"fail", TEST_FAIL}, {"options", TEST_OPTIONS}};
    add_getters(ctx, o, get_test, getters, countof(getters));
    return o;
}

/* ---- vu ---- */

static JSValue get_vu(JSContext *ctx, JSValueConst this_val, int what) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    struct execution_state *st = state_of(vu);
    switch (what) {
    case VU_ID_IN_INSTANCE:
        return JS_NewInt64(ctx, vu->id);
    case VU_ID_IN_TEST:
        return JS_NewInt64(ctx, vu->id_global);
    case VU_ITERATION_IN_INSTANCE:
        return JS_NewInt64(ctx, vu->iteration < 0 ? 0 : vu->iteration);
    case VU_ITERATION_IN_SCENARIO:
        return JS_NewInt64(ctx, vu->scenario ? vu->iteration_in_scenario : 0);
    case VU_METRICS:
        return JS_DupValue(ctx, st->vu_metrics);
    case VU_METRICS_METADATA:
        return JS_DupValue(ctx, st->metadata);
    default:
        return JS_DupValue(ctx, st->tags);
    }
}

static JSValue new_vu(JSContext *ctx) {
    struct execution_state *st = state_of(vu_from_ctx(ctx));
    JSValue o = JS_NewObject(ctx);
    static const struct getter getters[] = {{"idInInstance", VU_ID_IN_INSTANCE},
                                            {"idInTest", VU_ID_IN_TEST},
                                            {"iterationInInstance", VU_ITERATION_IN_INSTANCE},
                                            {"iterationInScenario", VU_ITERATION_IN_SCENARIO},
                                            {"tags", VU_TAGS},
                                            {"metrics", VU_METRICS}};
    add_getters(ctx, o, get_vu, getters, countof(getters));
    execution_tags_register(ctx);
    st->tags = execution_tags_new(ctx);
    st->metadata = execution_metadata_new(ctx);
    st->vu_metrics = JS_NewObject(ctx);
    add_getter(ctx, st->vu_metrics, "tags", get_vu, VU_METRICS_TAGS);
    add_getter(ctx, st->vu_metrics, "metadata", get_vu, VU_METRICS_METADATA);
    return o;
}

/* ---- the module ---- */

static JSValue get_exec(JSContext *ctx, JSValueConst this_val, int what) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    struct execution_state *st = state_of(vu);
    JSValue *slot;
    JSValue (*make)(JSContext *);
    const char *init_words = NULL;
    switch (what) {
    case EXEC_SCENARIO:
        slot = &st->scenario, make = new_scenario, init_words = scenario_words;
        break;
    case EXEC_INSTANCE:
        slot = &st->instance, make = new_instance;
        init_words = "getting instance information in the init context is not supported";
        break;
    case EXEC_VU:
        slot = &st->vu, make = new_vu;
        init_words = "getting VU information in the init context is not supported";
        break;
    default:
        slot = &st->test, make = new_test;
        break;
    }
    if (init_words && !js_require_vu_context(vu, init_words))
        return JS_EXCEPTION;
    if (JS_IsUndefined(*slot))
        *slot = make(ctx);
    return JS_DupValue(ctx, *slot);
}

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExport(ctx, m, "default");
}

/* A named import binds the object itself: what it holds is looked up, and refused, at use. Made
 * only for names that somebody imports. */
static void set_named(struct vu *vu, JSModuleDef *m, const char *name, JSValue *slot,
                      JSValue (*make)(JSContext *)) {
    if (!JS_HasModuleExport(vu->ctx, m, name))
        return;
    if (JS_IsUndefined(*slot))
        *slot = make(vu->ctx);
    JS_SetModuleExport(vu->ctx, m, name, JS_DupValue(vu->ctx, *slot));
}

static int init(JSContext *ctx, JSModuleDef *m) {
    struct vu *vu = vu_from_ctx(ctx);
    struct execution_state *st = vu->module_state[JS_SLOT_EXECUTION];
    if (!st) {
        st = vu->module_state[JS_SLOT_EXECUTION] = xmalloc(sizeof *st);
        st->scenario = st->instance = st->test = st->vu = JS_UNDEFINED;
        st->vu_metrics = st->tags = st->metadata = st->options = JS_UNDEFINED;
    }
    JSValue exec = JS_NewObject(ctx);
    static const struct getter getters[] = {{"instance", EXEC_INSTANCE},
                                            {"scenario", EXEC_SCENARIO},
                                            {"test", EXEC_TEST},
                                            {"vu", EXEC_VU}};
    add_getters(ctx, exec, get_exec, getters, countof(getters));
    set_named(vu, m, "scenario", &st->scenario, new_scenario);
    set_named(vu, m, "instance", &st->instance, new_instance);
    set_named(vu, m, "test", &st->test, new_test);
    set_named(vu, m, "vu", &st->vu, new_vu);
    return JS_SetModuleExport(ctx, m, "default", exec);
}

static void module_free(struct vu *vu) {
    struct execution_state *st = vu->module_state[JS_SLOT_EXECUTION];
    if (!st)
        return;
    JSValue *const all[] = {&st->scenario,   &st->instance, &st->test,     &st->vu,
                            &st->vu_metrics, &st->tags,     &st->metadata, &st->options};
    for (size_t i = 0; i < countof(all); i++)
        JS_FreeValue(vu->ctx, *all[i]);
    free(st);
    vu->module_state[JS_SLOT_EXECUTION] = NULL;
}

const struct js_module js_mod_execution = {
    .specifier = "k6/execution", .declare = declare, .init = init, .free = module_free};
