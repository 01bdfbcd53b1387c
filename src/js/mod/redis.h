/* The inside of k6/x/redis: options from a script's object, arguments of commands, replies as
 * JavaScript. */
#pragma once

#include "js/vu_internal.h"
#include "redis/redis_client.h"

/* redis_options.c: a URL or an object. An initialised o is filled; false with an exception pending
 * in xk6-redis's words ("invalid options; reason: empty socket options"). */
bool js_redis_options(JSContext *ctx, JSValueConst v, struct redis_options *o);

/* redis_tls.c: one config for all clients of the process that want the same. NULL with *err for a
 * bad certificate. */
struct tls_config *js_redis_tls_ref(const struct tls_config *base, const struct redis_options *o,
                                    struct error *err);
void js_redis_tls_unref(struct tls_config *cfg);

/* redis_values.c: the arguments of a command, being collected. */
#define REDIS_ARGS_INLINE 8
struct js_redis_args {
    JSContext *ctx;
    struct slice *slices;
    struct slice inline_slices[REDIS_ARGS_INLINE];
    size_t n, alloc;
    struct js_redis_held *held; /* what the slices are views of */
};
void js_redis_args_init(struct js_redis_args *a, JSContext *ctx, struct slice name);
void js_redis_args_release(struct js_redis_args *a);
void js_redis_arg_word(struct js_redis_args *a, const char *word); /* of static memory */
void js_redis_arg_int(struct js_redis_args *a, int64_t v);
/* As a string. False with an exception pending. */
bool js_redis_arg_string(struct js_redis_args *a, JSValueConst v);
/* A string, number or boolean as go-redis writes them: 1, 0 when it is something else, -1 with an
 * exception pending. */
int js_redis_arg_value(struct js_redis_args *a, JSValueConst v);

/* What a command's answer becomes. */
enum js_redis_reply {
    REPLY_STRING,
    REPLY_INT,
    REPLY_BOOL,
    REPLY_SECONDS, /* a duration; what redis has no duration for is k6's tiny negative number */
    REPLY_STRINGS,
    REPLY_MAP,
    REPLY_ANY
};
/* The value, or false and a Go error in its place ("redis: nil", "ERR …"). */
bool js_redis_value(JSContext *ctx, struct slice reply, enum js_redis_reply kind, JSValue *out);
