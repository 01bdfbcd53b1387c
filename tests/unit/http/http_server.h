/* A scripted HTTP server on a thread of its own. Requests are counted over all connections; the
 * n-th one gets the n-th step's reply, whatever connection it came on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server_step {
    const char *reply;   /* raw bytes; "%PORT%" becomes the server's port */
    size_t reply_len;    /* 0 = strlen(reply), with replacement */
    bool closes;         /* closes the connection after the reply */
    bool resets;         /* the same, with a reset */
    bool dribbles;       /* sends byte by byte */
    size_t filler_bytes; /* that many 'x' behind the reply */
};

#define SERVER_REQUESTS_MAX 64

struct server {
    uint16_t port;
    /* Read them after server_stop only. */
    int n_requests, n_connections;
    char *requests[SERVER_REQUESTS_MAX]; /* as received */
    size_t request_bytes[SERVER_REQUESTS_MAX];
    int connection_of[SERVER_REQUESTS_MAX]; /* from 0 */
    struct server_inside *inside;
};

struct server *server_start(const struct server_step *steps, size_t n_steps);
/* Ends the thread; what was recorded stays. */
void server_stop(struct server *s);
void server_free(struct server *s);
