#include "proto/known.h"

#include <stdio.h>

/* ---------------------------------------------------------------- Timestamp */

/* Days since 1970-01-01 of the proleptic Gregorian calendar (years counted from March). */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of_days(int64_t days, int64_t *year, int *month, int *day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int days_in_month(int64_t year, int64_t month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool digits(const char **at, const char *end, int count, int64_t *out) {
    *out = 0;
    for (int i = 0; i < count; i++) {
        if (*at == end || **at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (*(*at)++ - '0');
    }
    return true;
}

static bool literal(const char **at, const char *end, char c) {
    if (*at == end || **at != c)
        return false;
    (*at)++;
    return true;
}

/* Digits behind the point as nanoseconds; at most nine. */
static bool fraction(const char **at, const char *end, int32_t *out) {
    int count = 0;
    int32_t v = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++, count++) {
        if (count == 9)
            return false;
        v = v * 10 + (**at - '0');
    }
    for (int i = count; i < 9; i++)
        v *= 10;
    *out = v;
    return count > 0;
}

static bool zone(const char **at, const char *end, int64_t *out_seconds) {
    int64_t hours, minutes;
    *out_seconds = 0;
    if (literal(at, end, 'Z'))
        return true;
    bool is_west = *at < end && **at == '-';
    if (!literal(at, end, is_west ? '-' : '+') || !digits(at, end, 2, &hours) ||
        !literal(at, end, ':') || !digits(at, end, 2, &minutes) || hours > 24 || minutes > 60)
        return false;
    *out_seconds = (hours * 60 + minutes) * 60 * (is_west ? -1 : 1);
    return true;
}

bool timestamp_parse(struct slice s, int64_t *out_seconds, int32_t *out_nanos) {
    const char *at = s.ptr, *end = s.ptr + s.len;
    int64_t year, month, day, hour, minute, second, offset;
    *out_nanos = 0;
    if (!digits(&at, end, 4, &year) || !literal(&at, end, '-') || !digits(&at, end, 2, &month) ||
        !literal(&at, end, '-') || !digits(&at, end, 2, &day) || !literal(&at, end, 'T') ||
        !digits(&at, end, 2, &hour) || !literal(&at, end, ':') || !digits(&at, end, 2, &minute) ||
        !literal(&at, end, ':') || !digits(&at, end, 2, &second))
        return false;
    if (at < end && (*at == '.' || *at == ',')) {
        at++;
        if (!fraction(&at, end, out_nanos))
            return false;
    }
    if (!zone(&at, end, &offset) || at != end || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59)
        return false;
    *out_seconds =
        days_of_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    return true;
}

/* Cuts zeros in threes, and the point when nothing is left behind it. */
static size_t cut_zeros(char *text, size_t len) {
    for (int i = 0; i < 2 && memcmp(text + len - 3, "000", 3) == 0; i++)
        len -= 3;
    if (memcmp(text + len - 4, ".000", 4) == 0)
        len -= 4;
    return len;
}

size_t timestamp_format(int64_t seconds, int32_t nanos, char *out) {
    int64_t days = seconds / 86400, rest = seconds % 86400, year;
    int month, day;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    date_of_days(days, &year, &month, &day);
    int len =
        snprintf(out, KNOWN_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09d", (int)year, month, day,
                 (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60), (int)nanos);
    size_t cut = cut_zeros(out, (size_t)len);
    out[cut] = 'Z';
    return cut + 1;
}

/* ---------------------------------------------------------------- Duration */

bool duration_json_parse(struct slice s, int64_t *out_seconds, int32_t *out_nanos) {
    const char *at = s.ptr, *end = s.ptr + s.len - 1;
    int64_t seconds = 0;
    int32_t nanos = 0;
    if (s.len < 2 || *end != 's')
        return false;
    bool is_negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    if (at == end || (*at != '.' && (*at < '0' || *at > '9')))
        return false;
    if (*at == '0')
        at++;
    else
        for (; at < end && *at >= '0' && *at <= '9'; at++)
            if (__builtin_mul_overflow(seconds, 10, &seconds) ||
                __builtin_add_overflow(seconds, *at - '0', &seconds))
                return false;
    if (at < end) {
        if (*at++ != '.')
            return false;
        if (at < end && !fraction(&at, end, &nanos))
            return false;
    }
    if (at != end)
        return false;
    *out_seconds = is_negative ? -seconds : seconds;
    *out_nanos = is_negative ? -nanos : nanos;
    return true;
}

size_t duration_json_format(int64_t seconds, int32_t nanos, char *out) {
    bool is_negative = seconds < 0 || nanos < 0;
    int len = snprintf(out, KNOWN_TEXT_MAX, "%s%lld.%09d", is_negative ? "-" : "",
                       (long long)(seconds < 0 ? -seconds : seconds), nanos < 0 ? -nanos : nanos);
    size_t cut = cut_zeros(out, (size_t)len);
    out[cut] = 's';
    return cut + 1;
}

/* ---------------------------------------------------------------- FieldMask */

struct slice snake_case(struct arena *a, struct slice s) {
    char *text = arena_alloc(a, s.len * 2 + 1), *at = text;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c >= 'A' && c <= 'Z') {
            *at++ = '_';
            c = (char)(c - 'A' + 'a');
        }
        *at++ = c;
    }
    return slice_from(text, (size_t)(at - text));
}

bool is_identifier(struct slice s, bool may_have_dots) {
    bool is_start = true;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (c == '.' && may_have_dots && !is_start) {
            is_start = true;
            continue;
        }
        if (!is_letter && (is_start || c < '0' || c > '9'))
            return false;
        is_start = false;
    }
    return !is_start;
}

/* ---------------------------------------------------------------- Any */

const struct proto_type *any_type(const struct proto_pool *pool,
                                  const struct proto_json_options *options, struct slice url) {
    size_t start = url.len;
    while (start > 0 && url.ptr[start - 1] != '/')
        start--;
    struct slice name = slice_from(url.ptr + start, url.len - start);
    const struct proto_type *type = proto_pool_find_message(pool, name);
    for (size_t i = 0; type == NULL && i < options->pool_count; i++)
        type = proto_pool_find_message(options->pools[i], name);
    return type != NULL ? type : proto_builtin_message(name);
}
