/* Records of CSV text (RFC 4180) by the rules and in the words of Go's encoding/csv: quotes only
 * around whole fields, empty lines skipped, all records as long as the first. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"

struct csv_reader {
    struct slice text;
    size_t at;   /* next line */
    size_t line; /* lines read */
    char comma[4];
    size_t comma_bytes;
    size_t n_fields; /* of every record; 0 = the first will tell */
    /* The last record: fields lie in buffer one behind the other. */
    struct buf buffer;
    VEC(size_t) ends;
};

/* The text stays the caller's. */
void csv_reader_init(struct csv_reader *r, struct slice text, uint32_t comma);
void csv_reader_release(struct csv_reader *r);
/* Reads the next record. 0; KE_EOF; KE_INVALID with Go's words ("record on line 2: wrong number of
 * fields", `parse error on line 1, column 4: bare " in non-quoted field`). */
int csv_read(struct csv_reader *r, struct error *err);
/* Fields of the last record. */
size_t csv_len(const struct csv_reader *r);
struct slice csv_field(const struct csv_reader *r, size_t i);
