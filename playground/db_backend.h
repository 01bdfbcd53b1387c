/* What a kind of database does behind db.h. db_sqlite.c and db_postgres.c each offer one; the
 * functions are those of db.h without their locks and logs. */
#pragma once

#include <pthread.h>

#include "db.h"

struct db_backend {
    void (*close)(struct db *db);
    /* Sets *out_is_new when there are no tables yet. KE_IO when they are another program's. */
    int (*check_owner)(struct db *db, const char *source, bool *out_is_new, struct error *err);
    int (*run)(struct db *db, const char *sql, struct error *err);
    int (*prepare)(struct db *db, const char *sql, struct db_statement **out, struct error *err);
    void (*finalize)(struct db_statement *s);
    void (*bind_int)(struct db_statement *s, int index, int64_t value);
    void (*bind_text)(struct db_statement *s, int index, struct slice text);
    int (*step)(struct db_statement *s, struct error *err);
    void (*reset)(struct db_statement *s);
    int64_t (*changes)(const struct db_statement *s);
    int64_t (*column_int)(const struct db_statement *s, int column);
    struct slice (*column_text)(const struct db_statement *s, int column);
    const char *id_type;    /* of a column that is the primary key */
    const char *marker_sql; /* marks a new database as ours */
};

/* The first member of a backend's own struct. */
struct db {
    const struct db_backend *backend;
    pthread_mutex_t lock;
    struct access_log *log;
};

struct db_statement {
    struct db *db;
};

/* Connect, without tables. On failure *out is NULL. */
int db_sqlite_open(struct db **out, const char *path, struct error *err);
int db_postgres_open(struct db **out, const char *url, struct error *err);

/* Makes the tables and puts the seed data in. */
int db_tables_create(struct db *db, struct error *err);
