#include "js/mod/http_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "js/go_args.h"
#include "js/js_util.h"
#include "js/mod.h"

/* options.rps: a process-wide bucket of burst one; each request takes the next slot in time. */
static int rps_wait(const struct vu_config *cfg) {
    static _Atomic int64_t next_slot_ns;
    int64_t interval = (int64_t)(1e9 / cfg->rps);
    int64_t slot, seen = atomic_load(&next_slot_ns);
    do {
        int64_t now = clock_now_ns();
        slot = seen > now ? seen : now;
    } while (!atomic_compare_exchange_weak(&next_slot_ns, &seen, slot + interval));
    return fiber_sleep_until(slot);
}

int http_call_run(struct http_call *call) {
    struct vu *vu = call->vu;
    if (unlikely(!vu->http))
        vu->http = http_client_new(&vu->config->http, &vu->traffic);
    if (unlikely(vu->config->rps > 0) && rps_wait(vu->config))
        return KE_CANCELED;
    call->req.on_hop = http_record;
    call->req.on_hop_arg = call;
    return http_client_do(vu->http, &call->req, &call->response);
}

JSValue http_call_finish(struct http_call *call, int rc, const struct error *err) {
    JSContext *ctx = call->vu->ctx;
    if (rc == KE_JS)
        return JS_EXCEPTION;
    if (rc == KE_CANCELED)
        return js_throw_interrupted(ctx);
    struct http_response *r = call->response;
    if (rc && !r) {
        if (call->throws)
            return js_throw_go_error(ctx, "%s", err->text);
        log_fields(LOG_WARN, SLICE("Request Failed"), LOG_STR("error", err->text));
        return http_response_failed(call->mod, err, call);
    }
    if (rc) {
        if (call->throws || r->must_throw)
            return js_throw_go_error(ctx, "%s", r->error.log_text);
        log_fields(LOG_WARN, SLICE("Request Failed"), LOG_STR("error", r->error.log_text));
    }
    call->response = NULL;
    return http_response_new(call->mod, r, call);
}

static JSValue run_call(JSContext *ctx, struct http_call *call, int rc, struct error *err) {
    (void)ctx;
    if (!rc)
        rc = http_call_run(call);
    JSValue v = http_call_finish(call, rc, err);
    http_call_release(call);
    return v;
}

/* get(url, params), head(url, params): magic is an index into methods. */
static const struct slice methods[] = {SLICE("GET"),    SLICE("HEAD"),  SLICE("POST"),
                                       SLICE("PUT"),    SLICE("PATCH"), SLICE("DELETE"),
                                       SLICE("OPTIONS")};

static JSValue js_simple(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                         int magic) {
    (void)this_val;
    struct http_module *mod = http_module_of(ctx);
    if (!js_require_vu_context(mod->vu,
                               "Making http requests in the init context is not supported"))
        return JS_EXCEPTION;
    struct http_call call;
    struct error err;
    bool has_body = magic >= 2;
    int p = has_body ? 2 : 1;
    if (unlikely(!has_body && argc > 2) && compat_on(COMPAT_HTTP_GET_WARNS))
        log_printf(
            LOG_WARN,
            "http.%s only accepts a url and a params argument (2 arguments), but %d were given",
            magic == 0 ? "get" : "head", argc);
    int rc = http_call_init(&call, mod, methods[magic], argc > 0 ? argv[0] : JS_UNDEFINED,
                            has_body && argc > 1 ? argv[1] : JS_UNDEFINED,
                            argc > p ? argv[p] : JS_UNDEFINED, &err);
    return run_call(ctx, &call, rc, &err);
}

static JSValue js_request(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct http_module *mod = http_module_of(ctx);
    if (!js_require_vu_context(mod->vu,
                               "Making http requests in the init context is not supported"))
        return JS_EXCEPTION;
    struct http_call call;
    struct error err;
#define ARG(i) (argc > (i) ? argv[i] : JS_UNDEFINED)
    int rc = http_call_init_method(&call, mod, ARG(0), ARG(1), ARG(2), ARG(3), &err);
#undef ARG
    return run_call(ctx, &call, rc, &err);
}

static JSValue new_url(JSContext *ctx, struct slice text, struct slice name) {
    struct error err;
    struct http_url_entry *entry = http_url_entry_get(text, &err);
    if (!entry)
        return js_throw_go_error(ctx, "%s", err.text);
    struct slice clean = slice_from(entry->tag_text, entry->tag_len);
    if (slice_eq(text, name))
        name = clean;
    JSValue o = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, o, "name", JS_NewStringLen(ctx, name.ptr, name.len));
    JS_SetPropertyStr(ctx, o, "url", JS_NewStringLen(ctx, text.ptr, text.len));
    JS_SetPropertyStr(ctx, o, "clean_url", JS_NewStringLen(ctx, clean.ptr, clean.len));
    http_url_entry_unref(entry);
    return o;
}

