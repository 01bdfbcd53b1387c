#include "ws_peer.h"

#include <arpa/inet.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/check.h"

struct ws_peer_inside {
    int listener;
    pthread_t thread;
    const char *head;
    const struct ws_step *steps;
    size_t n_steps;
};

#define PLAIN_101                                                                       \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Accept: %KEY%\r\n\r\n"

static void send_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

static bool read_exactly(int fd, void *to, size_t len) {
    char *at = to;
    while (len > 0) {
        ssize_t n = recv(fd, at, len, 0);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static void answer(struct ws_peer *p, int fd) {
    const char *head = p->inside->head ? p->inside->head : PLAIN_101, *mark = strstr(head, "%KEY%");
    char text[128];
    unsigned char digest[SHA_DIGEST_LENGTH];
    const char *key = strstr(p->request, "Sec-WebSocket-Key: ");
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    CHECK(key != NULL);
    snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
    SHA1((unsigned char *)text, strlen(text), digest);
    buf_append(&out, head, mark ? (size_t)(mark - head) : strlen(head));
    if (mark) {
        base64_encode(&out, slice_from((char *)digest, sizeof digest),
                      (struct base64_form){BASE64_STD, false});
        buf_append_str(&out, mark + 5);
    }
    send_all(fd, out.ptr, out.len);
    buf_release(&out);
}

static bool read_frame(struct ws_peer *p, int fd) {
    unsigned char h[2], mask[4], payload[125];
    if (!read_exactly(fd, h, 2) || (h[1] & 0x7f) > 125 || !(h[1] & 0x80) ||
        !read_exactly(fd, mask, 4) || !read_exactly(fd, payload, h[1] & 0x7f))
        return false;
    int n = h[1] & 0x7f;
    for (int i = 0; i < n; i++)
        payload[i] ^= mask[i % 4];
    CHECK(p->n_frames < WS_PEER_FRAMES);
    char *to = p->frames[p->n_frames++];
    int at = snprintf(to, 10, "%d:", h[0] & 0x4f);
    memcpy(to + at, payload, (size_t)n);
    return true;
}

static void *peer_main(void *arg) {
    struct ws_peer *p = arg;
    int fd = accept(p->inside->listener, NULL, NULL);
    size_t len = 0;
    if (fd < 0)
        return NULL;
    while (!strstr(p->request, "\r\n\r\n") && len < sizeof p->request - 1) {
        ssize_t n = recv(fd, p->request + len, sizeof p->request - 1 - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    if (!strstr(p->request, "\r\n\r\n")) {
        close(fd);
        return NULL;
    }
    answer(p, fd);
    for (size_t i = 0; i < p->inside->n_steps; i++) {
        const struct ws_step *s = &p->inside->steps[i];
        if (s->send)
            send_all(fd, s->send, s->send_len);
        if (s->reads_frame && !read_frame(p, fd))
            break;
    }
    shutdown(fd, SHUT_WR);
    char byte;
    p->saw_end = recv(fd, &byte, 1, 0) <= 0;
    close(fd);
    return NULL;
}

struct ws_peer *ws_peer_start(const char *head, const struct ws_step *steps, size_t n_steps) {
    struct ws_peer *p = xcalloc(1, sizeof *p);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    p->inside = xcalloc(1, sizeof *p->inside);
    *p->inside = (struct ws_peer_inside){.head = head, .steps = steps, .n_steps = n_steps};
    p->inside->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(p->inside->listener, (struct sockaddr *)&a, sizeof a) == 0);
    CHECK(getsockname(p->inside->listener, (struct sockaddr *)&a, &len) == 0);
    CHECK(listen(p->inside->listener, 1) == 0);
    p->port = ntohs(a.sin_port);
    CHECK(pthread_create(&p->inside->thread, NULL, peer_main, p) == 0);
    return p;
}

void ws_peer_stop(struct ws_peer *p) {
    shutdown(p->inside->listener, SHUT_RDWR);
    pthread_join(p->inside->thread, NULL);
    close(p->inside->listener);
}

void ws_peer_free(struct ws_peer *p) {
    free(p->inside);
    free(p);
}
