#include "db.h"

#include <stdarg.h>

#include "base/check.h"
#include "seed.h"

/* "qpza": tells our files from other SQLite files */
#define APPLICATION_ID "1903196769"

static const char schema[] =
    "CREATE TABLE doughs (id INTEGER PRIMARY KEY, name TEXT NOT NULL, calories INTEGER NOT NULL);"
    "CREATE TABLE tools (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    "CREATE TABLE ingredients (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,"
    "  calories INTEGER NOT NULL, is_vegetarian INTEGER NOT NULL);"
    "CREATE TABLE quotes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE classical_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    "CREATE TABLE adjectives (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    "CREATE TABLE pizzas (id INTEGER PRIMARY KEY, name TEXT NOT NULL, dough_id INTEGER NOT NULL,"
    "  tool TEXT NOT NULL, ingredients TEXT NOT NULL, created_at INTEGER NOT NULL);"
    "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE,"
    "  password TEXT NOT NULL, token TEXT NOT NULL UNIQUE);"
    "CREATE TABLE ratings (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL,"
    "  pizza_id INTEGER NOT NULL, stars INTEGER NOT NULL);"
    "CREATE INDEX ratings_of_user ON ratings (user_id);"
    "PRAGMA application_id = " APPLICATION_ID ";";

void db_lock(struct db *db) {
    pthread_mutex_lock(&db->lock);
}

void db_unlock(struct db *db) {
    pthread_mutex_unlock(&db->lock);
}

int db_prepare(struct db *db, const char *sql, sqlite3_stmt **out, struct error *err) {
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) == SQLITE_OK)
        return 0;
    return error_set(err, KE_IO, "database: %s", sqlite3_errmsg(db->handle));
}

int db_run(struct db *db, const char *sql, struct error *err) {
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return error_set(err, KE_IO, "database: %s", sqlite3_errmsg(db->handle));
}

struct slice db_column_text(sqlite3_stmt *statement, int column) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (text == NULL)
        return SLICE("");
    return slice_from(text, (size_t)sqlite3_column_bytes(statement, column));
}

void db_bind_text(sqlite3_stmt *statement, int index, struct slice text) {
    sqlite3_bind_text64(statement, index, text.ptr != NULL ? text.ptr : "", text.len, SQLITE_STATIC,
                        SQLITE_UTF8);
}

/* Inserts one row whose columns are given as a format string: i for int, s for a C string. */
static int insert(struct db *db, const char *sql, struct error *err, const char *format, ...) {
    sqlite3_stmt *statement;
    int rc = db_prepare(db, sql, &statement, err);
    if (rc != 0)
        return rc;
    va_list values;
    va_start(values, format);
    for (int i = 1; format[i - 1] != '\0'; i++) {
        if (format[i - 1] == 'i')
            sqlite3_bind_int(statement, i, va_arg(values, int));
        else
            sqlite3_bind_text(statement, i, va_arg(values, const char *), -1, SQLITE_STATIC);
    }
    va_end(values);
    if (sqlite3_step(statement) != SQLITE_DONE)
        rc = error_set(err, KE_IO, "database: %s", sqlite3_errmsg(db->handle));
    sqlite3_finalize(statement);
    return rc;
}

static int insert_words(struct db *db, const char *sql, const char *const words[], size_t count,
                        struct error *err) {
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = insert(db, sql, err, "s", words[i]);
    return rc;
}

