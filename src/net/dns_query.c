#include "net/dns_query.h"

#include <ares.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "fiber/worker.h"

#define ATTEMPTS 2 /* Go's defaults */
#define TIMEOUT_MS 5000
#define MAX_ADDRS 64

struct dns_socket {
    struct dns_socket *next;
    struct dns_client *client;
    uv_poll_t poll;
    ares_socket_t fd;
};

struct dns_client {
    struct worker *worker;
    ares_channel channel;
    struct dns_socket *sockets;
    struct worker_timer timer;
    char server[SOCKADDR_TEXT_MAX];
};

/* ---------------------------------------------------------------- c-ares on the worker's loop */

static void timer_update(struct dns_client *c);

static void socket_ready(uv_poll_t *poll, int status, int events) {
    struct dns_socket *s = container_of(poll, struct dns_socket, poll);
    struct dns_client *c = s->client;
    bool can_read = status < 0 || events & UV_READABLE,
         can_write = status < 0 || events & UV_WRITABLE;
    ares_process_fd(c->channel, can_read ? s->fd : ARES_SOCKET_BAD,
                    can_write ? s->fd : ARES_SOCKET_BAD);
    timer_update(c);
}

static void timer_fired(struct worker_timer *t) {
    struct dns_client *c = container_of(t, struct dns_client, timer);
    ares_process_fd(c->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    timer_update(c);
}

static void timer_update(struct dns_client *c) {
    struct timeval left;
    if (!ares_timeout(c->channel, NULL, &left)) {
        worker_timer_stop(c->worker, &c->timer);
        return;
    }
    /* c-ares rounds down: a millisecond more, or it is asked too early. */
    int64_t in_ns = left.tv_sec * NS_PER_S + left.tv_usec * NS_PER_US + NS_PER_MS;
    worker_timer_start(c->worker, &c->timer, clock_now_ns() + in_ns, timer_fired);
}

static void socket_closed(uv_handle_t *handle) {
    free(container_of((uv_poll_t *)handle, struct dns_socket, poll));
}

static void socket_state_changed(void *arg, ares_socket_t fd, int can_read, int can_write) {
    struct dns_client *c = arg;
    struct dns_socket **at = &c->sockets;
    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    struct dns_socket *s = *at;
    int events = (can_read ? UV_READABLE : 0) | (can_write ? UV_WRITABLE : 0);
    if (!s) {
        if (!events)
            return;
        s = xcalloc(1, sizeof *s);
        s->client = c;
        s->fd = fd;
        CHECK(uv_poll_init(worker_uv(c->worker), &s->poll, fd) == 0);
        s->next = c->sockets;
        c->sockets = s;
    }
    if (events) {
        uv_poll_start(&s->poll, events, socket_ready);
        return;
    }
    *at = s->next;
    uv_close((uv_handle_t *)&s->poll, socket_closed);
}

/* ---------------------------------------------------------------- client */

static void library_init(void) {
    CHECK(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
}

static void server_find(struct dns_client *c) {
    struct ares_addr_port_node *servers = NULL;
    if (ares_get_servers_ports(c->channel, &servers) != ARES_SUCCESS || !servers)
        return;
    union sockaddr_any a = {0};
    a.sa.sa_family = (sa_family_t)servers->family;
    if (servers->family == AF_INET)
        a.in4.sin_addr = servers->addr.addr4;
    else
        memcpy(&a.in6.sin6_addr, &servers->addr.addr6, sizeof a.in6.sin6_addr);
    sockaddr_set_port(&a, servers->udp_port ? (uint16_t)servers->udp_port : 53);
    sockaddr_text(&a, c->server, sizeof c->server);
    ares_free_data(servers);
}

int dns_client_set_servers(struct dns_client *c, const char *servers) {
    if (ares_set_servers_ports_csv(c->channel, servers) != ARES_SUCCESS)
        return KE_INVALID;
    server_find(c);
    return 0;
}

struct dns_client *dns_client_new(struct worker *w) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, library_init);
    struct dns_client *c = xcalloc(1, sizeof *c);
    c->worker = w;
    struct ares_options options = {
        .timeout = TIMEOUT_MS,
        .tries = ATTEMPTS,
        .sock_state_cb = socket_state_changed,
        .sock_state_cb_data = c,
    };
    CHECK(ares_init_options(&c->channel, &options,
                            ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) ==
          ARES_SUCCESS);
    server_find(c);
    return c;
}

void dns_client_free(struct dns_client *c) {
    worker_timer_stop(c->worker, &c->timer);
    ares_destroy(c->channel); /* reports every socket as closed */
    free(c);
}

const char *dns_client_server(const struct dns_client *c) {
    return c->server;
}

/* ---------------------------------------------------------------- question */

struct question {
    dns_done_fn *done;
    void *arg;
};

static void addresses_done(struct question *q, const struct ares_addrinfo *result) {
    union sockaddr_any addrs[MAX_ADDRS];
    size_t n = 0;
    for (struct ares_addrinfo_node *node = result->nodes; node && n < MAX_ADDRS;
         node = node->ai_next) {
        if (node->ai_family != AF_INET && node->ai_family != AF_INET6)
            continue;
        memset(&addrs[n], 0, sizeof addrs[n]);
        if (node->ai_family == AF_INET)
            memcpy(&addrs[n].in4, node->ai_addr, sizeof addrs[n].in4);
        else
            memcpy(&addrs[n].in6, node->ai_addr, sizeof addrs[n].in6);
        sockaddr_set_port(&addrs[n++], 0);
    }
    q->done(q->arg, n ? 0 : KE_DNS_NO_HOST, "no such host", addrs, n);
}

static void question_done(void *arg, int status, int timeouts, struct ares_addrinfo *result) {
    (void)timeouts;
    struct question *q = arg;
    switch (status) {
    case ARES_SUCCESS:
        addresses_done(q, result);
        break;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
    case ARES_ENONAME:
        q->done(q->arg, KE_DNS_NO_HOST, "no such host", NULL, 0);
        break;
    case ARES_ETIMEOUT:
        q->done(q->arg, KE_DNS, "i/o timeout", NULL, 0);
        break;
    default: /* a server's failure arrives as ARES_ECONNREFUSED too */
        q->done(q->arg, KE_DNS, "server misbehaving", NULL, 0);
        break;
    }
    if (result)
        ares_freeaddrinfo(result);
    free(q);
}

void dns_query(struct dns_client *c, const char *name, int family, dns_done_fn *done, void *arg) {
    struct question *q = xmalloc(sizeof *q);
    *q = (struct question){done, arg};
    struct ares_addrinfo_hints hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    ares_getaddrinfo(c->channel, name, NULL, &hints, question_done, q);
    timer_update(c);
}
