/* The database: opened, given its tables and seed data, and shared by the parts that store
 * something. It is SQLite, in a file or in memory, or a PostgreSQL server; which one it is shows
 * nowhere outside db_sqlite.c and db_postgres.c. SQL is kept to what both understand, with ? for
 * parameters.
 *
 * Every use of statements stands between db_lock() and db_unlock(); keep such stretches short,
 * server threads wait for them. One quickpizza at a time owns a database: ids are given out in
 * memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct access_log;
struct db;
struct db_statement;

/* Opens `source`: NULL for a database in memory, postgres://... or postgresql://... for a server,
 * anything else is the path of an SQLite file. Makes and fills the tables of a new one. Returns 0,
 * or KE_IO with a message (no such directory, not a database, the database of another program, no
 * server, another quickpizza on it). */
int db_open(struct db **out, const char *source, struct error *err);

/* All statements must be finalized before. NULL is allowed. */
void db_close(struct db *db);

/* From now on failures of statements are logged there too. NULL ends it. */
void db_set_log(struct db *db, struct access_log *log);

void db_lock(struct db *db);
void db_unlock(struct db *db);

/* Compiles a statement that is used again and again. Returns 0 or KE_IO; the caller gives it to
 * db_finalize(). */
int db_prepare(struct db *db, const char *sql, struct db_statement **out, struct error *err);
/* NULL is allowed. */
void db_finalize(struct db_statement *s);

/* Parameters count from 1. Text must stay until the statement is reset. */
void db_bind_int(struct db_statement *s, int index, int64_t value);
void db_bind_text(struct db_statement *s, int index, struct slice text);

enum db_step { DB_DONE = 0, DB_ROW = 1 };

/* Runs the statement on to its next row. Returns DB_ROW, DB_DONE, or KE_IO. After anything but
 * DB_ROW, and before parameters are bound anew, it needs db_reset(). */
int db_step(struct db_statement *s);
void db_reset(struct db_statement *s);

/* Rows that the last run of an UPDATE or DELETE touched; valid until db_reset(). */
int64_t db_changes(const struct db_statement *s);

/* Binds nothing, wants no rows: step and reset in one. Returns 0 or KE_IO. */
int db_run_statement(struct db_statement *s);

/* Columns of the current row count from 0. NULL is 0, or the empty text. Text is valid until the
 * next step or reset. */
int64_t db_column_int(const struct db_statement *s, int column);
struct slice db_column_text(const struct db_statement *s, int column);

/* Runs statements that return no rows, separated by semicolons. Returns 0 or KE_IO. */
int db_run(struct db *db, const char *sql, struct error *err);

/* The first column of the first row; `otherwise` when there is no row. Returns 0 or KE_IO. */
int db_read_int(struct db *db, const char *sql, int64_t otherwise, int64_t *out, struct error *err);
