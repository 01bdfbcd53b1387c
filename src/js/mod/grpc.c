/* k6/net/grpc: the module, and clients. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/go_text.h"
#include "grpc/grpc_services.h"
#include "js/go_args.h"
#include "js/mod.h"
#include "js/mod/grpc_internal.h"

static JSClassID client_class;

struct grpc_module *grpc_module_of(struct vu *vu) {
    return vu->module_state[JS_SLOT_GRPC];
}

struct grpc_client *grpc_client_of(JSValueConst v) {
    return client_class != 0 && JS_IsObject(v) ? JS_GetOpaque(v, client_class) : NULL;
}

static char *not_found_words(struct slice path) {
    if (path.len == 0)
        return xstrdup("method to invoke cannot be empty");
    struct buf words;
    char *slashed = xasprintf("%s%.*s", path.ptr[0] == '/' ? "" : "/", SLICE_FMT(path));
    buf_init(&words, BUF_NO_CAP);
    buf_append_str(&words, "method ");
    go_quote(&words, slice_cstr(slashed));
    buf_append_str(&words, " not found in file descriptors");
    free(slashed);
    return buf_detach(&words, NULL);
}

const struct proto_method *grpc_find_method(const struct grpc_client *c, struct slice path,
                                            struct proto_pool **out_pool, char **out_why) {
    *out_pool = NULL;
    *out_why = NULL;
    for (size_t i = c->n_pools; i-- > 0;) {
        const struct proto_method *m = proto_pool_find_method(c->pools[i], path);
        if (m) {
            *out_pool = c->pools[i];
            proto_pool_ref(*out_pool);
            return m;
        }
    }
    *out_why = not_found_words(path);
    return NULL;
}

struct proto_json_options grpc_json_options(const struct grpc_client *c) {
    return (struct proto_json_options){.pools = (const struct proto_pool *const *)c->pools,
                                       .pool_count = c->n_pools};
}

/* ---------------------------------------------------------------- life */

static void client_finalizer(JSRuntime *rt, JSValue v) {
    struct grpc_client *c = JS_GetOpaque(v, client_class);
    (void)rt;
    if (!c)
        return;
    grpc_channel_close(c->channel);
    for (size_t i = 0; i < c->n_pools; i++)
        proto_pool_unref(c->pools[i]);
    free(c->pools);
    free(c->address);
    free(c);
}

static const JSClassDef client_class_def = {"Client", .finalizer = client_finalizer};

static JSValue client_constructor(JSContext *ctx, JSValueConst new_target, int argc,
                                  JSValueConst *argv) {
    (void)new_target;
    (void)argc;
    (void)argv;
    JSValue v = JS_NewObjectClass(ctx, (int)client_class);
    if (JS_IsException(v))
        return v;
    struct grpc_client *c = xcalloc(1, sizeof *c);
    c->vu = vu_from_ctx(ctx);
    JS_SetOpaque(v, c);
    return v;
}

/* ---------------------------------------------------------------- connect */

/* k6 counts health checks and reflection, with the VU's tags. */
static void record_service_call(void *arg, const struct grpc_call *call) {
    struct vu *vu = arg;
    grpc_record(vu, vu->tags, call);
}

static JSValue throw_error(JSContext *ctx, int rc, const struct error *err) {
    if (rc == KE_CANCELED)
        return js_throw_interrupted(ctx);
    return js_throw_go_error(ctx, "%s", err->text);
}

static int reflect(struct grpc_client *c, const struct grpc_connect_params *p, int64_t deadline_ns,
                   struct error *err) {
    struct grpc_watcher watcher = {record_service_call, c->vu};
    struct buf set;
    buf_init(&set, BUF_NO_CAP);
    int rc = grpc_reflect(c->channel, &p->reflect_metadata, deadline_ns, &watcher, &set, err);
    if (rc == 0)
        rc = grpc_client_add_reflected(c, buf_slice(&set), err);
    buf_release(&set);
    return rc;
}

