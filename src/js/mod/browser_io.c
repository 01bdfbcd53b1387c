/* From the connection's fibers to the VU's. */
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "js/js_util.h"
#include "js/mod/browser_internal.h"
#include "js/mod/http_internal.h"
#include "ws/ws_conn.h"

/* The reader waits while more than this lies about unread. */
#define QUEUE_BYTES_MAX ((size_t)32 << 20)

struct browser_message {
    struct list link;
    const struct browser_link *from;
    int64_t id;
    bool is_error;
    size_t session_len, method_len, payload_len;
    char data[]; /* session, method, payload, each with a zero byte */
};

static void turn(struct vu *vu, struct js_completion *c) {
    struct browser_module *m = container_of(c, struct browser_module, turn);
    (void)vu;
    m->is_turn_posted = false;
    browser_dispatch(m);
}

static void notify(struct browser_module *m) {
    if (m->is_polling)
        fiber_wake(m->vu->fiber);
    if (m->is_turn_posted)
        return;
    m->is_turn_posted = true;
    js_loop_complete(m->vu, &m->turn);
}

static void pause_all(struct browser_module *m, bool is_paused) {
    for (struct list *l = m->links.next; l != &m->links; l = l->next)
        cdp_conn_pause(container_of(l, struct browser_link, link)->conn, is_paused);
}

static void on_message(void *arg, const struct cdp_message *m) {
    struct browser_link *from = arg;
    struct browser_module *mod = from->module;
    struct slice s = m->session, e = m->method, p = m->payload;
    struct browser_message *q = xmalloc(sizeof *q + s.len + e.len + p.len + 3);
    *q = (struct browser_message){.from = from,
                                  .id = m->id,
                                  .is_error = m->is_error,
                                  .session_len = s.len,
                                  .method_len = e.len,
                                  .payload_len = p.len};
    char *at = q->data;
    for (int i = 0; i < 3; i++) {
        struct slice part = i == 0 ? s : i == 1 ? e : p;
        if (part.len)
            memcpy(at, part.ptr, part.len);
        at[part.len] = 0;
        at += part.len + 1;
    }
    list_push_back(&mod->queue, &q->link);
    mod->queue_bytes += p.len;
    if (mod->queue_bytes > QUEUE_BYTES_MAX)
        pause_all(mod, true);
    notify(mod);
}

static void on_end(void *arg, const char *why) {
    struct browser_link *l = arg;
    l->end_words = xstrdup(why);
    l->module->has_end_to_tell = true;
    notify(l->module);
}

static void on_timer(struct worker_timer *t) {
    struct browser_module *m = container_of(t, struct browser_module, timer);
    m->is_due = true;
    notify(m);
}

void browser_wake_at(struct browser_module *m, int64_t deadline_ns) {
    worker_timer_stop(m->vu->worker, &m->timer);
    if (deadline_ns != NEVER_NS)
        worker_timer_start(m->vu->worker, &m->timer, deadline_ns, on_timer);
}

void browser_module_init(struct browser_module *m) {
    list_init(&m->queue);
    list_init(&m->links);
    m->log_level = log_config()->level;
    m->turn.run = turn;
    m->api = JS_UNDEFINED;
}

static bool call(struct browser_module *m, const char *name, int argc, JSValueConst *argv) {
    JSContext *ctx = m->vu->ctx;
    JSValue fn = JS_GetPropertyStr(ctx, m->api, name);
    JSValue r = JS_Call(ctx, fn, JS_UNDEFINED, argc, argv);
    JS_FreeValue(ctx, fn);
    JS_FreeValue(ctx, r);
    return !JS_IsException(r);
}

static bool dispatch_one(struct browser_module *m, struct browser_message *q) {
    JSContext *ctx = m->vu->ctx;
    const char *session = q->data, *method = session + q->session_len + 1,
               *payload = method + q->method_len + 1;
    JSValue args[6] = {JS_NewInt64(ctx, q->from->id),
                       JS_NewInt64(ctx, q->id),
                       JS_NewStringLen(ctx, session, q->session_len),
                       JS_NewStringLen(ctx, method, q->method_len),
                       q->payload_len ? JS_ParseJSON(ctx, payload, q->payload_len, "<cdp>")
                                      : JS_UNDEFINED,
                       JS_NewBool(ctx, q->is_error)};
    bool ok = !JS_IsException(args[4]) && call(m, "message", 6, (JSValueConst *)args);
    for (int i = 0; i < 6; i++)
        JS_FreeValue(ctx, args[i]);
    return ok;
}

