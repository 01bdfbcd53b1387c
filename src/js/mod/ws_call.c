#include "js/mod/ws_call.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "js/js_util.h"
#include "js/mod/http_internal.h"
#include "js/vu_tags.h"

#define HANDSHAKE_NS (60 * NS_PER_S)

void ws_call_init(struct ws_call *c, struct vu *vu, enum ws_module module, struct slice url) {
    if (!vu->http)
        vu->http = http_client_new(&vu->config->http, &vu->traffic);
    *c = (struct ws_call){.vu = vu, .module = module, .tags = vu->tags};
    c->url = slice_dup(url);
    c->params = (struct ws_params){
        .url = slice_from(c->url, url.len),
        .http = &vu->config->http,
        .dialer = http_client_dialer(vu->http),
        .counters = &vu->traffic,
        .jar = http_vu_jar(vu),
    };
}

void ws_call_release(struct ws_call *c) {
    for (size_t i = 0; i < c->params.n_headers; i++) {
        free((char *)(uintptr_t)c->headers[i].name.ptr);
        free((char *)(uintptr_t)c->headers[i].value.ptr);
    }
    free(c->headers);
    free(c->url);
    free(c->protocols);
    *c = (struct ws_call){0};
}

/* ---------------------------------------------------------------- parameters */

