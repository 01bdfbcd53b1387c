#include "client_run.h"

#include "http_unit.h"

#include <arpa/inet.h>
#include <stdlib.h>

static void run_fiber(void *arg) {
    struct run *r = arg;
    r->client = http_client_new(&r->config, &r->counters);
    r->body(r);
    http_response_unref(r->response);
    http_client_free(r->client);
    worker_stop(r->worker);
}

void run_with(struct run *r, const struct server_step *steps, size_t n_steps,
              void (*body)(struct run *r)) {
    r->server = server_start(steps, n_steps);
    r->worker = worker_new(0);
    r->body = body;
    /* one.test and two.test are the server. */
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_in *a = (struct sockaddr_in *)&r->hosts[i].addr;
        r->hosts[i].pattern = i ? SLICE("two.test") : SLICE("one.test");
        *a = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons(r->server->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    }
    r->config.dialer.hosts = r->hosts;
    r->config.dialer.n_hosts = 2;
    r->config.user_agent = r->config.user_agent.ptr ? r->config.user_agent : SLICE("kiln/test");
    fiber_detach(fiber_start(r->worker, FIBER_STACK_DEFAULT, run_fiber, r));
    worker_run(r->worker);
    worker_free(r->worker);
    server_stop(r->server);
}

static void note_hop(void *arg, const struct http_request *req, const struct url *url,
                     struct http_response *hop) {
    struct run *r = arg;
    (void)req;
    size_t at = strlen(r->hops);
    snprintf(r->hops + at, sizeof r->hops - at, "%.*s %d %s;", SLICE_FMT(hop->method), hop->status,
             strrchr(url->text, '/'));
}

struct http_request request(struct run *r, const char *method) {
    return (struct http_request){
        .method = slice_cstr(method),
        .timeout_ns = 10 * NS_PER_S,
        .max_redirects = 10,
        .on_hop = note_hop,
        .on_hop_arg = r,
    };
}

int fetch(struct run *r, struct http_request *req, const char *path) {
    struct url url;
    char text[600];
    const char *mark = strstr(path, "%PORT%");
    if (mark)
        snprintf(text, sizeof text, "%.*s%u%s", (int)(mark - path), path, r->server->port,
                 mark + 6);
    else if (strstr(path, "://"))
        snprintf(text, sizeof text, "%s", path);
    else
        snprintf(text, sizeof text, "http://127.0.0.1:%u%s", r->server->port, path);
    assert_int_equal(url_parse(slice_cstr(text), &url, NULL), 0);
    req->url = &url;
    http_response_unref(r->response);
    r->response = NULL;
    int rc = http_client_do(r->client, req, &r->response);
    assert_non_null(r->response);
    assert_int_equal(rc, r->response->error.code);
    url_release(&url);
    return rc;
}

int get(struct run *r, const char *path) {
    struct http_request req = request(r, "GET");
    return fetch(r, &req, path);
}

const char *without_ports(const struct run *r, const char *text) {
    static char out[1024];
    char port[8];
    snprintf(port, sizeof port, ":%u", r->server->port);
    size_t n = 0;
    while (*text && n < sizeof out - 8) {
        if (strncmp(text, port, strlen(port)) == 0 &&
            (text[strlen(port)] < '0' || text[strlen(port)] > '9')) {
            memcpy(out + n, ":PORT", 5);
            n += 5;
            text += strlen(port);
        } else if (n > 8 && *text == ':' && memcmp(out + n - 9, "127.0.0.1", 9) == 0) {
            memcpy(out + n, ":N", 2);
            n += 2;
            text += 1 + strspn(text + 1, "0123456789");
        } else {
            out[n++] = *text++;
        }
    }
    out[n] = 0;
    return out;
}
