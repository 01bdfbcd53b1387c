#include "js/mod/csv_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json_write.h"

/* Go reads the file by blocks of this size: the file's offset moves by them. */
#define BLOCK_BYTES 4096

static int check_options(const struct csv_options *o, struct error *err) {
    if (o->as_objects && o->skip_first_line)
        return error_set(err, KE_INVALID,
                         "the 'header' option cannot be enabled when 'skipFirstLine' is true");
    if (o->as_objects && o->has_from && o->from_line > 0)
        return error_set(err, KE_INVALID,
                         "the 'header' option cannot be enabled when 'fromLine' is set to a value "
                         "greater than 0");
    if (o->has_from && o->from_line < 0)
        return error_set(err, KE_INVALID,
                         "the 'fromLine' option must be greater than or equal to 0; got %lld",
                         (long long)o->from_line);
    if (o->has_to && o->to_line < 0)
        return error_set(err, KE_INVALID,
                         "the 'toLine' option must be greater than or equal to 0; got %lld",
                         (long long)o->to_line);
    return 0;
}

static int read_record(struct csv_records *r, struct error *err) {
    int rc = csv_read(&r->csv, err);
    size_t used = (r->csv.used / BLOCK_BYTES + 1) * BLOCK_BYTES;
    size_t left = r->file->content->len - r->start;
    r->file->offset = r->start + (used < left ? used : left);
    if (rc == KE_EOF)
        error_set(err, KE_EOF, "EOF");
    if (rc == 0)
        r->line++;
    return rc;
}

void csv_records_release(struct csv_records *r) {
    csv_reader_release(&r->csv);
    for (size_t i = 0; i < r->names.len; i++)
        free(r->names.ptr[i]);
    vec_release(&r->names);
}

static int read_names(struct csv_records *r, struct error *err) {
    struct error why;
    if (read_record(r, &why))
        return error_set(err, KE_INVALID, "failed to read the first line; reason: %s", why.text);
    for (size_t i = 0; i < csv_len(&r->csv); i++)
        vec_push(&r->names, slice_dup(csv_field(&r->csv, i)));
    return 0;
}

long csv_read_file(const void *content, size_t offset, void *out, size_t bytes) {
    return script_file_pread(content, offset, out, bytes);
}

int csv_records_init(struct csv_records *r, struct fs_file *f, const struct csv_options *o,
                     struct error *err) {
    struct error why;
    *r = (struct csv_records){.options = *o, .file = f};
    if (f)
        r->start = f->offset;
    csv_reader_init(&r->csv, csv_read_file, f ? f->content : NULL, r->start, o->delimiter);
    if (!f)
        return error_set(err, KE_INVALID, "the reader cannot be nil");
    int rc = check_options(o, err);
    if (rc == 0 && o->as_objects)
        rc = read_names(r, err);
    if (rc == 0 && o->skip_first_line && !(o->has_from && o->from_line) && read_record(r, &why))
        rc = error_set(err, KE_INVALID, "failed to skip the first line; reason: %s", why.text);
    while (rc == 0 && o->has_from && r->line < o->from_line) {
        if (read_record(r, &why))
            rc = error_set(err, KE_INVALID, "failed to skip lines until line %lld; reason: %s",
                           (long long)o->from_line, why.text);
    }
    return rc;
}

int csv_records_next(struct csv_records *r, struct error *err) {
    const struct csv_options *o = &r->options;
    if (o->has_to && o->to_line > 0 && r->line > o->to_line)
        return KE_EOF;
    return read_record(r, err);
}

struct column {
    const char *name;
    size_t index;
};

/* By name; of one name the last column first. */
static int by_name(const void *a, const void *b) {
    const struct column *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c ? c : (x->index < y->index) - (x->index > y->index);
}

/* As Go writes a map: by name, and of one name the last. */
static void put_object(struct json_writer *w, const struct csv_reader *csv, char *const *names,
                       size_t n) {
    struct column *columns = xmalloc((n + 1) * sizeof *columns);
    for (size_t i = 0; i < n; i++)
        columns[i] = (struct column){names[i], i};
    qsort(columns, n, sizeof *columns, by_name);
    json_object_begin(w);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(columns[i - 1].name, columns[i].name) == 0)
            continue;
        json_key(w, columns[i].name);
        json_string(w, csv_field(csv, columns[i].index));
    }
    json_object_end(w);
    free(columns);
}

void csv_put_record(struct buf *out, const struct csv_reader *csv, char *const *names, size_t n) {
    struct json_writer w;
    json_write_init(&w, out, NULL, false);
    if (n > 0) {
        put_object(&w, csv, names, n);
        return;
    }
    json_array_begin(&w);
    for (size_t i = 0; i < csv_len(csv); i++)
        json_string(&w, csv_field(csv, i));
    json_array_end(&w);
}
