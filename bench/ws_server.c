/* A WebSocket server for measurements: echoes messages at once, and answers pings after delays of a
 * known pattern. When it is told to end it prints how many messages it echoed and the percentiles
 * of the delays as they really were.
 *
 *     cc -O2 -o /tmp/ws_server bench/ws_server.c -lcrypto && /tmp/ws_server PORT [MS:SHARE…]
 *
 * 5:90 20:9 100:1 delays 90 of 100 pongs by 5 ms, 9 by 20 ms and one by 100 ms. Frames of clients
 * have to be small ones. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER 2048
#define SAMPLES_MAX 4000000

struct client {
    int fd;
    unsigned generation;
    int is_open;
    size_t len;
    unsigned char in[BUFFER];
};

struct pong {
    int64_t due_ns, got_ns;
    int fd;
    unsigned generation;
    unsigned char len, payload[125];
};

static struct client **clients;
static int n_clients_max;
static struct pong *heap;
static size_t heap_len, heap_cap;
static int64_t pattern_ns[100];
static size_t pings;
static double *samples;
static size_t n_samples;
static uint64_t echoed;
static volatile sig_atomic_t is_ending;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* ---------------------------------------------------------------- pongs that wait */

static void swap(size_t a, size_t b) {
    struct pong t = heap[a];
    heap[a] = heap[b];
    heap[b] = t;
}

static void push(const struct pong *p) {
    if (heap_len == heap_cap) {
        heap_cap = heap_cap ? heap_cap * 2 : 1024;
        heap = realloc(heap, heap_cap * sizeof *heap);
    }
    size_t i = heap_len++;
    heap[i] = *p;
    for (; i && heap[(i - 1) / 2].due_ns > heap[i].due_ns; i = (i - 1) / 2)
        swap(i, (i - 1) / 2);
}

static struct pong pop(void) {
    struct pong first = heap[0];
    heap[0] = heap[--heap_len];
    for (size_t i = 0;;) {
        size_t least = i, l = 2 * i + 1, r = l + 1;
        if (l < heap_len && heap[l].due_ns < heap[least].due_ns)
            least = l;
        if (r < heap_len && heap[r].due_ns < heap[least].due_ns)
            least = r;
        if (least == i)
            return first;
        swap(i, least);
        i = least;
    }
}

static void send_frame(int fd, unsigned char opcode, const unsigned char *payload, size_t len) {
    unsigned char out[2 + 125] = {(unsigned char)(0x80 | opcode), (unsigned char)len};
    memcpy(out + 2, payload, len);
    if (send(fd, out, len + 2, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
        die("send");
}

static void send_due(void) {
    while (heap_len && heap[0].due_ns <= now_ns()) {
        struct pong p = pop();
        struct client *c = clients[p.fd];
        if (!c || c->generation != p.generation)
            continue;
        send_frame(p.fd, 10, p.payload, p.len);
        if (n_samples < SAMPLES_MAX)
            samples[n_samples++] = (double)(now_ns() - p.got_ns) / 1e6;
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
        struct pong p = {
            .got_ns = now_ns(), .fd = c->fd, .generation = c->generation, .len = (unsigned char)n};
        p.due_ns = p.got_ns + pattern_ns[(pings++ * 37) % 100]; /* 37: no two slow ones in a row */
        memcpy(p.payload, payload, n);
        push(&p);
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

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(double p) {
    double at = p / 100 * (double)(n_samples - 1);
    size_t i = (size_t)at;
    return i + 1 < n_samples ? samples[i] + (samples[i + 1] - samples[i]) * (at - (double)i)
                             : samples[i];
}

static void on_signal(int sig) {
    (void)sig;
    is_ending = 1;
}

static void read_pattern(int argc, char **argv) {
    int at = 0;
    for (int i = 2; i < argc; i++) {
        double ms;
        int share;
        if (sscanf(argv[i], "%lf:%d", &ms, &share) != 2) {
            fprintf(stderr, "ws_server: not MS:SHARE: %s\n", argv[i]);
            exit(2);
        }
        for (; share-- > 0 && at < 100; at++)
            pattern_ns[at] = (int64_t)(ms * 1e6);
    }
}

int main(int argc, char **argv) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event events[512];
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
        epoll = epoll_create1(0);
    if (argc < 2) {
        fprintf(stderr, "usage: ws_server PORT [MS:SHARE…]\n");
        return 2;
    }
    read_pattern(argc, argv);
    n_clients_max = (int)sysconf(_SC_OPEN_MAX);
    clients = calloc((size_t)n_clients_max, sizeof *clients);
    samples = malloc(SAMPLES_MAX * sizeof *samples);
    a.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) || listen(listener, 4096))
        die("listen");
    signal(SIGTERM, on_signal);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    while (!is_ending) {
        int64_t wait_ns = heap_len ? heap[0].due_ns - now_ns() : 100000000;
        struct timespec wait = {.tv_nsec = wait_ns < 0           ? 0
                                           : wait_ns > 100000000 ? 100000000
                                                                 : wait_ns};
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
    if (n_samples) {
        qsort(samples, n_samples, sizeof *samples, compare);
        printf("delays %zu p50=%.3f p95=%.3f p99=%.3f p99.9=%.3f\n", n_samples, percentile(50),
               percentile(95), percentile(99), percentile(99.9));
    }
    return 0;
}
