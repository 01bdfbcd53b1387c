/* Opens the listening socket. */
#pragma once

#include "base/error.h"

#define LISTENER_URL_BYTES 128

/* Listens on "ADDR:PORT" (a name or number, IPv6 in brackets), or on every address for ":PORT".
 * Port 0 takes a free one. Accepted connections inherit TCP_NODELAY. Returns 0, the socket, and in
 * out_url where it can be reached, "http://127.0.0.1:3333"; or KE_CONFIG (text not understood,
 * unknown name) or KE_IO (port busy, address not ours) with a message. */
int listener_open(const char *address, int *out_fd, char out_url[static LISTENER_URL_BYTES],
                  struct error *err);