static bool read_headers(struct ws_call *c, JSValueConst v) {
    JSContext *ctx = c->vu->ctx;
    JSPropertyEnum *props;
    uint32_t n;
    if (!JS_IsObject(v) || c->headers)
        return true;
    if (JS_GetOwnPropertyNames(ctx, &props, &n, v, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return false;
    bool ok = true;
    c->headers = xcalloc(n + 1, sizeof *c->headers);
    c->params.headers = c->headers;
    for (uint32_t i = 0; i < n && ok; i++) {
        JSValue value = JS_GetProperty(ctx, v, props[i].atom);
        const char *name = JS_AtomToCString(ctx, props[i].atom);
        struct js_text text;
        ok = name && !JS_IsException(value) && js_text_get(ctx, value, &text);
        if (ok) {
            struct slice key = slice_cstr(name);
            c->headers[i].name = slice_from(slice_dup(key), key.len);
            c->headers[i].value = slice_from(slice_dup(text.s), text.s.len);
            c->params.n_headers = i + 1;
            js_text_release(&text);
        }
        JS_FreeCString(ctx, name);
        JS_FreeValue(ctx, value);
    }
    js_free_names(ctx, props, n);
    return ok;
}

static bool read_tags(struct ws_call *c, JSValueConst v) {
    char *bad;
    int rc = js_tags_add(c->vu, &c->tags, v, &bad);
    if (rc == KE_INVALID)
        js_throw_go_error(c->vu->ctx, "%s: %s",
                          c->module == WS_MODULE_LOOP ? "invalid WebSocket tags option"
                                                      : "invalid ws.connect() metric tags",
                          bad);
    free(bad);
    return rc == 0;
}

static bool read_compression(struct ws_call *c, JSValueConst v) {
    struct js_text text;
    if (!js_text_get(c->vu->ctx, v, &text))
        return false;
    struct slice name = slice_trim(text.s);
    bool ok = true;
    if (slice_eq(name, SLICE("deflate"))) {
        c->params.offers_deflate = true;
    } else if (name.len || c->module == WS_MODULE_LOOP) {
        js_throw_go_error(c->vu->ctx,
                          "unsupported compression algorithm '%.*s', supported algorithm is "
                          "'deflate'",
                          SLICE_FMT(name));
        ok = false;
    }
    js_text_release(&text);
    return ok;
}

static bool read_param(struct ws_call *c, const char *key, JSValueConst v) {
    if (strcmp(key, "headers") == 0)
        return read_headers(c, v);
    if (strcmp(key, "tags") == 0)
        return read_tags(c, v);
    if (strcmp(key, "compression") == 0)
        return read_compression(c, v);
    if (strcmp(key, "jar") == 0) {
        struct cookie_jar *jar = http_cookie_jar_from(v);
        if (jar)
            c->params.jar = jar;
        return true;
    }
    if (c->module == WS_MODULE_BLOCKING)
        return true;
    if (strcmp(key, "keepAlive") == 0) {
        c->keeps_alive = JS_ToBool(c->vu->ctx, v) > 0;
        return true;
    }
    js_throw_go_error(c->vu->ctx, "unknown WebSocket's option %s", key);
    return false;
}

bool ws_call_read(struct ws_call *c, JSValueConst params) {
    JSContext *ctx = c->vu->ctx;
    JSPropertyEnum *props;
    uint32_t n;
    if (!JS_IsObject(params))
        return true;
    if (JS_GetOwnPropertyNames(ctx, &props, &n, params, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return false;
    bool ok = true;
    for (uint32_t i = 0; i < n && ok; i++) {
        JSValue v = JS_GetProperty(ctx, params, props[i].atom);
        const char *key = JS_AtomToCString(ctx, props[i].atom);
        ok = key && !JS_IsException(v) && read_param(c, key, v);
        JS_FreeCString(ctx, key);
        JS_FreeValue(ctx, v);
    }
    js_free_names(ctx, props, n);
    return ok;
}

/* ---------------------------------------------------------------- samples */

static void set_tag(struct ws_call *c, enum system_tag bit, const char *key, struct slice value) {
    if (c->vu->shard && (c->vu->config->system_tags & (uint32_t)bit))
        c->tags = tagset_with(shard_tags(c->vu->shard), c->tags, slice_cstr(key), value);
}

static void complete_tags(struct ws_call *c, const struct ws_conn *conn,
                          const struct ws_response *r) {
    char status[16];
    if (!c->vu->shard)
        return;
    if (conn)
        set_tag(c, TAG_IP, "ip", slice_cstr(ws_peer_ip(conn)));
    if (r->status) {
        struct slice protocol = ws_response_header(r, SLICE("Sec-WebSocket-Protocol"));
        snprintf(status, sizeof status, "%d", r->status);
        set_tag(c, TAG_STATUS, "status", slice_cstr(status));
        set_tag(c, TAG_SUBPROTO, "subproto", protocol.ptr ? protocol : SLICE(""));
    }
    struct slice name = tagset_get(c->tags, SLICE("name"));
    if (c->module == WS_MODULE_LOOP && name.ptr) {
        set_tag(c, TAG_URL, "url", name);
        return;
    }
    set_tag(c, TAG_URL, "url", c->params.url);
    if (c->module == WS_MODULE_LOOP)
        set_tag(c, TAG_NAME, "name", c->params.url);
}

static void sample(const struct ws_call *c, enum builtin_metric metric, double value,
                   int64_t time_ns) {
    if (!c->vu->is_interrupted)
        vu_sample(c->vu, metric_by_id(metric), c->tags, value, time_ns);
}

void ws_call_count(const struct ws_call *c, enum builtin_metric metric) {
    sample(c, metric, 1, clock_now_ns());
}

void ws_call_time(const struct ws_call *c, enum builtin_metric metric, int64_t since_ns) {
    int64_t now = clock_now_ns();
    sample(c, metric, (double)(now - since_ns) / (double)NS_PER_MS, now);
}

int ws_call_open(struct ws_call *c, struct ws_conn **out, struct ws_response *response,
                 struct error *err) {
    c->start_ns = clock_now_ns();
    *out = NULL;
    int rc = ws_open(&c->params, c->start_ns + HANDSHAKE_NS, out, response, err);
    int64_t end_ns = clock_now_ns();
    complete_tags(c, *out, response);
    if (rc != KE_CANCELED) {
        sample(c, M_WS_SESSIONS, 1, c->start_ns);
        sample(c, M_WS_CONNECTING, (double)(end_ns - c->start_ns) / (double)NS_PER_MS, c->start_ns);
    }
    return rc;
}

/* ---------------------------------------------------------------- pings */

struct slice ws_pings_next(struct ws_pings *p, char *out) {
    if (p->len == p->alloc && p->len < WS_PINGS_MAX) {
        p->alloc = p->alloc ? p->alloc * 2 : 4;
        p->sent_ns = xrealloc(p->sent_ns, p->alloc * sizeof *p->sent_ns);
    }
    int n = snprintf(out, 24, "%zu", p->len);
    if (p->len < p->alloc)
        p->sent_ns[p->len++] = clock_now_ns();
    return slice_from(out, (size_t)n);
}

int64_t ws_pings_find(const struct ws_pings *p, struct slice payload) {
    uint64_t id;
    return slice_to_u64(payload, &id) && id < p->len ? p->sent_ns[id] : 0;
}
