/* layer: http
 * A block of header lines and the functions that look at names and values. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "http/header.h"

static void look_at(struct slice block, const struct http_header *f) {
    CHECK(f->name.ptr >= block.ptr && f->name.ptr + f->name.len <= block.ptr + block.len);
    CHECK(f->value.ptr >= block.ptr && f->value.ptr + f->value.len <= block.ptr + block.len);
    CHECK(!memchr(f->name.ptr, ':', f->name.len) && !memchr(f->value.ptr, '\n', f->value.len));
    char *name = slice_dup(f->name), *again = slice_dup(f->name);
    http_canonical_name(name, f->name.len);
    memcpy(again, name, f->name.len);
    http_canonical_name(again, f->name.len);
    CHECK(memcmp(name, again, f->name.len) == 0); /* canonical stays so */
    CHECK(slice_ieq(slice_from(name, f->name.len), f->name));
    free(name);
    free(again);
    http_value_has_token(f->value, SLICE("close"));
    http_is_host(f->value);
    if (f->name.len)
        CHECK(http_header_find(block, f->name).ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct slice block = slice_from((const char *)data, bytes);
    struct http_header f;
    size_t pos = 0, before = 0;
    while (http_header_next(block, &pos, &f)) {
        CHECK(pos > before && pos <= bytes);
        before = pos;
        look_at(block, &f);
    }
    return 0;
}
