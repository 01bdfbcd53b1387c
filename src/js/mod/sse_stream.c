#include "js/mod/sse_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "js/js_util.h"
#include "js/vu_tags.h"

#define STACK_BYTES (128 * 1024)
#define EVENT_BYTES_MAX ((size_t)64 << 20)

/* ---------------------------------------------------------------- events */

static struct slice keep(char **at, struct slice s) {
    char *to = *at;
    if (s.len)
        memcpy(to, s.ptr, s.len);
    *at += s.len;
    return slice_from(to, s.len);
}

static struct sse_event *event_new(const struct event_stream_event *e) {
    size_t bytes = e->id.len + e->name.len + e->data.len + e->comment.len;
    struct sse_event *out = xmalloc(sizeof *out + bytes + 1);
    char *at = out->room;
    out->bytes = bytes;
    out->e = *e;
    out->e.id = keep(&at, e->id);
    out->e.name = keep(&at, e->name);
    out->e.data = keep(&at, e->data);
    out->e.comment = keep(&at, e->comment);
    return out;
}

/* ---------------------------------------------------------------- the request */

static bool has_timeout(JSContext *ctx, JSValueConst params) {
    JSValue v = JS_IsObject(params) ? JS_GetPropertyStr(ctx, params, "timeout") : JS_UNDEFINED;
    bool has = !JS_IsUndefined(v) && !JS_IsNull(v);
    JS_FreeValue(ctx, v);
    return has;
}

int sse_stream_init(struct sse_stream *s, struct vu *vu, JSValueConst method, JSValueConst url,
                    JSValueConst body, JSValueConst params) {
    s->vu = vu;
    s->err.code = 0;
    s->metric = metric_find(SLICE("sse_event")); /* the module's init registered it */
    CHECK(s->metric != NULL);
    event_stream_init(&s->parser, EVENT_BYTES_MAX);
    if (http_module_need(vu))
        return KE_JS;
    struct http_call *call = &s->call;
    int rc =
        http_call_init_method(call, http_module_of(vu->ctx), method, url, body, params, &s->err);
    s->has_call = true;
    call->body = JS_UNDEFINED; /* its bytes are held */
    s->tags = call->tags;
    if (rc)
        return rc;
    if (!http_request_has_header(&call->req, SLICE("accept")))
        http_call_add_header(call, SLICE("Accept"), SLICE("text/event-stream"));
    if (!has_timeout(vu->ctx, params))
        call->req.timeout_ns = INT64_MAX;
    call->req.response_type = HTTP_RESPONSE_NONE;
    return 0;
}

const struct http_response *sse_stream_response(const struct sse_stream *s) {
    const struct http_response *r = s->has_call ? s->call.response : NULL;
    return r && r->status ? r : NULL;
}

static void complete_tags(struct sse_stream *s, const struct http_response *r) {
    const struct http_url_entry *url = s->call.url;
    uint32_t on = s->vu->config->system_tags;
    char status[16];
    struct tag add[3];
    size_t n = 0;
    if (!s->vu->shard)
        return;
    snprintf(status, sizeof status, "%d", r->status);
    if (on & TAG_URL)
        add[n++] = (struct tag){SLICE("url"), slice_from(url->tag_text, url->tag_len)};
    if (on & TAG_STATUS)
        add[n++] = (struct tag){SLICE("status"), slice_cstr(status)};
    if (on & TAG_IP)
        add[n++] = (struct tag){SLICE("ip"), slice_cstr(r->remote_ip)};
    s->tags = tagset_with_all(shard_tags(s->vu->shard), s->call.tags, add, n);
}

void sse_stream_count(const struct sse_stream *s) {
    if (!s->vu->is_interrupted)
        vu_sample(s->vu, s->metric, s->tags, 1, clock_now_ns());
}

void sse_stream_release(struct sse_stream *s) {
    event_stream_release(&s->parser);
    if (s->has_call)
        http_call_release(&s->call);
    s->has_call = false;
}

/* ---------------------------------------------------------------- reading */

static bool take_piece(struct sse_stream *s, struct slice piece) {
    struct event_stream_event e;
    size_t used;
    while (piece.len && !s->is_closing) {
        s->rc = event_stream_feed(&s->parser, piece, &used, &e, &s->err);
        if (s->rc < 0)
            return false;
        bool has_event = s->rc == 1;
        s->rc = 0;
        piece = slice_from(piece.ptr + used, piece.len - used);
        if (has_event && !s->on_event(s, event_new(&e)))
            return false;
    }
    return !s->is_closing;
}

static bool on_body(void *arg, const struct http_response *r, struct slice piece) {
    struct sse_stream *s = arg;
    if (s->is_open)
        return take_piece(s, piece);
    s->is_open = true;
    complete_tags(s, r);
    return s->on_open(s, r) && !s->is_closing;
}

void sse_stream_run(struct sse_stream *s) {
    struct http_call *call = &s->call;
    event_stream_release(&s->parser);
    event_stream_init(&s->parser, EVENT_BYTES_MAX);
    if (call->response)
        http_response_unref(call->response);
    call->response = NULL;
    call->n_hops = 0;
    call->req.on_body = on_body;
    call->req.on_body_arg = s;
    s->is_open = false;
    s->rc = 0;
    int rc = http_call_run(call);
    if (s->rc == 0 && rc != 0) {
        s->rc = rc;
        error_set(&s->err, rc, "%s", call->response ? call->response->error.log_text : "canceled");
    }
}

static void reader_fiber(void *arg) {
    struct sse_stream *s = arg;
    sse_stream_run(s);
    s->reader = NULL;
    s->on_end(s);
}

void sse_stream_start(struct sse_stream *s) {
    s->reader = fiber_start(s->vu->worker, STACK_BYTES, reader_fiber, s);
    fiber_detach(s->reader);
}

void sse_stream_close(struct sse_stream *s) {
    s->is_closing = true;
    if (s->reader)
        fiber_cancel(s->reader);
}
