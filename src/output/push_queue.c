#include "output/push_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"

#define FIRST_PAUSE_NS (100 * NS_PER_MS)
/* How soon a pause sees that it is hurried. */
#define HURRY_LOOK_NS (100 * NS_PER_MS)

struct body {
    struct body *next;
    char *ptr;
    size_t len;
    uint64_t n_units;
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
    bool is_stopping, has_sent;
    int64_t stopped_ns;              /* once it is stopping */
    int64_t outage_ns, next_told_ns; /* outage_ns 0 = the server takes what it gets */
    uint64_t lost;
    bool is_drop_told;
};

static void body_free(struct body *b) {
    free(b->ptr);
    free(b);
}

/* ---------------------------------------------------------------- with the lock held */

static struct body *take_first(struct push_queue *q) {
    struct body *b = q->first;
    if (!b)
        return NULL;
    q->first = b->next;
    if (!q->first)
        q->last = &q->first;
    q->n_bodies--;
    q->n_bytes -= b->len;
    return b;
}

static int64_t patience_ns(const struct push_queue *q) {
    if (q->config.patience_ns)
        return q->config.patience_ns;
    if (!q->outage_ns)
        return PUSH_PATIENCE_SLOW_NS;
    return q->has_sent ? PUSH_PATIENCE_NS : PUSH_PATIENCE_NEVER_NS;
}

static bool is_hurried(const struct push_queue *q) {
    return q->config.is_hurried && atomic_load(q->config.is_hurried);
}

static bool is_too_late(const struct push_queue *q) {
    return q->is_stopping && (is_hurried(q) || clock_now_ns() - q->stopped_ns >= patience_ns(q));
}

static bool has_room(const struct push_queue *q, const struct body *b) {
    return q->n_bodies < PUSH_BODIES_MAX && q->n_bytes + b->len <= PUSH_BYTES_MAX;
}

/* ---------------------------------------------------------------- sending */

/* Waits; NULL = stopping and nothing is left. */
static struct body *wait_for_body(struct push_queue *q) {
    pthread_mutex_lock(&q->lock);
    while (!q->first && !q->is_stopping)
        pthread_cond_wait(&q->wake, &q->lock);
    struct body *b = take_first(q);
    pthread_mutex_unlock(&q->lock);
    return b;
}

/* False when there is no time for another try. A stop ends the first pause after it early, so that
 * the last word on the server is a fresh one. */
static bool pause_before_retry(struct push_queue *q, int64_t pause_ns) {
    int64_t until_ns = clock_now_ns() + pause_ns;
    pthread_mutex_lock(&q->lock);
    bool was_stopping = q->is_stopping;
    while (q->is_stopping == was_stopping && clock_now_ns() < until_ns && !is_too_late(q)) {
        int64_t look_ns = clock_now_ns() + HURRY_LOOK_NS, next_ns;
        next_ns = look_ns < until_ns ? look_ns : until_ns;
        struct timespec next = {next_ns / NS_PER_S, next_ns % NS_PER_S};
        pthread_cond_timedwait(&q->wake, &q->lock, &next);
    }
    bool may_go_on = !is_too_late(q);
    pthread_mutex_unlock(&q->lock);
    return may_go_on;
}

static void note_outage(struct push_queue *q, const struct error *err) {
    int64_t now_ns = clock_now_ns();
    pthread_mutex_lock(&q->lock);
    bool is_to_tell = q->outage_ns == 0 || now_ns >= q->next_told_ns;
    if (q->outage_ns == 0)
        q->outage_ns = now_ns;
    if (is_to_tell)
        q->next_told_ns = now_ns + PUSH_REMIND_NS;
    pthread_mutex_unlock(&q->lock);
    if (is_to_tell)
        q->config.failed(q->config.arg, err);
}

static void note_sent(struct push_queue *q, int64_t took_ns) {
    char text[DURATION_TEXT_MAX];
    pthread_mutex_lock(&q->lock);
    int64_t outage_ns = q->outage_ns ? clock_now_ns() - q->outage_ns : 0;
    size_t n_waiting = q->n_bodies;
    q->outage_ns = 0;
    q->has_sent = true;
    pthread_mutex_unlock(&q->lock);
    if (outage_ns)
        log_printf(
            LOG_INFO,
            "The server of the output %s answers again after %s; %zu batches wait to be sent",
            q->config.name, duration_format(outage_ns / NS_PER_MS * NS_PER_MS, text), n_waiting);
    if (q->config.sent)
        q->config.sent(q->config.arg, took_ns);
}

