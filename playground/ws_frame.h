/* WebSocket frames of the server's side (RFC 6455, section 5): reading those of a client, writing
 * ours. No state, no sockets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_opcode {
    WS_CONTINUATION = 0x0,
    WS_TEXT = 0x1,
    WS_BINARY = 0x2,
    WS_CLOSE = 0x8,
    WS_PING = 0x9,
    WS_PONG = 0xa,
};

enum ws_close_code {
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_GOING_AWAY = 1001,
    WS_CLOSE_PROTOCOL_ERROR = 1002,
    WS_CLOSE_NO_STATUS = 1005,
    WS_CLOSE_TOO_BIG = 1009,
};

#define WS_CONTROL_MAX_BYTES 125
#define WS_HEADER_MAX_BYTES 10 /* of a frame of ours */

struct ws_frame {
    enum ws_opcode opcode;
    bool is_final;
    size_t header_bytes; /* the payload follows them */
    uint64_t payload_bytes;
    uint8_t mask[4];
};

/* Reads the header of a client's frame. Returns 1 when it is complete, 0 when more bytes are
 * needed, KE_INVALID when it breaks the protocol: reserved bits or opcodes, no mask, a control
 * frame that is long or in parts. */
int ws_frame_parse(const uint8_t *data, size_t size, struct ws_frame *out);

/* Takes the mask off a complete payload, in place. */
void ws_frame_unmask(uint8_t *payload, size_t size, const uint8_t mask[4]);

/* Writes the header of an unmasked frame of one part; returns its length. */
size_t ws_frame_header(enum ws_opcode opcode, size_t payload_bytes,
                       uint8_t out[WS_HEADER_MAX_BYTES]);

/* Sec-WebSocket-Accept for the client's Sec-WebSocket-Key: 28 characters and a zero byte. */
#define WS_ACCEPT_BYTES 29
void ws_accept_key(const char *key, char out[WS_ACCEPT_BYTES]);
