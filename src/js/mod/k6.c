#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "js/go_args.h"
#include "js/go_rand.h"
#include "js/js_util.h"
#include "js/mod.h"
#include "js/vu_tags.h"
#include "metrics/aggregate.h"
#include "metrics/tags.h"

static const char no_separator[] = "group and check names may not contain '::'";

/* ---- check ---- */

/* Object(v): a string has its characters as properties, null and undefined throw. */
static JSValue to_object(JSContext *ctx, JSValueConst v) {
    if (JS_IsObject(v))
        return JS_DupValue(ctx, v);
    if (JS_IsNull(v) || JS_IsUndefined(v))
        return JS_ThrowTypeError(ctx, "Cannot convert undefined or null to object");
    JSValue global = JS_GetGlobalObject(ctx),
            object_class = JS_GetPropertyStr(ctx, global, "Object");
    JSValue o = JS_Call(ctx, object_class, JS_UNDEFINED, 1, &v);
    JS_FreeValue(ctx, object_class);
    JS_FreeValue(ctx, global);
    return o;
}

struct check_call {
    struct vu *vu;
    JSValueConst value;
    const struct tagset *tags;
    int64_t now;
    bool passed_all;
};

static void record_check(struct check_call *c, struct slice name, bool passed) {
    struct vu *vu = c->vu;
    if (!vu->shard || vu->is_interrupted)
        return;
    const struct tagset *tags = c->tags;
    if (vu->config->system_tags & TAG_CHECK)
        tags = tagset_with(shard_tags(vu->shard), tags, SLICE("check"), name);
    vu_sample(vu, metric_by_id(M_CHECKS), tags, passed, c->now);
    shard_note_check(vu->shard, vu_group(vu), name, passed);
}

/* One entry of the sets: 0, or KE_JS with the exception pending (the check then failed). */
static int run_check(struct check_call *c, struct slice name, JSValueConst test) {
    JSContext *ctx = c->vu->ctx;
    if (memmem(name.ptr, name.len, "::", 2)) {
        js_throw_go_error(ctx, no_separator);
        return KE_JS;
    }
    if (JS_IsAsyncFunction(test)) {
        js_throw_go_error(
            ctx,
            "the built-in check() does not support async functions as arguments. Use the JavaScript "
            "utils library as a replacement. Refer to "
            "https://grafana.com/docs/k6/latest/javascript-api/jslib/utils/check/ for more info");
        return KE_JS;
    }
    int passed;
    if (JS_IsFunction(ctx, test)) {
        JSValue v = JS_Call(ctx, test, JS_UNDEFINED, 1, &c->value);
        passed = JS_IsException(v) ? -1 : JS_ToBool(ctx, v);
        JS_FreeValue(ctx, v);
    } else {
        passed = JS_ToBool(ctx, test);
    }
    c->passed_all &= passed > 0;
    record_check(c, name, passed > 0);
    return passed < 0 ? KE_JS : 0;
}

