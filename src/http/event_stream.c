#include "http/event_stream.h"

#include <string.h>

void event_stream_init(struct event_stream *s, size_t max_event_bytes) {
    *s = (struct event_stream){.retry_ms = -1, .max_event_bytes = max_event_bytes};
    buf_init(&s->line, max_event_bytes);
    buf_init(&s->id, max_event_bytes);
    buf_init(&s->name, max_event_bytes);
    buf_init(&s->data, max_event_bytes);
    buf_init(&s->comment, max_event_bytes);
}

void event_stream_release(struct event_stream *s) {
    buf_release(&s->line);
    buf_release(&s->id);
    buf_release(&s->name);
    buf_release(&s->data);
    buf_release(&s->comment);
}

/* What was given is good until here. */
static void begin_event(struct event_stream *s) {
    s->line.len = s->id.len = s->name.len = s->data.len = s->comment.len = 0;
    s->has_id = s->has_data = s->is_given = false;
    s->retry_ms = -1;
}

static struct slice without_byte_order_mark(struct event_stream *s, struct slice line) {
    bool is_first = !s->is_started;
    s->is_started = true;
    if (is_first && line.len >= 3 && memcmp(line.ptr, "\xef\xbb\xbf", 3) == 0)
        return slice_from(line.ptr + 3, line.len - 3);
    return line;
}

static int64_t read_retry(struct slice value) {
    uint64_t ms;
    return slice_to_u64(value, &ms) && ms <= INT64_MAX ? (int64_t)ms : -1;
}

static int set(struct buf *b, struct slice value) {
    b->len = 0;
    return buf_append_slice(b, value);
}

/* One line that is not empty. 0, 1 for one that is no field, or the cap's error. */
static int take_field(struct event_stream *s, struct slice line) {
    const char *colon = memchr(line.ptr, ':', line.len);
    size_t n = colon ? (size_t)(colon - line.ptr) : line.len;
    struct slice field = slice_from(line.ptr, n);
    struct slice value = colon ? slice_from(colon + 1, line.len - n - 1) : slice_from("", 0);
    if (value.len && value.ptr[0] == ' ')
        value = slice_from(value.ptr + 1, value.len - 1);
    if (field.len == 0)
        return set(&s->comment, value);
    if (slice_eq(field, SLICE("data"))) {
        int rc = s->has_data ? buf_append_str(&s->data, "\n") : 0;
        s->has_data = true;
        return rc ? rc : buf_append_slice(&s->data, value);
    }
    if (slice_eq(field, SLICE("event")))
        return set(&s->name, value);
    if (slice_eq(field, SLICE("id"))) {
        if (memchr(value.ptr, '\0', value.len))
            return 0;
        s->has_id = true;
        return set(&s->id, value);
    }
    if (slice_eq(field, SLICE("retry"))) {
        s->retry_ms = read_retry(value);
        return 0;
    }
    return 1;
}

static void give(struct event_stream *s, struct event_stream_event *out) {
    *out = (struct event_stream_event){.has_id = s->has_id,
                                       .has_data = s->has_data,
                                       .retry_ms = s->retry_ms,
                                       .id = buf_slice(&s->id),
                                       .name = buf_slice(&s->name),
                                       .data = buf_slice(&s->data),
                                       .comment = buf_slice(&s->comment)};
    s->is_given = true;
}

static int too_large(const struct event_stream *s, struct error *err) {
    return error_set(err, KE_TOO_LARGE, "a server-sent event is larger than %zu bytes",
                     s->max_event_bytes);
}

/* The line in s->line is complete. 1 with *out. */
static int end_line(struct event_stream *s, struct event_stream_event *out, struct error *err) {
    struct slice line = without_byte_order_mark(s, buf_slice(&s->line));
    if (line.len == 0) {
        give(s, out);
        return 1;
    }
    int rc = take_field(s, line);
    if (rc < 0)
        return too_large(s, err);
    if (rc > 0) {
        *out = (struct event_stream_event){.is_unknown_line = true, .retry_ms = -1, .data = line};
        return 1; /* the line's memory is good until the next byte */
    }
    s->line.len = 0;
    return 0;
}

int event_stream_feed(struct event_stream *s, struct slice bytes, size_t *out_used,
                      struct event_stream_event *out, struct error *err) {
    size_t at = 0;
    int rc = 0;
    if (s->is_given)
        begin_event(s);
    else if (s->line.len && s->is_line_given)
        s->line.len = 0;
    s->is_line_given = false;
    while (rc == 0 && at < bytes.len) {
        const char *from = bytes.ptr + at;
        if (s->is_after_cr && *from == '\n') {
            s->is_after_cr = false;
            at++;
            continue;
        }
        s->is_after_cr = false;
        size_t n = 0;
        while (at + n < bytes.len && from[n] != '\n' && from[n] != '\r')
            n++;
        if (buf_append(&s->line, from, n))
            rc = too_large(s, err);
        at += n;
        if (rc || at == bytes.len)
            break;
        s->is_after_cr = bytes.ptr[at++] == '\r';
        rc = end_line(s, out, err);
    }
    s->is_line_given = rc == 1 && out->is_unknown_line;
    *out_used = at;
    return rc;
}