static int open_channel(struct grpc_client *c, const struct grpc_connect_params *p,
                        struct error *err) {
    struct vu *vu = c->vu;
    if (!vu->http)
        vu->http = http_client_new(&vu->config->http, &vu->traffic);
    struct grpc_channel_params params = {
        .address = slice_cstr(c->address),
        .authority = slice_cstr(p->authority ? p->authority : ""),
        .user_agent = vu->config->http.user_agent,
        .tls = p->tls,
        .dialer = http_client_dialer(vu->http),
        .counters = &vu->traffic,
        .max_receive_bytes = p->max_receive_bytes,
        .max_send_bytes = p->max_send_bytes,
    };
    int64_t deadline_ns = clock_now_ns() + p->timeout_ns;
    /* Streams on the former connection go on. */
    grpc_channel_unref(c->channel);
    c->channel = NULL;
    int rc = grpc_channel_open(&params, deadline_ns, &c->channel, err);
    if (rc == 0 && p->uses_reflection)
        rc = reflect(c, p, deadline_ns, err);
    return rc;
}

static JSValue js_connect(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct grpc_client *c = JS_GetOpaque2(ctx, this_val, client_class);
    struct grpc_connect_params params;
    struct js_text address;
    struct error err;
    bool threw;
    if (!c || !js_require_vu_context(
                  c->vu, "connecting to a gRPC server in the init context is not supported"))
        return JS_EXCEPTION;
    if (!go_string_arg(ctx, argc, argv, 0, &address))
        return JS_EXCEPTION;
    JSValue r = JS_EXCEPTION;
    char *why = grpc_connect_params_read(&params, c->vu, argc > 1 ? argv[1] : JS_UNDEFINED, &threw);
    if (why) {
        js_throw_go_error(ctx, "%s", why);
    } else if (!threw) {
        free(c->address);
        c->address = slice_dup(address.s);
        int rc = open_channel(c, &params, &err);
        r = rc ? throw_error(ctx, rc, &err) : JS_TRUE;
    }
    free(why);
    grpc_connect_params_release(&params);
    js_text_release(&address);
    return r;
}

static JSValue js_close(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct grpc_client *c = JS_GetOpaque2(ctx, this_val, client_class);
    (void)argc;
    (void)argv;
    if (!c)
        return JS_EXCEPTION;
    struct grpc_channel *ch = c->channel;
    c->channel = NULL;
    grpc_channel_close(ch);
    return JS_UNDEFINED;
}

/* ---------------------------------------------------------------- health */

static JSValue js_health_check(JSContext *ctx, JSValueConst this_val, int argc,
                               JSValueConst *argv) {
    struct grpc_client *c = JS_GetOpaque2(ctx, this_val, client_class);
    struct grpc_status status;
    struct js_text service;
    uint32_t serving;
    if (!c)
        return JS_EXCEPTION;
    if (!c->channel)
        return js_throw_go_error(ctx, "no gRPC connection, you must call connect first");
    if (!go_string_arg(ctx, argc, argv, 0, &service))
        return JS_EXCEPTION;
    struct grpc_watcher watcher = {record_service_call, c->vu};
    grpc_status_init(&status);
    int rc = grpc_health_check(c->channel, service.s, NEVER_NS, &watcher, &status, &serving);
    js_text_release(&service);
    JSValue r = JS_EXCEPTION;
    if (rc) {
        js_throw_interrupted(ctx);
    } else if (status.code != GRPC_OK) {
        struct buf words;
        buf_init(&words, BUF_NO_CAP);
        grpc_status_text(&status, &words);
        js_throw_go_error(ctx, "%s", buf_cstr(&words));
        buf_release(&words);
    } else {
        r = JS_NewObject(ctx);
        JS_SetPropertyStr(ctx, r, "status", JS_NewUint32(ctx, serving));
    }
    grpc_status_release(&status);
    return r;
}

/* ---------------------------------------------------------------- module */

static const JSCFunctionListEntry members[] = {
    JS_CFUNC_DEF("load", 2, grpc_js_load),
    JS_CFUNC_DEF("loadProtoset", 1, grpc_js_load_protoset),
    JS_CFUNC_DEF("connect", 2, js_connect),
    JS_CFUNC_DEF("invoke", 3, grpc_js_invoke),
    JS_CFUNC_DEF("asyncInvoke", 3, grpc_js_async_invoke),
    JS_CFUNC_DEF("healthCheck", 1, js_health_check),
    JS_CFUNC_DEF("close", 0, js_close),
};

