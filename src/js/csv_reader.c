#include "js/csv_reader.h"

#include <stdlib.h>
#include <string.h>

#define BARE_QUOTE "bare \" in non-quoted field"
#define BAD_QUOTE "extraneous or missing \" in quoted-field"

#define WINDOW_BYTES ((size_t)64 << 10)

void csv_reader_init(struct csv_reader *r, csv_read_fn *read, const void *source, size_t offset,
                     uint32_t comma) {
    *r = (struct csv_reader){
        .read = read, .source = source, .offset = offset, .window_bytes = WINDOW_BYTES};
    buf_init(&r->window, CSV_LINE_MAX_BYTES);
    if (comma < 0x80) {
        r->comma[r->comma_bytes++] = (char)comma;
    } else { /* k6 takes one byte of a delimiter: U+0080..U+00FF */
        r->comma[r->comma_bytes++] = (char)(0xc0 | comma >> 6);
        r->comma[r->comma_bytes++] = (char)(0x80 | (comma & 0x3f));
    }
    buf_init(&r->buffer, BUF_NO_CAP);
}

void csv_reader_release(struct csv_reader *r) {
    buf_release(&r->buffer);
    buf_release(&r->window);
    vec_release(&r->ends);
}

size_t csv_len(const struct csv_reader *r) {
    return r->ends.len;
}

struct slice csv_field(const struct csv_reader *r, size_t i) {
    size_t from = i > 0 ? r->ends.ptr[i - 1] : 0;
    const char *base = r->buffer.len ? r->buffer.ptr : "";
    return slice_from(base + from, r->ends.ptr[i] - from);
}

/* ---- lines ---- */

/* A line without its end; how it ended is in has_end. ptr NULL at the end of the text. */
struct line {
    struct slice s;
    bool has_end;
};

/* More of the source behind what is left of the window. False when there is no more: it ended, or
 * failed, or the line is too long. */
static bool refill(struct csv_reader *r) {
    size_t left = r->window.len - r->at;
    if (r->has_end || r->failure)
        return false;
    if (r->at && left)
        memmove(r->window.ptr, r->window.ptr + r->at, left);
    r->window.len = left;
    r->at = 0;
    if (buf_reserve(&r->window, left < r->window_bytes ? r->window_bytes : left)) {
        r->failure = KE_TOO_LARGE;
        return false;
    }
    long n = r->read(r->source, r->offset, r->window.ptr + left, r->window.alloc - left - 1);
    if (n < 0)
        r->failure = (int)n;
    if (n <= 0) {
        r->has_end = true;
        return false;
    }
    r->window.len += (size_t)n;
    r->offset += (size_t)n;
    return true;
}

/* The line is valid until the next one is read. */
static struct line read_line(struct csv_reader *r) {
    struct line l = {{NULL, 0}, false};
    size_t searched = 0;
    const char *nl = NULL;
    do {
        size_t left = r->window.len - r->at;
        if (left > searched)
            nl = memchr(r->window.ptr + r->at + searched, '\n', left - searched);
        searched = left;
    } while (!nl && refill(r));
    if (r->at == r->window.len || r->failure)
        return l;
    const char *p = r->window.ptr + r->at, *end = r->window.ptr + r->window.len;
    l.has_end = nl != NULL;
    l.s = slice_from(p, (size_t)((nl ? nl : end) - p));
    r->at += l.s.len + (nl ? 1 : 0);
    r->used += l.s.len + (nl ? 1 : 0);
    r->line++;
    if (l.s.len > 0 && l.s.ptr[l.s.len - 1] == '\r')
        l.s.len--;
    return l;
}

/* ---- fields ---- */

struct position {
    size_t start_line, line, col;
};

static int fail(struct error *err, const struct position *pos, size_t col, const char *why) {
    if (pos->start_line != pos->line)
        return error_set(err, KE_INVALID,
                         "record on line %zu; parse error on line %zu, column %zu: %s",
                         pos->start_line, pos->line, col, why);
    return error_set(err, KE_INVALID, "parse error on line %zu, column %zu: %s", pos->line, col,
                     why);
}

static bool starts_with_comma(const struct csv_reader *r, struct slice s) {
    return s.len >= r->comma_bytes && memcmp(s.ptr, r->comma, r->comma_bytes) == 0;
}

