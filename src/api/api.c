#include "api/api_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/listen.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"

#define BODY_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define BODIES_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define CALL_STACK_BYTES (256 * 1024)
/* How often what is still running is told to end. */
#define STOP_PERIOD_NS (100 * NS_PER_MS)

struct route {
    const char *method, *path;
    void (*answer)(struct api_call *call);
    bool has_id; /* path ends with "/", an id follows */
};

static const struct route routes[] = {
    {"GET", "/v1/status", api_get_status, false},
    {"PATCH", "/v1/status", api_patch_status, false},
    {"GET", "/v1/metrics", api_get_metrics, false},
    {"GET", "/v1/metrics/", api_get_metric, true},
    {"GET", "/v1/groups", api_get_groups, false},
    {"GET", "/v1/groups/", api_get_group, true},
    {"GET", "/v1/setup", api_get_setup, false},
    {"PUT", "/v1/setup", api_put_setup, false},
    {"POST", "/v1/setup", api_post_setup, false},
    {"POST", "/v1/teardown", api_post_teardown, false},
    {"GET", "/v1/windows/", api_get_windows, true},
};

/* ---- answers */

void api_write_error(struct buf *out, int status, const char *title, const char *detail) {
    struct json_writer w;
    char text[16];
    struct buf number;
    buf_init(&number, sizeof text);
    buf_printf(&number, "%d", status);
    json_write_init(&w, out, NULL, true);
    json_object_begin(&w);
    json_key(&w, "errors");
    json_array_begin(&w);
    json_object_begin(&w);
    json_key(&w, "status");
    json_string(&w, buf_slice(&number));
    json_key(&w, "title");
    json_cstr(&w, title);
    if (*detail) {
        json_key(&w, "detail");
        json_cstr(&w, detail);
    }
    json_object_end(&w);
    json_array_end(&w);
    json_object_end(&w);
    buf_release(&number);
}

static void log_request(const struct server_request *r, int status) {
    char text[16];
    struct buf line;
    if (!log_enabled(LOG_DEBUG))
        return;
    buf_init(&line, BUF_NO_CAP);
    snprintf(text, sizeof text, "%d", status);
    buf_printf(&line, "%s %s", server_request_method(r), server_request_path(r));
    log_fields(LOG_DEBUG, buf_slice(&line), LOG_STR("status", text));
    buf_release(&line);
}

static void answer(struct server_request *r, int status, const char *content_type,
                   struct buf *body) {
    log_request(r, status);
    server_request_answer(r, status, content_type, body);
}

static void answer_error(struct server_request *r, int status, const char *title,
                         const char *detail) {
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    api_write_error(&body, status, title, detail);
    answer(r, status, API_JSON, &body);
    buf_release(&body);
}

void api_answer(struct api_call *call, int status, const char *content_type, struct buf *body) {
    answer(call->request, status, content_type, body);
    call->request = NULL;
}

void api_answer_error(struct api_call *call, int status, const char *title, const char *detail) {
    answer_error(call->request, status, title, detail);
    call->request = NULL;
}

static const char *describe_refusal(void *arg, int status, struct buf *out) {
    (void)arg;
    bool is_large = status == 413;
    api_write_error(out, status, is_large ? "Request too large" : "Overloaded",
                    is_large ? "the request's body is too large"
                             : "too many requests with large bodies");
    return API_JSON;
}

/* ---- on the main thread */

static void call_main(void *arg) {
    struct api_call *call = arg;
    struct api *api = call->api;
    call->answer(call);
    CHECK(call->request == NULL);
    list_remove(&call->link);
    free(call);
    if (atomic_fetch_sub(&api->n_pending, 1) == 1 && api->stopper != NULL)
        fiber_wake(api->stopper);
}

static void on_call(struct worker_msg *msg) {
    struct api_call *call = container_of(msg, struct api_call, msg);
    list_push_back(&call->api->calls, &call->link);
    fiber_detach(fiber_start(call->api->config.main_worker, CALL_STACK_BYTES, call_main, call));
}

/* ---- on the server's thread */

/* The main thread waits for what was counted before it began to close; what comes later is refused
 * here. */
