/* Bodies on their way to a server: a bounded queue and the threads that send what is in it, so that
 * a server that is slow or away neither stops an output nor makes memory grow.
 *
 * A body that meets a failure which may pass (PUSH_AGAIN) stays first and is tried again, with
 * pauses that grow to PUSH_PAUSE_MAX_NS, for as long as the test runs: an outage loses nothing
 * until PUSH_BODIES_MAX or PUSH_BYTES_MAX wait. From then on the oldest make room for the newest;
 * they are counted and told. Once the queue is being stopped, what is left has
 * PUSH_PATIENCE_SLOW_NS; PUSH_PATIENCE_NS while the server is away, or PUSH_PATIENCE_NEVER_NS when
 * it never took anything. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

#define PUSH_BODIES_MAX 256
#define PUSH_BYTES_MAX ((size_t)64 << 20)
#define PUSH_PAUSE_MAX_NS (2 * NS_PER_S)
#define PUSH_PATIENCE_SLOW_NS (60 * NS_PER_S)
#define PUSH_PATIENCE_NS (10 * NS_PER_S)
#define PUSH_PATIENCE_NEVER_NS NS_PER_S
/* While an outage lasts it is told at its first failure and then this often. */
#define PUSH_REMIND_NS (30 * NS_PER_S)

struct push_queue;

enum push_result { PUSH_DONE, PUSH_AGAIN, PUSH_FAILED };

struct push_config {
    const char *name; /* for messages: "influxdb" */
    const char *unit; /* of what a body holds, for messages: "samples" */
    int n_threads;    /* bodies keep their order only with 1 */
    void *arg;
    /* Called on the thread; sender is what open gave. PUSH_AGAIN and PUSH_FAILED fill *err, which
     * failed logs in the output's own words. */
    enum push_result (*send)(void *arg, void *sender, struct slice body, struct error *err);
    void (*failed)(void *arg, const struct error *err);
    void (*sent)(void *arg, int64_t took_ns); /* may be NULL; took_ns of the try that succeeded */
    /* One sender a thread, made before it runs. */
    void *(*open)(void *arg, struct error *err); /* NULL = failed */
    void (*close)(void *arg, void *sender);
    int64_t patience_ns;            /* for tests; 0 = those above */
    const _Atomic bool *is_hurried; /* true ends the patience; NULL = never */
};

/* NULL when a sender cannot be opened. */
struct push_queue *push_queue_new(const struct push_config *config, struct error *err);
/* Takes the content of body, which is empty afterwards; n_units of config's unit are in it. Any
 * thread; never waits. False: something older was dropped for it, or it itself. */
bool push_queue_give(struct push_queue *q, struct buf *body, uint64_t n_units);
/* Units that will not arrive: dropped, refused by the server, or given up. Any thread. */
uint64_t push_queue_lost(struct push_queue *q);
/* Sends what is left, joins the threads, says what was lost, frees. */
void push_queue_free(struct push_queue *q);
