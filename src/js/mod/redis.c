/* k6/x/redis, and k6/experimental/redis, as which v0.51 had it: xk6-redis's Client. Each method
 * starts a command and gives a promise; the answer comes through the VU's event loop. */
#include <stdlib.h>

#include "base/check.h"
#include "base/vec.h"
#include "js/event_loop.h"
#include "js/go_args.h"
#include "js/go_types.h"
#include "js/js_promise.h"
#include "js/js_util.h"
#include "js/mod.h"
#include "js/mod/redis.h"

struct module {
    struct list objects;
    struct redis_scope scope;
    VEC(struct tls_config *) tls; /* of clients, until no fiber can use them */
};

struct object {
    struct vu *vu;
    struct list link; /* of module.objects */
    struct redis_options options;
    struct redis_client *client; /* made by the first command */
};

static JSClassID client_class;

static struct module *module_of(struct vu *vu) {
    return vu->module_state[JS_SLOT_REDIS];
}

/* ---------------------------------------------------------------- commands */

/* Parameters: s string, i int, v value; S and V any number of them. */
static const struct method {
    const char *name, *command, *parameters;
    enum js_redis_reply reply;
} methods[] = {
    {"set", "set", "svi", REPLY_STRING},
    {"get", "get", "s", REPLY_STRING},
    {"getSet", "getset", "sv", REPLY_STRING},
    {"del", "del", "S", REPLY_INT},
    {"getDel", "getdel", "s", REPLY_STRING},
    {"exists", "exists", "S", REPLY_INT},
    {"incr", "incr", "s", REPLY_INT},
    {"incrBy", "incrby", "si", REPLY_INT},
    {"decr", "decr", "s", REPLY_INT},
    {"decrBy", "decrby", "si", REPLY_INT},
    {"randomKey", "randomkey", "", REPLY_STRING},
    {"mget", "mget", "S", REPLY_STRINGS},
    {"expire", "expire", "si", REPLY_BOOL},
    {"ttl", "ttl", "s", REPLY_SECONDS},
    {"persist", "persist", "s", REPLY_BOOL},
    {"lpush", "lpush", "sV", REPLY_INT},
    {"rpush", "rpush", "sV", REPLY_INT},
    {"lpop", "lpop", "s", REPLY_STRING},
    {"rpop", "rpop", "s", REPLY_STRING},
    {"lrange", "lrange", "sii", REPLY_STRINGS},
    {"lindex", "lindex", "si", REPLY_STRING},
    {"lset", "lset", "sis", REPLY_STRING},
    {"lrem", "lrem", "sis", REPLY_INT},
    {"llen", "llen", "s", REPLY_INT},
    {"hset", "hset", "ssv", REPLY_INT},
    {"hsetnx", "hsetnx", "sss", REPLY_BOOL},
    {"hget", "hget", "ss", REPLY_STRING},
    {"hdel", "hdel", "sS", REPLY_INT},
    {"hgetall", "hgetall", "s", REPLY_MAP},
    {"hkeys", "hkeys", "s", REPLY_STRINGS},
    {"hvals", "hvals", "s", REPLY_STRINGS},
    {"hlen", "hlen", "s", REPLY_INT},
    {"hincrby", "hincrby", "ssi", REPLY_INT},
    {"sadd", "sadd", "sV", REPLY_INT},
    {"srem", "srem", "sV", REPLY_INT},
    {"sismember", "sismember", "sv", REPLY_BOOL},
    {"smembers", "smembers", "s", REPLY_STRINGS},
    {"srandmember", "srandmember", "s", REPLY_STRING},
    {"spop", "spop", "s", REPLY_STRING},
    {"sendCommand", NULL, "sV", REPLY_ANY},
};

/* A value that redis has no form for; the index is that of the method's argument. */
#define UNSUPPORTED                                        \
    "unsupported type provided for argument at index %d, " \
    "supported types are string, number, and boolean"

/* 0; KE_JS with an exception pending; KE_INVALID with words. */
static int read_value(struct js_redis_args *a, JSValueConst v, int index, struct error *err) {
    int rc = js_redis_arg_value(a, v);
    if (rc == 0)
        return error_set(err, KE_INVALID, UNSUPPORTED, index);
    return rc > 0 ? 0 : KE_JS;
}

static int read_arg(struct js_redis_args *a, char kind, JSValueConst v, int index,
                    struct error *err) {
    int64_t number;
    if (kind == 'v' || kind == 'V')
        return read_value(a, v, index, err);
    if (kind == 's' || kind == 'S')
        return js_redis_arg_string(a, v) ? 0 : KE_JS;
    if (!go_int_arg(a->ctx, 1, &v, 0, &number))
        return KE_JS;
    js_redis_arg_int(a, number);
    return 0;
}

