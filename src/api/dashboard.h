/* The web dashboard's server: the page, the events of the run as server-sent events, the report,
 * and control of the run for who has the token.
 *
 *     GET  /          307 to /ui/?endpoint=/
 *     GET  /ui/       the page
 *     GET  /events    text/event-stream: everything from the start, then live
 *     GET  /report    the report as one HTML file
 *     POST /control   the body of PATCH /v1/status; header X-Kiln-Token
 *
 * Served on a thread of its own. A reader that stays connected does not keep dashboard_stop
 * waiting.
 */
#pragma once

#include "api/api.h"
#include "api/event_log.h"

struct dashboard;

struct dashboard_config {
    const char *host; /* "" = 127.0.0.1 */
    int port;         /* 0 = any */
    struct event_log *events;
    struct slice page;
    const char *token; /* NULL = no control */
    /* Server's thread: appends the report. */
    void (*write_report)(void *arg, struct buf *out);
    void *arg;
};

/* NULL with *err in Go's words when the address cannot be listened on. */
struct dashboard *dashboard_start(const struct dashboard_config *config, struct error *err);
/* "http://127.0.0.1:5665" */
const char *dashboard_url(const struct dashboard *d);
/* What is to be controlled; NULL: nothing (any more). api_stop comes after dashboard_set_api(NULL).
 */
void dashboard_set_api(struct dashboard *d, struct api *api);
/* There are new events. */
void dashboard_wake(struct dashboard *d);
/* Sends what is left, a second at most, and closes all connections. NULL is fine. */
void dashboard_stop(struct dashboard *d);
