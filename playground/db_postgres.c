#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "db_backend.h"

#define MAX_PARAMS 8
/* "qpza" as a number: whoever holds this advisory lock owns the database */
#define OWNER_LOCK "1903196769"
#define RECONNECT_EVERY_NS NS_PER_S

struct postgres {
    struct db db;
    PGconn *connection;
    unsigned generation; /* of the connection: statements are known to one only */
    unsigned statement_count;
    int64_t reconnected_ns;
};

struct postgres_statement {
    struct db_statement base;
    char name[16];
    char *sql;
    unsigned generation;
    int param_count;
    struct buf params[MAX_PARAMS];
    PGresult *result; /* all rows of the current run */
    int row;
};

static struct postgres *postgres_of(struct db *db) {
    return (struct postgres *)db;
}

static const struct postgres_statement *own(const struct db_statement *s) {
    return (const struct postgres_statement *)s;
}

/* The server's words end with a line feed, and may have several lines. */
static int fail(const struct postgres *p, struct error *err) {
    struct slice text = slice_trim(slice_cstr(PQerrorMessage(p->connection)));
    struct slice first = slice_cut(&text, '\n');
    return error_set(err, KE_IO, "database: %.*s", SLICE_FMT(first));
}

static void ignore_notice(void *arg, const char *message) {
    (void)arg;
    (void)message;
}

static void postgres_close(struct db *db) {
    PQfinish(postgres_of(db)->connection);
    free(db);
}

static int postgres_run(struct db *db, const char *sql, struct error *err) {
    struct postgres *p = postgres_of(db);
    PGresult *result = PQexec(p->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : fail(p, err);
}

/* Another quickpizza on the same tables would give out the same ids. */
static int take_ownership(struct db *db, struct error *err) {
    struct postgres *p = postgres_of(db);
    PGresult *result = PQexec(p->connection, "SELECT pg_try_advisory_lock(" OWNER_LOCK ")");
    int rc = 0;
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        rc = fail(p, err);
    else if (PQgetvalue(result, 0, 0)[0] != 't')
        rc = error_set(err, KE_IO, "database: another quickpizza uses it");
    PQclear(result);
    return rc;
}

static int check_owner(struct db *db, const char *source, bool *out_is_new, struct error *err) {
    static const char is_there[] = "SELECT count(*) FROM information_schema.tables"
                                   " WHERE table_schema = current_schema() AND table_name = ";
    (void)source;
    char sql[256];
    int64_t marker = 0;
    int64_t pizzas = 0;
    int rc = take_ownership(db, err);
    snprintf(sql, sizeof sql, "%s'quickpizza_marker'", is_there);
    if (rc == 0)
        rc = db_read_int(db, sql, 0, &marker, err);
    snprintf(sql, sizeof sql, "%s'pizzas'", is_there);
    if (rc == 0)
        rc = db_read_int(db, sql, 0, &pizzas, err);
    if (rc == 0 && marker == 0 && pizzas > 0)
        rc =
            error_set(err, KE_IO,
                      "database '%s' has tables of another program: give quickpizza one of its own",
                      PQdb(postgres_of(db)->connection));
    *out_is_new = marker == 0;
    return rc;
}

/* Replaces each ? by $1, $2 and so on. No statement of ours has one inside a quoted text. */
static char *number_params(const char *sql, int *out_count) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    *out_count = 0;
    for (; *sql != '\0'; sql++) {
        if (*sql == '?')
            buf_printf(&text, "$%d", ++*out_count);
        else
            buf_append_char(&text, *sql);
    }
    return buf_detach(&text, NULL);
}

/* Makes the statement known to the connection there is now. */
static int announce(struct postgres *p, struct postgres_statement *s, struct error *err) {
    if (s->generation == p->generation)
        return 0;
    PGresult *result = PQprepare(p->connection, s->name, s->sql, 0, NULL);
    bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!is_done)
        return fail(p, err);
    s->generation = p->generation;
    return 0;
}

static void postgres_finalize(struct db_statement *statement) {
    struct postgres_statement *s = (struct postgres_statement *)statement;
    struct postgres *p = postgres_of(s->base.db);
    PQclear(s->result);
    if (s->generation == p->generation) {
        char sql[32];
        snprintf(sql, sizeof sql, "DEALLOCATE %s", s->name);
        PQclear(PQexec(p->connection, sql));
    }
    for (int i = 0; i < s->param_count; i++)
        buf_release(&s->params[i]);
    free(s->sql);
    free(s);
}

static int postgres_prepare(struct db *db, const char *sql, struct db_statement **out,
                            struct error *err) {
    struct postgres *p = postgres_of(db);
    struct postgres_statement *s = xcalloc(1, sizeof *s);
    s->base.db = db;
    s->sql = number_params(sql, &s->param_count);
    CHECK(s->param_count <= MAX_PARAMS);
    for (int i = 0; i < s->param_count; i++)
        buf_init(&s->params[i], BUF_NO_CAP);
    snprintf(s->name, sizeof s->name, "s%u", ++p->statement_count);
    int rc = announce(p, s, err);
    if (rc != 0) {
        postgres_finalize(&s->base);
        return rc;
    }
    *out = &s->base;
    return 0;
}