static struct slice skip(struct slice s, size_t n) {
    return slice_from(s.ptr + n, s.len - n);
}

static void end_field(struct csv_reader *r) {
    vec_push(&r->ends, r->buffer.len);
}

/* A field without quotes. *rest is what follows it; *out_more says that a comma stood behind it. */
static int read_plain(struct csv_reader *r, struct slice *rest, struct position *pos,
                      bool *out_more, struct error *err) {
    const char *comma = memmem(rest->ptr, rest->len, r->comma, r->comma_bytes);
    struct slice field = slice_from(rest->ptr, comma ? (size_t)(comma - rest->ptr) : rest->len);
    const char *quote = memchr(field.ptr, '"', field.len);
    if (quote)
        return fail(err, pos, pos->col + (size_t)(quote - field.ptr), BARE_QUOTE);
    buf_append_slice(&r->buffer, field);
    end_field(r);
    *out_more = comma != NULL;
    size_t n = field.len + (comma ? r->comma_bytes : 0);
    *rest = skip(*rest, n);
    pos->col += n;
    return 0;
}

/* A quoted field, behind its first quote; it may go on over lines. */
static int read_quoted(struct csv_reader *r, struct line *l, struct position *pos, bool *out_more,
                       struct error *err) {
    for (;;) {
        const char *quote = l->s.ptr ? memchr(l->s.ptr, '"', l->s.len) : NULL;
        if (!quote) {
            if (!l->s.ptr || (l->s.len == 0 && !l->has_end))
                return fail(err, pos, pos->col, BAD_QUOTE);
            buf_append_slice(&r->buffer, l->s);
            pos->col += l->s.len;
            if (l->has_end) {
                buf_append_char(&r->buffer, '\n');
                pos->col++;
            }
            *l = read_line(r);
            if (l->s.ptr) {
                pos->line++;
                pos->col = 1;
            }
            continue;
        }
        size_t n = (size_t)(quote - l->s.ptr);
        buf_append(&r->buffer, l->s.ptr, n);
        l->s = skip(l->s, n + 1);
        pos->col += n + 1;
        if (l->s.len > 0 && l->s.ptr[0] == '"') {
            buf_append_char(&r->buffer, '"');
            l->s = skip(l->s, 1);
            pos->col++;
            continue;
        }
        *out_more = starts_with_comma(r, l->s);
        if (!*out_more && l->s.len > 0)
            return fail(err, pos, pos->col - 1, BAD_QUOTE);
        end_field(r);
        if (*out_more) {
            l->s = skip(l->s, r->comma_bytes);
            pos->col += r->comma_bytes;
        }
        return 0;
    }
}

static int fail_read(const struct csv_reader *r, struct error *err) {
    if (r->failure == KE_TOO_LARGE)
        return error_set(err, KE_INVALID, "line %zu is longer than %zu MiB", r->line + 1,
                         CSV_LINE_MAX_BYTES >> 20);
    return error_set(err, KE_INVALID, "the file cannot be read");
}

int csv_read(struct csv_reader *r, struct error *err) {
    struct line l;
    char c = r->comma[0];
    bool more = true;
    int rc = 0;
    if (c == '\0' || c == '"' || c == '\r' || c == '\n')
        return error_set(err, KE_INVALID, "csv: invalid field or comment delimiter");
    do
        l = read_line(r);
    while (l.s.ptr && l.s.len == 0);
    if (!l.s.ptr)
        return r->failure ? fail_read(r, err) : KE_EOF;
    struct position pos = {r->line, r->line, 1};
    buf_reset(&r->buffer);
    r->ends.len = 0;
    while (more && rc == 0) {
        if (l.s.len > 0 && l.s.ptr[0] == '"') {
            l.s = skip(l.s, 1);
            pos.col++;
            rc = read_quoted(r, &l, &pos, &more, err);
        } else {
            rc = read_plain(r, &l.s, &pos, &more, err);
        }
    }
    if (r->failure)
        rc = fail_read(r, err);
    if (rc == 0 && r->n_fields == 0)
        r->n_fields = csv_len(r);
    if (rc == 0 && csv_len(r) != r->n_fields)
        rc = error_set(err, KE_INVALID, "record on line %zu: wrong number of fields",
                       pos.start_line);
    return rc;
}
