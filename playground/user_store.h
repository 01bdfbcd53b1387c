/* Users: all of them in memory, for every request asks who its token is, and in the database. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "config.h"
#include "db.h"

#define USER_NAME_MAX_BYTES 32
#define USER_TOKEN_BYTES 16
#define USER_DEFAULT_ID 1
#define USER_DEFAULT_NAME "default"

struct user {
    int64_t id;
    char name[USER_NAME_MAX_BYTES + 1];
    char token[USER_TOKEN_BYTES + 1];
    char password[72]; /* see password.h */
};

struct user_store;

/* The database must outlive the store. Returns 0, or KE_IO with a message. */
int user_store_open(struct user_store **out, struct db *db, struct config_limit limit,
                    struct error *err);
/* NULL is allowed. */
void user_store_close(struct user_store *s);

/* Copies a user to *out. Returns 0 or KE_NOT_FOUND. Any thread. */
int user_store_by_token(struct user_store *s, struct slice token, struct user *out);
int user_store_by_name(struct user_store *s, struct slice name, struct user *out);

/* Stores a new user under the next id with a new token. The name fits USER_NAME_MAX_BYTES; password
 * is in its stored form. Of the users above the fixed ids only the newest stay. Returns 0 and the
 * user, KE_INVALID when the name is taken, KE_IO when the database fails. Any thread. */
int user_store_add(struct user_store *s, struct slice name, const char *password, struct user *out);

/* Fills `out` with letters and digits and ends it with a zero byte. */
void user_token_make(char *out, size_t bytes);
