/* Words for failed system calls and cut waits, as Go would say them. */
#pragma once

#include "base/error.h"
#include "net/dial.h"

/* "connection refused" of ECONNREFUSED: the system's words in Go's lower case. out has
 * NET_ERRNO_TEXT_MAX bytes; returns out. */
#define NET_ERRNO_TEXT_MAX 64
const char *net_errno_text(int sys_errno, char *out);

/* A wait that ended with KE_TIMEOUT or KE_CANCELED. Returns rc. */
int net_error_wait(struct error *err, int rc);
/* "dial tcp [local->]peer: CALL: words". local may be NULL. Returns the code. */
int net_error_dial(struct error *err, const char *call, int sys_errno,
                   const union sockaddr_any *local, const union sockaddr_any *peer);
/* "read tcp local->peer: read: connection reset by peer"; op is "read" or "write". Returns the
 * code. */
int net_error_io(struct error *err, const char *op, int sys_errno, int fd,
                 const union sockaddr_any *peer);
/* "read tcp local->peer: i/o timeout". Returns KE_TIMEOUT. */
int net_error_timeout(struct error *err, const char *op, int fd, const union sockaddr_any *peer);
