/* What k6/ws and k6/websockets share: the parameters of a connection, read from a script's objects
 * into memory of their own (the handshake runs on another fiber), and the tags and samples of a
 * session. */
#pragma once

#include "js/vu_internal.h"
#include "ws/ws_conn.h"

enum ws_module { WS_MODULE_BLOCKING, WS_MODULE_LOOP };

struct ws_call {
    struct vu *vu;
    enum ws_module module;
    struct ws_params params;
    struct http_header *headers; /* names and values on the heap */
    char *url, *protocols;
    const struct tagset *tags;
    int64_t start_ns;
    bool keeps_alive; /* the session may outlive the iteration (k6/websockets; not in k6) */
};

void ws_call_init(struct ws_call *c, struct vu *vu, enum ws_module module, struct slice url);
/* Reads the object {headers, tags, jar, compression, keepAlive}; undefined and null are fine. False
 * with an exception pending. */
bool ws_call_read(struct ws_call *c, JSValueConst params);
void ws_call_release(struct ws_call *c);

/* Dials, on the calling fiber. Completes the tags and records ws_sessions and ws_connecting. As
 * ws_open. */
int ws_call_open(struct ws_call *c, struct ws_conn **out, struct ws_response *response,
                 struct error *err);
/* Records 1, or the time since a moment. Nothing when the VU was interrupted. */
void ws_call_count(const struct ws_call *c, enum builtin_metric metric);
void ws_call_time(const struct ws_call *c, enum builtin_metric metric, int64_t since_ns);

/* Sent pings, by their number, which is their payload. */
struct ws_pings {
    int64_t *sent_ns;
    size_t len, alloc;
};
#define WS_PINGS_MAX ((size_t)1 << 20)
/* The payload of the next ping; room for 24 bytes. */
struct slice ws_pings_next(struct ws_pings *p, char *out);
/* When the ping with that payload was sent; 0 = never. */
int64_t ws_pings_find(const struct ws_pings *p, struct slice payload);