static bool append_text(JSContext *ctx, struct buf *out, JSValueConst v) {
    struct js_text text;
    if (!go_string_arg(ctx, 1, &v, 0, &text))
        return false;
    buf_append_slice(out, text.s);
    js_text_release(&text);
    return true;
}

/* http.url`…${id}…`: the URL filled in, named by the template with ${} for every value. */
static JSValue js_url(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct buf url, name;
    uint32_t n = 0;
    if (argc > 0 && !JS_IsUndefined(argv[0]) && !JS_IsNull(argv[0])) {
        struct js_text shown;
        if (!JS_IsObject(argv[0])) {
            if (!js_text_get_go(ctx, argv[0], &shown))
                return JS_EXCEPTION;
            JS_ThrowTypeError(ctx,
                              "could not convert function call parameter 0: could not convert "
                              "%.100s to []string",
                              shown.s.ptr);
            js_text_release(&shown);
            return JS_EXCEPTION;
        }
        JSValue length = JS_GetPropertyStr(ctx, argv[0], "length");
        bool is_bad = JS_ToUint32(ctx, &n, length) != 0;
        JS_FreeValue(ctx, length);
        if (is_bad)
            return JS_EXCEPTION;
    }
    buf_init(&url, BUF_NO_CAP);
    buf_init(&name, BUF_NO_CAP);
    bool ok = true;
    for (uint32_t i = 0; i < n && ok; i++) {
        JSValue part = JS_GetPropertyUint32(ctx, argv[0], i);
        size_t start = url.len;
        ok = !JS_IsException(part) && append_text(ctx, &url, part);
        JS_FreeValue(ctx, part);
        if (ok)
            buf_append(&name, url.ptr ? url.ptr + start : "", url.len - start);
        if (ok && i + 1 < (uint32_t)argc) {
            ok = append_text(ctx, &url, argv[i + 1]);
            buf_append_str(&name, "${}");
        }
    }
    JSValue o =
        ok ? new_url(ctx, slice_cstr(buf_cstr(&url)), slice_cstr(buf_cstr(&name))) : JS_EXCEPTION;
    buf_release(&url);
    buf_release(&name);
    return o;
}

static JSValue js_set_response_callback(JSContext *ctx, JSValueConst this_val, int argc,
                                        JSValueConst *argv) {
    (void)this_val;
    struct http_module *mod = http_module_of(ctx);
    JSValueConst v = argc > 0 ? argv[0] : JS_NULL;
    struct http_expected *e = NULL;
    if (!JS_IsNull(v) && !(e = http_expected_from(v)))
        return js_throw_go_error(ctx, "unsupported argument, expected http.expectedStatuses");
    if (e)
        e->refs++;
    http_expected_unref(mod->expected);
    mod->expected = e;
    mod->callback_is_null = !e;
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_MAGIC_DEF("get", 2, js_simple, 0),
    JS_CFUNC_MAGIC_DEF("head", 2, js_simple, 1),
    JS_CFUNC_MAGIC_DEF("post", 3, js_simple, 2),
    JS_CFUNC_MAGIC_DEF("put", 3, js_simple, 3),
    JS_CFUNC_MAGIC_DEF("patch", 3, js_simple, 4),
    JS_CFUNC_MAGIC_DEF("del", 3, js_simple, 5),
    JS_CFUNC_MAGIC_DEF("options", 3, js_simple, 6),
    JS_CFUNC_DEF("request", 4, js_request),
    JS_CFUNC_DEF("asyncRequest", 4, http_js_async_request),
    JS_CFUNC_DEF("batch", 1, http_js_batch),
    JS_CFUNC_DEF("url", 1, js_url),
    JS_CFUNC_DEF("file", 3, http_js_file),
    JS_CFUNC_DEF("cookieJar", 0, http_js_cookie_jar),
    JS_CFUNC_DEF("expectedStatuses", 1, http_js_expected_statuses),
    JS_CFUNC_DEF("setResponseCallback", 1, js_set_response_callback),
};

