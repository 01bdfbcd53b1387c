#include "wakeup.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/vec.h"

struct entry {
    int64_t deadline_ns;
    void *item;
};

struct wakeup {
    wakeup_fn fn;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an earlier first entry, or the end */
    pthread_t thread;
    VEC(struct entry) heap; /* binary, the earliest first */
    VEC(void *) due;
    bool is_stopping;
};

static void heap_push(struct wakeup *w, struct entry entry) {
    vec_push(&w->heap, entry);
    size_t i = w->heap.len - 1;
    for (; i > 0 && w->heap.ptr[(i - 1) / 2].deadline_ns > entry.deadline_ns; i = (i - 1) / 2)
        w->heap.ptr[i] = w->heap.ptr[(i - 1) / 2];
    w->heap.ptr[i] = entry;
}

static void heap_pop(struct wakeup *w) {
    const struct entry last = w->heap.ptr[--w->heap.len];
    const size_t size = w->heap.len;
    struct entry *heap = w->heap.ptr;
    size_t i = 0;
    for (size_t child = 1; child < size; child = 2 * i + 1) {
        if (child + 1 < size && heap[child + 1].deadline_ns < heap[child].deadline_ns)
            child++;
        if (heap[child].deadline_ns >= last.deadline_ns)
            break;
        heap[i] = heap[child];
        i = child;
    }
    if (size > 0)
        heap[i] = last;
}

static void collect_due(struct wakeup *w, int64_t now_ns) {
    w->due.len = 0;
    while (w->heap.len > 0 && (w->is_stopping || w->heap.ptr[0].deadline_ns <= now_ns)) {
        vec_push(&w->due, w->heap.ptr[0].item);
        heap_pop(w);
    }
}

static void *run(void *arg) {
    struct wakeup *w = arg;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        collect_due(w, clock_now_ns());
        if (w->due.len > 0) {
            pthread_mutex_unlock(&w->lock);
            for (size_t i = 0; i < w->due.len; i++)
                w->fn(w->due.ptr[i]);
            pthread_mutex_lock(&w->lock);
        } else if (w->is_stopping) {
            break;
        } else if (w->heap.len == 0) {
            pthread_cond_wait(&w->changed, &w->lock);
        } else {
            int64_t deadline_ns = w->heap.ptr[0].deadline_ns;
            struct timespec until = {deadline_ns / NS_PER_S, deadline_ns % NS_PER_S};
            pthread_cond_timedwait(&w->changed, &w->lock, &until);
        }
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int wakeup_start(struct wakeup **out, wakeup_fn fn) {
    struct wakeup *w = xcalloc(1, sizeof *w);
    w->fn = fn;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&w->lock, NULL);
    if (pthread_create(&w->thread, NULL, run, w) != 0) {
        wakeup_free(w);
        return KE_FAILED;
    }
    *out = w;
    return 0;
}

int wakeup_add(struct wakeup *w, int64_t deadline_ns, void *item) {
    deadline_ns = (deadline_ns + NS_PER_MS - 1) / NS_PER_MS * NS_PER_MS;
    int rc = 0;
    pthread_mutex_lock(&w->lock);
    if (w->is_stopping) {
        rc = KE_CANCELED;
    } else {
        heap_push(w, (struct entry){deadline_ns, item});
        if (w->heap.ptr[0].item == item)
            pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return rc;
}

void wakeup_stop(struct wakeup *w) {
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
}

void wakeup_free(struct wakeup *w) {
    if (w == NULL)
        return;
    vec_release(&w->heap);
    vec_release(&w->due);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
