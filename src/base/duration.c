#include "base/duration.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

#define NS_PER_DAY (24 * 3600 * NS_PER_S)

static const struct {
    struct slice name;
    uint64_t ns;
} units[] = {
    {{"ns", 2}, 1},
    {{"us", 2}, 1000},
    {{"\xc2\xb5s", 3}, 1000}, /* micro sign */
    {{"\xce\xbcs", 3}, 1000}, /* Greek mu */
    {{"ms", 2}, 1000000},
    {{"s", 1}, 1000000000},
    {{"m", 1}, UINT64_C(60000000000)},
    {{"h", 1}, UINT64_C(3600000000000)},
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static uint64_t unit_ns(struct slice name) {
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (slice_eq(units[i].name, name))
            return units[i].ns;
    return 0;
}

/* One "12.5ms" at *s; the fraction is cut, not rounded, below a nanosecond, as Go does. */
static int parse_part(struct slice *s, uint64_t *out_ns) {
    uint64_t whole = 0, fraction = 0;
    double scale = 1;
    size_t i = 0, digits = 0;
    for (; i < s->len && is_digit(s->ptr[i]); i++, digits++)
        if (__builtin_mul_overflow(whole, (uint64_t)10, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(s->ptr[i] - '0'), &whole))
            return KE_INVALID;
    if (i < s->len && s->ptr[i] == '.') {
        for (i++; i < s->len && is_digit(s->ptr[i]); i++, digits++)
            if (scale < 1e18) {
                fraction = fraction * 10 + (uint64_t)(s->ptr[i] - '0');
                scale *= 10;
            }
    }
    if (digits == 0)
        return KE_INVALID;
    size_t start = i;
    while (i < s->len && s->ptr[i] != '.' && !is_digit(s->ptr[i]))
        i++;
    uint64_t unit = unit_ns(slice_from(s->ptr + start, i - start));
    if (unit == 0 || __builtin_mul_overflow(whole, unit, &whole))
        return KE_INVALID;
    if (fraction != 0)
        whole += (uint64_t)((double)fraction * ((double)unit / scale));
    *s = slice_from(s->ptr + i, s->len - i);
    *out_ns = whole;
    return 0;
}

int duration_parse_go(struct slice s, int64_t *out_ns) {
    bool is_negative = false;
    uint64_t total = 0;
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+')) {
        is_negative = s.ptr[0] == '-';
        s = slice_from(s.ptr + 1, s.len - 1);
    }
    if (slice_eq(s, SLICE("0"))) {
        *out_ns = 0;
        return 0;
    }
    if (s.len == 0)
        return KE_INVALID;
    while (s.len > 0) {
        uint64_t part;
        int rc = parse_part(&s, &part);
        if (rc != 0)
            return rc;
        if (part > INT64_MAX || total + part > INT64_MAX)
            return KE_INVALID;
        total += part;
    }
    *out_ns = is_negative ? -(int64_t)total : (int64_t)total;
    return 0;
}

static int parse_number(struct slice s, double *out) {
    char text[64];
    if (s.len == 0 || s.len >= sizeof text)
        return KE_INVALID;
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.ptr[i]) && strchr("+-.eE", s.ptr[i]) == NULL)
            return KE_INVALID;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    char *end;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out) ? 0 : KE_INVALID;
}

static int parse_days(struct slice s, int64_t *out) {
    bool is_negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t days;
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = slice_from(s.ptr + 1, s.len - 1);
    if (!slice_to_u64(s, &days) || days > INT64_MAX / NS_PER_DAY)
        return KE_INVALID;
    *out = is_negative ? -(int64_t)days : (int64_t)days;
    return 0;
}

