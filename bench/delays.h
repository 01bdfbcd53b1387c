/* What the servers of the measurements share that answer after delays of a known pattern: the
 * pattern, the answers that wait, how long each delay really was, and the listening socket. */
#pragma once

#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define SAMPLES_MAX 20000000
#define WAIT_MAX_NS 100000000

struct answer {
    int64_t due_ns, got_ns;
    int fd;
    unsigned generation;
    unsigned char len, payload[125];
};

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* ---------------------------------------------------------------- the server */

static volatile sig_atomic_t is_ending; /* SIGTERM came */

static void on_signal(int sig) {
    (void)sig;
    is_ending = 1;
}

/* A socket on that port of the loopback interface, in the set of epoll. */
static int listen_on(const char *port, int epoll) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    a.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 4096))
        die("listen");
    signal(SIGTERM, on_signal);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    return fd;
}

/* ---------------------------------------------------------------- the pattern */

static int64_t pattern_ns[100];
static double tail_min_ns, tail_alpha, tail_max_ns; /* Pareto, cut off; 0: the pattern above */

/* "5:90" "20:9" "100:1" delays 90 of 100 answers by 5 ms, 9 by 20 ms and one by 100 ms;
 * "pareto:2:1.5:500" is a heavy tail that begins at 2 ms, has the index 1.5 and ends at 500 ms. */
static void pattern_read(int n, char **words) {
    int at = 0;
    for (int i = 0; i < n; i++) {
        double ms, max_ms;
        int share;
        if (sscanf(words[i], "pareto:%lf:%lf:%lf", &ms, &tail_alpha, &max_ms) == 3) {
            tail_min_ns = ms * 1e6;
            tail_max_ns = max_ms * 1e6;
        } else if (sscanf(words[i], "%lf:%d", &ms, &share) == 2) {
            for (; share-- > 0 && at < 100; at++)
                pattern_ns[at] = (int64_t)(ms * 1e6);
        } else {
            fprintf(stderr, "not MS:SHARE or pareto:MS:INDEX:MS: %s\n", words[i]);
            exit(2);
        }
    }
}

static int64_t pattern_next_ns(void) {
    static uint64_t count;
    static uint64_t random = 88172645463325252u;
    if (tail_min_ns <= 0)
        return pattern_ns[(count++ * 37) % 100]; /* 37: no two slow ones in a row */
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    double u = ((double)(random >> 11) + 1) / 9007199254740993.0;
    double ns = tail_min_ns * pow(u, -1 / tail_alpha);
    return (int64_t)(ns < tail_max_ns ? ns : tail_max_ns);
}

/* ---------------------------------------------------------------- answers that wait */

static struct answer *heap;
static size_t heap_len, heap_cap;

static void heap_swap(size_t a, size_t b) {
    struct answer t = heap[a];
    heap[a] = heap[b];
    heap[b] = t;
}

static void heap_push(const struct answer *p) {
    if (heap_len == heap_cap) {
        heap_cap = heap_cap ? heap_cap * 2 : 1024;
        heap = realloc(heap, heap_cap * sizeof *heap);
    }
    size_t i = heap_len++;
    heap[i] = *p;
    for (; i && heap[(i - 1) / 2].due_ns > heap[i].due_ns; i = (i - 1) / 2)
        heap_swap(i, (i - 1) / 2);
}

static struct answer heap_pop(void) {
    struct answer first = heap[0];
    heap[0] = heap[--heap_len];
    for (size_t i = 0;;) {
        size_t least = i, l = 2 * i + 1, r = l + 1;
        if (l < heap_len && heap[l].due_ns < heap[least].due_ns)
            least = l;
        if (r < heap_len && heap[r].due_ns < heap[least].due_ns)
            least = r;
        if (least == i)
            return first;
        heap_swap(i, least);
        i = least;
    }
}

/* How long epoll may wait. */
static struct timespec heap_wait(void) {
    int64_t ns = heap_len ? heap[0].due_ns - now_ns() : WAIT_MAX_NS;
    return (struct timespec){.tv_nsec = ns < 0 ? 0 : ns > WAIT_MAX_NS ? WAIT_MAX_NS : ns};
}

/* ---------------------------------------------------------------- what the delays were */

static float *samples; /* ms */
static size_t n_samples;

static void sample_add(int64_t ns) {
    if (!samples)
        samples = malloc(SAMPLES_MAX * sizeof *samples);
    if (n_samples < SAMPLES_MAX)
        samples[n_samples++] = (float)((double)ns / 1e6);
}

static int sample_compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double percentile(double p) {
    double at = p / 100 * (double)(n_samples - 1);
    size_t i = (size_t)at;
    return i + 1 < n_samples ? samples[i] + (samples[i + 1] - samples[i]) * (at - (double)i)
                             : samples[i];
}

static void samples_print(void) {
    if (!n_samples)
        return;
    qsort(samples, n_samples, sizeof *samples, sample_compare);
    printf("delays %zu p50=%.4f p95=%.4f p99=%.4f p99.9=%.4f\n", n_samples, percentile(50),
           percentile(95), percentile(99), percentile(99.9));
}
