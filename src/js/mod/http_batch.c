/* http.batch(). */
#include "js/mod/http_internal.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "js/go_print.h"
#include "js/go_types.h"
#include "js/js_util.h"

struct batch_item {
    struct http_call call;
    struct error err;
    int rc;
    bool is_ready; /* initialised well: to be sent */
    bool is_taken;
};

struct batch {
    struct vu *vu;
    struct batch_item *items;
    size_t len;
    struct fiber **fibers;
    size_t n_fibers, running;
    struct fiber_cond changed;
};

static size_t host_in_flight(const struct batch *b, const struct url *url) {
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++) {
        const struct batch_item *it = &b->items[i];
        if (it->is_taken && it->rc == KE_FAILED && slice_ieq(it->call.req.url->host, url->host) &&
            it->call.req.url->port == url->port)
            n++;
    }
    return n;
}

/* The next request that may go out under batchPerHost; NULL when none is left (*out_wait false) or
 * all left wait. */
static struct batch_item *batch_next(struct batch *b, bool *out_wait) {
    size_t per_host = (size_t)b->vu->config->batch_per_host;
    *out_wait = false;
    for (size_t i = 0; i < b->len; i++) {
        struct batch_item *it = &b->items[i];
        if (!it->is_ready || it->is_taken)
            continue;
        if (!per_host || host_in_flight(b, it->call.req.url) < per_host)
            return it;
        *out_wait = true;
    }
    return NULL;
}

static void batch_fiber(void *arg) {
    struct batch *b = arg;
    bool must_wait;
    for (;;) {
        struct batch_item *it = batch_next(b, &must_wait);
        if (it) {
            it->is_taken = true;
            it->rc = KE_FAILED; /* in flight */
            int rc = http_call_run(&it->call);
            it->rc = rc == KE_FAILED ? KE_IO : rc;
            fiber_cond_broadcast(&b->changed);
        } else if (!must_wait || fiber_cond_wait(&b->changed, NEVER_NS)) {
            break;
        }
    }
    b->running--;
    fiber_cond_broadcast(&b->changed);
}

static void batch_run(struct batch *b) {
    size_t limit = (size_t)b->vu->config->batch;
    size_t n = limit && limit < b->len ? limit : b->len;
    b->fibers = xcalloc(n + 1, sizeof(struct fiber *));
    b->n_fibers = b->running = n;
    for (size_t i = 0; i < n; i++)
        b->fibers[i] = fiber_start(b->vu->worker, HTTP_REQUEST_STACK_BYTES, batch_fiber, b);
    int rc = 0;
    while (b->running && !rc)
        rc = fiber_cond_wait(&b->changed, NEVER_NS);
    for (size_t i = 0; i < n; i++) {
        if (rc)
            fiber_cancel(b->fibers[i]);
        fiber_join(b->fibers[i]);
    }
    free(b->fibers);
}

/* A call for an entry that makes none. */
static int no_call(struct batch_item *it, struct http_module *mod, int rc) {
    struct error unused;
    http_call_init(&it->call, mod, SLICE("GET"), JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED, &unused);
    return rc;
}

/* "invalid method type '1'" */
static int invalid(struct batch_item *it, struct http_module *mod, const char *words,
                   JSValueConst v) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    int rc = go_print_syntax(&text, mod->vu->ctx, v);
    if (!rc)
        rc = error_set(&it->err, KE_INVALID, "%s '%s'", words, buf_cstr(&text));
    buf_release(&text);
    return no_call(it, mod, rc);
}

static int lacks_url(struct batch_item *it, struct http_module *mod, JSValueConst key) {
    struct js_text text;
    if (!js_text_get(mod->vu->ctx, key, &text))
        return no_call(it, mod, KE_JS);
    error_set(&it->err, KE_INVALID, "batch request %.*s doesn't have a url key", SLICE_FMT(text.s));
    js_text_release(&text);
    return no_call(it, mod, KE_INVALID);
}