static int fill_catalog(struct db *db, struct error *err) {
    int rc =
        insert_words(db, "INSERT INTO tools (name) VALUES (?)", seed_tools, seed_tool_count, err);
    if (rc == 0)
        rc = insert_words(db, "INSERT INTO quotes (text) VALUES (?)", seed_quotes, seed_quote_count,
                          err);
    if (rc == 0)
        rc = insert_words(db, "INSERT INTO classical_names (name) VALUES (?)", seed_classical_names,
                          seed_classical_name_count, err);
    if (rc == 0)
        rc = insert_words(db, "INSERT INTO adjectives (name) VALUES (?)", seed_adjectives,
                          seed_adjective_count, err);
    for (size_t i = 0; i < seed_dough_count && rc == 0; i++)
        rc = insert(db, "INSERT INTO doughs (name, calories) VALUES (?, ?)", err, "si",
                    seed_doughs[i].name, seed_doughs[i].calories);
    for (size_t i = 0; i < seed_ingredient_count && rc == 0; i++) {
        const struct seed_ingredient *s = &seed_ingredients[i];
        rc = insert(db,
                    "INSERT INTO ingredients (kind, name, calories, is_vegetarian)"
                    " VALUES (?, ?, ?, ?)",
                    err, "ssii", s->kind, s->name, s->calories, (int)s->is_vegetarian);
    }
    return rc;
}

static int fill_history(struct db *db, struct error *err) {
    int rc = 0;
    for (size_t i = 0; i < seed_pizza_count && rc == 0; i++) {
        const struct seed_pizza *s = &seed_pizzas[i];
        rc = insert(db,
                    "INSERT INTO pizzas (name, dough_id, tool, ingredients, created_at)"
                    " VALUES (?, ?, ?, ?, unixepoch())",
                    err, "siss", s->name, s->dough_id, s->tool, s->ingredients);
    }
    for (size_t i = 0; i < seed_user_count && rc == 0; i++) {
        const struct seed_user *s = &seed_users[i];
        rc = insert(db, "INSERT INTO users (username, password, token) VALUES (?, ?, ?)", err,
                    "sss", s->username, s->password, s->token);
    }
    for (size_t i = 0; i < seed_rating_count && rc == 0; i++)
        rc = insert(db, "INSERT INTO ratings (user_id, stars, pizza_id) VALUES (1, ?, ?)", err,
                    "ii", seed_ratings[i].stars, seed_ratings[i].pizza_id);
    return rc;
}

static int read_number(struct db *db, const char *sql, int64_t *out, struct error *err) {
    sqlite3_stmt *statement;
    int rc = db_prepare(db, sql, &statement, err);
    if (rc != 0)
        return rc;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else
        rc = error_set(err, KE_IO, "database: %s", sqlite3_errmsg(db->handle));
    sqlite3_finalize(statement);
    return rc;
}

static int make_tables(struct db *db, const char *path, struct error *err) {
    int64_t tables = 0;
    int rc = read_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (rc != 0)
        return rc;
    if (tables > 0) {
        int64_t is_ours = 0;
        rc =
            read_number(db, "SELECT application_id = " APPLICATION_ID " FROM pragma_application_id",
                        &is_ours, err);
        if (rc == 0 && !is_ours)
            rc = error_set(err, KE_IO, "'%s' is the database of another program", path);
        return rc;
    }
    rc = db_run(db, "BEGIN", err);
    if (rc == 0)
        rc = db_run(db, schema, err);
    if (rc == 0)
        rc = fill_catalog(db, err);
    if (rc == 0)
        rc = fill_history(db, err);
    if (rc == 0)
        rc = db_run(db, "COMMIT", err);
    return rc;
}

int db_open(struct db *db, const char *path, struct error *err) {
    *db = (struct db){0};
    pthread_mutex_init(&db->lock, NULL);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = 0;
    const char *name = path != NULL ? path : ":memory:";
    if (sqlite3_open_v2(name, &db->handle, flags, NULL) != SQLITE_OK)
        rc = error_set(err, KE_IO, "cannot open '%s': %s", name, sqlite3_errmsg(db->handle));
    if (rc == 0 && path != NULL)
        rc = db_run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", err);
    if (rc == 0)
        rc = make_tables(db, name, err);
    if (rc != 0)
        db_close(db);
    return rc;
}

void db_close(struct db *db) {
    CHECK(sqlite3_close(db->handle) == SQLITE_OK);
    db->handle = NULL;
    pthread_mutex_destroy(&db->lock);
}
