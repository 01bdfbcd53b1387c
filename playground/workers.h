/* A few threads for work that would hold up a server thread: items are worked on in the order they
 * came. */
#pragma once

#include <stdbool.h>

struct workers;

/* Works on an item, or, when is_canceled, gives it up: workers_stop() has begun. */
typedef void (*workers_fn)(void *item, bool is_canceled);

/* Starts the threads. Returns 0 or KE_FAILED. */
int workers_start(struct workers **out, unsigned threads, workers_fn fn);

/* Any thread; also after workers_stop(), which calls fn at once. */
void workers_add(struct workers *w, void *item);

/* Calls fn for what still waits, as canceled, and ends the threads. */
void workers_stop(struct workers *w);

/* Frees stopped workers. NULL is allowed. */
void workers_free(struct workers *w);
