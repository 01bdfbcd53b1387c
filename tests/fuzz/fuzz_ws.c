/* layer: ws
 * Frames of a WebSocket peer in one piece and in many: both must give the same events, and nothing
 * may be read or written out of bounds; compressed messages are inflated. The first byte says which
 * side the decoder is on, whether it may inflate, and how the pieces are cut. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "ws/ws_deflate.h"
#include "ws/ws_frame.h"

#define MAX_MESSAGE 4096

static void describe(struct buf *out, const struct ws_event *e) {
    buf_printf(out, "%d %d %d ", e->opcode, e->close_code, e->is_compressed);
    buf_append_slice(out, e->data);
    if (e->is_compressed) {
        struct buf inflated;
        struct error err;
        buf_init(&inflated, MAX_MESSAGE);
        buf_printf(out, " %d", ws_inflate(&inflated, e->data, &err));
        CHECK(inflated.len <= MAX_MESSAGE);
        buf_release(&inflated);
    }
    buf_append_char(out, '\n');
}

static void events(struct buf *out, struct slice wire, size_t step, int flags) {
    struct ws_decoder d;
    struct ws_event e;
    struct error err = {.code = 0};
    int rc = 0;
    ws_decoder_init(&d, flags & 1, MAX_MESSAGE);
    d.may_deflate = flags & 2;
    while (wire.len && rc >= 0) {
        size_t n = wire.len < step ? wire.len : step, used = 0, at = 0;
        char *piece = xmalloc(n);
        memcpy(piece, wire.ptr, n);
        do {
            rc = ws_decoder_feed(&d, slice_from(piece + at, n - at), &used, &e, &err);
            CHECK(used <= n - at);
            at += used;
            if (rc > 0)
                describe(out, &e);
        } while (rc > 0 && at < n);
        free(piece);
        wire = slice_from(wire.ptr + n, wire.len - n);
    }
    if (rc < 0)
        buf_append_str(out, err.text);
    ws_decoder_release(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 1)
        return 0;
    struct slice wire = slice_from((const char *)data + 1, bytes - 1);
    struct buf whole, pieces;
    buf_init(&whole, BUF_NO_CAP);
    buf_init(&pieces, BUF_NO_CAP);
    events(&whole, wire, SIZE_MAX, data[0]);
    events(&pieces, wire, (size_t)(data[0] >> 2) % 16 + 1, data[0]);
    CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    buf_release(&whole);
    buf_release(&pieces);
    return 0;
}
