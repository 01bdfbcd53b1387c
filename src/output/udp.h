/* Datagrams of text lines for outputs (influxdb over UDP, statsd). */
#pragma once

#include "base/error.h"
#include "base/slice.h"

/* A socket connected to "host:port" or "host". Negative: KE_IO. */
int udp_open(struct slice address, const char *default_port, struct error *err);
/* -1 is fine. */
void udp_close(int fd);
/* Sends whole lines, as many as fit into max_bytes, a datagram at a time; a longer line goes alone.
 * 0 or KE_IO with errno of the first one that could not be sent. A peer that is not there is no
 * failure. */
int udp_send_lines(int fd, struct slice lines, size_t max_bytes);