static void note_lost(struct push_queue *q, uint64_t n_units) {
    pthread_mutex_lock(&q->lock);
    q->lost += n_units;
    pthread_mutex_unlock(&q->lock);
}

static void push(struct pusher *p, const struct body *b) {
    struct push_queue *q = p->queue;
    const struct push_config *c = &q->config;
    struct error err = {0};
    enum push_result result;
    int64_t pause_ns = FIRST_PAUSE_NS, start_ns;
    for (;;) {
        start_ns = clock_now_ns();
        result = c->send(c->arg, p->sender, slice_from(b->ptr, b->len), &err);
        if (result != PUSH_AGAIN)
            break;
        note_outage(q, &err);
        if (!pause_before_retry(q, pause_ns))
            break;
        pause_ns = pause_ns * 2 < PUSH_PAUSE_MAX_NS ? pause_ns * 2 : PUSH_PAUSE_MAX_NS;
    }
    if (result == PUSH_DONE) {
        note_sent(q, clock_now_ns() - start_ns);
        return;
    }
    note_lost(q, b->n_units);
    if (result == PUSH_FAILED)
        c->failed(c->arg, &err);
}

static void *run_pusher(void *arg) {
    struct pusher *p = arg;
    struct push_queue *q = p->queue;
    for (struct body *b; (b = wait_for_body(q)) != NULL; body_free(b)) {
        pthread_mutex_lock(&q->lock);
        bool is_late = is_too_late(q);
        q->lost += is_late ? b->n_units : 0;
        pthread_mutex_unlock(&q->lock);
        if (!is_late)
            push(p, b);
    }
    return NULL;
}

/* ---------------------------------------------------------------- giving */

/* With the lock held. The dropped are given back, to be freed without it. */
static struct body *make_room(struct push_queue *q, const struct body *b) {
    struct body *dropped = NULL;
    while (!has_room(q, b) && q->first) {
        struct body *oldest = take_first(q);
        q->lost += oldest->n_units;
        oldest->next = dropped;
        dropped = oldest;
    }
    return dropped;
}

static void free_bodies(struct body *b) {
    for (struct body *next; b; b = next) {
        next = b->next;
        body_free(b);
    }
}

bool push_queue_give(struct push_queue *q, struct buf *body, uint64_t n_units) {
    struct body *b = xcalloc(1, sizeof *b);
    b->ptr = buf_detach(body, &b->len);
    b->n_units = n_units;
    pthread_mutex_lock(&q->lock);
    struct body *dropped = make_room(q, b);
    if (!q->is_stopping && has_room(q, b)) {
        *q->last = b;
        q->last = &b->next;
        q->n_bodies++;
        q->n_bytes += b->len;
        pthread_cond_signal(&q->wake);
    } else {
        q->lost += b->n_units;
        b->next = dropped;
        dropped = b;
    }
    bool is_to_tell = dropped && !q->is_drop_told;
    q->is_drop_told |= is_to_tell;
    pthread_mutex_unlock(&q->lock);
    if (is_to_tell)
        log_printf(LOG_WARN,
                   "The server of the output %s does not keep up and %d batches (or %zu MiB) wait: "
                   "the oldest are dropped from it (not from the summary)",
                   q->config.name, PUSH_BODIES_MAX, PUSH_BYTES_MAX >> 20);
    bool is_kept = dropped == NULL;
    free_bodies(dropped);
    return is_kept;
}

uint64_t push_queue_lost(struct push_queue *q) {
    pthread_mutex_lock(&q->lock);
    uint64_t n = q->lost;
    pthread_mutex_unlock(&q->lock);
    return n;
}

/* ---------------------------------------------------------------- life */

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
    q->stopped_ns = clock_now_ns();
    pthread_cond_broadcast(&q->wake);
    pthread_mutex_unlock(&q->lock);
    for (int i = 0; i < q->config.n_threads; i++) {
        struct pusher *p = &q->pushers[i];
        if (p->is_running)
            pthread_join(p->thread, NULL);
        if (p->sender)
            q->config.close(q->config.arg, p->sender);
    }
    free_bodies(q->first);
    if (q->lost)
        log_printf(LOG_ERROR, "The output %s lost %llu %s: its server did not take them",
                   q->config.name, (unsigned long long)q->lost, q->config.unit);
    free(q->pushers);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->wake);
    free(q);
}
