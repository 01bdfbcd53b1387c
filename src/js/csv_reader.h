/* Records of CSV text (RFC 4180) by the rules and in the words of Go's encoding/csv: quotes only
 * around whole fields, empty lines skipped, all records as long as the first. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"

/* Where the text is: reads up to bytes at an offset; how many, 0 at the end, or a code. */
typedef long csv_read_fn(const void *source, size_t offset, void *out, size_t bytes);

struct csv_reader {
    csv_read_fn *read;
    const void *source;
    size_t offset;       /* in the source, of what was read of it so far */
    size_t window_bytes; /* read at once; may be set between init and the first record */
    struct buf window;   /* a piece of the source … */
    size_t at;           /* … and the next line in it */
    int failure;         /* to read: a code */
    bool has_end;        /* the window goes up to the end of the source */
    size_t used;         /* bytes of the source that records were made of */
    size_t line;         /* lines read */
    char comma[4];
    size_t comma_bytes;
    size_t n_fields; /* of every record; 0 = the first will tell */
    /* The last record: fields lie in buffer one behind the other. */
    struct buf buffer;
    VEC(size_t) ends;
};

/* Reads source from an offset on, a window at a time: only as much memory as the longest record and
 * 64 KiB. A line has a cap of CSV_LINE_MAX_BYTES. */
#define CSV_LINE_MAX_BYTES ((size_t)256 << 20)
void csv_reader_init(struct csv_reader *r, csv_read_fn *read, const void *source, size_t offset,
                     uint32_t comma);
void csv_reader_release(struct csv_reader *r);
/* Reads the next record. 0; KE_EOF; KE_INVALID with Go's words ("record on line 2: wrong number of
 * fields", `parse error on line 1, column 4: bare " in non-quoted field`). */
int csv_read(struct csv_reader *r, struct error *err);
/* Fields of the last record. */
size_t csv_len(const struct csv_reader *r);
struct slice csv_field(const struct csv_reader *r, size_t i);
