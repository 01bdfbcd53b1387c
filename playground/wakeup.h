/* Runs a callback for an item once its time has come: one thread and a heap, for any number of
 * waiting items. Times are kept to the millisecond, rounded up, so that what is due together wakes
 * together. */
#pragma once

#include <stdint.h>

struct wakeup;

/* Called on the wakeup thread, without its lock. */
typedef void (*wakeup_fn)(void *item);

/* Starts the thread. Returns 0 or KE_FAILED. */
int wakeup_start(struct wakeup **out, wakeup_fn fn);

/* Asks for fn(item) at `deadline_ns` (monotonic clock). Returns 0, or KE_CANCELED after
 * wakeup_stop() has begun: the item will not be called then. Any thread. */
int wakeup_add(struct wakeup *w, int64_t deadline_ns, void *item);

/* Calls fn for every item that waits, at once, and ends the thread. After that wakeup_add()
 * refuses. */
void wakeup_stop(struct wakeup *w);

/* Frees the memory of a stopped wakeup; no thread may add any more. NULL is allowed. */
void wakeup_free(struct wakeup *w);