/* [method, url, body, params] */
static int item_of_array(struct batch_item *it, struct http_module *mod, JSValueConst list,
                         const JSValue parts[4]) {
    JSContext *ctx = mod->vu->ctx;
    JSValue len = JS_GetPropertyStr(ctx, list, "length");
    uint32_t n = 0;
    JS_ToUint32(ctx, &n, len);
    JS_FreeValue(ctx, len);
    if (n < 2)
        return invalid(it, mod, "invalid batch request", list);
    if (!JS_IsString(parts[0]))
        return invalid(it, mod, "invalid method type", parts[0]);
    return http_call_init_method(&it->call, mod, parts[0], parts[1], parts[2], parts[3], &it->err);
}

static JSValue upper_case(JSContext *ctx, JSValueConst v) {
    struct js_text text;
    if (!js_text_get(ctx, v, &text))
        return JS_EXCEPTION;
    char *upper = slice_dup(text.s);
    for (size_t i = 0; i < text.s.len; i++)
        upper[i] = (char)toupper((unsigned char)upper[i]);
    JSValue out = JS_NewStringLen(ctx, upper, text.s.len);
    free(upper);
    js_text_release(&text);
    return out;
}

/* {method, url, body, params}; without a body for the methods that have none. */
static int item_of_object(struct batch_item *it, struct http_module *mod, JSValueConst key,
                          JSValue parts[4]) {
    JSContext *ctx = mod->vu->ctx;
    if (JS_IsUndefined(parts[1]))
        return lacks_url(it, mod, key);
    if (!JS_IsUndefined(parts[0]) && !JS_IsString(parts[0]))
        return invalid(it, mod, "invalid method type", parts[0]);
    bool has_body = false;
    if (JS_IsString(parts[0])) {
        JSValue upper = upper_case(ctx, parts[0]);
        struct js_text text;
        if (JS_IsException(upper))
            return no_call(it, mod, KE_JS);
        JS_FreeValue(ctx, parts[0]);
        parts[0] = upper;
        if (!js_text_get(ctx, upper, &text))
            return no_call(it, mod, KE_JS);
        has_body = !slice_eq(text.s, SLICE("GET")) && !slice_eq(text.s, SLICE("HEAD"));
        js_text_release(&text);
    }
    return http_call_init_method(&it->call, mod, parts[0], parts[1],
                                 has_body ? parts[2] : JS_UNDEFINED, parts[3], &it->err);
}

/* One entry of the argument: a URL, or one of the above. */
static int batch_item_init(struct batch_item *it, struct http_module *mod, JSValueConst key,
                           JSValueConst v) {
    JSContext *ctx = mod->vu->ctx;
    JSValue parts[4] = {JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED};
    bool is_array = JS_IsArray(ctx, v) > 0, is_template = false;
    if (is_array) {
        for (uint32_t i = 0; i < 4; i++)
            parts[i] = JS_GetPropertyUint32(ctx, v, i);
    } else if (JS_IsObject(v)) {
        const JSAtom atoms[4] = {mod->atom_method, mod->atom_url, mod->atom_body, mod->atom_params};
        for (int i = 0; i < 4; i++)
            parts[i] = JS_GetProperty(ctx, v, atoms[i]);
        JSValue name = JS_GetProperty(ctx, v, mod->atom_name);
        is_template = JS_IsString(name) && JS_IsUndefined(parts[0]);
        JS_FreeValue(ctx, name);
    }
    int rc;
    if (is_array)
        rc = item_of_array(it, mod, v, parts);
    else if (JS_IsObject(v) && !is_template)
        rc = item_of_object(it, mod, key, parts);
    else
        rc = http_call_init_method(&it->call, mod, JS_UNDEFINED, v, JS_UNDEFINED, JS_UNDEFINED,
                                   &it->err);
    for (int i = 0; i < 4; i++)
        JS_FreeValue(ctx, parts[i]);
    return rc;
}

/* k6 sends nothing of a batch with an entry that it cannot read: that one has an error, those
 * before it are empty, and those behind it are missing. */
