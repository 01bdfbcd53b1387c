/* Accepts connections on a thread of its own and hands them out. (Server threads that accept for
 * themselves take unequal shares: of a hundred that come at once, the first to wake takes all.) */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

struct acceptor;

/* Takes a new connection, which from now on is the callee's. Called on the acceptor's thread. */
typedef void (*acceptor_fn)(void *arg, int fd, const struct sockaddr *address, socklen_t size);

/* Starts the thread; the listening socket must not block and is the acceptor's if this succeeds.
 * Returns 0 or KE_FAILED. */
int acceptor_start(struct acceptor **out, int listen_fd, acceptor_fn fn, void *arg);

/* Ends the thread, closes the listening socket, frees. NULL is allowed. */
void acceptor_stop(struct acceptor *a);
