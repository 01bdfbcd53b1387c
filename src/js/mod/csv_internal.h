/* The inside of k6/experimental/csv: records of an open file under the options of a script
 * (csv_records.c), and a file as a SharedArray (csv_array.c). */
#pragma once

#include "js/csv_reader.h"
#include "js/mod/fs_file.h"
#include "js/mod/shared_array.h"

struct csv_options {
    uint32_t delimiter;
    bool skip_first_line, as_objects, has_from, has_to;
    int64_t from_line, to_line;
};

struct csv_records {
    struct csv_reader csv;
    struct csv_options options;
    struct fs_file *file; /* valid during a call only: the script holds it */
    size_t start;         /* file offset at the beginning */
    int64_t line;         /* records read, header and skipped ones included */
    VEC(char *) names;    /* of columns, with as_objects */
};

/* Up to the first record that the options ask for; KE_INVALID with k6's words. Release in each
 * case. */
int csv_records_init(struct csv_records *r, struct fs_file *f, const struct csv_options *o,
                     struct error *err);
void csv_records_release(struct csv_records *r);
/* 0, KE_EOF, KE_INVALID. */
int csv_records_next(struct csv_records *r, struct error *err);
/* Appends the JSON of the last record: an array, or an object when there are names (n, in order of
 * the columns). */
void csv_put_record(struct buf *out, const struct csv_reader *csv, char *const *names, size_t n);

/* Reads r to its end and remembers where the records are, not what is in them: an element is read
 * from the file when a script looks at it. KE_INVALID with k6's words. */
int csv_array_build(struct csv_records *r, struct shared_array *out, struct error *err);
/* A csv_read_fn of a script_file. */
long csv_read_file(const void *content, size_t offset, void *out, size_t bytes);
