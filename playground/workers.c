#include "workers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/error.h"
#include "base/vec.h"

struct workers {
    workers_fn fn;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    VEC(void *) queue;
    size_t next; /* what stands before it in the queue is done */
    VEC(pthread_t) threads;
    bool is_stopping;
};

/* The caller holds the lock. NULL when nothing waits. */
static void *take(struct workers *w) {
    if (w->next == w->queue.len)
        return NULL;
    void *item = w->queue.ptr[w->next++];
    if (w->next * 2 >= w->queue.len) {
        w->queue.len -= w->next;
        memmove(w->queue.ptr, w->queue.ptr + w->next, w->queue.len * sizeof(void *));
        w->next = 0;
    }
    return item;
}

static void *run(void *arg) {
    struct workers *w = arg;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        void *item = take(w);
        if (item != NULL) {
            const bool is_canceled = w->is_stopping;
            pthread_mutex_unlock(&w->lock);
            w->fn(item, is_canceled);
            pthread_mutex_lock(&w->lock);
        } else if (w->is_stopping) {
            break;
        } else {
            pthread_cond_wait(&w->changed, &w->lock);
        }
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int workers_start(struct workers **out, unsigned threads, workers_fn fn) {
    struct workers *w = xcalloc(1, sizeof *w);
    w->fn = fn;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    for (unsigned i = 0; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run, w) != 0)
            break;
        vec_push(&w->threads, thread);
    }
    if (w->threads.len == 0) {
        workers_free(w);
        return KE_FAILED;
    }
    *out = w;
    return 0;
}

void workers_add(struct workers *w, void *item) {
    pthread_mutex_lock(&w->lock);
    const bool is_canceled = w->is_stopping;
    if (!is_canceled) {
        vec_push(&w->queue, item);
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    if (is_canceled)
        w->fn(item, true);
}

void workers_stop(struct workers *w) {
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < w->threads.len; i++)
        pthread_join(w->threads.ptr[i], NULL);
}

void workers_free(struct workers *w) {
    if (w == NULL)
        return;
    vec_release(&w->queue);
    vec_release(&w->threads);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
