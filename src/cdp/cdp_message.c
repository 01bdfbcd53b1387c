#include "cdp/cdp_message.h"

static const char *skip_space(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* p behind the opening quote; returns the closing quote, NULL without one. */
static const char *string_end(const char *p, const char *end) {
    for (;;) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        if (!quote)
            return NULL;
        const char *back = quote;
        while (back > p && back[-1] == '\\')
            back--;
        if ((quote - back) % 2 == 0)
            return quote;
        p = quote + 1;
    }
}

/* Behind the value at p, NULL when it does not end. */
static const char *value_end(const char *p, const char *end) {
    int depth = 0;
    for (; p < end; p++) {
        switch (*p) {
        case '"':
            if (!(p = string_end(p + 1, end)))
                return NULL;
            if (depth == 0)
                return p + 1;
            break;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (depth == 0)
                return p;
            if (--depth == 0)
                return p + 1;
            break;
        case ',':
            if (depth == 0)
                return p;
            break;
        default:
            break;
        }
    }
    return NULL;
}

static struct slice unquoted(struct slice v) {
    return v.len >= 2 && v.ptr[0] == '"' ? slice_from(v.ptr + 1, v.len - 2) : slice_from(NULL, 0);
}

static void take_member(struct cdp_message *out, struct slice name, struct slice v) {
    uint64_t id;
    if (slice_eq(name, SLICE("id"))) {
        if (slice_to_u64(slice_trim(v), &id) && id <= INT64_MAX)
            out->id = (int64_t)id;
    } else if (slice_eq(name, SLICE("method"))) {
        out->method = unquoted(v);
    } else if (slice_eq(name, SLICE("sessionId"))) {
        out->session = unquoted(v);
    } else if (slice_eq(name, SLICE("params")) || slice_eq(name, SLICE("result"))) {
        out->payload = v;
    } else if (slice_eq(name, SLICE("error"))) {
        out->payload = v;
        out->is_error = true;
    }
}

bool cdp_message_read(struct slice json, struct cdp_message *out) {
    const char *p = json.ptr, *end = json.ptr + json.len;
    *out = (struct cdp_message){0};
    p = skip_space(p, end);
    if (p == end || *p++ != '{')
        return false;
    for (;;) {
        p = skip_space(p, end);
        if (p < end && *p == '}')
            return true;
        if (p == end || *p++ != '"')
            return false;
        const char *name = p;
        if (!(p = string_end(p, end)))
            return false;
        struct slice key = slice_from(name, (size_t)(p - name));
        p = skip_space(p + 1, end);
        if (p == end || *p++ != ':')
            return false;
        p = skip_space(p, end);
        const char *value = p;
        if (!(p = value_end(p, end)))
            return false;
        take_member(out, key, slice_from(value, (size_t)(p - value)));
        p = skip_space(p, end);
        if (p < end && *p == ',')
            p++;
    }
}

struct slice cdp_message_method(struct slice json) {
    static const struct slice head = SLICE("{\"method\":\"");
    if (!slice_starts(json, head))
        return slice_from(NULL, 0);
    const char *name = json.ptr + head.len;
    const char *quote = memchr(name, '"', json.len - head.len);
    return quote ? slice_from(name, (size_t)(quote - name)) : slice_from(NULL, 0);
}
