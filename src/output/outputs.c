#include "output/output.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/vec.h"
#include "output/output_type.h"

/* An output that is this far behind loses samples (about 50 MB of them). */
#define QUEUE_SAMPLES_MAX 1000000u
/* It is woken before its time when this much waits. */
#define QUEUE_SAMPLES_WAKE (64u * RAW_CHUNK_SAMPLES)

/* A tick that comes a little early is taken for the one that was meant. */
#define TICK_SLACK_NS (50 * NS_PER_MS)

/* A chunk on its way to several outputs. */
struct shared_chunk {
    _Atomic int refs;
    struct raw_chunk *chunk;
};

typedef VEC(struct shared_chunk *) chunk_vec;

struct output_queue {
    struct output *output;
    pthread_t thread;
    bool is_running; /* the thread was started */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* Under the lock. */
    chunk_vec chunks;
    size_t n_samples;
    bool is_stopping;
    uint64_t dropped;
};

struct outputs {
    struct output_params params;
    VEC(struct output *) items;
    bool is_started, is_stopping;
    _Atomic bool is_hurried;
    pthread_t stopper;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

struct outputs *outputs_new(const struct output_params *params) {
    struct outputs *o = xcalloc(1, sizeof *o);
    o->params = *params;
    return o;
}

const char *output_getenv(const struct output *o, const char *name) {
    return o->params->getenv ? o->params->getenv(o->params->getenv_arg, name) : NULL;
}

size_t outputs_count(const struct outputs *o) {
    return o->items.len;
}

const char *outputs_description(const struct outputs *o, size_t i) {
    return o->items.ptr[i]->description;
}

/* ---------------------------------------------------------------- queue and thread */

static struct output_queue *queue_new(struct output *output) {
    struct output_queue *q = xcalloc(1, sizeof *q);
    pthread_condattr_t attr;
    q->output = output;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->wake, &attr);
    pthread_condattr_destroy(&attr);
    return q;
}

static void unref_chunk(struct shared_chunk *c) {
    if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    raw_chunk_free(c->chunk);
    free(c);
}

static void queue_free(struct output_queue *q) {
    for (size_t i = 0; i < q->chunks.len; i++)
        unref_chunk(q->chunks.ptr[i]);
    vec_release(&q->chunks);
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->wake);
    free(q);
}

/* Takes over one reference. */
static void queue_push(struct output_queue *q, struct shared_chunk *c) {
    bool is_taken = false;
    pthread_mutex_lock(&q->lock);
    if (!q->is_stopping && q->n_samples + c->chunk->len <= QUEUE_SAMPLES_MAX) {
        size_t before = q->n_samples;
        vec_push(&q->chunks, c);
        q->n_samples += c->chunk->len;
        is_taken = true;
        if (before == 0 || (before < QUEUE_SAMPLES_WAKE && q->n_samples >= QUEUE_SAMPLES_WAKE))
            pthread_cond_signal(&q->wake);
    } else {
        if (q->dropped == 0)
            log_printf(LOG_WARN,
                       "The output %s does not keep up: samples are dropped from it (not from the "
                       "summary)",
                       q->output->description);
        q->dropped += c->chunk->len;
    }
    pthread_mutex_unlock(&q->lock);
    if (!is_taken)
        unref_chunk(c);
}

static struct timespec timespec_of(int64_t ns) {
    return (struct timespec){ns / NS_PER_S, ns % NS_PER_S};
}

/* With the lock held: sleeps until there is a reason to work. */
static void wait_for_work(struct output_queue *q, int64_t next_flush_ns) {
    while (!q->is_stopping) {
        if (q->n_samples >= QUEUE_SAMPLES_WAKE)
            return;
        if (q->n_samples == 0) {
            pthread_cond_wait(&q->wake, &q->lock);
            continue;
        }
        struct timespec until = timespec_of(next_flush_ns);
        if (pthread_cond_timedwait(&q->wake, &q->lock, &until) == ETIMEDOUT)
            return;
    }
}

