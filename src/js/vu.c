#include "js/vu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/random.h"
#include "http/cookie.h"
#include "js/collate.h"
#include "js/event_loop.h"
#include "js/globals.h"
#include "js/go_json.h"
#include "js/js_alloc.h"
#include "js/js_util.h"
#include "js/json_error.h"
#include "js/loader.h"
#include "js/mod.h"
#include "js/stack_guard.h"
#include "js/syntax_words.h"
#include "js/vu_tags.h"
#include "metrics/tags.h"

/* Garbage in cycles that a VU may have before it is collected. */
#define GC_HEADROOM_BYTES (64 * 1024)

static _Thread_local char *last_error;

const char *vu_last_error_text(void) {
    return last_error ? last_error : "";
}

int vu_fail(struct error *err, int code, char *text) {
    free(last_error);
    last_error = text;
    return error_set(err, code, "%s", text);
}

/* Called by QuickJS every few thousand operations. */
static int on_poll(JSRuntime *rt, void *opaque) {
    struct vu *vu = opaque;
    (void)rt;
    if (vu->is_interrupted)
        return 1;
    if (worker_slice_is_over())
        fiber_yield();
    return vu->is_interrupted;
}

/* Why a text is no JSON, as scripts see it in the SyntaxErrors of JSON.parse. */
static JS_BOOL json_words(const char *text, size_t len, char *out, size_t out_size) {
    struct json_syntax_error why;
    if (json_valid(slice_from(text, len), &why))
        return 0;
    bool is_cut = strcmp(why.text, "unexpected end of JSON input") == 0;
    snprintf(out, out_size, "%s", is_cut ? "Unexpected end of JSON input (EOF)" : why.text);
    return 1;
}

/* k6 has its parser's words in the error that eval() throws. */
static JS_BOOL eval_words(JSContext *ctx, const char *text, size_t len, char *out,
                          size_t out_size) {
    char *words = syntax_words(slice_from(text, len), SYNTAX_PARSER, vu_from_ctx(ctx)->stack_limit);
    if (words)
        snprintf(out, out_size, "SyntaxError: <eval>: %s", words);
    free(words);
    return words != NULL;
}

static void create_context(struct vu *vu) {
    vu->alloc = js_alloc_ref();
    js_alloc_use_atoms(vu->alloc);
    vu->rt = JS_NewRuntime2(&js_alloc_functions, vu->alloc);
    CHECK(vu->rt != NULL);
    if (vu->config->gc_threshold_bytes)
        JS_SetGCThreshold(vu->rt, vu->config->gc_threshold_bytes);
    js_stack_guard_init(vu);
    JS_SetInterruptHandler(vu->rt, on_poll, vu);
    JS_SetJSONWords(vu->rt, json_words);
    JS_SetSyntaxWords(vu->rt, eval_words);
    JS_SetFunctionText(vu->rt, js_function_text);
    JSContext *ctx = vu->ctx = JS_NewContextRaw(vu->rt);
    CHECK(ctx != NULL);
    JS_SetContextOpaque(ctx, vu);
    JS_AddIntrinsicBaseObjects(ctx);
    JS_AddIntrinsicEval(ctx);
    JS_AddIntrinsicStringNormalize(ctx);
    JS_AddIntrinsicJSON(ctx);
    JS_AddIntrinsicProxy(ctx);
    JS_AddIntrinsicsLazily(ctx);
    JS_AddIntrinsicPromise(ctx);
    JS_SetRandomState(ctx, random_u64());
    js_collate_register(ctx);
}

/* ---- exports ---- */

static int options_json(struct vu *vu, JSValueConst options, struct error *err) {
    struct script_exports *x = &vu->script->exports;
    struct buf b;
    struct error why;
    buf_init(&b, BUF_NO_CAP);
    int rc = js_go_json(&b, vu->ctx, options, &why);
    if (rc == 0)
        x->options_json = buf_detach(&b, NULL);
    else if (rc == KE_JS)
        rc = vu_fail(err, KE_JS, js_take_exception_text(vu->ctx));
    else
        rc = vu_fail(err, KE_FAILED, xasprintf("error parsing script options: %s", why.text));
    buf_release(&b);
    return rc;
}

