#include "ws_frame.h"

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/error.h"

static bool is_known(unsigned opcode) {
    return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

int ws_frame_parse(const uint8_t *data, size_t size, struct ws_frame *out) {
    if (size < 2)
        return 0;
    const unsigned opcode = data[0] & 0x0f;
    const bool is_final = (data[0] & 0x80) != 0;
    const bool is_masked = (data[1] & 0x80) != 0;
    const unsigned short_length = data[1] & 0x7f;
    if ((data[0] & 0x70) != 0 || !is_known(opcode) || !is_masked)
        return KE_INVALID;
    if (opcode >= WS_CLOSE && (!is_final || short_length > WS_CONTROL_MAX_BYTES))
        return KE_INVALID;

    const size_t length_bytes = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
    const size_t header_bytes = 2 + length_bytes + sizeof out->mask;
    if (size < header_bytes)
        return 0;
    uint64_t length = length_bytes > 0 ? 0 : short_length;
    for (size_t i = 0; i < length_bytes; i++)
        length = length << 8 | data[2 + i];
    if (length > INT64_MAX)
        return KE_INVALID;
    *out = (struct ws_frame){
        .opcode = (enum ws_opcode)opcode,
        .is_final = is_final,
        .header_bytes = header_bytes,
        .payload_bytes = length,
    };
    memcpy(out->mask, data + 2 + length_bytes, sizeof out->mask);
    return 1;
}

void ws_frame_unmask(uint8_t *payload, size_t size, const uint8_t mask[4]) {
    for (size_t i = 0; i < size; i++)
        payload[i] ^= mask[i & 3];
}

size_t ws_frame_header(enum ws_opcode opcode, size_t payload_bytes,
                       uint8_t out[WS_HEADER_MAX_BYTES]) {
    out[0] = (uint8_t)(0x80 | opcode);
    if (payload_bytes < 126) {
        out[1] = (uint8_t)payload_bytes;
        return 2;
    }
    const size_t length_bytes = payload_bytes <= UINT16_MAX ? 2 : 8;
    out[1] = length_bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < length_bytes; i++)
        out[2 + i] = (uint8_t)(payload_bytes >> (8 * (length_bytes - 1 - i)));
    return 2 + length_bytes;
}

void ws_accept_key(const char *key, char out[WS_ACCEPT_BYTES]) {
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    buf_append_str(&text, key);
    buf_append_str(&text, suffix);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_bytes = 0;
    EVP_Digest(text.ptr, text.len, digest, &digest_bytes, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)out, digest, (int)digest_bytes);
    buf_release(&text);
}
