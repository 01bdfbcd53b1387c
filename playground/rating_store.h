/* Ratings: stars that a user gives a pizza. In the database alone. Every function may be called on
 * any thread, and returns KE_IO when the database fails. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config.h"
#include "db.h"

struct rating {
    int64_t id;
    int64_t user_id;
    int64_t pizza_id;
    int64_t stars;
};

struct rating_store;

/* The database must outlive the store. Returns 0, or KE_IO with a message. */
int rating_store_open(struct rating_store **out, struct db *db, struct config_limit limit,
                      struct error *err);
/* NULL is allowed. */
void rating_store_close(struct rating_store *s);

/* Sets r->id to the next id and stores it. Of the ratings above the fixed ids only the newest stay.
 * Returns 0. */
int rating_store_add(struct rating_store *s, struct rating *r);

/* A user's rating with this id. Returns 0 or KE_NOT_FOUND, also when it is somebody else's. */
int rating_store_get(struct rating_store *s, int64_t user_id, int64_t id, struct rating *out);

/* A user's ratings by id; *out_count says how many of `limit` there are. Returns 0. */
int rating_store_list(struct rating_store *s, int64_t user_id, struct rating *out, size_t limit,
                      size_t *out_count);

/* Sets the stars of a user's rating and returns it as it then is. 0 or KE_NOT_FOUND. */
int rating_store_update(struct rating_store *s, int64_t user_id, int64_t id, int64_t stars,
                        struct rating *out);

/* Deletes a user's rating. Returns 0 or KE_NOT_FOUND. */
int rating_store_delete(struct rating_store *s, int64_t user_id, int64_t id);

/* Deletes all ratings of a user, be there any or none. Returns 0. */
int rating_store_clear(struct rating_store *s, int64_t user_id);