static void *run_output(void *arg) {
    struct output_queue *q = arg;
    struct output *o = q->output;
    int64_t next_flush_ns = clock_now_ns() + o->flush_ns;
    bool is_last = false;
    while (!is_last) {
        pthread_mutex_lock(&q->lock);
        wait_for_work(q, next_flush_ns);
        chunk_vec work = q->chunks;
        q->chunks = (chunk_vec){0};
        q->n_samples = 0;
        is_last = q->is_stopping;
        pthread_mutex_unlock(&q->lock);
        for (size_t i = 0; i < work.len; i++) {
            o->consume(o, work.ptr[i]->chunk);
            unref_chunk(work.ptr[i]);
        }
        if (o->flush)
            o->flush(o);
        vec_release(&work);
        next_flush_ns = clock_now_ns() + o->flush_ns;
    }
    return NULL;
}

/* ---------------------------------------------------------------- life */

static void output_free(struct output *o) {
    if (o->release)
        o->release(o);
    queue_free(o->queue);
    free(o->description);
    free(o);
}

static int unknown_type(struct slice name, struct error *err) {
    struct buf list;
    buf_init(&list, BUF_NO_CAP);
    output_type_list(&list);
    error_set(err, KE_CONFIG, "invalid output type '%.*s', available types are: %s",
              SLICE_FMT(name), buf_cstr(&list));
    buf_release(&list);
    return KE_CONFIG;
}

int outputs_add(struct outputs *o, struct slice spec, struct error *err) {
    struct slice arg = spec, name = slice_cut(&arg, '=');
    const struct output_type *type = output_type_find(name);
    struct error reason = {0};
    if (!type)
        return unknown_type(name, err);
    if (output_type_removed(type))
        return error_set(err, KE_CONFIG, "could not create the '%s' output: %s", type->name,
                         output_type_removed(type));
    if (type->unsupported)
        return error_set(err, KE_CONFIG, "could not create the '%s' output: %s", type->name,
                         type->unsupported);
    CHECK(type->create);
    struct output *output = xcalloc(1, type->bytes);
    output->type = type;
    output->params = &o->params;
    output->is_hurried = &o->is_hurried;
    output->queue = queue_new(output);
    if (!arg.ptr)
        arg = SLICE("");
    if (type->create(output, arg, &reason)) {
        output_free(output);
        return error_set(err, KE_CONFIG, "could not create the '%s' output: %s", type->name,
                         reason.text);
    }
    vec_push(&o->items, output);
    return 0;
}

static int output_start(struct output *o, struct error *err) {
    int rc = o->start ? o->start(o, err) : 0;
    if (rc || !o->consume)
        return rc;
    if (pthread_create(&o->queue->thread, NULL, run_output, o->queue)) {
        if (o->stop)
            o->stop(o);
        return error_set(err, KE_FAILED, "cannot start a thread for the output %s", o->description);
    }
    o->queue->is_running = true;
    return 0;
}

static void output_stop(struct output *o) {
    struct output_queue *q = o->queue;
    pthread_mutex_lock(&q->lock);
    q->is_stopping = true;
    pthread_cond_signal(&q->wake);
    pthread_mutex_unlock(&q->lock);
    if (q->is_running)
        pthread_join(q->thread, NULL);
    q->is_running = false;
    if (o->stop)
        o->stop(o);
    if (q->dropped)
        log_printf(LOG_WARN, "The output %s lost %llu samples, since it did not keep up",
                   o->description, (unsigned long long)q->dropped);
}

int outputs_start(struct outputs *o, struct error *err) {
    for (size_t i = 0; i < o->items.len; i++) {
        int rc = output_start(o->items.ptr[i], err);
        if (rc == 0)
            continue;
        while (i-- > 0)
            output_stop(o->items.ptr[i]);
        return rc;
    }
    o->is_started = true;
    return 0;
}

static void *stop_one(void *arg) {
    output_stop(arg);
    return NULL;
}