/* EX only for a time; the third of set's is no argument of the command as such. */
static int read_expiration(struct js_redis_args *a, JSValueConst v) {
    int64_t seconds;
    if (!go_int_arg(a->ctx, 1, &v, 0, &seconds))
        return KE_JS;
    if (seconds > 0) {
        js_redis_arg_word(a, "ex");
        js_redis_arg_int(a, seconds);
    }
    return 0;
}

static int read_args(struct js_redis_args *a, const struct method *m, int argc, JSValueConst *argv,
                     struct error *err) {
    int i = 0, rc = 0;
    /* The name of sendCommand's is taken already. */
    const char *p = m->command ? m->parameters : m->parameters + 1;
    for (i = m->command ? 0 : 1; *p && rc == 0; i += rc == 0) {
        bool is_many = *p == 'S' || *p == 'V';
        JSValueConst v = i < argc ? argv[i] : JS_UNDEFINED;
        if (is_many && i >= argc)
            break;
        if (i == 2 && m == &methods[0])
            rc = read_expiration(a, v);
        else
            rc = read_arg(a, *p, v, i, err);
        p += !is_many;
    }
    return rc;
}

/* ---------------------------------------------------------------- calls */

struct js_call {
    struct redis_call call;
    struct js_completion completion;
    struct vu *vu;
    JSValue self, promise; /* self: a client that works is not collected */
    enum js_redis_reply reply;
};

static void settle(struct vu *vu, struct js_completion *completion) {
    struct js_call *c = container_of(completion, struct js_call, completion);
    JSContext *ctx = vu->ctx;
    JSValue v;
    bool is_good = c->call.rc == 0 && js_redis_value(ctx, c->call.reply, c->reply, &v);
    if (c->call.rc)
        v = go_error_object(ctx, c->call.words);
    JS_SettlePromise(ctx, c->promise, v, !is_good);
    JS_FreeValue(ctx, v);
    JS_FreeValue(ctx, c->promise);
    JSValue self = c->self;
    redis_call_release(&c->call);
    free(c);
    js_loop_pending_done(vu);
    JS_FreeValue(ctx, self);
}

static void call_done(struct redis_call *call) {
    struct js_call *c = container_of(call, struct js_call, call);
    js_loop_complete(c->vu, &c->completion);
}

static JSValue start(struct object *o, JSValueConst self, enum js_redis_reply reply,
                     const struct js_redis_args *a) {
    JSContext *ctx = o->vu->ctx;
    JSValue promise = JS_NewPendingPromise(ctx);
    if (JS_IsException(promise))
        return promise;
    struct js_call *c = xcalloc(1, sizeof *c);
    c->call.done = call_done;
    c->completion.run = settle;
    c->vu = o->vu;
    c->self = JS_DupValue(ctx, self);
    c->promise = JS_DupValue(ctx, promise);
    c->reply = reply;
    js_loop_pending_add(o->vu);
    redis_client_do(o->client, &c->call, a->slices, a->n);
    return promise;
}

/* Makes the client, which connects when it has to. False with words when that cannot be. */
static bool connect_to(struct object *o, struct error *err) {
    struct vu *vu = o->vu;
    struct module *mod = module_of(vu);
    if (vu->is_init) {
        error_set(err, KE_FAILED,
                  "connecting to a redis server in the init context is not supported");
        return false;
    }
    if (o->client)
        return true;
    if (!vu->http)
        vu->http = http_client_new(&vu->config->http, &vu->traffic);
    struct redis_net net = {.dialer = http_client_dialer(vu->http), .counters = &vu->traffic};
    if (o->options.has_tls) {
        struct tls_config *tls = js_redis_tls_ref(vu->config->http.tls, &o->options, err);
        if (!tls)
            return false;
        vec_push(&mod->tls, tls);
        net.tls = tls;
    }
    redis_options_finish(&o->options);
    o->client = redis_client_new(vu->worker, &mod->scope, &o->options, &net);
    return true;
}

static JSValue js_method(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                         int magic) {
    struct object *o = JS_GetOpaque2(ctx, this_val, client_class);
    const struct method *m = &methods[magic];
    struct js_redis_args args;
    struct js_text name = {.ctx = NULL};
    struct error err;
    if (!o)
        return JS_EXCEPTION;
    if (!m->command && !go_string_arg(ctx, argc, argv, 0, &name))
        return JS_EXCEPTION;
    js_redis_args_init(&args, ctx, m->command ? slice_cstr(m->command) : name.s);
    int rc = connect_to(o, &err) ? read_args(&args, m, argc, argv, &err) : KE_INVALID;
    JSValue promise = JS_EXCEPTION;
    if (rc == 0)
        promise = start(o, this_val, m->reply, &args);
    else if (rc != KE_JS)
        promise = js_promise_reject(ctx, go_error_object(ctx, err.text));
    js_redis_args_release(&args);
    if (name.ctx)
        js_text_release(&name);
    return promise;
}

