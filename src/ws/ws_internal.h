/* Between ws_conn.c and ws_handshake.c. */
#pragma once

#include "fiber/fiber.h"
#include "ws/ws_conn.h"

struct ws_conn {
    struct conn *conn;
    struct ws_decoder decoder;
    struct buf in;       /* bytes that came behind an event */
    struct buf inflated; /* the latest compressed message */
    bool has_deflate;
    bool is_close_sent, is_aborted;
    bool is_writing;
    struct fiber_cond write_done;
    int write_code; /* of the failure that ended writing, 0 = none */
    char *write_words;
    char *protocol;
};

/* ws_handshake.c: writes the request on conn and reads the answer: fills r, and *out_rest with what
 * came behind it. deflate: it was agreed on. */
int ws_handshake(struct conn *conn, const struct ws_params *p, const struct url *url,
                 int64_t deadline_ns, struct ws_response *r, struct buf *out_rest,
                 bool *out_has_deflate, struct error *err);
/* ws_handshake.c: the http or https URL of a ws or wss one. */
int ws_url(struct slice text, struct url *out, struct error *err);
