#include <stdarg.h>

#include "base/buf.h"
#include "base/clock.h"
#include "db_backend.h"
#include "seed.h"

/* The id column of each table comes first and is the backend's. */
static const struct {
    const char *name;
    const char *columns;
} tables[] = {
    {"doughs", "name TEXT NOT NULL, calories BIGINT NOT NULL"},
    {"tools", "name TEXT NOT NULL"},
    {"ingredients", "kind TEXT NOT NULL, name TEXT NOT NULL, calories BIGINT NOT NULL,"
                    " is_vegetarian BIGINT NOT NULL"},
    {"quotes", "text TEXT NOT NULL"},
    {"classical_names", "name TEXT NOT NULL"},
    {"adjectives", "name TEXT NOT NULL"},
    {"pizzas", "name TEXT NOT NULL, dough_id BIGINT NOT NULL, tool TEXT NOT NULL,"
               " ingredients TEXT NOT NULL, created_at BIGINT NOT NULL"},
    {"users", "username TEXT NOT NULL UNIQUE, password TEXT NOT NULL, token TEXT NOT NULL UNIQUE"},
    {"ratings", "user_id BIGINT NOT NULL, pizza_id BIGINT NOT NULL, stars BIGINT NOT NULL"},
};

static int create_tables(struct db *db, struct error *err) {
    struct buf sql;
    buf_init(&sql, BUF_NO_CAP);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        buf_printf(&sql, "CREATE TABLE %s (id %s, %s);", tables[i].name, db->backend->id_type,
                   tables[i].columns);
    buf_append_str(&sql, "CREATE INDEX ratings_of_user ON ratings (user_id);");
    buf_append_str(&sql, db->backend->marker_sql);
    int rc = db_run(db, buf_cstr(&sql), err);
    buf_release(&sql);
    return rc;
}

/* Inserts one row whose columns are given as a format string: i for int64_t, s for a C string. */
static int insert(struct db *db, const char *sql, struct error *err, const char *format, ...) {
    struct db_statement *s;
    int rc = db_prepare(db, sql, &s, err);
    if (rc != 0)
        return rc;
    va_list values;
    va_start(values, format);
    for (int i = 1; format[i - 1] != '\0'; i++) {
        if (format[i - 1] == 'i')
            db_bind_int(s, i, va_arg(values, int64_t));
        else
            db_bind_text(s, i, slice_cstr(va_arg(values, const char *)));
    }
    va_end(values);
    rc = db->backend->step(s, err);
    db_finalize(s);
    return rc < 0 ? rc : 0;
}

static int insert_words(struct db *db, const char *sql, const char *const words[], size_t count,
                        struct error *err) {
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = insert(db, sql, err, "is", (int64_t)i + 1, words[i]);
    return rc;
}

static int fill_words(struct db *db, struct error *err) {
    int rc = insert_words(db, "INSERT INTO tools (id, name) VALUES (?, ?)", seed_tools,
                          seed_tool_count, err);
    if (rc == 0)
        rc = insert_words(db, "INSERT INTO quotes (id, text) VALUES (?, ?)", seed_quotes,
                          seed_quote_count, err);
    if (rc == 0)
        rc = insert_words(db, "INSERT INTO classical_names (id, name) VALUES (?, ?)",
                          seed_classical_names, seed_classical_name_count, err);
    if (rc == 0)
        rc = insert_words(db, "INSERT INTO adjectives (id, name) VALUES (?, ?)", seed_adjectives,
                          seed_adjective_count, err);
    return rc;
}

static int fill_catalog(struct db *db, struct error *err) {
    int rc = 0;
    for (size_t i = 0; i < seed_dough_count && rc == 0; i++)
        rc = insert(db, "INSERT INTO doughs (id, name, calories) VALUES (?, ?, ?)", err, "isi",
                    (int64_t)i + 1, seed_doughs[i].name, (int64_t)seed_doughs[i].calories);
    for (size_t i = 0; i < seed_ingredient_count && rc == 0; i++) {
        const struct seed_ingredient *s = &seed_ingredients[i];
        rc = insert(db,
                    "INSERT INTO ingredients (id, kind, name, calories, is_vegetarian)"
                    " VALUES (?, ?, ?, ?, ?)",
                    err, "issii", (int64_t)i + 1, s->kind, s->name, (int64_t)s->calories,
                    (int64_t)s->is_vegetarian);
    }
    return rc;
}

static int fill_history(struct db *db, struct error *err) {
    int rc = 0;
    const int64_t now_s = clock_wall_ns() / NS_PER_S;
    for (size_t i = 0; i < seed_pizza_count && rc == 0; i++) {
        const struct seed_pizza *s = &seed_pizzas[i];
        rc = insert(db,
                    "INSERT INTO pizzas (id, name, dough_id, tool, ingredients, created_at)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    err, "isissi", (int64_t)i + 1, s->name, (int64_t)s->dough_id, s->tool,
                    s->ingredients, now_s);
    }
    for (size_t i = 0; i < seed_user_count && rc == 0; i++) {
        const struct seed_user *s = &seed_users[i];
        rc = insert(db, "INSERT INTO users (id, username, password, token) VALUES (?, ?, ?, ?)",
                    err, "isss", (int64_t)i + 1, s->username, s->password, s->token);
    }
    for (size_t i = 0; i < seed_rating_count && rc == 0; i++)
        rc = insert(db, "INSERT INTO ratings (id, user_id, stars, pizza_id) VALUES (?, 1, ?, ?)",
                    err, "iii", (int64_t)i + 1, (int64_t)seed_ratings[i].stars,
                    (int64_t)seed_ratings[i].pizza_id);
    return rc;
}

int db_tables_create(struct db *db, struct error *err) {
    int rc = db_run(db, "BEGIN", err);
    if (rc != 0)
        return rc;
    rc = create_tables(db, err);
    if (rc == 0)
        rc = fill_words(db, err);
    if (rc == 0)
        rc = fill_catalog(db, err);
    if (rc == 0)
        rc = fill_history(db, err);
    if (rc == 0)
        return db_run(db, "COMMIT", err);
    db_run(db, "ROLLBACK", NULL);
    return rc;
}
