/* What C does for js/browser: an object of functions. Connections, waiting, samples; the rest is in
 * browser_host.c. */
#include <stdlib.h>

#include "base/check.h"
#include "js/js_util.h"
#include "js/mod/browser_internal.h"
#include "js/vu_tags.h"

/* ---------------------------------------------------------------- the connection */

static JSValue opened(JSContext *ctx, int rc, const struct browser_link *l,
                      const struct error *err) {
    if (rc == KE_CANCELED)
        return js_throw_interrupted(ctx);
    return rc ? js_throw_go_error(ctx, "%s", err->text) : JS_NewInt64(ctx, l->id);
}

static struct browser_link *link_of(JSContext *ctx, JSValueConst id) {
    int64_t n = 0;
    JS_ToInt64(ctx, &n, id);
    return browser_link_by_id(browser_module_in(ctx), n);
}

/* launch(executable or null, [argument]): the number of the link */
BROWSER_NATIVE(js_launch) {
    BROWSER_UNUSED_ARGS;
    struct error err = {0};
    struct browser_link *l = NULL;
    uint32_t n = 0;
    JSValue length = JS_GetPropertyStr(ctx, argv[1], "length");
    JS_ToUint32(ctx, &n, length);
    const char **args = xcalloc(n + 1, sizeof *args);
    for (uint32_t i = 0; i < n; i++) {
        JSValue v = JS_GetPropertyUint32(ctx, argv[1], i);
        args[i] = JS_ToCString(ctx, v);
        JS_FreeValue(ctx, v);
    }
    const char *wanted = JS_IsString(argv[0]) ? JS_ToCString(ctx, argv[0]) : NULL;
    char *found = cdp_find_browser(wanted);
    int rc = KE_NOT_FOUND;
    if (found)
        rc = browser_launch(browser_module_in(ctx), found, args, &l, &err);
    else if (wanted)
        error_set(&err, rc,
                  "finding browser executable: k6 couldn't detect google chrome or a "
                  "chromium-supported browser on the given path: %s",
                  wanted);
    else
        error_set(
            &err, rc,
            "finding browser executable: k6 couldn't detect google chrome or a chromium-supported "
            "browser on this system: install chromium, or set K6_BROWSER_EXECUTABLE_PATH");
    for (uint32_t i = 0; i < n; i++)
        JS_FreeCString(ctx, args[i]);
    free(args);
    free(found);
    JS_FreeCString(ctx, wanted);
    return opened(ctx, rc, l, &err);
}

/* connect(url, timeout in ms): the number of the link */
BROWSER_NATIVE(js_connect) {
    BROWSER_UNUSED_ARGS;
    struct error err = {0};
    struct browser_link *l = NULL;
    double ms = 30000;
    const char *url = JS_ToCString(ctx, argv[0]);
    JS_ToFloat64(ctx, &ms, argv[1]);
    int rc = browser_connect(browser_module_in(ctx), url ? url : "",
                             clock_now_ns() + (int64_t)(ms * 1e6), &l, &err);
    JS_FreeCString(ctx, url);
    return opened(ctx, rc, l, &err);
}

/* close(link): it and its process are gone afterwards */
BROWSER_NATIVE(js_close) {
    BROWSER_UNUSED_ARGS;
    struct browser_link *l = link_of(ctx, argv[0]);
    if (l)
        browser_link_close(l);
    return JS_UNDEFINED;
}

BROWSER_NATIVE(js_close_all) {
    BROWSER_UNUSED_ARGS;
    browser_close(browser_module_in(ctx));
    return JS_UNDEFINED;
}

BROWSER_NATIVE(js_is_open) {
    BROWSER_UNUSED_ARGS;
    const struct browser_link *l = link_of(ctx, argv[0]);
    return JS_NewBool(ctx, l && !cdp_conn_has_ended(l->conn));
}

