/* The log on stderr or in a file, in the form key=value:
 *
 *   time=2026-11-23T08:29:32.072Z level=INFO msg="New pizza recommendation" method=POST
 *   path=/api/pizza status=200 bytes=749 elapsed=101.7ms user=23423 pizza="The Noisy Americana"
 *
 * (one line). Lines are collected in memory and written by a thread of the log's own at least every
 * 100 ms and at the end, so that a request never waits for a terminal or a disk. When lines come
 * faster than they can be written, they are dropped, and their number is logged. */
#pragma once

#include "base/error.h"
#include "config.h"
#include "request.h"

struct access_log;

/* Opens config->log_file for appending (stderr when NULL) and starts the thread. Returns 0 or
 * KE_IO. */
int access_log_open(struct access_log **out, const struct config *config, struct error *err);

/* Writes what is left and frees. NULL is allowed. */
void access_log_close(struct access_log *log);

/* The line of an answered request; level ERROR from status 500 up. Of /, /ready, /healthz,
 * /metrics, /ws and the pages of test.k6.io one line in 30 s at most, failures apart. Any thread.
 */
void access_log_request(struct access_log *log, const struct request *r, size_t body_bytes);

/* A message of the program itself with level INFO; `detail` ("key=value ...") may be NULL. */
void access_log_note(struct access_log *log, const char *message, const char *detail);

/* The same with level ERROR: something failed that no request's line tells. */
void access_log_failure(struct access_log *log, const char *message);

/* Appends a value as slog's text form does: bare, or quoted and escaped when it has spaces, quotes,
 * equals signs or control characters. For tests. */
void access_log_value(struct buf *out, struct slice value);