/* All at once: one that waits for its server must not make the others late. */
static void *stop_all(void *arg) {
    struct outputs *o = arg;
    pthread_t *threads = xcalloc(o->items.len, sizeof *threads);
    bool *has_thread = xcalloc(o->items.len, sizeof *has_thread);
    for (size_t i = 0; i < o->items.len; i++) {
        has_thread[i] = pthread_create(&threads[i], NULL, stop_one, o->items.ptr[i]) == 0;
        if (!has_thread[i])
            output_stop(o->items.ptr[i]);
    }
    for (size_t i = 0; i < o->items.len; i++)
        if (has_thread[i])
            pthread_join(threads[i], NULL);
    free(threads);
    free(has_thread);
    if (o->stopped)
        o->stopped(o->stopped_arg);
    return NULL;
}

void outputs_stop_begin(struct outputs *o, void (*stopped)(void *arg), void *arg) {
    CHECK(o->is_started);
    o->is_started = false;
    o->stopped = stopped;
    o->stopped_arg = arg;
    for (size_t i = 0; i < o->items.len; i++)
        if (o->items.ptr[i]->finish)
            o->items.ptr[i]->finish(o->items.ptr[i]);
    o->is_stopping = pthread_create(&o->stopper, NULL, stop_all, o) == 0;
    if (!o->is_stopping)
        stop_all(o);
}

void outputs_stop(struct outputs *o) {
    if (o->is_started)
        outputs_stop_begin(o, NULL, NULL);
    if (o->is_stopping)
        pthread_join(o->stopper, NULL);
    o->is_stopping = false;
}

void outputs_hurry(struct outputs *o) {
    atomic_store(&o->is_hurried, true);
}

void outputs_free(struct outputs *o) {
    if (!o)
        return;
    outputs_stop(o);
    for (size_t i = 0; i < o->items.len; i++)
        output_free(o->items.ptr[i]);
    vec_release(&o->items);
    free(o);
}

/* ---------------------------------------------------------------- samples */

static int count_wanting(const struct outputs *o, unsigned what) {
    int n = 0;
    for (size_t i = 0; i < o->items.len; i++)
        n += (o->items.ptr[i]->wants & what) != 0;
    return n;
}

void outputs_attach(struct outputs *o, struct shard *s) {
    if (count_wanting(o, OUTPUT_WANTS_RAW))
        shard_stream_raw(s, outputs_give, o);
    if (count_wanting(o, OUTPUT_WANTS_SERIES))
        shard_keep_series(s);
}

/* A chunk that is given half empty, at a tick, gives back what it does not need. */
static struct raw_chunk *shrink(struct raw_chunk *c) {
    if (c->len > RAW_CHUNK_SAMPLES / 2)
        return c;
    return xrealloc(c, offsetof(struct raw_chunk, samples) + c->len * sizeof c->samples[0]);
}

void outputs_give(void *outputs, struct raw_chunk *chunk) {
    struct outputs *o = outputs;
    int n = count_wanting(o, OUTPUT_WANTS_RAW);
    if (n == 0) {
        raw_chunk_free(chunk);
        return;
    }
    struct shared_chunk *c = xmalloc(sizeof *c);
    c->chunk = shrink(chunk);
    atomic_init(&c->refs, n);
    for (size_t i = 0; i < o->items.len; i++)
        if (o->items.ptr[i]->wants & OUTPUT_WANTS_RAW)
            queue_push(o->items.ptr[i]->queue, c);
}

void outputs_tick(struct outputs *o, struct aggregate *a) {
    for (size_t i = 0; i < o->items.len; i++)
        if (o->items.ptr[i]->collect)
            o->items.ptr[i]->collect(o->items.ptr[i], a);
}

bool output_is_due(int64_t *next_ns, int64_t interval_ns) {
    int64_t now_ns = clock_now_ns();
    if (now_ns + TICK_SLACK_NS < *next_ns)
        return false;
    *next_ns += interval_ns;
    if (*next_ns <= now_ns)
        *next_ns = now_ns + interval_ns;
    return true;
}

uint64_t outputs_dropped(const struct outputs *o) {
    uint64_t n = 0;
    for (size_t i = 0; i < o->items.len; i++) {
        struct output_queue *q = o->items.ptr[i]->queue;
        pthread_mutex_lock(&q->lock);
        n += q->dropped;
        pthread_mutex_unlock(&q->lock);
    }
    return n;
}
