#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "http/cookie.h"
#include "js/browser.h"
#include "js/event_loop.h"
#include "js/globals.h"
#include "js/go_json.h"
#include "js/go_types.h"
#include "js/js_util.h"
#include "js/loader.h"
#include "js/mod.h"
#include "js/vu_tags.h"
#include "metrics/tags.h"

/* ---- scenarios ---- */

static int64_t *scenario_counter(struct vu *vu, const char *name) {
    int64_t *n = map_get(&vu->scenario_iterations, slice_cstr(name));
    if (!n) {
        n = xmalloc(sizeof *n);
        *n = -1;
        map_set(&vu->scenario_iterations, slice_cstr(name), n);
    }
    return n;
}

void vu_activate(struct vu *vu, struct scenario_info *scenario) {
    JSContext *ctx = vu->ctx;
    vu->scenario = scenario;
    vu->scenario_iteration = scenario_counter(vu, scenario->name);
    JSValue global = JS_GetGlobalObject(ctx);
    JS_SetPropertyStr(ctx, global, "__ENV", js_env_new(vu, scenario->env));
    JS_FreeValue(ctx, global);
    JS_FreeValue(ctx, vu->function);
    vu->function =
        JS_GetPropertyStr(ctx, vu->main_namespace, scenario->exec ? scenario->exec : "default");
    CHECK(JS_IsFunction(ctx, vu->function));
    vu_tags_reset(vu, scenario);
    vu->current.in_instance = vu->current.in_test = -1;
}

void vu_set_setup_data(struct vu *vu, struct slice json) {
    JS_FreeValue(vu->ctx, vu->setup_data);
    vu->setup_data = JS_UNDEFINED;
    if (json.len == 0)
        return;
    char *text = slice_dup(json); /* the parser wants a NUL at the end */
    vu->setup_data = JS_ParseJSON(vu->ctx, text, json.len, "setup data");
    free(text);
    if (JS_IsException(vu->setup_data)) {
        JS_FreeValue(vu->ctx, JS_GetException(vu->ctx));
        vu->setup_data = JS_UNDEFINED;
    }
}

/* ---- running a function ---- */

/* Calls fn and runs the loop until nothing is left. 0 with the settled result in *out (may be
 * NULL); KE_JS with the exception pending; KE_CANCELED. */
static int run_function(struct vu *vu, JSValueConst fn, int argc, JSValueConst *argv,
                        JSValue *out) {
    JSContext *ctx = vu->ctx;
    int rc = 0;
    vu->loop.is_rejection = false;
    JSValue ret = JS_Call(ctx, fn, JS_UNDEFINED, argc, argv);
    if (JS_IsException(ret)) {
        rc = vu->is_interrupted ? KE_CANCELED : KE_JS;
        if (rc == KE_CANCELED)
            JS_FreeValue(ctx, JS_GetException(ctx));
        js_loop_abandon(vu);
    } else if (js_loop_has_work(vu)) {
        rc = js_loop_run(vu, JS_UNDEFINED);
    }
    if (vu->is_interrupted && rc != KE_CANCELED) {
        if (rc == KE_JS)
            JS_FreeValue(ctx, JS_GetException(ctx));
        rc = KE_CANCELED;
    }
    if (out) {
        *out = JS_UNDEFINED;
        if (rc == 0 && JS_IsPromiseObject(ret))
            *out = JS_PromiseState(ctx, ret) == JS_PROMISE_PENDING ? JS_UNDEFINED
                                                                   : JS_PromiseResult(ctx, ret);
        else if (rc == 0)
            *out = JS_DupValue(ctx, ret);
    }
    JS_FreeValue(ctx, ret);
    return rc;
}

static void reset_cookies(struct vu *vu) {
    if (vu->jar && !vu->config->no_cookies_reset)
        cookie_jar_reset(vu->jar);
}

static void resolve_series(struct vu *vu) {
    struct shard *s = vu->shard;
    vu->series.tags = vu->tags;
    vu->series.shard = s;
    vu->series.iterations = shard_series(s, metric_by_id(M_ITERATIONS), vu->tags);
    vu->series.iteration_duration = shard_series(s, metric_by_id(M_ITERATION_DURATION), vu->tags);
    vu->series.data_sent = shard_series(s, metric_by_id(M_DATA_SENT), vu->tags);
    vu->series.data_received = shard_series(s, metric_by_id(M_DATA_RECEIVED), vu->tags);
}

static void record_traffic(struct vu *vu, int64_t now) {
    if (!vu->shard)
        return;
    if (vu->series.tags != vu->tags || vu->series.shard != vu->shard)
        resolve_series(vu);
    vu_sample_series(vu, vu->series.data_sent, (double)vu->traffic.sent_bytes, now);
    vu_sample_series(vu, vu->series.data_received, (double)vu->traffic.received_bytes, now);
    vu->traffic.sent_bytes = vu->traffic.received_bytes = 0;
}

