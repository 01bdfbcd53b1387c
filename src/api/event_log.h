/* Events of a run as they happened, for readers that come late and go at their own pace: each reads
 * all from the beginning, apart from what a newer event has replaced. Any thread. */
#pragma once

#include "base/buf.h"

struct event_log;
struct event_text;

/* More events of one name than this, that nothing replaces: the oldest go. */
#define EVENTS_OF_A_NAME_MAX 6000u

struct event_log *event_log_new(void);
/* No cursor may be in use. */
void event_log_free(struct event_log *l);
/* json: one line. is_latest: replaces the earlier ones of its name. */
void event_log_add(struct event_log *l, const char *name, struct slice json, bool is_latest);
/* Appends {"event":NAME,"data":JSON} lines, all there are. */
void event_log_write_lines(struct event_log *l, struct buf *out);

/* Where a reader is; zero is the beginning. */
struct event_cursor {
    size_t next;             /* event */
    struct event_text *text; /* being read */
    size_t at;               /* in text */
};
/* Copies up to max bytes of the server-sent events that follow; 0: no more yet. */
size_t event_log_read(struct event_log *l, struct event_cursor *c, char *to, size_t max);
void event_cursor_release(struct event_log *l, struct event_cursor *c);
