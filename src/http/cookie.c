#include "http/cookie.h"

#include <stdlib.h>

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

/* ---------------------------------------------------------------- dates */

static bool eat(struct slice *s, const char *any_of) {
    if (!s->len || !strchr(any_of, s->ptr[0]) || !s->ptr[0])
        return false;
    *s = slice_from(s->ptr + 1, s->len - 1);
    return true;
}

static bool eat_number(struct slice *s, size_t min_digits, size_t max_digits, int *out) {
    size_t n = 0;
    *out = 0;
    while (n < max_digits && n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9')
        *out = *out * 10 + (s->ptr[n++] - '0');
    *s = slice_from(s->ptr + n, s->len - n);
    return n >= min_digits;
}

/* Index of the three-letter name at the front, -1 when it is none of them. */
static int eat_name(struct slice *s, const char *names) {
    for (int i = 0; names[3 * i]; i++) {
        if (s->len >= 3 && slice_ieq(slice_from(s->ptr, 3), slice_from(names + 3 * i, 3))) {
            *s = slice_from(s->ptr + 3, s->len - 3);
            return i;
        }
    }
    return -1;
}

/* A zone abbreviation; only GMT with an offset means anything to Go. Offset in seconds. */
static bool parse_zone(struct slice s, int *out_offset) {
    size_t letters = 0;
    *out_offset = 0;
    while (letters < s.len && s.ptr[letters] >= 'A' && s.ptr[letters] <= 'Z')
        letters++;
    if (letters < 3 || letters > 5)
        return false;
    struct slice rest = slice_from(s.ptr + letters, s.len - letters);
    if (letters == 3 && memcmp(s.ptr, "GMT", 3) == 0 && rest.len) {
        int hours, sign = rest.ptr[0] == '-' ? -1 : 1;
        if (!eat(&rest, "+-") || !eat_number(&rest, 1, 2, &hours) || hours > 23)
            return false;
        *out_offset = sign * hours * 3600;
    }
    return rest.len == 0;
}

static int64_t days_from_civil(int y, int m, int d) {
    y -= m <= 2;
    int era = (y >= 0 ? y : y - 399) / 400;
    int yoe = y - era * 400;
    int doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (int64_t)era * 146097 + doe - 719468;
}

static int days_in_month(int y, int m) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return m == 2 && is_leap ? 29 : days[m - 1];
}

static bool skip_fraction(struct slice *s) {
    if (s->len < 2 || (s->ptr[0] != '.' && s->ptr[0] != ',') || s->ptr[1] < '0' || s->ptr[1] > '9')
        return true;
    eat(s, ".,");
    while (eat(s, "0123456789"))
        ;
    return true;
}

static bool parse_date_with(struct slice s, const char *separator, int64_t *out_ms) {
    int day, month, year, hour, minute, second, offset;
    if (eat_name(&s, "SunMonTueWedThuFriSat") < 0 || !eat(&s, ",") || !eat(&s, " ") ||
        !eat_number(&s, 2, 2, &day) || !eat(&s, separator) ||
        (month = eat_name(&s, "JanFebMarAprMayJunJulAugSepOctNovDec") + 1) == 0 ||
        !eat(&s, separator) || !eat_number(&s, 4, 4, &year) || !eat(&s, " ") ||
        !eat_number(&s, 1, 2, &hour) || !eat(&s, ":") || !eat_number(&s, 2, 2, &minute) ||
        !eat(&s, ":") || !eat_number(&s, 2, 2, &second) || !skip_fraction(&s) || !eat(&s, " ") ||
        !parse_zone(s, &offset))
        return false;
    if (day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t seconds =
        days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    *out_ms = seconds * 1000;
    return true;
}

bool cookie_parse_date(struct slice text, int64_t *out_ms) {
    return parse_date_with(text, " ", out_ms) || parse_date_with(text, "-", out_ms);
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
