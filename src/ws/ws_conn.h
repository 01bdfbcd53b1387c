/* A WebSocket client connection: handshake, messages both ways, close. Knows fibers and sockets,
 * not JavaScript. One fiber may read while others write; writes wait for each other.
 *
 *     ws_open(&params, deadline, &ws, &response, &err);
 *     ws_write(ws, WS_TEXT, SLICE("hello"), NEVER_NS, &err);
 *     while (ws_read(ws, &event, NEVER_NS, &err) == 0) …
 *     ws_free(ws);
 *
 * Errors have the words of gorilla/websocket, which k6 shows. docs/internals/websockets.md. */
#pragma once

#include "http/cookie.h"
#include "http/http_client.h"
#include "ws/ws_frame.h"

struct ws_conn;

/* As in k6, for control frames. */
#define WS_CONTROL_WAIT_NS (10 * NS_PER_S)

struct ws_params {
    struct slice url; /* ws: or wss: */
    const struct http_client_config *http;
    const struct dialer_config *dialer;
    struct conn_counters *counters;    /* may be NULL; must outlive the connection */
    const struct http_header *headers; /* the script's; a later one replaces an earlier one */
    size_t n_headers;
    struct slice protocols; /* Sec-WebSocket-Protocol, "a, b"; empty = not sent */
    struct cookie_jar *jar; /* may be NULL */
    bool offers_deflate;
    size_t max_message_bytes; /* 0 = WS_MESSAGE_MAX_DEFAULT */
};

/* What the server answered; status 0 when it did not. */
struct ws_response {
    int status;
    char *head; /* "HTTP/1.1 101 …\r\nName: value\r\n…"; NULL without an answer */
    size_t head_bytes;
    char *body; /* the first KiB of a refusal; NULL when it has none */
    size_t body_bytes;
};
void ws_response_release(struct ws_response *r);
/* A header of it; ptr NULL when absent. */
struct slice ws_response_header(const struct ws_response *r, struct slice name);
/* Walks its headers (*pos starts at 0); false at the end. */
bool ws_response_next(const struct ws_response *r, size_t *pos, struct http_header *out);

/* Dials and shakes hands. Yields. *out_response is filled in either case (release it). Failures:
 * KE_URL ("malformed ws or wss URL", or Go's words for what does not parse); those of conn_open;
 * KE_HTTP_MALFORMED; KE_INVALID ("websocket: bad handshake"); KE_TIMEOUT ("i/o timeout");
 * KE_CANCELED. */
int ws_open(const struct ws_params *p, int64_t deadline_ns, struct ws_conn **out,
            struct ws_response *out_response, struct error *err);
/* Closes the socket and frees; NULL is fine. No fiber may be in a call on it: ws_abort first. */
void ws_free(struct ws_conn *c);
/* Calls of other fibers on it end soon, with an error. */
void ws_abort(struct ws_conn *c);
/* Peer IP as text. */
const char *ws_peer_ip(const struct ws_conn *c);
/* The subprotocol that was agreed on, may be empty. */
struct slice ws_protocol(const struct ws_conn *c);

/* The next message or control frame; its data lives until the next ws_read. Pings and close frames
 * are the caller's to answer. Yields. 0; KE_EOF when the connection ended (*out is then a close
 * frame with code 1006); after a breach of the protocol, to which it has sent the close frame,
 * KE_INVALID or KE_TOO_LARGE; errors of conn_read. */
int ws_read(struct ws_conn *c, struct ws_event *out, int64_t deadline_ns, struct error *err);

/* Sends a message, ping or pong. Yields when the socket is full. Fails for good once it has failed,
 * and with KE_EOF ("websocket: close sent") behind a close frame. */
int ws_write(struct ws_conn *c, enum ws_opcode opcode, struct slice data, int64_t deadline_ns,
             struct error *err);
/* Sends a close frame. */
int ws_write_close(struct ws_conn *c, int code, struct slice reason, int64_t deadline_ns,
                   struct error *err);
