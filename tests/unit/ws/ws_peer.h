/* A scripted server on a thread of its own: it takes one connection, reads the request, answers,
 * and then sends and expects bytes as told. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_step {
    const char *send; /* raw bytes; NULL = none */
    size_t send_len;
    bool reads_frame; /* then waits for one frame of the client; it goes to ws_peer.frames, unmasked
                       */
};

#define WS_PEER_FRAMES 16

struct ws_peer {
    uint16_t port;
    /* Read them after ws_peer_stop only. */
    char request[4096];
    char frames[WS_PEER_FRAMES][300]; /* "1:hello": opcode (with RSV1 as 64 more) and payload */
    int n_frames;
    bool saw_end; /* the client closed */
    struct ws_peer_inside *inside;
};

/* head: the answer, "%KEY%" in it becomes the right Sec-WebSocket-Accept; NULL: a plain 101. The
 * connection is closed behind the last step. */
struct ws_peer *ws_peer_start(const char *head, const struct ws_step *steps, size_t n_steps);
void ws_peer_stop(struct ws_peer *p);
void ws_peer_free(struct ws_peer *p);

#define SENDS(text) \
    { .send = text, .send_len = sizeof(text) - 1 }
#define READS_FRAME \
    { .reads_frame = true }
