/* The inside of k6/net/grpc: grpc.c has the module and its clients, grpc_load.c descriptors,
 * grpc_params.c parameters, grpc_invoke.c unary calls, grpc_stream.c streams. */
#pragma once

#include "grpc/grpc_call.h"
#include "js/event_loop.h"
#include "js/js_util.h"
#include "proto/proto.h"

struct grpc_client {
    struct vu *vu;
    struct proto_pool **pools; /* of load, loadProtoset and reflection; the last one wins */
    size_t n_pools;
    struct proto_pool *reflected; /* the one of pools that is of the last reflection */
    struct grpc_channel *channel; /* NULL = not connected */
    char *address;                /* as given to connect */
};

struct grpc_module {
    struct list asyncs, streams; /* under way */
    struct metric *streams_metric, *sent_metric, *received_metric;
};
struct grpc_module *grpc_module_of(struct vu *vu);
/* NULL when v is no client. */
struct grpc_client *grpc_client_of(JSValueConst v);
/* With a reference to its pool. NULL when there is none: *out_pool is NULL too, *out_why has k6's
 * words for it; heap string. */
const struct proto_method *grpc_find_method(const struct grpc_client *c, struct slice path,
                                            struct proto_pool **out_pool, char **out_why);
/* For Any: all pools of the client. */
struct proto_json_options grpc_json_options(const struct grpc_client *c);

/* ---------------------------------------------------------------- grpc_params.c */

struct grpc_params {
    struct grpc_metadata metadata;
    const struct tagset *tags; /* the VU's and those of params.tags */
    int64_t timeout_ns;        /* 0 = none given */
    bool discards_message;
};
/* Reads {metadata, tags, timeout, discardResponseMessage}; undefined and null are fine. The words
 * of k6 without what it puts in front, or NULL when all is well; heap string. Release in any case.
 * *out_threw: JavaScript threw, the exception is pending. */
char *grpc_params_read(struct grpc_params *p, struct vu *vu, JSValueConst v, bool *out_threw);
void grpc_params_release(struct grpc_params *p);

struct grpc_connect_params {
    bool is_plaintext, uses_reflection;
    struct grpc_metadata reflect_metadata;
    int64_t timeout_ns;
    size_t max_receive_bytes, max_send_bytes; /* 0 = default */
    char *authority;
    const struct tls_config *tls;
};
char *grpc_connect_params_read(struct grpc_connect_params *p, struct vu *vu, JSValueConst v,
                               bool *out_threw);
void grpc_connect_params_release(struct grpc_connect_params *p);

/* ---------------------------------------------------------------- grpc_load.c */

JSValue grpc_js_load(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue grpc_js_load_protoset(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
/* What a server's reflection said: a FileDescriptorSet. It replaces that of an earlier one. */
int grpc_client_add_reflected(struct grpc_client *c, struct slice set, struct error *err);

/* ---------------------------------------------------------------- grpc_invoke.c */

JSValue grpc_js_invoke(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue grpc_js_async_invoke(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
void grpc_asyncs_cancel(struct grpc_module *mod);
/* The message as k6 gives it to scripts, fields that are not set too. An exception when it is bad
 * or its JSON text is larger than 256 MiB. */
JSValue grpc_message_value(JSContext *ctx, const struct grpc_client *c,
                           const struct proto_type *type, struct slice wire);
/* google.rpc.Status in its JSON form: {code, message, details}. */
JSValue grpc_status_value(JSContext *ctx, const struct grpc_client *c,
                          const struct grpc_status *status);
/* JSON text of a value, NUL-terminated behind its end: false with an exception pending. NaN and the
 * infinities become strings when `normalizes`. */
bool grpc_json_of(JSContext *ctx, JSValueConst v, bool normalizes, struct js_text *out);

/* ---------------------------------------------------------------- grpc_stream.c */

JSValue grpc_stream_class_new(JSContext *ctx);
void grpc_streams_cancel(struct grpc_module *mod);

/* ---------------------------------------------------------------- grpc_metrics.c */

/* base plus url, service, method and name of a call. */
const struct tagset *grpc_call_tags(struct vu *vu, const struct tagset *base,
                                    const struct grpc_client *c, const struct proto_method *m);
/* Records grpc_req_duration of a call that is over. */
void grpc_record(struct vu *vu, const struct tagset *tags, const struct grpc_call *call);
