/* layer: playground
 * What a client sends to the playground's gRPC port and to its health port, in one piece and in
 * many: the server must not fall over. The first byte says which port, whether the bytes follow a
 * client's preface, and how they are cut. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "grpc_conn.h"
#include "grpc_schema.h"

static void feed(struct slice wire, size_t step, enum grpc_conn_kind kind, bool has_preface) {
    static const char start[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    struct grpc_conn *c = grpc_conn_new(kind);
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    bool goes_on = !has_preface || grpc_conn_feed(c, start, sizeof start - 1);
    while (goes_on && wire.len) {
        size_t n = wire.len < step ? wire.len : step;
        char *piece = xmalloc(n);
        memcpy(piece, wire.ptr, n);
        goes_on = grpc_conn_feed(c, piece, n) && grpc_conn_drain(c, &out);
        buf_reset(&out);
        free(piece);
        wire = slice_from(wire.ptr + n, wire.len - n);
    }
    grpc_conn_free(c);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 1)
        return 0;
    struct slice wire = slice_from((const char *)data + 1, bytes - 1);
    enum grpc_conn_kind kind = data[0] & 1 ? GRPC_CONN_HEALTH : GRPC_CONN_CALLS;
    grpc_schema_prepare();
    feed(wire, SIZE_MAX, kind, data[0] & 2);
    feed(wire, (size_t)(data[0] >> 2) % 32 + 1, kind, data[0] & 2);
    return 0;
}