void vu_deactivate(struct vu *vu) {
    if (vu->loop.background == 0)
        return;
    vu->is_leaving = true;
    js_loop_abandon(vu);
    vu->is_leaving = false;
    record_traffic(vu, clock_now_ns());
}

static void log_exception(struct vu *vu) {
    const char *executor = vu->scenario->executor, *scenario = vu->scenario->name;
    bool is_rejection = vu->loop.is_rejection;
    char *text;
    if (is_rejection) {
        JSValue reason = JS_GetException(vu->ctx);
        text = js_rejection_text(vu->ctx, reason);
        JS_FreeValue(vu->ctx, reason);
        log_fields(LOG_ERROR, slice_cstr(text), LOG_STR("executor", executor),
                   LOG_STR("scenario", scenario));
    } else {
        text = js_take_exception_text(vu->ctx);
        if (compat_is_v051())
            log_fields(LOG_ERROR, slice_cstr(text), LOG_STR("executor", executor),
                       LOG_STR("scenario", scenario), LOG_STR("source", "stacktrace"));
        else
            log_fields(LOG_ERROR, slice_cstr(text), LOG_STR("executor", executor),
                       LOG_STR("hint", "script exception"), LOG_STR("scenario", scenario),
                       LOG_STR("source", "stacktrace"));
    }
    free(text);
}

enum vu_result vu_iterate(struct vu *vu, const struct vu_iteration *it) {
    JSContext *ctx = vu->ctx;
    vu->iteration++;
    vu->iteration_in_scenario = ++*vu->scenario_iteration;
    vu->current = *it;
    vu_clear_interrupt(vu);
    JSValue global = JS_GetGlobalObject(ctx);
    JS_SetProperty(ctx, global, vu->atom_iter, JS_NewInt64(ctx, vu->iteration));
    JS_FreeValue(ctx, global);
    reset_cookies(vu);
    js_browser_before_iteration(vu);

    int64_t start = clock_now_ns();
    int rc =
        vu->is_interrupted ? KE_CANCELED : run_function(vu, vu->function, 1, &vu->setup_data, NULL);
    int64_t end = clock_now_ns();
    js_browser_after_iteration(vu, rc == KE_CANCELED);
    if (vu->config->no_vu_connection_reuse && vu->http)
        http_client_close_idle(vu->http);
    record_traffic(vu, end);
    if (rc == KE_CANCELED)
        return VU_INTERRUPTED;
    if (vu->shard) {
        vu_sample_series(vu, vu->series.iteration_duration,
                         (double)(end - start) / (double)NS_PER_MS, end);
        vu_sample_series(vu, vu->series.iterations, 1, end);
    }
    if (rc == KE_JS) {
        atomic_fetch_add_explicit(&vu->config->instance->iterations_threw, 1, memory_order_relaxed);
        log_exception(vu);
    }
    return VU_COMPLETED;
}

/* ---- setup, teardown, handleSummary ---- */

static void on_deadline(struct worker_timer *t) {
    struct vu *vu = container_of(t, struct vu, call_timer);
    vu->is_timed_out = true;
    vu_interrupt(vu);
}

static JSValue parse_arg(struct vu *vu, struct slice json) {
    if (json.len == 0)
        return JS_UNDEFINED;
    char *text = slice_dup(json);
    JSValue v = JS_ParseJSON(vu->ctx, text, json.len, "argument");
    free(text);
    if (JS_IsException(v)) {
        JS_FreeValue(vu->ctx, JS_GetException(vu->ctx));
        v = JS_UNDEFINED;
    }
    return v;
}

static int call_exported(struct vu *vu, const char *function, struct slice arg_json,
                         int64_t deadline_ns, JSValue *out, struct error *err) {
    JSContext *ctx = vu->ctx;
    *out = JS_UNDEFINED;
    JSValue fn = JS_IsObject(vu->main_namespace)
                     ? JS_GetPropertyStr(ctx, vu->main_namespace, function)
                     : JS_UNDEFINED;
    if (!JS_IsFunction(ctx, fn)) {
        JS_FreeValue(ctx, fn);
        return 0;
    }
    JSValue arg = parse_arg(vu, arg_json);
    vu_clear_interrupt(vu);
    reset_cookies(vu);
    if (deadline_ns != NEVER_NS)
        worker_timer_start(vu->worker, &vu->call_timer, deadline_ns, on_deadline);
    int rc = run_function(vu, fn, 1, &arg, out);
    if (deadline_ns != NEVER_NS)
        worker_timer_stop(vu->worker, &vu->call_timer);
    JS_FreeValue(ctx, arg);
    JS_FreeValue(ctx, fn);
    if (rc == KE_JS)
        rc = vu_take_failure(vu, err);
    else if (rc == KE_CANCELED)
        rc = vu_fail(err, vu->is_timed_out ? KE_TIMEOUT : KE_CANCELED, xstrdup("context canceled"));
    vu_clear_interrupt(vu);
    return rc;
}

