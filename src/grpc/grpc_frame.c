#include "grpc/grpc_frame.h"

#include "base/go_text.h"
#include "http/compression.h"

void grpc_prefix_write(char out[GRPC_PREFIX_BYTES], size_t message_bytes) {
    out[0] = 0;
    for (int i = 0; i < 4; i++)
        out[1 + i] = (char)(message_bytes >> (24 - 8 * i));
}

int grpc_frame_read(struct slice in, size_t max_message_bytes, struct grpc_frame *out,
                    struct grpc_status *status) {
    const unsigned char *p = (const unsigned char *)in.ptr;
    if (in.len < GRPC_PREFIX_BYTES)
        return 0;
    size_t len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    if (len > max_message_bytes) {
        grpc_status_set(status, GRPC_RESOURCE_EXHAUSTED,
                        "grpc: received message larger than max (%zu vs. %zu)", len,
                        max_message_bytes);
        return -1;
    }
    if (in.len - GRPC_PREFIX_BYTES < len)
        return 0;
    if (p[0] > 1) {
        grpc_status_set(status, GRPC_INTERNAL, "grpc: received unexpected payload format %d", p[0]);
        return -1;
    }
    *out = (struct grpc_frame){.is_compressed = p[0] == 1,
                               .message = slice_from(in.ptr + GRPC_PREFIX_BYTES, len),
                               .bytes = GRPC_PREFIX_BYTES + len};
    return 1;
}

static bool refuse_encoding(struct slice encoding, struct grpc_status *status) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, encoding);
    grpc_status_set(status, GRPC_INTERNAL,
                    "grpc: Decompressor is not installed for grpc-encoding %s", buf_cstr(&quoted));
    buf_release(&quoted);
    return false;
}

bool grpc_frame_open(const struct grpc_frame *f, struct slice encoding, size_t max_message_bytes,
                     struct buf *room, struct slice *out, struct grpc_status *status) {
    struct http_decode_error why;
    *out = f->message;
    if (!f->is_compressed)
        return true;
    if (encoding.len == 0 || slice_eq(encoding, SLICE("identity"))) {
        grpc_status_set(status, GRPC_INTERNAL,
                        "grpc: compressed flag set with identity or empty encoding");
        return false;
    }
    if (!slice_eq(encoding, SLICE("gzip")))
        return refuse_encoding(encoding, status);
    buf_release(room);
    buf_init(room, max_message_bytes);
    int rc = http_decompress(encoding, f->message, room, &why);
    if (rc == KE_TOO_LARGE)
        grpc_status_set(status, GRPC_RESOURCE_EXHAUSTED,
                        "grpc: received message after decompression larger than max %zu",
                        max_message_bytes);
    else if (rc)
        grpc_status_set(status, GRPC_INTERNAL, "grpc: failed to decompress the message: %s",
                        why.error.text);
    *out = buf_slice(room);
    return rc == 0;
}