static JSValue batch_refused(struct http_module *mod, struct batch *b, JSPropertyEnum *keys,
                             bool is_array, uint32_t n) {
    JSContext *ctx = mod->vu->ctx;
    const struct error *err = &b->items[b->len - 1].err;
    if (mod->vu->config->throw_errors)
        return js_throw_go_error(ctx, "%s", err->text);
    log_fields(LOG_WARN, SLICE("A batch request failed"), LOG_STR("error", err->text));
    JSValue out = is_array ? JS_NewArray(ctx) : JS_NewObject(ctx);
    for (uint32_t i = 0; i < n; i++) {
        static const struct error none = {.code = 0};
        JSValue r = JS_NULL;
        if (i < b->len)
            r = http_response_failed(mod, i + 1 < b->len ? &none : err, &b->items[i].call);
        if (is_array)
            JS_SetPropertyUint32(ctx, out, i, r);
        else if (i < b->len)
            JS_DefinePropertyValue(ctx, out, keys[i].atom, r, JS_PROP_C_W_E);
    }
    return out;
}

static JSValue batch_results(struct http_module *mod, struct batch *b, JSPropertyEnum *keys,
                             bool is_array) {
    JSContext *ctx = mod->vu->ctx;
    JSValue out = is_array ? JS_NewArray(ctx) : JS_NewObject(ctx);
    bool failed = false;
    for (size_t i = 0; i < b->len; i++) {
        struct batch_item *it = &b->items[i];
        if (failed)
            continue;
        JSValue r = http_call_finish(&it->call, it->rc, &it->err);
        if (JS_IsException(r))
            failed = true;
        else if (is_array)
            JS_SetPropertyUint32(ctx, out, (uint32_t)i, r);
        else
            JS_DefinePropertyValue(ctx, out, keys[i].atom, r, JS_PROP_C_W_E);
    }
    if (!failed)
        return out;
    JS_FreeValue(ctx, out);
    return JS_EXCEPTION;
}

JSValue http_js_batch(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct http_module *mod = http_module_of(ctx);
    struct vu *vu = mod->vu;
    if (!js_require_vu_context(vu, "Using batch in the init context is not supported"))
        return JS_EXCEPTION;
    if (argc == 0)
        return js_throw_go_error(ctx, "no argument was provided to http.batch()");
    if (argc > 1)
        return js_throw_go_error(ctx,
                                 "http.batch() accepts only an array or an object of requests");
    const char *type = go_type_name(ctx, argv[0]);
    if (strcmp(type, "map[string]interface {}") != 0 && JS_IsArray(ctx, argv[0]) <= 0)
        return js_throw_go_error(ctx, "invalid http.batch() argument type %s", type);
    bool is_array = JS_IsArray(ctx, argv[0]) > 0;
    JSPropertyEnum *keys;
    uint32_t n;
    if (JS_GetOwnPropertyNames(ctx, &keys, &n, argv[0], JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return JS_EXCEPTION;
    struct batch b = {.vu = vu, .items = xcalloc(n + 1, sizeof(struct batch_item))};
    fiber_cond_init(&b.changed);
    bool failed = false;
    for (; b.len < n && !failed; b.len++) {
        struct batch_item *it = &b.items[b.len];
        JSValue key = JS_AtomToString(ctx, keys[b.len].atom);
        JSValue v = JS_GetProperty(ctx, argv[0], keys[b.len].atom);
        it->rc = batch_item_init(it, mod, key, v);
        it->is_ready = it->rc == 0;
        failed = it->rc != 0;
        JS_FreeValue(ctx, key);
        JS_FreeValue(ctx, v);
    }
    JSValue result = JS_EXCEPTION;
    if (!failed) {
        batch_run(&b);
        result = batch_results(mod, &b, keys, is_array);
    } else if (b.items[b.len - 1].rc != KE_JS) {
        result = batch_refused(mod, &b, keys, is_array, n);
    }
    for (size_t i = 0; i < b.len; i++)
        http_call_release(&b.items[i].call);
    free(b.items);
    js_free_names(ctx, keys, n);
    return result;
}
