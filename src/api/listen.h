/* Addresses as Go's net.Listen takes and words them: "localhost:6565", "0.0.0.0:6565" (IPv6 too),
 * ":6565" (every address), "[::1]:0". */
#pragma once

#include "base/error.h"
#include "base/slice.h"

/* Cuts "host:port"; brackets are taken off the host, which may be empty. KE_INVALID with Go's words
 * ("address x: missing port in address"). */
int address_split(struct slice address, struct slice *out_host, struct slice *out_port,
                  struct error *err);
/* Opens a listening socket: *out_fd is the caller's. KE_CONFIG or KE_IO with Go's words: "listen
 * tcp 127.0.0.1:6565: bind: address already in use". Blocks for a look-up of a name. */
int api_listen(const char *address, int *out_fd, struct error *err);