static int note_exports(struct vu *vu, struct error *err) {
    JSContext *ctx = vu->ctx;
    struct script_exports *x = &vu->script->exports;
    JSPropertyEnum *names;
    uint32_t len;
    int rc = 0;
    if (!JS_IsObject(vu->main_namespace))
        return 0;
    if (JS_GetOwnPropertyNames(ctx, &names, &len, vu->main_namespace,
                               JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return vu_fail(err, KE_JS, js_take_exception_text(ctx));
    x->items = xcalloc(len + 1, sizeof *x->items);
    for (uint32_t i = 0; i < len && rc == 0; i++) {
        const char *name = JS_AtomToCString(ctx, names[i].atom);
        JSValue v = JS_GetProperty(ctx, vu->main_namespace, names[i].atom);
        if (JS_IsException(v)) {
            rc = vu_fail(err, KE_JS, js_take_exception_text(ctx));
        } else {
            x->items[x->len].name = xstrdup(name);
            x->items[x->len++].is_function = JS_IsFunction(ctx, v);
            if (strcmp(name, "options") == 0 && !JS_IsUndefined(v))
                rc = options_json(vu, v, err);
        }
        JS_FreeValue(ctx, v);
        JS_FreeCString(ctx, name);
    }
    js_free_names(ctx, names, len);
    return rc;
}

/* Consolidated options are written over those that the script exports. */
static void write_options_back(struct vu *vu) {
    JSContext *ctx = vu->ctx;
    const char *json = vu->config->derived_options_json;
    if (!json || !JS_IsObject(vu->main_namespace))
        return;
    JSValue options = JS_GetPropertyStr(ctx, vu->main_namespace, "options");
    JSValue derived = JS_ParseJSON2(ctx, json, strlen(json), "options", 0);
    JSPropertyEnum *names;
    uint32_t len;
    if (JS_IsObject(options) && JS_IsObject(derived) &&
        JS_GetOwnPropertyNames(ctx, &names, &len, derived, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) ==
            0) {
        for (uint32_t i = 0; i < len; i++)
            JS_SetProperty(ctx, options, names[i].atom,
                           JS_GetProperty(ctx, derived, names[i].atom));
        js_free_names(ctx, names, len);
    }
    if (JS_HasException(ctx))
        JS_FreeValue(ctx, JS_GetException(ctx));
    JS_FreeValue(ctx, derived);
    JS_FreeValue(ctx, options);
}

/* ---- life ---- */

static int run_init(struct vu *vu, struct error *err) {
    JSContext *ctx = vu->ctx;
    JSValue promise;
    char *text;
    int rc = js_loader_run_main(vu, &promise, &text);
    if (rc == KE_INVALID)
        return vu_fail(err, KE_INVALID, text);
    if (rc == KE_CONFIG)
        return vu_fail(err, KE_FAILED, text);
    if (rc == KE_FAILED)
        return vu_fail(err, KE_JS, text);
    if (rc == 0)
        rc = js_loop_run(vu, promise);
    else
        js_loop_abandon(vu);
    JS_FreeValue(ctx, promise);
    if (rc == KE_CANCELED || vu->is_interrupted) {
        if (JS_HasException(ctx))
            JS_FreeValue(ctx, JS_GetException(ctx));
        return vu_fail(err, KE_CANCELED, xstrdup("context canceled"));
    }
    if (rc)
        return vu_take_failure(vu, err);
    vu->main_namespace = js_loader_main_exports(vu);
    if (!vu->script->is_frozen) {
        if (vu->script->is_web)
            js_loader_preload(vu);
        return note_exports(vu, err);
    }
    write_options_back(vu);
    return 0;
}

int vu_take_failure(struct vu *vu, struct error *err) {
    if (!vu->loop.is_rejection)
        return vu_fail(err, KE_JS, js_take_exception_text(vu->ctx));
    JSValue reason = JS_GetException(vu->ctx);
    char *text = js_rejection_text(vu->ctx, reason);
    JS_FreeValue(vu->ctx, reason);
    return vu_fail(err, KE_FAILED, text);
}

struct vu *vu_new(const struct vu_params *params, struct error *err) {
    struct vu *vu = xcalloc(1, sizeof *vu);
    list_init(&vu->file_views);
    vu->config = params->config;
    vu->script = params->config->script;
    vu->fiber = fiber_self();
    CHECK(vu->fiber != NULL);
    vu->worker = fiber_worker(vu->fiber);
    vu->shard = params->shard;
    vu->id = params->id;
    vu->id_global = params->id_global;
    vu->iteration = -1;
    vu->is_init = true;
    vu->env = vu->setup_data = vu->function = vu->main_namespace = JS_UNDEFINED;
    map_init(&vu->scenario_iterations);
    map_init(&vu->metadata);
    vu->has_vu_tag = params->config->system_tags & TAG_VU;
    vu->has_iter_tag = params->config->system_tags & TAG_ITER;

    create_context(vu);
    vu->atom_iter = JS_NewAtom(vu->ctx, "__ITER");
    js_loop_init(vu);
    js_loader_init(vu);
    js_globals_register(vu);
    vu_tags_reset(vu, NULL);
    if (run_init(vu, err)) {
        vu_free(vu);
        return NULL;
    }
    vu->is_init = false;
    if (params->local_ip.ss_family != AF_UNSPEC) {
        vu->http = http_client_new(&vu->config->http, &vu->traffic);
        http_client_set_local_ip(vu->http, &params->local_ip);
    }
    JS_SetRandomState(vu->ctx, random_u64());
    if (vu->script->is_frozen)
        js_alloc_keep_atoms(vu->alloc, vu->rt);
    if (!vu->config->gc_threshold_bytes)
        JS_SetGCThreshold(vu->rt, JS_GetMallocSize(vu->rt) + GC_HEADROOM_BYTES);
    return vu;
}

void vu_free(struct vu *vu) {
    if (!vu)
        return;
    JSContext *ctx = vu->ctx;
    fiber_mask_cancel(vu->fiber);
    js_loop_release(vu);
    js_modules_free(vu);
    js_loader_release(vu);
    JS_FreeValue(ctx, vu->env);
    JS_FreeValue(ctx, vu->setup_data);
    JS_FreeValue(ctx, vu->function);
    JS_FreeValue(ctx, vu->main_namespace);
    JS_FreeAtom(ctx, vu->atom_iter);
    JS_FreeContext(ctx);
    JS_FreeRuntime(vu->rt);
    js_alloc_unref(vu->alloc);
    if (vu->http)
        http_client_free(vu->http);
    if (vu->jar)
        cookie_jar_free(vu->jar);
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&vu->scenario_iterations, &i));)
        free(e->value);
    for (size_t i = 0; (e = map_next(&vu->metadata, &i));)
        free(e->value);
    map_release(&vu->scenario_iterations);
    map_release(&vu->metadata);
    free(vu->group_path);
    fiber_unmask_cancel(vu->fiber);
    free(vu);
}

void vu_interrupt(struct vu *vu) {
    vu->is_interrupted = true;
    fiber_cancel(vu->fiber);
}

void vu_clear_interrupt(struct vu *vu) {
    vu->is_interrupted = false;
    vu->is_timed_out = false;
    fiber_clear_cancel(vu->fiber);
}
