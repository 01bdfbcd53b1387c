/* Keeps recommended pizzas: ids at once, rows a moment later. pizza_store_add() gives a pizza its
 * id and puts it in a queue; a writer thread moves the queue to the database, many rows a
 * transaction. Reads bring the queue to the database first, so whoever was told an id finds its
 * pizza.
 *
 * After each write only the newest `max` ids stay, besides those up to `fixed`. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "catalog.h"
#include "config.h"
#include "db.h"
#include "pizza.h"

struct pizza_store;

/* Starts the writer thread. The database and the catalog must outlive the store. Returns 0, or
 * KE_IO with a message. */
int pizza_store_open(struct pizza_store **out, struct db *db, const struct catalog *catalog,
                     struct config_limit limit, struct error *err);

/* Writes what is queued and ends the thread. NULL is allowed. */
void pizza_store_close(struct pizza_store *s);

/* Sets pizza->id to the next id and queues the pizza. Any thread. */
void pizza_store_add(struct pizza_store *s, struct pizza *pizza);

/* The pizza with this id. Returns 0 or KE_NOT_FOUND. Any thread. */
int pizza_store_get(struct pizza_store *s, int64_t id, struct pizza *out);

/* The newest pizzas, newest first; returns how many of `limit` there are. Any thread. */
size_t pizza_store_latest(struct pizza_store *s, struct pizza *out, size_t limit);
