/* The WebSocket at /ws: every text message goes to every connection, its sender included. One
 * thread serves all of them.
 *
 * Binary messages are dropped. A message above WS_HUB_MESSAGE_MAX_BYTES closes its sender with
 * 1009, a breach of the protocol with 1002. Who is silent for a minute, pings unanswered, is
 * dropped; so is who does not read what is sent to it. */
#pragma once

#include <stddef.h>

#define WS_HUB_MESSAGE_MAX_BYTES 512

struct ws_hub;

struct metrics;

/* Starts the thread. Returns 0 or KE_FAILED. */
int ws_hub_start(struct ws_hub **out, struct metrics *metrics);

/* Ends the connections with 1001 and the thread. From now on ws_hub_adopt() lets go at once. */
void ws_hub_stop(struct ws_hub *hub);

/* Frees a stopped hub. NULL is allowed. */
void ws_hub_free(struct ws_hub *hub);

/* Called by the hub when it is done with a connection, whose socket it must not use afterwards. */
typedef void (*ws_release_fn)(void *owner);

/* Hands over a socket after the handshake, with what was read beyond it. The hub calls
 * release(owner), once, in place of closing the socket. Any thread. */
void ws_hub_adopt(struct ws_hub *hub, int fd, const void *early, size_t early_bytes,
                  ws_release_fn release, void *owner);
