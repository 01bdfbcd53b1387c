#include "http/multipart.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/random.h"

void multipart_init(struct multipart *m) {
    static const char hex[] = "0123456789abcdef";
    *m = (struct multipart){.total_bytes = 0};
    buf_init(&m->text, BUF_NO_CAP);
    for (int i = 0; i < MULTIPART_BOUNDARY_LEN; i += 15) {
        uint64_t r = random_u64();
        for (int k = 0; k < 15; k++, r >>= 4)
            m->boundary[i + k] = hex[r & 15];
    }
}

void multipart_release(struct multipart *m) {
    buf_release(&m->text);
    vec_release(&m->pieces);
}

static void put_quoted(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, s.ptr[i]);
    }
}

/* What was written since the last piece. The text may still move: until the end, such a piece is
 * its length only. */
static void close_text(struct multipart *m, size_t from) {
    vec_push(&m->pieces, slice_from(NULL, m->text.len - from));
}

void multipart_add(struct multipart *m, struct slice name, const char *filename, const char *type,
                   struct slice data) {
    size_t from = m->text.len;
    buf_printf(&m->text, "%s--%s\r\nContent-Disposition: form-data; name=\"",
               m->pieces.len ? "\r\n" : "", m->boundary);
    put_quoted(&m->text, name);
    buf_append_char(&m->text, '"');
    if (filename) {
        buf_append_str(&m->text, "; filename=\"");
        put_quoted(&m->text, slice_cstr(filename));
        buf_append_str(&m->text, "\"\r\nContent-Type: ");
        buf_append_str(&m->text, type);
    }
    buf_append_str(&m->text, "\r\n\r\n");
    close_text(m, from);
    vec_push(&m->pieces, data.ptr ? data : slice_from("", 0));
}

void multipart_end(struct multipart *m) {
    size_t from = m->text.len, at = 0;
    buf_printf(&m->text, "%s--%s--\r\n", m->pieces.len ? "\r\n" : "", m->boundary);
    close_text(m, from);
    for (size_t i = 0; i < m->pieces.len; i++) {
        struct slice *piece = &m->pieces.ptr[i];
        m->total_bytes += piece->len;
        if (piece->ptr)
            continue;
        piece->ptr = m->text.ptr + at;
        at += piece->len;
    }
}

char *multipart_content_type(const struct multipart *m) {
    return xasprintf("multipart/form-data; boundary=%s", m->boundary);
}
