/* A WebSocket server for measurements: echoes messages at once, and answers pings after delays of a
 * known pattern. When it is told to end it prints how many messages it echoed and the percentiles
 * of the delays as they really were.
 *
 *     cc -O2 -o /tmp/ws_server bench/ws_server.c -lcrypto -lm && /tmp/ws_server PORT [MS:SHARE…]
 *
 * 5:90 20:9 100:1 delays 90 of 100 pongs by 5 ms, 9 by 20 ms and one by 100 ms. Frames of clients
 * have to be small ones. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delays.h"

#define BUFFER 2048

struct client {
    int fd;
    unsigned generation;
    int is_open;
    size_t len;
    unsigned char in[BUFFER];
};

static struct client **clients;
static int n_clients_max;
static uint64_t echoed;

static void send_frame(int fd, unsigned char opcode, const unsigned char *payload, size_t len) {
    unsigned char out[2 + 125] = {(unsigned char)(0x80 | opcode), (unsigned char)len};
    memcpy(out + 2, payload, len);
    if (send(fd, out, len + 2, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
        die("send");
}

static void send_due(void) {
    while (heap_len && heap[0].due_ns <= now_ns()) {
        struct answer p = heap_pop();
        struct client *c = clients[p.fd];
        if (!c || c->generation != p.generation)
            continue;
        send_frame(p.fd, 10, p.payload, p.len);
        sample_add(now_ns() - p.got_ns);
    }
}

/* ---------------------------------------------------------------- clients */

static void drop(struct client *c) {
    close(c->fd);
    clients[c->fd] = NULL;
    free(c);
}

static size_t handshake(struct client *c) {
    unsigned char digest[SHA_DIGEST_LENGTH], accept[64];
    char text[64 + 40], answer[256];
    c->in[c->len] = 0;
    char *end = strstr((char *)c->in, "\r\n\r\n"),
         *key = strcasestr((char *)c->in, "sec-websocket-key: ");
    if (!end || !key)
        return 0;
    snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
    SHA1((unsigned char *)text, strlen(text), digest);
    EVP_EncodeBlock(accept, digest, sizeof digest);
    int n =
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: %s\r\n\r\n",
                 accept);
    if (send(c->fd, answer, (size_t)n, MSG_NOSIGNAL) < 0)
        return 0;
    c->is_open = 1;
    return (size_t)(end + 4 - (char *)c->in);
}

/* One frame: bytes used, 0 when it is not complete. */
static size_t take_frame(struct client *c, const unsigned char *in, size_t len) {
    size_t n = len < 2 ? 0 : in[1] & 0x7f;
    unsigned char payload[125];
    if (len < 2 || len < 6 + n || n > 125)
        return 0;
    for (size_t i = 0; i < n; i++)
        payload[i] = in[6 + i] ^ in[2 + i % 4];
    unsigned opcode = in[0] & 15;
    if (opcode == 9) {
        struct answer p = {
            .got_ns = now_ns(), .fd = c->fd, .generation = c->generation, .len = (unsigned char)n};
        p.due_ns = p.got_ns + pattern_next_ns();
        memcpy(p.payload, payload, n);
        heap_push(&p);
    } else {
        send_frame(c->fd, (unsigned char)opcode, payload, n);
        echoed += opcode != 8;
    }
    return 6 + n;
}

static void on_readable(struct client *c) {
    ssize_t n = recv(c->fd, c->in + c->len, BUFFER - 1 - c->len, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN)
            return;
        drop(c);
        return;
    }
    c->len += (size_t)n;
    size_t at = c->is_open ? 0 : handshake(c), used;
    while (c->is_open && (used = take_frame(c, c->in + at, c->len - at)))
        at += used;
    memmove(c->in, c->in + at, c->len - at);
    c->len -= at;
}

static void accept_all(int epoll, int listener) {
    static unsigned generation;
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= n_clients_max) {
            close(fd);
            continue;
        }
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
                   sizeof one); /* a pong never waits for an ACK */
        struct client *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->generation = ++generation;
        clients[fd] = c;
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

/* ---------------------------------------------------------------- main */

int main(int argc, char **argv) {
    struct epoll_event events[512];
    if (argc < 2) {
        fprintf(stderr, "usage: ws_server PORT [MS:SHARE…]\n");
        return 2;
    }
    pattern_read(argc - 2, argv + 2);
    n_clients_max = (int)sysconf(_SC_OPEN_MAX);
    clients = calloc((size_t)n_clients_max, sizeof *clients);
    int epoll = epoll_create1(0), listener = listen_on(argv[1], epoll);
    while (!is_ending) {
        struct timespec wait = heap_wait();
        int n = epoll_pwait2(epoll, events, 512, &wait, NULL);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener);
            else if (clients[events[i].data.fd])
                on_readable(clients[events[i].data.fd]);
            send_due();
        }
        send_due();
    }
    printf("echoed %llu\n", (unsigned long long)echoed);
    samples_print();
    return 0;
}
