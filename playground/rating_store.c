#include "rating_store.h"

#include <stdlib.h>

#include "base/check.h"

struct rating_store {
    struct db *db;
    struct config_limit limit;
    struct db_statement *insert;
    struct db_statement *trim;
    struct db_statement *select;
    struct db_statement *list;
    struct db_statement *update;
    struct db_statement *delete_one;
    struct db_statement *delete_all;
    int64_t next_id;
};

static int prepare(struct rating_store *s, struct error *err) {
    const struct {
        struct db_statement **statement;
        const char *sql;
    } all[] = {
        {&s->insert, "INSERT INTO ratings (id, user_id, pizza_id, stars) VALUES (?, ?, ?, ?)"},
        {&s->trim, "DELETE FROM ratings WHERE id > ? AND id <= ?"},
        {&s->select, "SELECT id, user_id, pizza_id, stars FROM ratings WHERE id = ?"},
        {&s->list, "SELECT id, user_id, pizza_id, stars FROM ratings WHERE user_id = ?"
                   " ORDER BY id LIMIT ?"},
        {&s->update, "UPDATE ratings SET stars = ? WHERE id = ?"},
        {&s->delete_one, "DELETE FROM ratings WHERE id = ? AND user_id = ?"},
        {&s->delete_all, "DELETE FROM ratings WHERE user_id = ?"},
    };
    int rc = 0;
    for (size_t i = 0; i < countof(all) && rc == 0; i++)
        rc = db_prepare(s->db, all[i].sql, all[i].statement, err);
    if (rc == 0)
        rc =
            db_read_int(s->db, "SELECT coalesce(max(id), 0) + 1 FROM ratings", 1, &s->next_id, err);
    return rc;
}

int rating_store_open(struct rating_store **out, struct db *db, struct config_limit limit,
                      struct error *err) {
    struct rating_store *s = xcalloc(1, sizeof *s);
    s->db = db;
    s->limit = limit;
    db_lock(db);
    int rc = prepare(s, err);
    db_unlock(db);
    if (rc != 0) {
        rating_store_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void rating_store_close(struct rating_store *s) {
    if (s == NULL)
        return;
    db_finalize(s->insert);
    db_finalize(s->trim);
    db_finalize(s->select);
    db_finalize(s->list);
    db_finalize(s->update);
    db_finalize(s->delete_one);
    db_finalize(s->delete_all);
    free(s);
}

static void read_row(const struct db_statement *row, struct rating *out) {
    out->id = db_column_int(row, 0);
    out->user_id = db_column_int(row, 1);
    out->pizza_id = db_column_int(row, 2);
    out->stars = db_column_int(row, 3);
}

int rating_store_add(struct rating_store *s, struct rating *r) {
    db_lock(s->db);
    db_bind_int(s->insert, 1, s->next_id);
    db_bind_int(s->insert, 2, r->user_id);
    db_bind_int(s->insert, 3, r->pizza_id);
    db_bind_int(s->insert, 4, r->stars);
    int rc = db_run_statement(s->insert);
    if (rc == 0) {
        r->id = s->next_id++;
        db_bind_int(s->trim, 1, s->limit.fixed);
        db_bind_int(s->trim, 2, r->id - s->limit.max);
        rc = r->id - s->limit.max > s->limit.fixed ? db_run_statement(s->trim) : 0;
    }
    db_unlock(s->db);
    return rc;
}

/* The caller holds the database's lock. */
static int select_one(struct rating_store *s, int64_t user_id, int64_t id, struct rating *out) {
    db_bind_int(s->select, 1, id);
    int rc = db_step(s->select);
    if (rc == DB_ROW) {
        read_row(s->select, out);
        rc = out->user_id == user_id ? 0 : KE_NOT_FOUND;
    } else if (rc == DB_DONE) {
        rc = KE_NOT_FOUND;
    }
    db_reset(s->select);
    return rc;
}

int rating_store_get(struct rating_store *s, int64_t user_id, int64_t id, struct rating *out) {
    db_lock(s->db);
    int rc = select_one(s, user_id, id, out);
    db_unlock(s->db);
    return rc;
}

int rating_store_list(struct rating_store *s, int64_t user_id, struct rating *out, size_t limit,
                      size_t *out_count) {
    size_t count = 0;
    int rc;
    db_lock(s->db);
    db_bind_int(s->list, 1, user_id);
    db_bind_int(s->list, 2, (int64_t)limit);
    while ((rc = db_step(s->list)) == DB_ROW && count < limit)
        read_row(s->list, &out[count++]);
    db_reset(s->list);
    db_unlock(s->db);
    *out_count = count;
    return rc < 0 ? rc : 0;
}

int rating_store_update(struct rating_store *s, int64_t user_id, int64_t id, int64_t stars,
                        struct rating *out) {
    db_lock(s->db);
    int rc = select_one(s, user_id, id, out);
    if (rc == 0) {
        db_bind_int(s->update, 1, stars);
        db_bind_int(s->update, 2, id);
        rc = db_run_statement(s->update);
        out->stars = stars;
    }
    db_unlock(s->db);
    return rc;
}

int rating_store_delete(struct rating_store *s, int64_t user_id, int64_t id) {
    db_lock(s->db);
    db_bind_int(s->delete_one, 1, id);
    db_bind_int(s->delete_one, 2, user_id);
    int rc = db_step(s->delete_one);
    if (rc == DB_DONE)
        rc = db_changes(s->delete_one) > 0 ? 0 : KE_NOT_FOUND;
    db_reset(s->delete_one);
    db_unlock(s->db);
    return rc;
}

int rating_store_clear(struct rating_store *s, int64_t user_id) {
    db_lock(s->db);
    db_bind_int(s->delete_all, 1, user_id);
    int rc = db_run_statement(s->delete_all);
    db_unlock(s->db);
    return rc;
}
