/* The SQLite database: opened, given its tables and seed data, and shared by the parts that store
 * something. SQLite itself runs without locks of its own, so every use of db->handle and of a
 * statement stands between db_lock() and db_unlock(); keep such stretches short, server threads
 * wait for them. */
#pragma once

#include <pthread.h>
#include <sqlite3.h>

#include "base/error.h"
#include "base/slice.h"

struct db {
    sqlite3 *handle;
    pthread_mutex_t lock;
};

/* Opens the file at `path`, or a database in memory when path is NULL; makes and fills the tables
 * of a new one. Returns 0, or KE_IO with a message (no such directory, not a database, the database
 * of another program). */
int db_open(struct db *db, const char *path, struct error *err);

/* All statements must be finalized before. */
void db_close(struct db *db);

void db_lock(struct db *db);
void db_unlock(struct db *db);

/* Compiles a statement that is used again and again. Returns 0 or KE_IO; the caller gives it to
 * sqlite3_finalize(). */
int db_prepare(struct db *db, const char *sql, sqlite3_stmt **out, struct error *err);

/* Runs statements that return no rows. Returns 0 or KE_IO. */
int db_run(struct db *db, const char *sql, struct error *err);

/* Text of a column of the current row, valid until the next step; empty for NULL. */
struct slice db_column_text(sqlite3_stmt *statement, int column);

/* Binds text that must stay until the statement is reset. */
void db_bind_text(sqlite3_stmt *statement, int index, struct slice text);
