#include "db.h"

#include "access_log.h"
#include "db_backend.h"

static bool is_postgres(const char *source) {
    struct slice url = slice_cstr(source);
    return slice_starts(url, SLICE("postgres://")) || slice_starts(url, SLICE("postgresql://"));
}

int db_open(struct db **out, const char *source, struct error *err) {
    *out = NULL;
    const bool is_server = source != NULL && is_postgres(source);
    int rc = is_server ? db_postgres_open(out, source, err) : db_sqlite_open(out, source, err);
    if (rc != 0)
        return rc;
    pthread_mutex_init(&(*out)->lock, NULL);
    bool is_new = false;
    rc = (*out)->backend->check_owner(*out, source, &is_new, err);
    if (rc == 0 && is_new)
        rc = db_tables_create(*out, err);
    if (rc != 0) {
        db_close(*out);
        *out = NULL;
    }
    return rc;
}

void db_close(struct db *db) {
    if (db == NULL)
        return;
    pthread_mutex_destroy(&db->lock);
    db->backend->close(db);
}

void db_set_log(struct db *db, struct access_log *log) {
    db->log = log;
}

void db_lock(struct db *db) {
    pthread_mutex_lock(&db->lock);
}

void db_unlock(struct db *db) {
    pthread_mutex_unlock(&db->lock);
}

int db_prepare(struct db *db, const char *sql, struct db_statement **out, struct error *err) {
    int rc = db->backend->prepare(db, sql, out, err);
    if (rc == 0)
        (*out)->db = db;
    else
        *out = NULL;
    return rc;
}

void db_finalize(struct db_statement *s) {
    if (s != NULL)
        s->db->backend->finalize(s);
}

void db_bind_int(struct db_statement *s, int index, int64_t value) {
    s->db->backend->bind_int(s, index, value);
}

void db_bind_text(struct db_statement *s, int index, struct slice text) {
    s->db->backend->bind_text(s, index, text);
}

int db_step(struct db_statement *s) {
    struct error err = {0};
    int rc = s->db->backend->step(s, &err);
    if (rc < 0 && s->db->log != NULL)
        access_log_failure(s->db->log, err.text);
    return rc;
}

void db_reset(struct db_statement *s) {
    s->db->backend->reset(s);
}

int64_t db_changes(const struct db_statement *s) {
    return s->db->backend->changes(s);
}

int db_run_statement(struct db_statement *s) {
    int rc = db_step(s);
    db_reset(s);
    return rc < 0 ? rc : 0;
}

int64_t db_column_int(const struct db_statement *s, int column) {
    return s->db->backend->column_int(s, column);
}

struct slice db_column_text(const struct db_statement *s, int column) {
    return s->db->backend->column_text(s, column);
}

int db_run(struct db *db, const char *sql, struct error *err) {
    return db->backend->run(db, sql, err);
}

int db_read_int(struct db *db, const char *sql, int64_t otherwise, int64_t *out,
                struct error *err) {
    struct db_statement *s;
    int rc = db_prepare(db, sql, &s, err);
    if (rc != 0)
        return rc;
    rc = db->backend->step(s, err);
    *out = rc == DB_ROW ? db_column_int(s, 0) : otherwise;
    db_finalize(s);
    return rc < 0 ? rc : 0;
}
