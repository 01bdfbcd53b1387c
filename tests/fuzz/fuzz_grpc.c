/* layer: grpc
 * What a gRPC server sends, in one piece and in many: both must give the same messages, and nothing
 * may be read or written out of bounds; compressed messages are opened. The first byte says how the
 * pieces are cut and whether messages may be compressed. Then the same bytes as a status's details,
 * as its message, and as binary metadata. */
#include "base/percent.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "grpc/grpc_frame.h"
#include "grpc/grpc_metadata.h"
#include "grpc/grpc_wire.h"

#define MAX_MESSAGE 4096

static void take(struct buf *out, const struct grpc_frame *f, struct slice encoding,
                 struct grpc_status *status) {
    struct buf room;
    struct slice message;
    buf_init(&room, 0);
    if (grpc_frame_open(f, encoding, MAX_MESSAGE, &room, &message, status)) {
        CHECK(message.len <= MAX_MESSAGE);
        buf_append_slice(out, message);
    } else {
        buf_append_slice(out, buf_slice(&status->message));
    }
    buf_append_char(out, '\n');
    buf_release(&room);
}

static void messages(struct buf *out, struct slice wire, size_t step, struct slice encoding) {
    struct grpc_status status;
    struct grpc_frame f;
    size_t at = 0, have = 0;
    int got = 0;
    grpc_status_init(&status);
    while (have < wire.len && got >= 0) {
        have = wire.len - have < step ? wire.len : have + step;
        /* Its own memory, so that a read beyond the end is seen. */
        size_t n = have - at;
        char *piece = xmalloc(n + !n);
        memcpy(piece, wire.ptr + at, n);
        size_t used = 0;
        while ((got = grpc_frame_read(slice_from(piece + used, n - used), MAX_MESSAGE, &f,
                                      &status)) > 0) {
            CHECK(f.bytes <= n - used && f.message.len <= MAX_MESSAGE);
            take(out, &f, encoding, &status);
            used += f.bytes;
        }
        at += used;
        free(piece);
    }
    if (got < 0)
        buf_append_slice(out, buf_slice(&status.message));
    grpc_status_release(&status);
}

static void statuses(struct slice bytes) {
    struct grpc_status status;
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    grpc_status_init(&status);
    grpc_status_set(&status, bytes.len ? (unsigned char)bytes.ptr[0] % 17 : 0, "%s", "words");
    grpc_status_take_details(&status, bytes);
    grpc_status_text(&status, &out);
    percent_decode(&out, bytes, false);
    grpc_value_decode(&out, SLICE("x-bin"), bytes);
    grpc_wire_find(bytes, 1);
    grpc_status_release(&status);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 1)
        return 0;
    struct slice wire = slice_from((const char *)data + 1, bytes - 1);
    struct slice encoding = data[0] & 1 ? SLICE("gzip") : SLICE("");
    struct buf whole, pieces;
    buf_init(&whole, BUF_NO_CAP);
    buf_init(&pieces, BUF_NO_CAP);
    messages(&whole, wire, SIZE_MAX, encoding);
    messages(&pieces, wire, (size_t)(data[0] >> 1) % 16 + 1, encoding);
    CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    buf_release(&whole);
    buf_release(&pieces);
    statuses(wire);
    return 0;
}
