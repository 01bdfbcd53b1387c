/* The Redis serialization protocol, versions 2 and 3: commands as bytes, and replies as they come
 * in, cut anywhere.
 *
 * A reply is first scanned (is all of it there, and is it well-formed?), then read item by item
 * from the bytes themselves, without building anything:
 *
 *     rc = resp_scan(&scan, bytes_so_far, &len, &err);   1: the first len bytes are a reply
 *     for (rest = reply; resp_next(&rest, &item);) …
 *
 * Attributes of version 3 are checked and skipped, as go-redis does. Streamed strings and arrays,
 * which no server sends, are refused. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

/* A reply longer than a server's longest string is refused. */
#define RESP_REPLY_MAX ((size_t)512 << 20)
#define RESP_DEPTH_MAX 64
#define RESP_LINE_MAX ((size_t)64 << 10)

enum resp_type {
    RESP_STATUS,
    RESP_ERROR,
    RESP_INTEGER,
    RESP_STRING, /* verbatim ones without their format */
    RESP_ARRAY,  /* sets, too */
    RESP_PUSH,
    RESP_MAP,
    RESP_NULL,
    RESP_DOUBLE,
    RESP_BOOL,
    RESP_BIG_INTEGER,
};

struct resp_item {
    enum resp_type type;
    struct slice text; /* status, error, string, big integer: a view into the reply */
    int64_t integer;   /* the integer or boolean; items that follow of an array or push, pairs of a
                          map */
    double number;
};

struct resp_scan {
    size_t at; /* bytes that need not be looked at again */
    int depth;
    int64_t left[RESP_DEPTH_MAX]; /* items still to come, by depth */
};

/* Ready for the next reply. */
void resp_scan_init(struct resp_scan *s);
/* Looks at `in`, which begins with all that it was given for this reply before. 1 with the reply's
 * length, and s is ready for the next one; 0 when more is needed; KE_INVALID, KE_TOO_LARGE with
 * go-redis's words. */
int resp_scan(struct resp_scan *s, struct slice in, size_t *out_len, struct error *err);

/* Takes the next item off *rest, which holds items of a scanned reply. False at the end (or when it
 * was no such thing). */
bool resp_next(struct slice *rest, struct resp_item *out);
/* The first item, which tells what kind of reply it is. */
struct resp_item resp_head(struct slice reply);

/* A command: its number of arguments, then each of them. */
void resp_put_command(struct buf *out, size_t n_args);
void resp_put_arg(struct buf *out, struct slice arg);
void resp_put_int(struct buf *out, int64_t v);
