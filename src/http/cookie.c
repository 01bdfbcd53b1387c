#include "http/cookie.h"

#include <stdlib.h>

#include "base/http_date.h"
#include "http/header.h"

static bool is_value_byte(char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != ';' && c != '\\';
}

static bool parse_value(struct slice raw, bool allow_quotes, struct slice *out) {
    if (allow_quotes && raw.len > 1 && raw.ptr[0] == '"' && raw.ptr[raw.len - 1] == '"')
        raw = slice_from(raw.ptr + 1, raw.len - 2);
    for (size_t i = 0; i < raw.len; i++) {
        if (!is_value_byte(raw.ptr[i]))
            return false;
    }
    *out = raw;
    return true;
}

bool cookie_parse_date(struct slice text, int64_t *out_ms) {
    return http_date_parse(text, out_ms) == 0;
}

/* ---------------------------------------------------------------- Set-Cookie */

static void parse_max_age(struct slice text, struct cookie *c) {
    struct slice digits = text;
    bool is_negative = digits.len && digits.ptr[0] == '-';
    uint64_t n;
    if (digits.len && (is_negative || digits.ptr[0] == '+'))
        digits = slice_from(digits.ptr + 1, digits.len - 1);
    if (!slice_to_u64(digits, &n) || n > INT64_MAX || (n != 0 && text.ptr[0] == '0'))
        return;
    if (n == 0 || is_negative)
        c->max_age = -1;
    else
        c->max_age = n > INT32_MAX ? INT32_MAX : (int)n;
}

static void parse_attribute(struct slice text, struct cookie *c) {
    struct slice raw = text, value;
    struct slice name = slice_cut(&raw, '=');
    if (!raw.ptr)
        raw = slice_from("", 0);
    if (!parse_value(raw, false, &value))
        return;
    if (slice_ieq(name, SLICE("domain")))
        c->domain = value;
    else if (slice_ieq(name, SLICE("path")))
        c->path = value;
    else if (slice_ieq(name, SLICE("secure")))
        c->secure = true;
    else if (slice_ieq(name, SLICE("httponly")))
        c->http_only = true;
    else if (slice_ieq(name, SLICE("max-age")))
        parse_max_age(value, c);
    else if (slice_ieq(name, SLICE("expires")))
        c->has_expires = cookie_parse_date(value, &c->expires_ms);
}

bool cookie_parse(struct slice set_cookie, struct cookie *out) {
    struct slice rest = slice_trim(set_cookie);
    struct slice value = slice_trim(slice_cut(&rest, ';'));
    struct slice name = slice_trim(slice_cut(&value, '='));
    *out = (struct cookie){.domain = SLICE(""), .path = SLICE("")};
    if (!value.ptr || !name.len || !http_all_of(name, HTTP_TOKEN) ||
        !parse_value(value, true, &out->value))
        return false;
    out->name = name;
    while (rest.ptr)
        parse_attribute(slice_trim(slice_cut(&rest, ';')), out);
    return true;
}

/* ---------------------------------------------------------------- Cookie */

void cookie_append(struct buf *out, size_t start, struct slice name, struct slice value) {
    if (out->len != start)
        buf_append(out, "; ", 2);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        buf_append_char(out, c == '\n' || c == '\r' ? '-' : c);
    }
    buf_append_char(out, '=');
    bool needs_quotes =
        value.len && (memchr(value.ptr, ' ', value.len) || memchr(value.ptr, ',', value.len));
    if (needs_quotes)
        buf_append_char(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (is_value_byte(value.ptr[i]))
            buf_append_char(out, value.ptr[i]);
    }
    if (needs_quotes)
        buf_append_char(out, '"');
}
