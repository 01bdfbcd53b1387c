#include "output/push_queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#define FIRST_PAUSE_NS (100 * NS_PER_MS)

struct body {
    struct body *next;
    char *ptr;
    size_t len;
};

struct pusher {
    struct push_queue *queue;
    void *sender;
    pthread_t thread;
    bool is_running;
};

struct push_queue {
    struct push_config config;
    struct pusher *pushers;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* Under the lock. */
    struct body *first, **last;
    size_t n_bodies, n_bytes;
    bool is_stopping;
    int64_t give_up_ns; /* once it is stopping */
    uint64_t dropped;
};

static void body_free(struct body *b) {
    free(b->ptr);
    free(b);
}

/* Waits; NULL = stopping and nothing is left. */
static struct body *take(struct push_queue *q) {
    pthread_mutex_lock(&q->lock);
    while (!q->first && !q->is_stopping)
        pthread_cond_wait(&q->wake, &q->lock);
    struct body *b = q->first;
    if (b) {
        q->first = b->next;
        if (!q->first)
            q->last = &q->first;
        q->n_bodies--;
        q->n_bytes -= b->len;
    }
    pthread_mutex_unlock(&q->lock);
    return b;
}

/* False when there is no time for another try. A stop ends the pause, not the try after it. */
static bool pause_before_retry(struct push_queue *q, int n_tries) {
    if (n_tries >= PUSH_TRIES)
        return false;
    int64_t until_ns = clock_now_ns() + (FIRST_PAUSE_NS << (n_tries - 1));
    struct timespec until = {until_ns / NS_PER_S, until_ns % NS_PER_S};
    pthread_mutex_lock(&q->lock);
    while (!q->is_stopping && clock_now_ns() < until_ns)
        pthread_cond_timedwait(&q->wake, &q->lock, &until);
    bool may_go_on = !q->is_stopping || clock_now_ns() < q->give_up_ns;
    pthread_mutex_unlock(&q->lock);
    return may_go_on;
}

static bool is_too_late(struct push_queue *q) {
    pthread_mutex_lock(&q->lock);
    bool late = q->is_stopping && clock_now_ns() >= q->give_up_ns;
    q->dropped += late;
    pthread_mutex_unlock(&q->lock);
    return late;
}

static void push(struct pusher *p, const struct body *b) {
    const struct push_config *c = &p->queue->config;
    struct error err = {0};
    int64_t start_ns = clock_now_ns();
    enum push_result result;
    int n_tries = 0;
    do
        result = c->send(c->arg, p->sender, slice_from(b->ptr, b->len), &err);
    while (result == PUSH_AGAIN && pause_before_retry(p->queue, ++n_tries));
    int64_t took_ns = clock_now_ns() - start_ns;
    if (result != PUSH_DONE)
        c->failed(c->arg, &err, took_ns);
    else if (c->sent)
        c->sent(c->arg, took_ns);
}

static void *run_pusher(void *arg) {
    struct pusher *p = arg;
    for (struct body *b; (b = take(p->queue)) != NULL; body_free(b))
        if (!is_too_late(p->queue))
            push(p, b);
    return NULL;
}

bool push_queue_give(struct push_queue *q, struct buf *body) {
    bool is_taken = false;
    struct body *b = xcalloc(1, sizeof *b);
    b->ptr = buf_detach(body, &b->len);
    pthread_mutex_lock(&q->lock);
    if (!q->is_stopping && q->n_bodies < PUSH_BODIES_MAX && q->n_bytes + b->len <= PUSH_BYTES_MAX) {
        *q->last = b;
        q->last = &b->next;
        q->n_bodies++;
        q->n_bytes += b->len;
        is_taken = true;
        pthread_cond_signal(&q->wake);
    } else if (q->dropped++ == 0) {
        log_printf(LOG_WARN,
                   "The server of the output %s does not keep up: measurements are dropped on the "
                   "way to it (not from the summary)",
                   q->config.name);
    }
    pthread_mutex_unlock(&q->lock);
    if (!is_taken)
        body_free(b);
    return is_taken;
}

struct push_queue *push_queue_new(const struct push_config *config, struct error *err) {
    struct push_queue *q = xcalloc(1, sizeof *q);
    pthread_condattr_t attr;
    q->config = *config;
    q->last = &q->first;
    q->pushers = xcalloc((size_t)config->n_threads, sizeof *q->pushers);
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->wake, &attr);
    pthread_condattr_destroy(&attr);
    for (int i = 0; i < config->n_threads; i++) {
        struct pusher *p = &q->pushers[i];
        p->queue = q;
        p->sender = config->open(config->arg, err);
        if (!p->sender) {
            push_queue_free(q);
            return NULL;
        }
        if (pthread_create(&p->thread, NULL, run_pusher, p)) {
            error_set(err, KE_FAILED, "cannot start a thread for the output %s", config->name);
            push_queue_free(q);
            return NULL;
        }
        p->is_running = true;
    }
    return q;
}

void push_queue_free(struct push_queue *q) {
    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    q->is_stopping = true;
    q->give_up_ns = clock_now_ns() + PUSH_PATIENCE_NS;
    pthread_cond_broadcast(&q->wake);
    pthread_mutex_unlock(&q->lock);
    for (int i = 0; i < q->config.n_threads; i++) {
        struct pusher *p = &q->pushers[i];
        if (p->is_running)
            pthread_join(p->thread, NULL);
        if (p->sender)
            q->config.close(q->config.arg, p->sender);
    }
    for (struct body *b = q->first, *next; b; b = next) {
        next = b->next;
        body_free(b);
    }
    if (q->dropped)
        log_printf(LOG_WARN, "The output %s lost %llu batches of measurements", q->config.name,
                   (unsigned long long)q->dropped);
    free(q->pushers);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->wake);
    free(q);
}