static JSValue js_is_connected(JSContext *ctx, JSValueConst this_val, int argc,
                               JSValueConst *argv) {
    (void)argc;
    (void)argv;
    const struct object *o = JS_GetOpaque2(ctx, this_val, client_class);
    return o ? JS_NewBool(ctx, o->client != NULL) : JS_EXCEPTION;
}

/* ---------------------------------------------------------------- life */

static void client_finalizer(JSRuntime *rt, JSValue v) {
    struct object *o = JS_GetOpaque(v, client_class);
    (void)rt;
    if (!o)
        return;
    redis_client_free(o->client);
    redis_options_release(&o->options);
    list_remove(&o->link);
    free(o);
}

static const JSClassDef client_def = {"Client", .finalizer = client_finalizer};

static JSValue js_constructor(JSContext *ctx, JSValueConst new_target, int argc,
                              JSValueConst *argv) {
    (void)new_target;
    struct vu *vu = vu_from_ctx(ctx);
    if (argc != 1)
        return js_throw_go_error(ctx, "must specify one argument");
    JSValue v = JS_NewObjectClass(ctx, (int)client_class);
    if (JS_IsException(v))
        return v;
    struct object *o = xcalloc(1, sizeof *o);
    o->vu = vu;
    redis_options_init(&o->options);
    list_push_back(&module_of(vu)->objects, &o->link);
    JS_SetOpaque(v, o);
    if (js_redis_options(ctx, argv[0], &o->options))
        return v;
    JS_FreeValue(ctx, v);
    return JS_EXCEPTION;
}

static int parameter_count(const struct method *m) {
    return (int)strlen(m->parameters);
}

static JSValue new_class(JSContext *ctx) {
    JS_NewClassID(&client_class);
    if (!JS_IsRegisteredClass(JS_GetRuntime(ctx), client_class) &&
        JS_NewClass(JS_GetRuntime(ctx), client_class, &client_def))
        return JS_EXCEPTION;
    JSValue proto = JS_NewObject(ctx);
    for (size_t i = 0; i < countof(methods); i++)
        JS_DefinePropertyValueStr(ctx, proto, methods[i].name,
                                  JS_NewCFunctionMagic(ctx, js_method, methods[i].name,
                                                       parameter_count(&methods[i]),
                                                       JS_CFUNC_generic_magic, (int)i),
                                  JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, proto, "isConnected",
                              JS_NewCFunction(ctx, js_is_connected, "isConnected", 0),
                              JS_PROP_C_W_E);
    JSValue ctor = JS_NewCFunction2(ctx, js_constructor, "Client", 1, JS_CFUNC_constructor, 0);
    JS_SetConstructor(ctx, ctor, proto);
    JS_SetClassProto(ctx, client_class, proto);
    return ctor;
}

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExport(ctx, m, "Client");
}

static int init(JSContext *ctx, JSModuleDef *m) {
    struct vu *vu = vu_from_ctx(ctx);
    if (!module_of(vu)) {
        struct module *mod = xcalloc(1, sizeof *mod);
        list_init(&mod->objects);
        redis_scope_init(&mod->scope);
        vu->module_state[JS_SLOT_REDIS] = mod;
    }
    return JS_SetModuleExport(ctx, m, "Client", new_class(ctx));
}

static void module_cancel(struct vu *vu) {
    struct module *mod = module_of(vu);
    for (struct list *l = mod ? mod->objects.next : NULL; l && l != &mod->objects; l = l->next) {
        struct object *o = container_of(l, struct object, link);
        if (o->client)
            redis_client_cancel(o->client);
    }
}

/* The objects go with the runtime; their connections go now. */
static void module_free(struct vu *vu) {
    struct module *mod = module_of(vu);
    struct list *l;
    if (!mod)
        return;
    while ((l = list_pop_front(&mod->objects))) {
        struct object *o = container_of(l, struct object, link);
        redis_client_free(o->client);
        o->client = NULL;
    }
    redis_scope_wait(&mod->scope);
    for (size_t i = 0; i < mod->tls.len; i++)
        js_redis_tls_unref(mod->tls.ptr[i]);
    vec_release(&mod->tls);
    free(mod);
    vu->module_state[JS_SLOT_REDIS] = NULL;
}

const struct js_module js_mod_redis = {"k6/x/redis", declare, init, module_free, module_cancel};
const struct js_module js_mod_experimental_redis = {
    .specifier = "k6/experimental/redis", .declare = declare, .init = init};
