/* layer: js
 * A file read in pieces of a size that the first byte gives, and in one: the same records and the
 * same error come of both. The second byte is the delimiter. */
#include "fuzz.h"

#include <string.h>

#include "base/check.h"
#include "js/csv_reader.h"

struct source {
    struct slice text;
    size_t step;
};

static long read_piece(const void *arg, size_t offset, void *out, size_t bytes) {
    const struct source *s = arg;
    CHECK(offset <= s->text.len);
    size_t n = s->text.len - offset;
    n = n < bytes ? n : bytes;
    n = n < s->step ? n : s->step;
    if (n)
        memcpy(out, s->text.ptr + offset, n);
    return (long)n;
}

static void records(struct buf *out, struct slice text, uint8_t comma, size_t step) {
    const struct source source = {text, step};
    struct csv_reader r;
    struct error err = {.code = 0};
    int rc;
    csv_reader_init(&r, read_piece, &source, 0, comma);
    while ((rc = csv_read(&r, &err)) == 0) {
        for (size_t i = 0; i < csv_len(&r); i++) {
            buf_append_slice(out, csv_field(&r, i));
            buf_append_char(out, '\0');
        }
        buf_printf(out, "%zu\n", r.used);
    }
    CHECK(rc == KE_EOF || (rc == KE_INVALID && err.text[0]));
    if (rc == KE_INVALID)
        buf_append_str(out, err.text);
    csv_reader_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 2)
        return 0;
    struct slice text = slice_from((const char *)data + 2, bytes - 2);
    struct buf whole, pieces;
    buf_init(&whole, BUF_NO_CAP);
    buf_init(&pieces, BUF_NO_CAP);
    records(&whole, text, data[1], SIZE_MAX);
    records(&pieces, text, data[1], (size_t)data[0] + 1);
    CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    buf_release(&whole);
    buf_release(&pieces);
    return 0;
}
