/* layer: http
 * Server-sent events in one piece and in many: both must give the same events. The first byte says
 * how the pieces are cut. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "http/event_stream.h"

#define MAX_EVENT 512

static void events(struct buf *out, struct slice wire, size_t step) {
    struct event_stream s;
    struct event_stream_event e;
    struct error err = {.code = 0};
    int rc = 0;
    event_stream_init(&s, MAX_EVENT);
    while (wire.len && rc >= 0) {
        size_t n = wire.len < step ? wire.len : step, used = 0, at = 0;
        char *piece = xmalloc(n);
        memcpy(piece, wire.ptr, n);
        do {
            rc = event_stream_feed(&s, slice_from(piece + at, n - at), &used, &e, &err);
            CHECK(used <= n - at);
            at += used;
            if (rc > 0) {
                CHECK(e.data.len <= MAX_EVENT && e.id.len <= MAX_EVENT);
                buf_printf(out, "%d %d %d %lld ", e.is_unknown_line, e.has_id, e.has_data,
                           (long long)e.retry_ms);
                buf_append_slice(out, e.id);
                buf_append_slice(out, e.name);
                buf_append_slice(out, e.data);
                buf_append_slice(out, e.comment);
            }
        } while (rc > 0 && at < n);
        free(piece);
        wire = slice_from(wire.ptr + n, wire.len - n);
    }
    if (rc < 0)
        buf_append_str(out, err.text);
    event_stream_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 1)
        return 0;
    struct slice wire = slice_from((const char *)data + 1, bytes - 1);
    struct buf whole, pieces;
    buf_init(&whole, BUF_NO_CAP);
    buf_init(&pieces, BUF_NO_CAP);
    events(&whole, wire, SIZE_MAX);
    events(&pieces, wire, data[0] % 16 + 1U);
    CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    buf_release(&whole);
    buf_release(&pieces);
    return 0;
}
