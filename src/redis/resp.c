#include "redis/resp.h"

#include <stdio.h>

#include "base/check.h"
#include "base/go_text.h"

/* ---------------------------------------------------------------- lines */

/* A line without its CR LF: 1 and *used; 0 when its end is not there; KE_TOO_LARGE, KE_INVALID. */
static int line_take(struct slice in, struct slice *line, size_t *used) {
    size_t look = in.len < RESP_LINE_MAX ? in.len : RESP_LINE_MAX;
    const char *end = look ? memchr(in.ptr, '\n', look) : NULL;
    if (!end)
        return look == RESP_LINE_MAX ? KE_TOO_LARGE : 0;
    *used = (size_t)(end - in.ptr) + 1;
    *line = slice_from(in.ptr, *used - 1);
    if (line->len < 2 || line->ptr[line->len - 1] != '\r')
        return KE_INVALID;
    line->len--;
    return 1;
}

static bool to_int(struct slice s, int64_t *out) {
    bool is_negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t v;
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = slice_from(s.ptr + 1, s.len - 1);
    if (!slice_to_u64(s, &v) || v > (uint64_t)INT64_MAX + is_negative)
        return false;
    *out = is_negative ? (int64_t)-v : (int64_t)v;
    return true;
}

static bool to_double(struct slice s, double *out) {
    if (slice_eq(s, SLICE("-nan")))
        s = SLICE("nan");
    return go_parse_float(s, out, NULL) == 0;
}

static bool is_big_integer(struct slice s) {
    size_t i = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (i == s.len)
        return false;
    for (; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    }
    return true;
}

/* What a line announces. */
enum follows { NOTHING, BYTES, ITEMS, ATTRIBUTE };

static bool length_is_ok(int64_t n, int64_t max) {
    return n >= 0 && n <= max;
}

/* Fills item from a line; the text of strings is still to come (item->integer bytes). False for
 * what is no reply. */
static bool line_read(struct slice line, struct resp_item *item, enum follows *follows) {
    struct slice rest = slice_from(line.ptr + 1, line.len - 1);
    const int64_t max = (int64_t)RESP_REPLY_MAX;
    *item = (struct resp_item){.text = rest};
    *follows = NOTHING;
    switch (line.ptr[0]) {
    case '+':
        item->type = RESP_STATUS;
        return true;
    case '-':
        item->type = RESP_ERROR;
        return true;
    case ':':
        item->type = RESP_INTEGER;
        return to_int(rest, &item->integer);
    case '_':
        item->type = RESP_NULL;
        return rest.len == 0;
    case '#':
        item->type = RESP_BOOL;
        item->integer = rest.len > 0 && rest.ptr[0] == 't';
        return rest.len == 1 && (rest.ptr[0] == 't' || rest.ptr[0] == 'f');
    case ',':
        item->type = RESP_DOUBLE;
        return to_double(rest, &item->number);
    case '(':
        item->type = RESP_BIG_INTEGER;
        return is_big_integer(rest);
    case '$':
    case '!':
    case '=':
        item->type = line.ptr[0] == '!' ? RESP_ERROR : RESP_STRING;
        *follows = BYTES;
        break;
    case '*':
    case '~':
        item->type = RESP_ARRAY;
        *follows = ITEMS;
        break;
    case '>':
        item->type = RESP_PUSH;
        *follows = ITEMS;
        break;
    case '%':
        item->type = RESP_MAP;
        *follows = ITEMS;
        break;
    case '|':
        item->type = RESP_MAP;
        *follows = ATTRIBUTE;
        break;
    default:
        return false;
    }
    if (!to_int(rest, &item->integer))
        return false;
    if (item->integer == -1 && *follows != ATTRIBUTE) {
        item->type = RESP_NULL;
        *follows = NOTHING;
        return true;
    }
    return length_is_ok(item->integer, max);
}

static int64_t items_of(const struct resp_item *item) {
    return item->type == RESP_MAP ? item->integer * 2 : item->integer;
}

/* ---------------------------------------------------------------- scanning */

void resp_scan_init(struct resp_scan *s) {
    s->at = 0;
    s->depth = 0;
    s->left[0] = 1;
}

static int bad_line(struct error *err, const char *words, struct slice line) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, slice_from(line.ptr, line.len < 100 ? line.len : 100));
    error_set(err, KE_INVALID, "redis: %s %s", words, buf_cstr(&quoted));
    buf_release(&quoted);
    return KE_INVALID;
}

static int too_large(struct error *err) {
    return error_set(err, KE_TOO_LARGE, "redis: reply is too large");
}