static int run_checks(struct check_call *c, JSValueConst sets) {
    JSContext *ctx = c->vu->ctx;
    JSPropertyEnum *names;
    uint32_t len;
    int rc = 0;
    if (JS_GetOwnPropertyNames(ctx, &names, &len, sets, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return KE_JS;
    for (uint32_t i = 0; i < len && rc == 0; i++) {
        JSValue test = JS_GetProperty(ctx, sets, names[i].atom);
        const char *name = JS_AtomToCString(ctx, names[i].atom);
        rc = JS_IsException(test) || !name ? KE_JS : run_check(c, slice_cstr(name), test);
        JS_FreeCString(ctx, name);
        JS_FreeValue(ctx, test);
    }
    js_free_names(ctx, names, len);
    return rc;
}

static JSValue js_check(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    if (!js_require_vu_context(vu, "Using check() in the init context is not supported"))
        return JS_EXCEPTION;
    if (argc < 2)
        return js_throw_go_error(ctx, "no checks provided to `check`");
    struct check_call c = {vu, argv[0], vu->tags, clock_now_ns(), true};
    if (argc > 2) {
        c.tags = js_tags_from_object(vu, c.tags, argv[2]);
        if (JS_HasException(ctx))
            return JS_EXCEPTION;
    }
    JSValue sets = to_object(ctx, argv[1]);
    if (JS_IsException(sets))
        return sets;
    int rc = run_checks(&c, sets);
    JS_FreeValue(ctx, sets);
    return rc ? JS_EXCEPTION : JS_NewBool(ctx, c.passed_all);
}

/* ---- group ---- */

static JSValue run_group(struct vu *vu, struct slice name, JSValueConst fn) {
    JSContext *ctx = vu->ctx;
    struct slice old = vu_group(vu);
    char *outer = slice_dup(old);
    char *path = xasprintf("%s::%.*s", outer, SLICE_FMT(name));
    if (vu->shard)
        shard_note_group(vu->shard, slice_cstr(path));
    vu_set_group(vu, slice_cstr(path));
    int64_t start = clock_now_ns();
    JSValue ret = JS_Call(ctx, fn, JS_UNDEFINED, 0, NULL);
    int64_t end = clock_now_ns();
    if (!vu->is_interrupted)
        vu_sample(vu, metric_by_id(M_GROUP_DURATION), vu->tags,
                  (double)(end - start) / (double)NS_PER_MS, end);
    vu_set_group(vu, slice_cstr(outer));
    free(path);
    free(outer);
    return ret;
}

static JSValue js_group(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text name;
    if (!js_require_vu_context(vu, "Using group() in the init context is not supported"))
        return JS_EXCEPTION;
    if (argc < 2 || !JS_IsFunction(ctx, argv[1]))
        return js_throw_go_error(ctx, "group() requires a callback as a second argument");
    if (JS_IsAsyncFunction(argv[1]))
        return js_throw_go_error(
            ctx, "group() does not support async functions as arguments, please see "
                 "https://grafana.com/docs/k6/latest/javascript-api/k6/group/ for more info");
    if (!go_string_arg(ctx, argc, argv, 0, &name))
        return JS_EXCEPTION;
    JSValue ret = memmem(name.s.ptr, name.s.len, "::", 2) ? js_throw_go_error(ctx, no_separator)
                                                          : run_group(vu, name.s, argv[1]);
    js_text_release(&name);
    return ret;
}

/* ---- fail, sleep, randomSeed ---- */

static JSValue js_fail(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct js_text text;
    if (argc < 1 || JS_IsUndefined(argv[0]) || JS_IsNull(argv[0]))
        return js_throw_go_error(ctx, "%s", "");
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    JS_Throw(ctx, js_new_go_error(ctx, text.s.ptr, text.s.len));
    js_text_release(&text);
    return JS_EXCEPTION;
}

static JSValue js_sleep(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    double seconds = 0;
    if (argc > 0 && JS_ToFloat64(ctx, &seconds, argv[0]))
        return JS_EXCEPTION;
    /* Go's conversion makes what does not fit negative: no sleep. */
    if (!(seconds > 0) || seconds >= 9.2e9)
        return JS_UNDEFINED;
    if (fiber_sleep_until(clock_now_ns() + (int64_t)(seconds * (double)NS_PER_S)) == KE_CANCELED)
        return js_throw_interrupted(ctx);
    return JS_UNDEFINED;
}

static JSValue js_seeded_random(JSContext *ctx, JSValueConst this_val, int argc,
                                JSValueConst *argv) {
    (void)this_val;
    (void)argc;
    (void)argv;
    return JS_NewFloat64(ctx, go_rand_double(vu_from_ctx(ctx)->module_state[JS_SLOT_K6]));
}

static JSValue js_random_seed(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct vu *vu = vu_from_ctx(ctx);
    int64_t seed = 0;
    if (argc > 0 && JS_ToInt64(ctx, &seed, argv[0]))
        return JS_EXCEPTION;
    if (!vu->module_state[JS_SLOT_K6]) {
        vu->module_state[JS_SLOT_K6] = xmalloc(sizeof(struct go_rand));
        JSValue global = JS_GetGlobalObject(ctx), math = JS_GetPropertyStr(ctx, global, "Math");
        JS_SetPropertyStr(ctx, math, "random", JS_NewCFunction(ctx, js_seeded_random, "random", 0));
        JS_FreeValue(ctx, math);
        JS_FreeValue(ctx, global);
    }
    go_rand_seed(vu->module_state[JS_SLOT_K6], seed);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("check", 2, js_check), JS_CFUNC_DEF("fail", 1, js_fail),
    JS_CFUNC_DEF("group", 2, js_group), JS_CFUNC_DEF("randomSeed", 1, js_random_seed),
    JS_CFUNC_DEF("sleep", 1, js_sleep),
};

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExportList(ctx, m, functions, countof(functions));
}

static int init(JSContext *ctx, JSModuleDef *m) {
    return JS_SetModuleExportList(ctx, m, functions, countof(functions));
}

static void module_free(struct vu *vu) {
    free(vu->module_state[JS_SLOT_K6]);
    vu->module_state[JS_SLOT_K6] = NULL;
}

const struct js_module js_mod_k6 = {
    .specifier = "k6", .declare = declare, .init = init, .free = module_free};