#define STATUS(name, code) JS_PROP_INT32_DEF("Status" name, code, JS_PROP_ENUMERABLE)
static const JSCFunctionListEntry constants[] = {
    STATUS("OK", GRPC_OK),
    STATUS("Canceled", GRPC_CANCELED),
    STATUS("Unknown", GRPC_UNKNOWN),
    STATUS("InvalidArgument", GRPC_INVALID_ARGUMENT),
    STATUS("DeadlineExceeded", GRPC_DEADLINE_EXCEEDED),
    STATUS("NotFound", GRPC_NOT_FOUND),
    STATUS("AlreadyExists", GRPC_ALREADY_EXISTS),
    STATUS("PermissionDenied", GRPC_PERMISSION_DENIED),
    STATUS("ResourceExhausted", GRPC_RESOURCE_EXHAUSTED),
    STATUS("FailedPrecondition", GRPC_FAILED_PRECONDITION),
    STATUS("Aborted", GRPC_ABORTED),
    STATUS("OutOfRange", GRPC_OUT_OF_RANGE),
    STATUS("Unimplemented", GRPC_UNIMPLEMENTED),
    STATUS("Internal", GRPC_INTERNAL),
    STATUS("Unavailable", GRPC_UNAVAILABLE),
    STATUS("DataLoss", GRPC_DATA_LOSS),
    STATUS("Unauthenticated", GRPC_UNAUTHENTICATED),
    JS_PROP_INT32_DEF("HealthCheckUnknown", 0, JS_PROP_ENUMERABLE),
    JS_PROP_INT32_DEF("HealthCheckServing", 1, JS_PROP_ENUMERABLE),
    JS_PROP_INT32_DEF("HealthCheckNotServing", 2, JS_PROP_ENUMERABLE),
    /* k6 spells it so. */
    JS_PROP_INT32_DEF("HealthCheckServiceUnkown", 3, JS_PROP_ENUMERABLE),
};
#undef STATUS

static JSValue client_class_new(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&client_class);
    if (!JS_IsRegisteredClass(rt, client_class) && JS_NewClass(rt, client_class, &client_class_def))
        return JS_EXCEPTION;
    JSValue proto = JS_NewObject(ctx);
    JSValue f = JS_NewCFunction2(ctx, client_constructor, "Client", 0, JS_CFUNC_constructor, 0);
    JS_SetPropertyFunctionList(ctx, proto, members, countof(members));
    JS_SetConstructor(ctx, f, proto);
    JS_SetClassProto(ctx, client_class, proto);
    return f;
}

static struct metric *counter(const char *name) {
    struct error err;
    struct metric *m = metric_register(slice_cstr(name), METRIC_COUNTER, METRIC_DEFAULT, &err);
    CHECK(m != NULL);
    return m;
}

static void state_new(struct vu *vu) {
    struct grpc_module *mod = xcalloc(1, sizeof *mod);
    list_init(&mod->asyncs);
    list_init(&mod->streams);
    mod->streams_metric = counter("grpc_streams");
    mod->sent_metric = counter("grpc_streams_msgs_sent");
    mod->received_metric = counter("grpc_streams_msgs_received");
    vu->module_state[JS_SLOT_GRPC] = mod;
}

static int declare(JSContext *ctx, JSModuleDef *m) {
    int rc = JS_AddModuleExport(ctx, m, "Client") | JS_AddModuleExport(ctx, m, "Stream");
    return rc | JS_AddModuleExportList(ctx, m, constants, countof(constants));
}

static int init(JSContext *ctx, JSModuleDef *m) {
    struct vu *vu = vu_from_ctx(ctx);
    if (!grpc_module_of(vu))
        state_new(vu);
    int rc = JS_SetModuleExport(ctx, m, "Client", client_class_new(ctx)) |
             JS_SetModuleExport(ctx, m, "Stream", grpc_stream_class_new(ctx));
    return rc | JS_SetModuleExportList(ctx, m, constants, countof(constants));
}

static void module_free(struct vu *vu) {
    free(grpc_module_of(vu));
    vu->module_state[JS_SLOT_GRPC] = NULL;
}

static void module_cancel(struct vu *vu) {
    struct grpc_module *mod = grpc_module_of(vu);
    if (!mod)
        return;
    grpc_asyncs_cancel(mod);
    grpc_streams_cancel(mod);
}

const struct js_module js_mod_grpc = {"k6/net/grpc", declare, init, module_free, module_cancel};
/* Its name while it was an experiment; v2 of k6 refuses it, here it goes on working. */
const struct js_module js_mod_experimental_grpc = {
    .specifier = "k6/experimental/grpc", .declare = declare, .init = init};