static int result_json(struct vu *vu, JSValueConst v, const char *function, char **out_json,
                       struct error *err) {
    struct buf b;
    struct error why;
    buf_init(&b, BUF_NO_CAP);
    int rc = JS_IsUndefined(v) || JS_IsNull(v) ? 0 : js_go_json(&b, vu->ctx, v, &why);
    if (rc == 0)
        *out_json = b.len ? buf_detach(&b, NULL) : xstrdup("");
    else if (rc == KE_JS)
        rc = vu_take_failure(vu, err);
    else
        rc = vu_fail(err, KE_FAILED,
                     xasprintf("error marshaling %s() data to JSON: %s", function, why.text));
    buf_release(&b);
    return rc;
}

int vu_call(struct vu *vu, const char *function, const char *group_tag, struct slice arg_json,
            int64_t deadline_ns, char **out_json, struct error *err) {
    JSValue result;
    vu_tags_reset(vu, NULL);
    if (group_tag)
        vu_set_group(vu, slice_cstr(group_tag));
    int rc = call_exported(vu, function, arg_json, deadline_ns, &result, err);
    record_traffic(vu, clock_now_ns());
    if (out_json) {
        *out_json = NULL;
        if (rc == 0)
            rc = result_json(vu, result, function, out_json, err);
    }
    JS_FreeValue(vu->ctx, result);
    return rc;
}

/* One destination of handleSummary's result. */
static int summary_item(struct vu *vu, const char *name, JSValueConst v,
                        struct vu_summary_item *out, struct error *err) {
    const uint8_t *bytes;
    struct js_text text;
    if (JS_IsString(v) && js_text_get(vu->ctx, v, &text)) {
        out->content = slice_dup(text.s);
        out->len = text.s.len;
        js_text_release(&text);
    } else if (js_bytes(vu->ctx, v, &bytes, &out->len)) {
        out->content = slice_dup(slice_from((const char *)bytes, out->len));
    } else {
        return vu_fail(
            err, KE_FAILED,
            xasprintf(
                "error handling summary object %s: invalid type %s, expected string or ArrayBuffer",
                name, go_type_name(vu->ctx, v)));
    }
    out->destination = xstrdup(name);
    return 0;
}

static int summary_items(struct vu *vu, JSValueConst v, struct vu_summary_item **out,
                         size_t *out_len, struct error *err) {
    JSContext *ctx = vu->ctx;
    JSPropertyEnum *names;
    uint32_t len;
    int rc = 0;
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return 0;
    if (!JS_IsObject(v) || JS_IsArray(ctx, v) || JS_IsFunction(ctx, v))
        return vu_fail(err, KE_FAILED,
                       xstrdup("handleSummary() should return a map with string keys"));
    if (JS_GetOwnPropertyNames(ctx, &names, &len, v, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return vu_take_failure(vu, err);
    *out = xcalloc(len + 1, sizeof **out);
    for (uint32_t i = 0; i < len && rc == 0; i++) {
        const char *name = JS_AtomToCString(ctx, names[i].atom);
        JSValue item = JS_GetProperty(ctx, v, names[i].atom);
        if (JS_IsException(item))
            rc = vu_take_failure(vu, err);
        else if ((rc = summary_item(vu, name, item, &(*out)[*out_len], err)) == 0)
            ++*out_len;
        JS_FreeValue(ctx, item);
        JS_FreeCString(ctx, name);
    }
    js_free_names(ctx, names, len);
    return rc;
}

void vu_summary_free(struct vu_summary_item *items, size_t len) {
    for (size_t i = 0; i < len; i++) {
        free(items[i].destination);
        free(items[i].content);
    }
    free(items);
}

/* Something of the name is exported, but not a function. */
static bool exports_no_function(struct vu *vu, const char *name) {
    JSValue v = JS_IsObject(vu->main_namespace)
                    ? JS_GetPropertyStr(vu->ctx, vu->main_namespace, name)
                    : JS_UNDEFINED;
    bool is_none = !JS_IsUndefined(v) && !JS_IsFunction(vu->ctx, v);
    JS_FreeValue(vu->ctx, v);
    return is_none;
}

int vu_call_summary(struct vu *vu, struct slice data_json, int64_t deadline_ns,
                    struct vu_summary_item **out_items, size_t *out_len, struct error *err) {
    JSValue result;
    *out_items = NULL;
    *out_len = 0;
    if (exports_no_function(vu, "handleSummary"))
        return vu_fail(err, KE_FAILED,
                       xstrdup("exported identifier handleSummary must be a function"));
    int rc = call_exported(vu, "handleSummary", data_json, deadline_ns, &result, err);
    if (rc == 0)
        rc = summary_items(vu, result, out_items, out_len, err);
    JS_FreeValue(vu->ctx, result);
    if (rc) {
        vu_summary_free(*out_items, *out_len);
        *out_items = NULL;
        *out_len = 0;
    }
    return rc;
}
