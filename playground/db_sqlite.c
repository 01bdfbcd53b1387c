#include <sqlite3.h>
#include <stdlib.h>

#include "base/check.h"
#include "db_backend.h"

/* "qpza": tells our files from other SQLite files */
#define APPLICATION_ID "1903196769"

struct sqlite {
    struct db db;
    sqlite3 *handle;
};

struct sqlite_statement {
    struct db_statement base;
    sqlite3_stmt *handle;
};

static sqlite3 *handle_of(struct db *db) {
    return ((struct sqlite *)db)->handle;
}

static sqlite3_stmt *row_of(const struct db_statement *s) {
    return ((const struct sqlite_statement *)s)->handle;
}

static int fail(struct db *db, struct error *err) {
    return error_set(err, KE_IO, "database: %s", sqlite3_errmsg(handle_of(db)));
}

static void sqlite_close(struct db *db) {
    CHECK(sqlite3_close(handle_of(db)) == SQLITE_OK);
    free(db);
}

static int sqlite_run(struct db *db, const char *sql, struct error *err) {
    if (sqlite3_exec(handle_of(db), sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return fail(db, err);
}

static int check_owner(struct db *db, const char *source, bool *out_is_new, struct error *err) {
    int64_t tables = 0;
    int rc = db_read_int(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, err);
    *out_is_new = tables == 0;
    if (rc != 0 || tables == 0)
        return rc;
    int64_t is_ours = 0;
    rc = db_read_int(db, "SELECT application_id = " APPLICATION_ID " FROM pragma_application_id", 0,
                     &is_ours, err);
    if (rc == 0 && !is_ours)
        rc = error_set(err, KE_IO, "'%s' is the database of another program", source);
    return rc;
}

static int sqlite_prepare(struct db *db, const char *sql, struct db_statement **out,
                          struct error *err) {
    sqlite3_stmt *handle;
    if (sqlite3_prepare_v3(handle_of(db), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL) !=
        SQLITE_OK)
        return fail(db, err);
    struct sqlite_statement *s = xcalloc(1, sizeof *s);
    s->handle = handle;
    *out = &s->base;
    return 0;
}

static void sqlite_finalize(struct db_statement *s) {
    sqlite3_finalize(row_of(s));
    free(s);
}

static void bind_int(struct db_statement *s, int index, int64_t value) {
    sqlite3_bind_int64(row_of(s), index, value);
}

static void bind_text(struct db_statement *s, int index, struct slice text) {
    sqlite3_bind_text64(row_of(s), index, text.ptr != NULL ? text.ptr : "", text.len, SQLITE_STATIC,
                        SQLITE_UTF8);
}

static int sqlite_step(struct db_statement *s, struct error *err) {
    int rc = sqlite3_step(row_of(s));
    if (rc == SQLITE_ROW)
        return DB_ROW;
    return rc == SQLITE_DONE ? DB_DONE : fail(s->db, err);
}

static void sqlite_reset_statement(struct db_statement *s) {
    sqlite3_reset(row_of(s));
}

static int64_t changes(const struct db_statement *s) {
    return sqlite3_changes64(handle_of(s->db));
}

static int64_t column_int(const struct db_statement *s, int column) {
    return sqlite3_column_int64(row_of(s), column);
}

static struct slice column_text(const struct db_statement *s, int column) {
    const char *text = (const char *)sqlite3_column_text(row_of(s), column);
    if (text == NULL)
        return SLICE("");
    return slice_from(text, (size_t)sqlite3_column_bytes(row_of(s), column));
}

static const struct db_backend backend = {
    .close = sqlite_close,
    .check_owner = check_owner,
    .run = sqlite_run,
    .prepare = sqlite_prepare,
    .finalize = sqlite_finalize,
    .bind_int = bind_int,
    .bind_text = bind_text,
    .step = sqlite_step,
    .reset = sqlite_reset_statement,
    .changes = changes,
    .column_int = column_int,
    .column_text = column_text,
    .id_type = "INTEGER PRIMARY KEY",
    .marker_sql = "PRAGMA application_id = " APPLICATION_ID,
};

int db_sqlite_open(struct db **out, const char *path, struct error *err) {
    struct sqlite *s = xcalloc(1, sizeof *s);
    s->db.backend = &backend;
    const char *name = path != NULL ? path : ":memory:";
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = 0;
    if (sqlite3_open_v2(name, &s->handle, flags, NULL) != SQLITE_OK)
        rc = error_set(err, KE_IO, "cannot open '%s': %s", name, sqlite3_errmsg(s->handle));
    if (rc == 0 && path != NULL)
        rc = sqlite_run(&s->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", err);
    if (rc != 0) {
        sqlite_close(&s->db);
        return rc;
    }
    *out = &s->db;
    return 0;
}
