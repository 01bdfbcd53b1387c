/* A browser process of our own. A small supervisor stands between kiln and the browser: it holds
 * one end of a pipe whose other end only kiln has. When that closes, because kiln wants the browser
 * gone or because kiln is gone itself (kill -9 included), the supervisor kills the browser with all
 * its descendants (it is their reaper), removes the profile directory and ends. */
#pragma once

#include "base/error.h"
#include "fiber/worker.h"

struct cdp_process;

struct cdp_launch {
    const char *executable;
    const char *const *args; /* NULL at the end; --user-data-dir and the pipe are added */
};

/* The program of that name or path (NULL or blank: the first of the names that k6 looks for), on
 * $PATH when it has no slash; heap, NULL when there is none. */
char *cdp_find_browser(const char *wanted);
/* Starts it. Yields until exec has worked. out_read_fd and out_write_fd are its DevTools pipe, for
 * cdp_conn_new_pipe. KE_IO with words. */
int cdp_process_start(const struct cdp_launch *launch, struct cdp_process **out, int *out_read_fd,
                      int *out_write_fd, struct error *err);
int cdp_process_pid(const struct cdp_process *p);
const char *cdp_process_profile(const struct cdp_process *p);
/* The end of what the browser wrote to stderr; heap, "" when there is nothing. */
char *cdp_process_words(const struct cdp_process *p);
/* Kills it, waits until nothing of it is left, frees. Yields, cancelled or not. NULL is fine. */
void cdp_process_free(struct cdp_process *p);
