#include "pizza_store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/vec.h"

#define BATCH_WAIT_NS (20 * NS_PER_MS)
/* A queue this long is written by whoever adds to it: memory stays bounded when the disk is slow.
 */
#define MAX_QUEUED 20000

struct queued {
    struct pizza pizza;
    int64_t created_at_s;
};

typedef VEC(struct queued) queue_vec;

struct pizza_store {
    struct db *db;
    const struct catalog *catalog;
    struct config_limit limit;
    struct db_statement *insert;
    struct db_statement *trim;
    struct db_statement *select;
    struct db_statement *latest;
    struct db_statement *begin;
    struct db_statement *commit;

    pthread_mutex_t queue_lock; /* taken after the database's lock, never before it */
    pthread_cond_t queue_changed;
    queue_vec queue;
    queue_vec spare; /* the other half of the swap; belongs to the database's lock */
    int64_t next_id;
    bool is_stopping;
    bool is_thread_running;
    pthread_t thread;
};

static int write_row(struct pizza_store *s, const struct queued *item) {
    const struct pizza *p = &item->pizza;
    char ids[PIZZA_MAX_INGREDIENTS * 21 + 2];
    size_t size = 0;
    ids[size++] = '[';
    for (size_t i = 0; i < p->ingredient_count; i++)
        size += (size_t)snprintf(ids + size, sizeof ids - size, i > 0 ? ",%lld" : "%lld",
                                 (long long)s->catalog->ingredients[p->ingredients[i]].id);
    ids[size++] = ']';
    db_bind_int(s->insert, 1, p->id);
    db_bind_text(s->insert, 2, pizza_name(p));
    db_bind_int(s->insert, 3, s->catalog->doughs[p->dough].id);
    db_bind_text(s->insert, 4, s->catalog->tools.words[p->tool]);
    db_bind_text(s->insert, 5, slice_from(ids, size));
    db_bind_int(s->insert, 6, item->created_at_s);
    return db_run_statement(s->insert);
}

static int write_batch(struct pizza_store *s, const queue_vec *batch) {
    const int64_t last_id = batch->ptr[batch->len - 1].pizza.id;
    int rc = db_run_statement(s->begin);
    for (size_t i = 0; i < batch->len && rc == 0; i++) {
        int64_t id = batch->ptr[i].pizza.id;
        if (id <= s->limit.fixed || id > last_id - s->limit.max)
            rc = write_row(s, &batch->ptr[i]);
    }
    if (rc == 0) {
        db_bind_int(s->trim, 1, s->limit.fixed);
        db_bind_int(s->trim, 2, last_id - s->limit.max);
        rc = db_run_statement(s->trim);
    }
    if (rc == 0)
        return db_run_statement(s->commit);
    db_run(s->db, "ROLLBACK", NULL);
    return rc;
}

/* Moves the queue to the database, whose lock the caller holds. */
static void flush(struct pizza_store *s) {
    pthread_mutex_lock(&s->queue_lock);
    queue_vec batch = s->queue;
    s->queue = s->spare;
    pthread_mutex_unlock(&s->queue_lock);

    /* The second try is for a server that has been away; what then fails is lost. */
    if (batch.len > 0 && write_batch(s, &batch) != 0)
        write_batch(s, &batch);
    batch.len = 0;
    s->spare = batch;
}

static void *writer(void *arg) {
    struct pizza_store *s = arg;
    pthread_mutex_lock(&s->queue_lock);
    for (;;) {
        while (s->queue.len == 0 && !s->is_stopping)
            pthread_cond_wait(&s->queue_changed, &s->queue_lock);
        if (s->is_stopping)
            break;
        /* the first of a batch: others will follow */
        struct timespec wait = {.tv_nsec = BATCH_WAIT_NS};
        pthread_mutex_unlock(&s->queue_lock);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
        db_lock(s->db);
        flush(s);
        db_unlock(s->db);
        pthread_mutex_lock(&s->queue_lock);
    }
    pthread_mutex_unlock(&s->queue_lock);
    return NULL;
}

static int prepare(struct pizza_store *s, struct error *err) {
    static const char columns[] = "SELECT id, name, dough_id, tool, ingredients FROM pizzas ";
    char sql[256];
    int rc = db_prepare(s->db, "BEGIN", &s->begin, err);
    if (rc == 0)
        rc = db_prepare(s->db, "COMMIT", &s->commit, err);
    if (rc == 0)
        rc = db_prepare(s->db,
                        "INSERT INTO pizzas (id, name, dough_id, tool, ingredients, created_at)"
                        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                        &s->insert, err);
    if (rc == 0)
        rc = db_prepare(s->db, "DELETE FROM pizzas WHERE id > ? AND id <= ?", &s->trim, err);
    snprintf(sql, sizeof sql, "%sWHERE id = ?", columns);
    if (rc == 0)
        rc = db_prepare(s->db, sql, &s->select, err);
    /* ids grow with time, so this is the order of created_at too, without a sort */
    snprintf(sql, sizeof sql, "%sORDER BY id DESC LIMIT ?", columns);
    if (rc == 0)
        rc = db_prepare(s->db, sql, &s->latest, err);
    return rc;
}