/* What the browser said on stderr, for messages about a start that failed. */
BROWSER_NATIVE(js_words) {
    BROWSER_UNUSED_ARGS;
    const struct browser_link *l = link_of(ctx, argv[0]);
    char *words = l && l->process ? cdp_process_words(l->process) : xstrdup("");
    JSValue v = JS_NewString(ctx, words);
    free(words);
    return v;
}

/* The profile directory of a browser of our own, removed with it; undefined for a remote one. */
BROWSER_NATIVE(js_profile) {
    BROWSER_UNUSED_ARGS;
    const struct browser_link *l = link_of(ctx, argv[0]);
    return l && l->process ? JS_NewString(ctx, cdp_process_profile(l->process)) : JS_UNDEFINED;
}

/* send(link, id, session, method, params as JSON): false when the connection has ended */
BROWSER_NATIVE(js_send) {
    BROWSER_UNUSED_ARGS;
    struct browser_link *l = link_of(ctx, argv[0]);
    struct js_text text[3];
    int64_t id = 0;
    int n = 0, rc = KE_EOF;
    JS_ToInt64(ctx, &id, argv[1]);
    while (n < 3 && js_text_get(ctx, argv[n + 2], &text[n]))
        n++;
    if (n == 3 && l)
        rc = cdp_conn_send(l->conn, id, text[0].s, text[1].s, text[2].s);
    bool failed = n < 3;
    while (n > 0)
        js_text_release(&text[--n]);
    return failed ? JS_EXCEPTION : JS_NewBool(ctx, rc == 0);
}

/* listen(link, method of an event) */
BROWSER_NATIVE(js_listen) {
    BROWSER_UNUSED_ARGS;
    struct browser_link *l = link_of(ctx, argv[0]);
    struct js_text text;
    if (!js_text_get(ctx, argv[1], &text))
        return JS_EXCEPTION;
    if (l)
        cdp_conn_listen(l->conn, text.s);
    js_text_release(&text);
    return JS_UNDEFINED;
}

/* ---------------------------------------------------------------- waiting */

/* poll(): blocks until there is something to dispatch, and dispatches it. */
BROWSER_NATIVE(js_poll) {
    BROWSER_UNUSED_ARGS;
    struct browser_module *m = browser_module_in(ctx);
    if (browser_wait(m, NEVER_NS) == KE_CANCELED)
        return js_throw_interrupted(ctx);
    return browser_dispatch(m) ? JS_UNDEFINED : JS_EXCEPTION;
}

/* wakeAt(ms of now(), or -1): timers() is called then */
BROWSER_NATIVE(js_wake_at) {
    BROWSER_UNUSED_ARGS;
    double at = -1;
    JS_ToFloat64(ctx, &at, argv[0]);
    browser_wake_at(browser_module_in(ctx), at < 0 ? NEVER_NS : (int64_t)(at * 1e6) + 1);
    return JS_UNDEFINED;
}

BROWSER_NATIVE(js_now) {
    BROWSER_UNUSED_ARGS;
    return JS_NewFloat64(ctx, (double)clock_now_ns() / 1e6);
}

/* pending(1 or -1): a promise holds the iteration, or no longer */
BROWSER_NATIVE(js_pending) {
    BROWSER_UNUSED_ARGS;
    struct browser_module *m = browser_module_in(ctx);
    int32_t by = 0;
    JS_ToInt32(ctx, &by, argv[0]);
    if (by > 0) {
        m->pending++;
        js_loop_pending_add(m->vu);
    } else if (m->pending) {
        m->pending--;
        js_loop_pending_done(m->vu);
    }
    return JS_UNDEFINED;
}

/* ---------------------------------------------------------------- samples */

#define SAMPLE_TAGS_MAX 16

static enum metric_type type_of(const char *name) {
    if (strncmp(name, "browser_data_", 13) == 0)
        return METRIC_COUNTER;
    return strcmp(name, "browser_http_req_failed") == 0 ? METRIC_RATE : METRIC_TREND;
}

