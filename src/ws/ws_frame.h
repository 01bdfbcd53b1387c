/* WebSocket frames (RFC 6455) from bytes and to bytes, no I/O. The decoder takes bytes in pieces of
 * any size and gives whole messages and control frames. What it refuses, and in which words, is
 * what gorilla/websocket does, because scripts see it: text is not checked to be UTF-8, a close
 * frame's reason is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10
};

enum ws_close_code {
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_GOING_AWAY = 1001,
    WS_CLOSE_PROTOCOL_ERROR = 1002,
    WS_CLOSE_NO_STATUS = 1005,
    WS_CLOSE_ABNORMAL = 1006,
    WS_CLOSE_TOO_BIG = 1009
};

#define WS_CONTROL_MAX 125
#define WS_HEADER_MAX 14
/* Of a message, on the wire and inflated, unless the caller says otherwise. */
#define WS_MESSAGE_MAX_DEFAULT ((size_t)256 << 20)

/* A message or a control frame. data lives until the next call for the decoder. */
struct ws_event {
    enum ws_opcode opcode; /* WS_TEXT, WS_BINARY, WS_CLOSE, WS_PING, WS_PONG */
    bool is_compressed;    /* data is to be inflated (ws_inflate) */
    struct slice data;     /* of a close frame: the reason */
    int close_code;        /* WS_CLOSE_NO_STATUS when there was none */
};

struct ws_decoder {
    bool is_server;   /* frames have to be masked; otherwise they must not be */
    bool may_deflate; /* RSV1 is allowed */
    /* State. */
    uint8_t header[WS_HEADER_MAX], header_len;
    bool is_in_payload, is_final, is_in_message, is_given;
    bool is_compressed;
    uint8_t opcode;         /* of the frame */
    uint8_t message_opcode; /* of the message that fragments belong to */
    uint8_t mask[4];
    uint64_t left;      /* payload bytes still to come */
    size_t mask_at;     /* payload bytes done */
    struct buf message; /* fragments so far; cap = the largest message */
    uint8_t control[WS_CONTROL_MAX];
    size_t control_len;
};

void ws_decoder_init(struct ws_decoder *d, bool is_server, size_t max_message_bytes);
void ws_decoder_release(struct ws_decoder *d);
/* Takes bytes up to the end of a message or control frame: 1 and *out, 0 when more bytes are
 * needed; *out_used of them were taken. KE_INVALID on a breach of the protocol ("websocket: RSV1
 * set, bad MASK"), KE_TOO_LARGE ("websocket: read limit exceeded"); the decoder is of no use
 * afterwards, and *out has the close frame to send: its code, and its reason in data. */
int ws_decoder_feed(struct ws_decoder *d, struct slice bytes, size_t *out_used,
                    struct ws_event *out, struct error *err);

/* Writes the header of a frame; returns its length. mask NULL: not masked. */
size_t ws_header_write(uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, bool is_final,
                       bool is_compressed, uint64_t payload_bytes, const uint8_t mask[4]);
/* XORs bytes that begin `at` bytes into the payload. */
void ws_mask(uint8_t *bytes, size_t len, const uint8_t mask[4], size_t at);

/* The payload of a close frame (WS_CONTROL_MAX bytes of room); returns its length. NO_STATUS gives
 * an empty one; a reason that is too long is cut. */
size_t ws_close_payload(uint8_t *out, int code, struct slice reason);
/* A peer may send that code. */
bool ws_close_code_is_valid(int code);
/* "websocket: close 1006 (abnormal closure): unexpected EOF" */
int ws_close_error(struct error *err, int code, struct slice reason);