/* The bytes of a string with the CR LF behind them: 1, 0 when they are not all there. */
static int bytes_take(struct slice in, size_t at, const struct resp_item *item, bool is_verbatim,
                      size_t *out_end, struct error *err) {
    size_t n = (size_t)item->integer;
    if (n + 2 > in.len - at)
        return 0;
    struct slice text = slice_from(in.ptr + at, n);
    if (in.ptr[at + n] != '\r' || in.ptr[at + n + 1] != '\n')
        return bad_line(err, "invalid reply:", slice_from(in.ptr + at + n, 2));
    if (is_verbatim && (n < 4 || text.ptr[3] != ':'))
        return bad_line(err, "can't parse verbatim string reply:", text);
    *out_end = at + n + 2;
    return 1;
}

/* One item is complete: so may be what it was the last item of. True when the reply is. */
static bool item_done(struct resp_scan *s) {
    while (--s->left[s->depth] == 0) {
        if (s->depth == 0)
            return true;
        s->depth--;
    }
    return false;
}

/* 1 when the item at s->at completes the reply, 2 when it does not, 0 when it is not all there. */
static int scan_item(struct resp_scan *s, struct slice in, struct error *err) {
    struct slice line;
    struct resp_item item;
    enum follows follows;
    size_t used, end;
    int rc = line_take(slice_from(in.ptr + s->at, in.len - s->at), &line, &used);
    if (rc == KE_TOO_LARGE)
        return too_large(err);
    if (rc == KE_INVALID)
        return bad_line(err, "invalid reply:", line);
    if (rc == 0)
        return 0;
    if (!line_read(line, &item, &follows))
        return bad_line(err, "can't parse", line);
    end = s->at + used;
    if (follows == BYTES) {
        rc = bytes_take(in, end, &item, line.ptr[0] == '=', &end, err);
        if (rc <= 0)
            return rc;
    }
    s->at = end;
    if (follows == NOTHING || follows == BYTES)
        return item_done(s) ? 1 : 2;
    if (follows == ATTRIBUTE) /* what it belongs to is still to come */
        s->left[s->depth]++;
    if (items_of(&item) == 0)
        return item_done(s) ? 1 : 2;
    if (s->depth + 1 == RESP_DEPTH_MAX)
        return error_set(err, KE_INVALID, "redis: reply is nested too deeply");
    s->left[++s->depth] = items_of(&item);
    return 2;
}

int resp_scan(struct resp_scan *s, struct slice in, size_t *out_len, struct error *err) {
    int rc = 2;
    while (rc == 2 && s->at < in.len)
        rc = scan_item(s, in, err);
    if (rc == 1) {
        *out_len = s->at;
        resp_scan_init(s);
        return 1;
    }
    if (rc < 0)
        return rc;
    return in.len > RESP_REPLY_MAX ? too_large(err) : 0;
}

/* ---------------------------------------------------------------- reading */

static bool next(struct slice *rest, struct resp_item *out, enum follows *follows) {
    struct slice line;
    size_t used;
    if (line_take(*rest, &line, &used) != 1 || !line_read(line, out, follows))
        return false;
    *rest = slice_from(rest->ptr + used, rest->len - used);
    if (*follows != BYTES)
        return true;
    size_t n = (size_t)out->integer, skip = line.ptr[0] == '=' ? 4 : 0;
    if (n + 2 > rest->len || n < skip)
        return false;
    out->text = slice_from(rest->ptr + skip, n - skip);
    *rest = slice_from(rest->ptr + n + 2, rest->len - n - 2);
    return true;
}

bool resp_next(struct slice *rest, struct resp_item *out) {
    enum follows follows;
    while (next(rest, out, &follows)) {
        if (follows != ATTRIBUTE)
            return true;
        /* Of its items all are skipped, those inside of them included. */
        for (int64_t left = items_of(out); left > 0; left--) {
            struct resp_item item;
            if (!next(rest, &item, &follows))
                return false;
            if (follows == ITEMS || follows == ATTRIBUTE)
                left += items_of(&item) + (follows == ATTRIBUTE);
        }
    }
    return false;
}

struct resp_item resp_head(struct slice reply) {
    struct resp_item item;
    return resp_next(&reply, &item) ? item : (struct resp_item){.type = RESP_NULL};
}

/* ---------------------------------------------------------------- writing */

static void put_line(struct buf *out, char kind, size_t n) {
    char text[24];
    size_t i = sizeof text;
    text[--i] = '\n';
    text[--i] = '\r';
    do
        text[--i] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    text[--i] = kind;
    buf_append(out, text + i, sizeof text - i);
}

void resp_put_command(struct buf *out, size_t n_args) {
    put_line(out, '*', n_args);
}

void resp_put_arg(struct buf *out, struct slice arg) {
    put_line(out, '$', arg.len);
    if (arg.len)
        buf_append_slice(out, arg);
    buf_append(out, "\r\n", 2);
}

void resp_put_int(struct buf *out, int64_t v) {
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)v);
    resp_put_arg(out, slice_from(text, (size_t)n));
}