int duration_parse(struct slice s, int64_t *out_ns) {
    double ms;
    if (parse_number(s, &ms) == 0) {
        double ns = ms * (double)NS_PER_MS;
        if (fabs(ns) >= 9.2e18)
            return KE_INVALID;
        *out_ns = (int64_t)ns;
        return 0;
    }
    const char *d = s.len ? memchr(s.ptr, 'd', s.len) : NULL;
    if (d == NULL)
        return duration_parse_go(s, out_ns);
    size_t before = (size_t)(d - s.ptr);
    struct slice rest = slice_from(d + 1, s.len - before - 1);
    int64_t days, hours = 0;
    int rc = rest.len ? duration_parse_go(rest, &hours) : 0;
    if (rc == 0)
        rc = hours < 0 ? KE_INVALID : parse_days(slice_from(s.ptr, before), &days);
    if (rc != 0)
        return rc;
    if (days < 0)
        hours = -hours;
    return __builtin_add_overflow(days * NS_PER_DAY, hours, out_ns) ? KE_INVALID : 0;
}

/* value / 10^digits without trailing zeros. */
static int put_fraction(char *out, size_t room, uint64_t value, unsigned digits) {
    uint64_t scale = 1;
    for (unsigned i = 0; i < digits; i++)
        scale *= 10;
    int len = snprintf(out, room, "%llu", (unsigned long long)(value / scale));
    uint64_t fraction = value % scale;
    if (fraction == 0)
        return len;
    len += snprintf(out + len, room - (size_t)len, ".%0*llu", (int)digits,
                    (unsigned long long)fraction);
    while (out[len - 1] == '0')
        out[--len] = '\0';
    return len;
}

char *duration_format(int64_t ns, char *out) {
    char *at = out, *end = out + DURATION_TEXT_MAX;
    uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    if (ns < 0)
        *at++ = '-';
    if (u < (uint64_t)NS_PER_S) {
        const char *unit = "s";
        unsigned digits = 0;
        if (u >= (uint64_t)NS_PER_MS)
            unit = "ms", digits = 6;
        else if (u >= (uint64_t)NS_PER_US)
            unit = "\xc2\xb5s", digits = 3;
        else if (u > 0)
            unit = "ns";
        at += put_fraction(at, (size_t)(end - at), u, digits);
        snprintf(at, (size_t)(end - at), "%s", unit);
        return out;
    }
    uint64_t minutes = u / (60 * (uint64_t)NS_PER_S);
    if (minutes >= 60)
        at += snprintf(at, (size_t)(end - at), "%lluh", (unsigned long long)(minutes / 60));
    if (minutes > 0)
        at += snprintf(at, (size_t)(end - at), "%llum", (unsigned long long)(minutes % 60));
    at += put_fraction(at, (size_t)(end - at), u % (60 * (uint64_t)NS_PER_S), 9);
    snprintf(at, (size_t)(end - at), "s");
    return out;
}

char *duration_format_fixed(int64_t ns, int64_t max_ns, char *out) {
    uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    uint64_t max = max_ns < 0 ? -(uint64_t)max_ns : (uint64_t)max_ns;
    if (max < u)
        max = u;
    const uint64_t tenth_ns = 100000000, second = 10, minute = 600, hour = 36000, day = 864000;
    uint64_t t = (u + tenth_ns / 2) / tenth_ns;
    max = (max + tenth_ns / 2) / tenth_ns;
    unsigned tenths = (unsigned)(t % 10), seconds = (unsigned)(t % minute / second),
             minutes = (unsigned)(t % hour / minute), hours = (unsigned)(t % day / hour);
    if (max < 10 * second)
        snprintf(out, DURATION_TEXT_MAX, "%u.%us", seconds % 10, tenths);
    else if (max < minute)
        snprintf(out, DURATION_TEXT_MAX, "%02u.%us", seconds, tenths);
    else if (max < 10 * minute)
        snprintf(out, DURATION_TEXT_MAX, "%um%02u.%us", minutes % 10, seconds, tenths);
    else if (max < hour)
        snprintf(out, DURATION_TEXT_MAX, "%02um%02u.%us", minutes, seconds, tenths);
    else if (max < day)
        snprintf(out, DURATION_TEXT_MAX, "%0*uh%02um%02u.%us", max < 10 * hour ? 1 : 2, hours,
                 minutes, seconds, tenths);
    else
        snprintf(out, DURATION_TEXT_MAX, "%0*llud%02uh%02um%02u.%us",
                 snprintf(NULL, 0, "%llu", (unsigned long long)(max / day)),
                 (unsigned long long)(t / day), hours, minutes, seconds, tenths);
    return out;
}