static bool tell_ends(struct browser_module *m) {
    JSContext *ctx = m->vu->ctx;
    bool ok = true;
    m->has_end_to_tell = false;
    for (struct list *l = m->links.next; l != &m->links && ok;) {
        struct browser_link *b = container_of(l, struct browser_link, link);
        l = l->next;
        if (!b->end_words || b->has_told_end)
            continue;
        b->has_told_end = true;
        JSValue args[2] = {JS_NewInt64(ctx, b->id), JS_NewString(ctx, b->end_words)};
        ok = call(m, "ended", 2, (JSValueConst *)args);
        JS_FreeValue(ctx, args[1]);
        m->has_end_to_tell = m->has_end_to_tell || !ok;
    }
    return ok;
}

bool browser_dispatch(struct browser_module *m) {
    struct list *l;
    bool ok = true;
    while (ok && (l = list_pop_front(&m->queue))) {
        struct browser_message *q = container_of(l, struct browser_message, link);
        m->queue_bytes -= q->payload_len;
        ok = dispatch_one(m, q);
        free(q);
    }
    if (m->queue_bytes <= QUEUE_BYTES_MAX)
        pause_all(m, false);
    if (ok && m->is_due) {
        m->is_due = false;
        ok = call(m, "timers", 0, NULL);
    }
    if (ok && m->has_end_to_tell)
        ok = tell_ends(m);
    if (!ok && (!list_empty(&m->queue) || m->is_due || m->has_end_to_tell))
        notify(m);
    return ok;
}

int browser_wait(struct browser_module *m, int64_t deadline_ns) {
    int rc = 0;
    m->is_polling = true;
    while (rc == 0 && list_empty(&m->queue) && !m->is_due && !m->has_end_to_tell)
        rc = fiber_park(deadline_ns);
    m->is_polling = false;
    return rc;
}

/* ---------------------------------------------------------------- open and close */

static struct browser_link *new_link(struct browser_module *m) {
    struct browser_link *l = xcalloc(1, sizeof *l);
    l->module = m;
    l->id = ++m->last_id;
    return l;
}

int browser_launch(struct browser_module *m, const char *executable, const char *const *args,
                   struct browser_link **out, struct error *err) {
    struct browser_link *l = new_link(m);
    struct cdp_handler handler = {on_message, on_end, l};
    struct cdp_launch launch = {executable, args};
    int in, out_fd;
    int rc = cdp_process_start(&launch, &l->process, &in, &out_fd, err);
    if (rc) {
        free(l);
        return rc;
    }
    l->conn = cdp_conn_new_pipe(m->vu->worker, in, out_fd, &handler);
    list_push_back(&m->links, &l->link);
    *out = l;
    return 0;
}

int browser_connect(struct browser_module *m, const char *url, int64_t deadline_ns,
                    struct browser_link **out, struct error *err) {
    struct vu *vu = m->vu;
    struct ws_conn *ws;
    struct ws_response response;
    if (!vu->http)
        vu->http = http_client_new(&vu->config->http, &vu->traffic);
    struct ws_params params = {.url = slice_cstr(url),
                               .http = &vu->config->http,
                               .dialer = http_client_dialer(vu->http),
                               .max_message_bytes = CDP_MESSAGE_MAX};
    int rc = ws_open(&params, deadline_ns, &ws, &response, err);
    ws_response_release(&response);
    if (rc)
        return rc;
    struct browser_link *l = new_link(m);
    struct cdp_handler handler = {on_message, on_end, l};
    l->conn = cdp_conn_new_ws(vu->worker, ws, &handler);
    list_push_back(&m->links, &l->link);
    *out = l;
    return 0;
}

struct browser_link *browser_link_by_id(struct browser_module *m, int64_t id) {
    for (struct list *l = m->links.next; l != &m->links; l = l->next)
        if (container_of(l, struct browser_link, link)->id == id)
            return container_of(l, struct browser_link, link);
    return NULL;
}

static void drop_messages(struct browser_module *m, const struct browser_link *from) {
    for (struct list *l = m->queue.next; l != &m->queue;) {
        struct browser_message *q = container_of(l, struct browser_message, link);
        l = l->next;
        if (q->from != from)
            continue;
        list_remove(&q->link);
        m->queue_bytes -= q->payload_len;
        free(q);
    }
}

void browser_link_close(struct browser_link *l) {
    list_remove(&l->link);
    cdp_conn_free(l->conn);
    cdp_process_free(l->process);
    drop_messages(l->module, l);
    free(l->end_words);
    free(l);
}

void browser_close(struct browser_module *m) {
    while (!list_empty(&m->links))
        browser_link_close(container_of(m->links.next, struct browser_link, link));
    worker_timer_stop(m->vu->worker, &m->timer);
    m->is_due = m->has_end_to_tell = false;
    for (; m->pending; m->pending--)
        js_loop_pending_done(m->vu);
    if (m->is_turn_posted)
        list_remove(&m->turn.link);
    m->is_turn_posted = false;
}