static enum metric_contains contains_of(const char *name, enum metric_type type) {
    if (type == METRIC_COUNTER)
        return METRIC_DATA;
    return type == METRIC_RATE || strcmp(name, "browser_web_vital_cls") == 0 ? METRIC_DEFAULT
                                                                             : METRIC_TIME;
}

static struct metric *metric_of(const char *name) {
    struct error err;
    enum metric_type type = type_of(name);
    return metric_register(slice_cstr(name), type, contains_of(name, type), &err);
}

void browser_metrics_register(void) {
    static const char *const names[] = {"browser_data_sent",         "browser_data_received",
                                        "browser_http_req_duration", "browser_http_req_failed",
                                        "browser_web_vital_ttfb",    "browser_web_vital_fcp",
                                        "browser_web_vital_lcp",     "browser_web_vital_cls",
                                        "browser_web_vital_inp",     "browser_web_vital_fid"};
    for (size_t i = 0; i < countof(names); i++)
        metric_of(names[i]);
}

/* sample(metric, value, [key, value, …]) */
BROWSER_NATIVE(js_sample) {
    BROWSER_UNUSED_ARGS;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text text[SAMPLE_TAGS_MAX * 2];
    struct tag add[SAMPLE_TAGS_MAX];
    uint32_t n = 0, len = 0;
    double value = 0;
    JSValue length = JS_GetPropertyStr(ctx, argv[2], "length");
    const char *name = JS_ToCString(ctx, argv[0]);
    if (!name)
        return JS_EXCEPTION;
    JS_ToFloat64(ctx, &value, argv[1]);
    JS_ToUint32(ctx, &len, length);
    struct metric *metric = metric_of(name);
    JS_FreeCString(ctx, name);
    if (!vu->shard || !metric)
        return JS_UNDEFINED;
    for (; n < len && n < countof(text); n++) {
        JSValue v = JS_GetPropertyUint32(ctx, argv[2], n);
        bool ok = js_text_get(ctx, v, &text[n]);
        JS_FreeValue(ctx, v);
        if (!ok)
            break;
    }
    for (uint32_t i = 0; i + 1 < n; i += 2)
        add[i / 2] = (struct tag){text[i].s, text[i + 1].s};
    vu_sample(vu, metric, tagset_with_all(shard_tags(vu->shard), vu->tags, add, n / 2), value,
              clock_now_ns());
    for (uint32_t i = 0; i < n; i++)
        js_text_release(&text[i]);
    return n < len && n < countof(text) ? JS_EXCEPTION : JS_UNDEFINED;
}

BROWSER_NATIVE(js_has_tag) {
    BROWSER_UNUSED_ARGS;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text text;
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    bool has = (vu->config->system_tags & system_tag_by_name(text.s)) != 0;
    js_text_release(&text);
    return JS_NewBool(ctx, has);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("launch", 2, js_launch),   JS_CFUNC_DEF("connect", 2, js_connect),
    JS_CFUNC_DEF("close", 1, js_close),     JS_CFUNC_DEF("closeAll", 0, js_close_all),
    JS_CFUNC_DEF("isOpen", 1, js_is_open),  JS_CFUNC_DEF("words", 1, js_words),
    JS_CFUNC_DEF("profile", 1, js_profile), JS_CFUNC_DEF("send", 5, js_send),
    JS_CFUNC_DEF("listen", 2, js_listen),   JS_CFUNC_DEF("poll", 0, js_poll),
    JS_CFUNC_DEF("wakeAt", 1, js_wake_at),  JS_CFUNC_DEF("now", 0, js_now),
    JS_CFUNC_DEF("pending", 1, js_pending), JS_CFUNC_DEF("sample", 3, js_sample),
    JS_CFUNC_DEF("hasTag", 1, js_has_tag),
};

JSValue browser_native_new(JSContext *ctx) {
    JSValue o = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, o, functions, countof(functions));
    browser_host_define(ctx, o);
    return o;
}