static const struct {
    const char *name, *value;
} constants[] = {
    {"TLS_1_0", "tls1.0"},
    {"TLS_1_1", "tls1.1"},
    {"TLS_1_2", "tls1.2"},
    {"TLS_1_3", "tls1.3"},
    {"OCSP_STATUS_GOOD", "good"},
    {"OCSP_STATUS_REVOKED", "revoked"},
    {"OCSP_STATUS_SERVER_FAILED", "server_failed"},
    {"OCSP_STATUS_UNKNOWN", "unknown"},
    {"OCSP_REASON_UNSPECIFIED", "unspecified"},
    {"OCSP_REASON_KEY_COMPROMISE", "key_compromise"},
    {"OCSP_REASON_CA_COMPROMISE", "ca_compromise"},
    {"OCSP_REASON_AFFILIATION_CHANGED", "affiliation_changed"},
    {"OCSP_REASON_SUPERSEDED", "superseded"},
    {"OCSP_REASON_CESSATION_OF_OPERATION", "cessation_of_operation"},
    {"OCSP_REASON_CERTIFICATE_HOLD", "certificate_hold"},
    {"OCSP_REASON_REMOVE_FROM_CRL", "remove_from_crl"},
    {"OCSP_REASON_PRIVILEGE_WITHDRAWN", "privilege_withdrawn"},
    {"OCSP_REASON_AA_COMPROMISE", "aa_compromise"},
};

static void module_free(struct vu *vu) {
    struct http_module *mod = vu->module_state[JS_SLOT_HTTP];
    if (!mod)
        return;
    JSContext *ctx = vu->ctx;
#define X(field, text) JS_FreeAtom(ctx, mod->atom_##field);
    HTTP_ATOMS(X)
#undef X
    for (int i = 0; i < HTTP_FIELD_COUNT; i++)
        JS_FreeAtom(ctx, mod->field_atoms[i]);
    for (size_t i = 0; i < countof(mod->response_methods); i++)
        JS_FreeValue(ctx, mod->response_methods[i]);
    JS_FreeValue(ctx, mod->response_proto);
    http_expected_unref(mod->expected);
    free(mod);
    vu->module_state[JS_SLOT_HTTP] = NULL;
}

static int module_new(struct vu *vu) {
    struct http_module *mod = xcalloc(1, sizeof *mod);
    JSContext *ctx = vu->ctx;
    mod->vu = vu;
    list_init(&mod->in_flight);
#define X(field, text) mod->atom_##field = JS_NewAtom(ctx, text);
    HTTP_ATOMS(X)
#undef X
    vu->module_state[JS_SLOT_HTTP] = mod;
    return http_response_register(mod) || http_expected_register(ctx) || http_file_register(ctx)
               ? -1
               : 0;
}

int http_module_need(struct vu *vu) {
    return vu->module_state[JS_SLOT_HTTP] ? 0 : module_new(vu);
}

static int declare(JSContext *ctx, JSModuleDef *m) {
    int rc = JS_AddModuleExport(ctx, m, "CookieJar");
    for (size_t i = 0; i < countof(functions); i++)
        rc |= JS_AddModuleExport(ctx, m, functions[i].name);
    for (size_t i = 0; i < countof(constants); i++)
        rc |= JS_AddModuleExport(ctx, m, constants[i].name);
    return rc;
}

static int init(JSContext *ctx, JSModuleDef *m) {
    struct vu *vu = vu_from_ctx(ctx);
    if (http_module_need(vu))
        return -1;
    JSValue http = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, http, functions, countof(functions));
    for (size_t i = 0; i < countof(functions); i++) {
        JSValue f = JS_GetPropertyStr(ctx, http, functions[i].name);
        JS_DefinePropertyValueStr(ctx, http, functions[i].name, JS_DupValue(ctx, f), JS_PROP_C_W_E);
        JS_SetModuleExport(ctx, m, functions[i].name, f);
    }
    for (size_t i = 0; i < countof(constants); i++) {
        JS_DefinePropertyValueStr(ctx, http, constants[i].name,
                                  JS_NewString(ctx, constants[i].value), JS_PROP_ENUMERABLE);
        JS_SetModuleExport(ctx, m, constants[i].name, JS_NewString(ctx, constants[i].value));
    }
    JSValue jar = http_cookie_jar_class(ctx);
    JS_SetPropertyStr(ctx, http, "CookieJar", JS_DupValue(ctx, jar));
    JS_SetModuleExport(ctx, m, "CookieJar", jar);
    return JS_SetHiddenModuleExport(ctx, m, "default", http);
}

static void module_cancel(struct vu *vu) {
    if (vu->module_state[JS_SLOT_HTTP])
        http_async_cancel_all(vu->module_state[JS_SLOT_HTTP]);
}

const struct js_module js_mod_http = {"k6/http", declare, init, module_free, module_cancel};
