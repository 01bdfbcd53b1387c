/* layer: http
 * Fields "name=data" and files "name:filename:type=data", a line each: the body has each part's
 * data as it was, once, between the boundaries, and is as long as it says. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "http/multipart.h"

static void check(const struct multipart *m, const struct slice *data, size_t n) {
    struct buf body, end;
    buf_init(&body, BUF_NO_CAP);
    buf_init(&end, BUF_NO_CAP);
    for (size_t i = 0; i < m->pieces.len; i++)
        buf_append_slice(&body, m->pieces.ptr[i]);
    CHECK(body.len == m->total_bytes);
    struct slice rest = buf_slice(&body);
    for (size_t i = 0; i < n; i++) {
        struct slice head = m->pieces.ptr[2 * i];
        CHECK(memcmp(rest.ptr, head.ptr, head.len) == 0 &&
              memcmp(head.ptr + head.len - 4, "\r\n\r\n", 4) == 0);
        CHECK(data[i].len == 0 || memcmp(rest.ptr + head.len, data[i].ptr, data[i].len) == 0);
        rest = slice_from(rest.ptr + head.len + data[i].len, rest.len - head.len - data[i].len);
    }
    buf_printf(&end, "%s--%s--\r\n", n ? "\r\n" : "", m->boundary);
    CHECK(slice_eq(rest, buf_slice(&end)));
    buf_release(&body);
    buf_release(&end);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t bytes) {
    struct slice rest = slice_from((const char *)input, bytes);
    struct slice data[64];
    size_t n = 0;
    struct multipart m;
    multipart_init(&m);
    while (rest.ptr && rest.len && n < countof(data)) {
        struct slice value = slice_cut(&rest, '\n');
        struct slice type = slice_cut(&value, '=');
        struct slice name = slice_cut(&type, ':');
        struct slice filename = type.ptr ? slice_cut(&type, ':') : type;
        char *file_text = filename.ptr ? slice_dup(filename) : NULL;
        char *type_text = slice_dup(type.ptr ? type : SLICE("text/plain"));
        data[n++] = value.ptr ? value : SLICE("");
        multipart_add(&m, name, file_text, type_text, data[n - 1]);
        free(file_text);
        free(type_text);
    }
    multipart_end(&m);
    check(&m, data, n);
    char *type = multipart_content_type(&m);
    CHECK(strstr(type, m.boundary));
    free(type);
    multipart_release(&m);
    return 0;
}