static struct buf *param(struct db_statement *s, int index) {
    struct postgres_statement *statement = (struct postgres_statement *)s;
    CHECK(index >= 1 && index <= statement->param_count);
    buf_reset(&statement->params[index - 1]);
    return &statement->params[index - 1];
}

static void bind_int(struct db_statement *s, int index, int64_t value) {
    buf_printf(param(s, index), "%lld", (long long)value);
}

/* The server takes valid UTF-8 without zero bytes only; answers show the rest as U+FFFD anyway. */
static void bind_text(struct db_statement *s, int index, struct slice text) {
    struct buf *out = param(s, index);
    while (text.len > 0) {
        uint32_t rune;
        size_t size = utf8_decode(text, &rune);
        if (rune == UTF8_INVALID || rune == 0)
            buf_append_str(out, "\xef\xbf\xbd");
        else
            buf_append(out, text.ptr, size);
        text = slice_from(text.ptr + size, text.len - size);
    }
}

static PGresult *execute(struct postgres *p, struct postgres_statement *s, struct error *err) {
    if (announce(p, s, err) != 0)
        return NULL;
    const char *values[MAX_PARAMS];
    for (int i = 0; i < s->param_count; i++)
        values[i] = buf_cstr(&s->params[i]);
    return PQexecPrepared(p->connection, s->name, s->param_count, values, NULL, NULL, 0);
}

/* After a lost connection. Tried once a second at most: each try may take a while, and requests
 * wait for it. */
static bool reconnect(struct postgres *p) {
    const int64_t now_ns = clock_now_ns();
    if (now_ns - p->reconnected_ns < RECONNECT_EVERY_NS)
        return false;
    PQreset(p->connection);
    p->reconnected_ns = clock_now_ns();
    p->generation++;
    return PQstatus(p->connection) == CONNECTION_OK && take_ownership(&p->db, NULL) == 0;
}

static int run_again(struct postgres *p, struct postgres_statement *s, struct error *err) {
    const bool is_in_transaction = PQtransactionStatus(p->connection) == PQTRANS_INTRANS;
    s->result = execute(p, s, err);
    if (PQstatus(p->connection) == CONNECTION_OK)
        return 0;
    PQclear(s->result);
    s->result = NULL;
    /* What came before in a transaction is lost with the connection: its owner begins anew. */
    if (!reconnect(p) || is_in_transaction)
        return error_set(err, KE_IO, "database: the connection was lost");
    s->result = execute(p, s, err);
    return 0;
}

static int postgres_step(struct db_statement *statement, struct error *err) {
    struct postgres *p = postgres_of(statement->db);
    struct postgres_statement *s = (struct postgres_statement *)statement;
    if (s->result != NULL)
        return ++s->row < PQntuples(s->result) ? DB_ROW : DB_DONE;
    int rc = run_again(p, s, err);
    if (rc != 0)
        return rc;
    ExecStatusType status = PQresultStatus(s->result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return fail(p, err);
    s->row = 0;
    return PQntuples(s->result) > 0 ? DB_ROW : DB_DONE;
}

static void postgres_reset(struct db_statement *statement) {
    struct postgres_statement *s = (struct postgres_statement *)statement;
    PQclear(s->result);
    s->result = NULL;
}

static int64_t changes(const struct db_statement *s) {
    return strtoll(PQcmdTuples(own(s)->result), NULL, 10);
}

static int64_t column_int(const struct db_statement *s, int column) {
    return strtoll(PQgetvalue(own(s)->result, own(s)->row, column), NULL, 10);
}

static struct slice column_text(const struct db_statement *s, int column) {
    const struct postgres_statement *statement = own(s);
    return slice_from(PQgetvalue(statement->result, statement->row, column),
                      (size_t)PQgetlength(statement->result, statement->row, column));
}

static const struct db_backend backend = {
    .close = postgres_close,
    .check_owner = check_owner,
    .run = postgres_run,
    .prepare = postgres_prepare,
    .finalize = postgres_finalize,
    .bind_int = bind_int,
    .bind_text = bind_text,
    .step = postgres_step,
    .reset = postgres_reset,
    .changes = changes,
    .column_int = column_int,
    .column_text = column_text,
    .id_type = "BIGINT PRIMARY KEY",
    .marker_sql = "CREATE TABLE quickpizza_marker (version BIGINT)",
};

int db_postgres_open(struct db **out, const char *url, struct error *err) {
    /* Of equal words the last one counts, so the URL may say otherwise. A server that goes silent
     * is given up after a while: requests wait for it. */
    static const char *const words[] = {"application_name", "client_encoding", "connect_timeout",
                                        "tcp_user_timeout", "dbname",          NULL};
    const char *values[] = {"quickpizza", "UTF8", "10", "10000", url, NULL};
    struct postgres *p = xcalloc(1, sizeof *p);
    p->db.backend = &backend;
    p->generation = 1;
    p->connection = PQconnectdbParams(words, values, 1);
    if (PQstatus(p->connection) != CONNECTION_OK) {
        struct slice text = slice_trim(slice_cstr(PQerrorMessage(p->connection)));
        int rc = error_set(err, KE_IO, "cannot connect to PostgreSQL: %.*s", SLICE_FMT(text));
        postgres_close(&p->db);
        return rc;
    }
    PQsetNoticeProcessor(p->connection, ignore_notice, NULL);
    *out = &p->db;
    return 0;
}
