/* Bodies on their way to a server: a bounded queue and the threads that send what is in it, so that
 * a server that is slow or away neither stops an output nor makes memory grow. What finds the queue
 * full is dropped, counted and told.
 *
 * A body is sent again after a failure that may pass (see push_result), at most PUSH_TRIES times
 * and not beyond PUSH_PATIENCE_NS once the queue is being stopped. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

#define PUSH_TRIES 3
#define PUSH_BODIES_MAX 256
#define PUSH_BYTES_MAX ((size_t)64 << 20)
/* How long a test's end waits for bodies that are still there. */
#define PUSH_PATIENCE_NS (30 * NS_PER_S)

struct push_queue;

enum push_result { PUSH_DONE, PUSH_AGAIN, PUSH_FAILED };

struct push_config {
    const char *name; /* for messages: "influxdb" */
    int n_threads;    /* bodies keep their order only with 1 */
    void *arg;
    /* Called on the thread; sender is what open gave. *err is told by failed once the body is given
     * up. */
    enum push_result (*send)(void *arg, void *sender, struct slice body, struct error *err);
    void (*failed)(void *arg, const struct error *err, int64_t took_ns);
    void (*sent)(void *arg, int64_t took_ns); /* may be NULL */
    /* One sender a thread, made before it runs. */
    void *(*open)(void *arg, struct error *err); /* NULL = failed */
    void (*close)(void *arg, void *sender);
};

/* NULL when a sender cannot be opened. */
struct push_queue *push_queue_new(const struct push_config *config, struct error *err);
/* Takes the content of body, which is empty afterwards. Any thread; never waits. False = dropped.
 */
bool push_queue_give(struct push_queue *q, struct buf *body);
/* Sends what is left, joins the threads, frees. */
void push_queue_free(struct push_queue *q);