static void hand_over(struct api *api, struct server_request *r, const struct route *route) {
    atomic_fetch_add(&api->n_pending, 1);
    if (atomic_load(&api->is_closing)) {
        atomic_fetch_sub(&api->n_pending, 1);
        answer_error(r, 503, "Shutting down", "the test is over");
        return;
    }
    struct api_call *call = xcalloc(1, sizeof *call);
    call->api = api;
    call->request = r;
    call->answer = route->answer;
    call->id = route->has_id ? server_request_path(r) + strlen(route->path) : "";
    call->msg.run = on_call;
    list_init(&call->link);
    worker_post(api->config.main_worker, &call->msg);
}

void api_control(struct api *api, struct server_request *r) {
    static const struct route patch = {"PATCH", "/v1/status", api_patch_status, false};
    hand_over(api, r, &patch);
}

static void answer_text(struct server_request *r, int status, const char *text) {
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    buf_append_str(&body, text);
    answer(r, status, API_TEXT, &body);
    buf_release(&body);
}

static void answer_pprof(struct api *api, struct server_request *r) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    if (!api->config.is_profiling)
        buf_printf(&text, "To enable profiling, please run %s with the --profiling-enabled flag",
                   api->config.program);
    else
        buf_printf(&text,
                   "%s is no Go program and has no pprof profiles; `perf record -g -p %d` makes "
                   "one",
                   api->config.program, (int)getpid());
    answer(r, 200, API_TEXT, &text);
    buf_release(&text);
}

static bool is_below(const char *path, const char *folder) {
    return strncmp(path, folder, strlen(folder)) == 0;
}

/* What is no part of the API itself. Everything unknown says "ok", as in k6. */
static void answer_other(struct api *api, struct server_request *r) {
    const char *path = server_request_path(r);
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    if (is_below(path, "/debug/pprof/")) {
        answer_pprof(api, r);
    } else if (is_below(path, "/debug/vars/")) {
        api_write_process_vars(&body);
        answer(r, 200, API_JSON, &body);
    } else if (strcmp(path, "/metrics") == 0 && compat_on(COMPAT_API_PROCESS_METRICS)) {
        api_write_process_metrics(&body, api->config.version);
        answer(r, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
    } else if (is_below(path, "/v1/")) {
        answer_text(r, 404, "404 page not found\n");
    } else {
        answer_text(r, 200, "ok");
    }
    buf_release(&body);
}

static bool matches(const struct route *route, const char *path) {
    return route->has_id ? is_below(path, route->path) : strcmp(path, route->path) == 0;
}

static void handle(void *arg, struct server_request *r) {
    struct api *api = arg;
    const char *path = server_request_path(r), *method = server_request_method(r);
    bool is_known = false;
    for (size_t i = 0; i < countof(routes); i++) {
        if (!matches(&routes[i], path))
            continue;
        is_known = true;
        if (strcmp(method, routes[i].method) == 0) {
            hand_over(api, r, &routes[i]);
            return;
        }
    }
    if (is_known)
        answer(r, 405, NULL, NULL);
    else
        answer_other(api, r);
}

/* ---- life */

struct api *api_start(const struct api_config *cfg, struct error *err) {
    int fd;
    if (api_listen(cfg->address, &fd, err) != 0)
        return NULL;
    struct api *api = xcalloc(1, sizeof *api);
    api->config = *cfg;
    list_init(&api->calls);
    struct http_server_config server = {.fd = fd,
                                        .max_body_bytes = BODY_MAX_BYTES,
                                        .max_bodies_bytes = BODIES_MAX_BYTES,
                                        .handle = handle,
                                        .describe_error = describe_refusal,
                                        .arg = api};
    log_printf(LOG_DEBUG, "Starting the REST API server on %s", cfg->address);
    api->server = http_server_start(&server, err);
    if (api->server == NULL) {
        free(api);
        return NULL;
    }
    return api;
}

void api_set_run(struct api *api, struct run *run) {
    api->run = run;
    if (run == NULL)
        return;
    if (api->is_resumed)
        run_resume(run);
    if (api->is_stopped)
        api_stop_run(run);
}

void api_stop(struct api *api) {
    if (api == NULL)
        return;
    api->stopper = fiber_self();
    atomic_store(&api->is_closing, true);
    while (atomic_load(&api->n_pending) > 0) {
        for (struct list *i = api->calls.next; i != &api->calls; i = i->next) {
            struct vu *vu = container_of(i, struct api_call, link)->vu;
            if (vu != NULL)
                vu_interrupt(vu);
        }
        fiber_park(clock_now_ns() + STOP_PERIOD_NS);
    }
    http_server_stop(api->server);
    api_windows_release(&api->windows);
    free(api);
}
