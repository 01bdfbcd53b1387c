#include "user_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/map.h"
#include "base/vec.h"

struct user_store {
    struct db *db;
    struct config_limit limit;
    struct db_statement *insert;
    struct db_statement *trim;
    pthread_rwlock_t lock;
    struct map by_token; /* each holds all users; by_name owns them */
    struct map by_name;
    int64_t next_id;
};

void user_token_make(char *out, size_t bytes) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const size_t count = sizeof letters - 1;
    for (size_t i = 0; i < bytes;) {
        unsigned char random;
        CHECK(getrandom(&random, 1, 0) == 1);
        /* those at the end would make the first letters likelier */
        if (random < 256 / count * count)
            out[i++] = letters[random % count];
    }
    out[bytes] = '\0';
}

static void remember(struct user_store *s, const struct user *user) {
    struct user *kept = xmalloc(sizeof *kept);
    *kept = *user;
    map_set(&s->by_token, slice_cstr(kept->token), kept);
    map_set(&s->by_name, slice_cstr(kept->name), kept);
}

/* Forgets the users that the limit does not keep. */
static void forget(struct user_store *s, int64_t last_id) {
    struct map_entry *e;
    VEC(struct user *) old = {0};
    for (size_t i = 0; (e = map_next(&s->by_name, &i)) != NULL;) {
        struct user *user = e->value;
        if (user->id > s->limit.fixed && user->id <= last_id - s->limit.max)
            vec_push(&old, user);
    }
    for (size_t i = 0; i < old.len; i++) {
        map_delete(&s->by_token, slice_cstr(old.ptr[i]->token));
        map_delete(&s->by_name, slice_cstr(old.ptr[i]->name));
        free(old.ptr[i]);
    }
    vec_release(&old);
}

/* False when it does not fit: a row that this program did not write. */
static bool copy_text(struct slice text, char *out, size_t out_bytes) {
    if (text.len >= out_bytes)
        return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static int read_users(struct user_store *s, struct error *err) {
    struct db_statement *row;
    int rc =
        db_prepare(s->db, "SELECT id, username, password, token FROM users ORDER BY id", &row, err);
    if (rc != 0)
        return rc;
    s->next_id = 1;
    while ((rc = db_step(row)) == DB_ROW) {
        struct user user = {.id = db_column_int(row, 0)};
        s->next_id = user.id + 1;
        if (copy_text(db_column_text(row, 1), user.name, sizeof user.name) &&
            copy_text(db_column_text(row, 2), user.password, sizeof user.password) &&
            copy_text(db_column_text(row, 3), user.token, sizeof user.token))
            remember(s, &user);
    }
    db_finalize(row);
    return rc < 0 ? error_set(err, KE_IO, "database: cannot read the users") : 0;
}

int user_store_open(struct user_store **out, struct db *db, struct config_limit limit,
                    struct error *err) {
    struct user_store *s = xcalloc(1, sizeof *s);
    s->db = db;
    s->limit = limit;
    pthread_rwlock_init(&s->lock, NULL);
    map_init(&s->by_token);
    map_init(&s->by_name);
    db_lock(db);
    int rc = db_prepare(db, "INSERT INTO users (id, username, password, token) VALUES (?, ?, ?, ?)",
                        &s->insert, err);
    if (rc == 0)
        rc = db_prepare(db, "DELETE FROM users WHERE id > ? AND id <= ?", &s->trim, err);
    if (rc == 0)
        rc = read_users(s, err);
    db_unlock(db);
    if (rc != 0) {
        user_store_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void user_store_close(struct user_store *s) {
    if (s == NULL)
        return;
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&s->by_name, &i)) != NULL;)
        free(e->value);
    map_release(&s->by_name);
    map_release(&s->by_token);
    db_finalize(s->insert);
    db_finalize(s->trim);
    pthread_rwlock_destroy(&s->lock);
    free(s);
}

static int find(struct user_store *s, const struct map *users, struct slice key, struct user *out) {
    pthread_rwlock_rdlock(&s->lock);
    const struct user *user = map_get(users, key);
    if (user != NULL)
        *out = *user;
    pthread_rwlock_unlock(&s->lock);
    return user != NULL ? 0 : KE_NOT_FOUND;
}

int user_store_by_token(struct user_store *s, struct slice token, struct user *out) {
    return find(s, &s->by_token, token, out);
}

int user_store_by_name(struct user_store *s, struct slice name, struct user *out) {
    return find(s, &s->by_name, name, out);
}

static int insert_row(struct user_store *s, const struct user *user) {
    db_bind_int(s->insert, 1, user->id);
    db_bind_text(s->insert, 2, slice_cstr(user->name));
    db_bind_text(s->insert, 3, slice_cstr(user->password));
    db_bind_text(s->insert, 4, slice_cstr(user->token));
    int rc = db_run_statement(s->insert);
    if (rc != 0)
        return rc;
    db_bind_int(s->trim, 1, s->limit.fixed);
    db_bind_int(s->trim, 2, user->id - s->limit.max);
    return db_run_statement(s->trim);
}

int user_store_add(struct user_store *s, struct slice name, const char *password,
                   struct user *out) {
    struct user user = {0};
    CHECK(copy_text(name, user.name, sizeof user.name));
    CHECK(copy_text(slice_cstr(password), user.password, sizeof user.password));
    user_token_make(user.token, USER_TOKEN_BYTES);

    /* Whoever writes holds the database's lock, so the maps stay as they are while a row is
     * written; the maps' own lock is not held that long, every request waits for it. */
    db_lock(s->db);
    int rc = map_has(&s->by_name, name) ? KE_INVALID : 0;
    user.id = s->next_id;
    if (rc == 0)
        rc = insert_row(s, &user);
    if (rc == 0) {
        s->next_id++;
        pthread_rwlock_wrlock(&s->lock);
        remember(s, &user);
        if (user.id - s->limit.max > s->limit.fixed)
            forget(s, user.id);
        pthread_rwlock_unlock(&s->lock);
        *out = user;
    }
    db_unlock(s->db);
    return rc;
}
