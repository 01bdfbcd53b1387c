#include "report/report_html.h"

#include <zlib.h>

#include "base/base64.h"
#include "base/check.h"
#include "embed/dashboard_page.h"

#define GZIP_WINDOW_BITS (15 + 16)
#define MEMORY_LEVEL 8

struct slice report_page(void) {
    return slice_from((const char *)dashboard_page, dashboard_page_bytes);
}

void report_gzip(struct slice data, struct buf *out) {
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data.ptr};
    CHECK(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL,
                       Z_DEFAULT_STRATEGY) == Z_OK);
    size_t left = data.len;
    int rc = Z_OK;
    while (rc != Z_STREAM_END) {
        if (z.avail_in == 0 && left > 0) {
            z.avail_in = left > INT32_MAX ? INT32_MAX : (uInt)left;
            left -= z.avail_in;
        }
        buf_reserve(out, 1 << 16);
        z.next_out = (Bytef *)out->ptr + out->len;
        z.avail_out = 1 << 16;
        rc = deflate(&z, left > 0 ? Z_NO_FLUSH : Z_FINISH);
        CHECK(rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR);
        out->len += (1 << 16) - z.avail_out;
    }
    deflateEnd(&z);
}

void report_html_write(struct slice events, struct buf *out) {
    static const char place[] = "<!--KILN-DATA-->";
    struct slice page = report_page();
    const char *at = memmem(page.ptr, page.len, place, sizeof place - 1);
    CHECK(at != NULL);
    struct buf packed;
    buf_init(&packed, BUF_NO_CAP);
    report_gzip(events, &packed);
    buf_append(out, page.ptr, (size_t)(at - page.ptr));
    buf_append_str(out, "<script id=\"kiln-data\" type=\"text/plain\">");
    base64_encode(out, buf_slice(&packed), (struct base64_form){BASE64_STD, false});
    buf_append_str(out, "</script>");
    at += sizeof place - 1;
    buf_append(out, at, page.len - (size_t)(at - page.ptr));
    buf_release(&packed);
}
