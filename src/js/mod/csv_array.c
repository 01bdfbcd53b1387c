#include "js/mod/csv_internal.h"

#include <stdlib.h>

#include "base/check.h"

/* More places than this are thinned out: an element is then found by reading from the place before
 * it. The index of a file of any size stays within 16 MiB. */
#define PLACES_MAX ((size_t)1 << 20)
/* What is read at once for an element; longer records are read in several pieces. */
#define ELEMENT_WINDOW_BYTES 1024

struct csv_array {
    const struct script_file *content; /* the script's */
    VEC(size_t) places;                /* offsets of every stride-th record */
    size_t stride;
    uint32_t delimiter;
    char **names; /* of columns; NULL without as_objects */
    size_t n_names;
};

static void array_free(void *source) {
    struct csv_array *a = source;
    for (size_t i = 0; i < a->n_names; i++)
        free(a->names[i]);
    free(a->names);
    vec_release(&a->places);
    free(a);
}

static int put_element(const void *source, size_t i, struct buf *json, struct error *err) {
    const struct csv_array *a = source;
    struct csv_reader csv;
    csv_reader_init(&csv, csv_read_file, a->content, a->places.ptr[i / a->stride], a->delimiter);
    csv.window_bytes = ELEMENT_WINDOW_BYTES;
    int rc = 0;
    for (size_t skip = i % a->stride + 1; skip > 0 && rc == 0; skip--)
        rc = csv_read(&csv, err);
    if (rc == KE_EOF)
        rc = error_set(err, KE_EOF, "the file became shorter since it was read");
    if (rc == 0)
        csv_put_record(json, &csv, a->names, a->n_names);
    csv_reader_release(&csv);
    return rc;
}

static const struct shared_array_source csv_source = {put_element, array_free};

static void add_place(struct csv_array *a, size_t record, size_t offset) {
    if (a->places.len == PLACES_MAX && record % (a->stride * 2) == 0) {
        for (size_t i = 0; i < PLACES_MAX / 2; i++)
            a->places.ptr[i] = a->places.ptr[i * 2];
        a->places.len = PLACES_MAX / 2;
        a->stride *= 2;
    }
    if (record % a->stride == 0)
        vec_push(&a->places, offset);
}

int csv_array_build(struct csv_records *r, struct shared_array *out, struct error *err) {
    struct csv_array *a = xcalloc(1, sizeof *a);
    struct error why;
    size_t n = 0, place = r->start + r->csv.used;
    int rc;
    a->content = r->file->content;
    a->stride = 1;
    a->delimiter = r->options.delimiter;
    for (; (rc = csv_records_next(r, &why)) == 0; n++) {
        add_place(a, n, place);
        place = r->start + r->csv.used;
    }
    if (rc != KE_EOF) {
        array_free(a);
        return error_set(err, KE_INVALID, "failed to read record; reason: %s", why.text);
    }
    a->names = r->names.ptr;
    a->n_names = r->names.len;
    r->names.ptr = NULL;
    r->names.len = r->names.alloc = 0;
    *out = (struct shared_array){.source = &csv_source, .of_source = a, .len = n};
    return 0;
}