int pizza_store_open(struct pizza_store **out, struct db *db, const struct catalog *catalog,
                     struct config_limit limit, struct error *err) {
    struct pizza_store *s = xcalloc(1, sizeof *s);
    s->db = db;
    s->catalog = catalog;
    s->limit = limit;
    pthread_mutex_init(&s->queue_lock, NULL);
    pthread_cond_init(&s->queue_changed, NULL);
    db_lock(db);
    int rc = prepare(s, err);
    if (rc == 0)
        rc = db_read_int(db, "SELECT coalesce(max(id), 0) + 1 FROM pizzas", 1, &s->next_id, err);
    db_unlock(db);
    if (rc == 0 && pthread_create(&s->thread, NULL, writer, s) != 0)
        rc = error_set(err, KE_FAILED, "cannot start the database thread");
    if (rc != 0) {
        pizza_store_close(s);
        return rc;
    }
    s->is_thread_running = true;
    *out = s;
    return 0;
}

void pizza_store_close(struct pizza_store *s) {
    if (s == NULL)
        return;
    if (s->is_thread_running) {
        pthread_mutex_lock(&s->queue_lock);
        s->is_stopping = true;
        pthread_cond_signal(&s->queue_changed);
        pthread_mutex_unlock(&s->queue_lock);
        pthread_join(s->thread, NULL);
        db_lock(s->db);
        flush(s);
        db_unlock(s->db);
    }
    db_finalize(s->begin);
    db_finalize(s->commit);
    db_finalize(s->insert);
    db_finalize(s->trim);
    db_finalize(s->select);
    db_finalize(s->latest);
    vec_release(&s->queue);
    vec_release(&s->spare);
    pthread_cond_destroy(&s->queue_changed);
    pthread_mutex_destroy(&s->queue_lock);
    free(s);
}

void pizza_store_add(struct pizza_store *s, struct pizza *pizza) {
    struct queued item = {.pizza = *pizza, .created_at_s = clock_wall_ns() / NS_PER_S};
    pthread_mutex_lock(&s->queue_lock);
    item.pizza.id = pizza->id = s->next_id++;
    vec_push(&s->queue, item);
    bool was_empty = s->queue.len == 1;
    bool is_full = s->queue.len >= MAX_QUEUED;
    if (was_empty)
        pthread_cond_signal(&s->queue_changed);
    pthread_mutex_unlock(&s->queue_lock);
    if (is_full) {
        db_lock(s->db);
        flush(s);
        db_unlock(s->db);
    }
}

/* The ids in a text such as "[1,5,9]"; unknown ones are left out. */
static void read_ingredients(const struct catalog *c, struct slice text, struct pizza *out) {
    out->ingredient_count = 0;
    size_t i = 0;
    while (i < text.len && out->ingredient_count < PIZZA_MAX_INGREDIENTS) {
        int64_t id = 0;
        bool has_digits = false;
        for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9' && id < INT32_MAX; i++) {
            id = id * 10 + (text.ptr[i] - '0');
            has_digits = true;
        }
        int index = has_digits ? catalog_ingredient_index(c, id) : -1;
        if (index >= 0)
            out->ingredients[out->ingredient_count++] = (uint16_t)index;
        i += !has_digits;
    }
}

static void read_row(struct pizza_store *s, struct db_statement *row, struct pizza *out) {
    out->id = db_column_int(row, 0);
    pizza_set_name(out, db_column_text(row, 1));
    int dough = catalog_dough_index(s->catalog, db_column_int(row, 2));
    int tool = catalog_tool_index(s->catalog, db_column_text(row, 3));
    out->dough = (uint16_t)(dough > 0 ? dough : 0);
    out->tool = (uint16_t)(tool > 0 ? tool : 0);
    read_ingredients(s->catalog, db_column_text(row, 4), out);
}

int pizza_store_get(struct pizza_store *s, int64_t id, struct pizza *out) {
    int rc = KE_NOT_FOUND;
    db_lock(s->db);
    flush(s);
    db_bind_int(s->select, 1, id);
    if (db_step(s->select) == DB_ROW) {
        read_row(s, s->select, out);
        rc = 0;
    }
    db_reset(s->select);
    db_unlock(s->db);
    return rc;
}

size_t pizza_store_latest(struct pizza_store *s, struct pizza *out, size_t limit) {
    size_t count = 0;
    db_lock(s->db);
    flush(s);
    db_bind_int(s->latest, 1, (int64_t)limit);
    while (count < limit && db_step(s->latest) == DB_ROW)
        read_row(s, s->latest, &out[count++]);
    db_reset(s->latest);
    db_unlock(s->db);
    return count;
}
