/* A worker: one thread, one poll, its fibers, a timer heap with nanosecond deadlines (timerfd, so
 * sleeps are not rounded to milliseconds), a run queue and a mailbox. Nothing of a worker is
 * touched by other threads but its mailbox.
 *
 * A loop turn: poll (blocking only when the run queue is empty) -> collect events, due timers, mail
 * -> run each fiber that became runnable once. The main thread runs a worker of its own for
 * coordination (executors, ticks, signals). Each worker carries a libuv loop too, for what libuv is
 * good at (signals, processes); it is driven from the poll. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "fiber/fiber.h"

struct worker;

/* index: 0..n-1 for load workers, -1 for the main thread's. */
struct worker *worker_new(int index);
/* Runs the loop on a new thread; cpu >= 0 pins it. Signals stay with the calling thread. */
void worker_start(struct worker *w, int cpu);
/* Runs the loop on the calling thread until worker_stop; may be called again after that. */
void worker_run(struct worker *w);
/* Asks the loop to end when its current turn is over; from any thread. Mail posted before is still
 * delivered. Fibers still parked are abandoned: stop them first. */
void worker_stop(struct worker *w);
/* Joins the thread (if started) and frees everything, leftover fibers' stacks included. libuv
 * handles that are still open are closed, so their memory must still be there. */
void worker_free(struct worker *w);

/* The worker whose loop runs on this thread, or NULL. */
struct worker *worker_self(void);
int worker_index(const struct worker *w);
/* The libuv loop, its time brought up to date; on w's thread only. Callbacks run on w's own stack
 * and must not wait. */
uv_loop_t *worker_uv(struct worker *w);
/* Time of the current loop turn (when its poll returned), read at most once a turn: good enough for
 * deadlines, not for latencies. */
int64_t worker_now_ns(struct worker *w);

/* A message: embedded in the sender's struct, owned by the receiver once posted; run(msg) is called
 * on w's thread, on its own stack (it must not wait; start or wake a fiber for that). Lock-free,
 * any thread, keeps each sender's order. */
struct worker_msg {
    struct worker_msg *next;
    void (*run)(struct worker_msg *msg);
};
void worker_post(struct worker *w, struct worker_msg *msg);

/* A timer: callback on w's own stack at the deadline, at most 200 µs late when timers are dense.
 * Timers of one deadline fire in the order they were started. Caller owns the memory, zeroed before
 * the first start; stop it before freeing. Starting an armed timer moves it. */
struct worker_timer {
    int64_t deadline_ns;
    void (*fire)(struct worker_timer *t);
    uint32_t heap_pos; /* 0 = not armed */
};
void worker_timer_start(struct worker *w, struct worker_timer *t, int64_t deadline_ns,
                        void (*fire)(struct worker_timer *));
void worker_timer_stop(struct worker *w, struct worker_timer *t);

/* Readiness of a non-blocking descriptor for one reading and one writing fiber at a time. The
 * descriptor stays registered for reading between waits (no epoll_ctl per request); an event that
 * nobody waits for unregisters it and is remembered. Readiness is a level, not an edge: a wait
 * returns at once while there is something to read. Register sockets after connect(). */
struct worker_io;
#define IO_READ 1
#define IO_WRITE 2
struct worker_io *worker_io_new(struct worker *w, int fd);
/* Unregisters and frees; the fd stays the caller's and may be closed right after. NULL is fine. No
 * fiber may wait. */
void worker_io_free(struct worker_io *io);
/* The same, and closes the fd. */
void worker_io_close(struct worker_io *io);
/* Waits until fd is ready for any of events (an error or hang-up counts as both). Yields. 0,
 * KE_TIMEOUT, KE_CANCELED. */
int worker_io_wait(struct worker_io *io, int events, int64_t deadline_ns);
/* A fiber that waits to read returns now, as if there were something. */
void worker_io_rouse(struct worker_io *io);
/* Something arrived (data, EOF or error) on the idle descriptor since the last wait: a pooled
 * connection that says so is probably stale (a look at the descriptor tells). */
bool worker_io_is_dirty(const struct worker_io *io);

/* Something of a layer above that each worker has one of (a resolver, a pool). The key is any
 * address of that layer. worker_free calls free_value first, on its own thread. */
void *worker_local(const struct worker *w, const void *key);
void worker_local_set(struct worker *w, const void *key, void *value, void (*free_value)(void *));

/* Preemption: true when the running fiber has computed for longer than the slice (1 ms) since it
 * was resumed. Cheap enough for an interrupt handler; the caller then calls fiber_yield. */
bool worker_slice_is_over(void);
