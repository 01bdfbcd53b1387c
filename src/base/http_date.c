#include "base/http_date.h"

#include <stdbool.h>

#include "base/error.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "SunMonTueWedThuFriSat";

struct reader {
    struct slice s;
    bool is_bad;
};

static char peek(const struct reader *r) {
    return r->s.len ? r->s.ptr[0] : '\0';
}

static void advance(struct reader *r, size_t n) {
    r->s.ptr += n;
    r->s.len -= n;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static void expect(struct reader *r, char c) {
    if (peek(r) == c && r->s.len)
        advance(r, 1);
    else
        r->is_bad = true;
}

/* One blank or more, as Go reads the blank of a layout. */
static void blanks(struct reader *r) {
    expect(r, ' ');
    while (peek(r) == ' ')
        advance(r, 1);
}

static int number(struct reader *r, int digits_min, int digits_max) {
    int v = 0, n = 0;
    while (n < digits_max && is_digit(peek(r))) {
        v = v * 10 + (peek(r) - '0');
        advance(r, 1);
        n++;
    }
    r->is_bad = r->is_bad || n < digits_min;
    return v;
}

/* 0-based index into a list of three-letter names, case ignored. */
static int name(struct reader *r, const char *names) {
    for (int i = 0; r->s.len >= 3 && names[i * 3]; i++)
        if (slice_ieq(slice_from(r->s.ptr, 3), slice_from(names + i * 3, 3))) {
            advance(r, 3);
            return i;
        }
    r->is_bad = true;
    return 0;
}

/* Go accepts a fraction after the seconds of any layout. */
static int64_t fraction_ms(struct reader *r) {
    int64_t ms = 0, unit = 100;
    if ((peek(r) != '.' && peek(r) != ',') || r->s.len < 2 || !is_digit(r->s.ptr[1]))
        return 0;
    for (advance(r, 1); is_digit(peek(r)); advance(r, 1), unit /= 10)
        ms += (peek(r) - '0') * unit;
    return ms;
}

/* An abbreviation of three to five capital letters; hours after GMT count. Returns seconds east. */
static int64_t zone(struct reader *r) {
    size_t n = 0;
    while (n < r->s.len && n < 6 && r->s.ptr[n] >= 'A' && r->s.ptr[n] <= 'Z')
        n++;
    bool is_gmt = n == 3 && memcmp(r->s.ptr, "GMT", 3) == 0;
    if (n < 3 || n > 5 || (n > 3 && r->s.ptr[n - 1] != 'T'))
        r->is_bad = true;
    advance(r, n);
    if (!is_gmt || (peek(r) != '+' && peek(r) != '-'))
        return 0;
    int64_t sign = peek(r) == '-' ? -1 : 1;
    advance(r, 1);
    int hours = number(r, 1, 2);
    r->is_bad = r->is_bad || hours > 23;
    return sign * hours * 3600;
}

static bool is_leap(int year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int month, int year) {
    static const char count[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return count[month] + (month == 1 && is_leap(year));
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar. */
static int64_t unix_days(int year, int month, int day) {
    int64_t before = year - 1;
    int64_t count = year > 0 ? before * 365 + before / 4 - before / 100 + before / 400 : -366;
    for (int m = 0; m < month; m++)
        count += days_in(m, year);
    return count + day - 1 - 719162;
}

int http_date_parse(struct slice text, int64_t *out_unix_ms) {
    struct reader r = {text, false};
    name(&r, days);
    expect(&r, ',');
    blanks(&r);
    int day = number(&r, 2, 2);
    bool has_dashes = peek(&r) == '-';
    has_dashes ? expect(&r, '-') : blanks(&r);
    int month = name(&r, months);
    has_dashes ? expect(&r, '-') : blanks(&r);
    int year = number(&r, 4, 4);
    blanks(&r);
    int hour = number(&r, 1, 2);
    expect(&r, ':');
    int minute = number(&r, 2, 2);
    expect(&r, ':');
    int second = number(&r, 2, 2);
    int64_t ms = fraction_ms(&r);
    blanks(&r);
    int64_t east_s = zone(&r);
    if (r.is_bad || r.s.len || day < 1 || day > days_in(month, year) || hour > 23 || minute > 59 ||
        second > 59)
        return KE_INVALID;
    int64_t seconds = unix_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *out_unix_ms = (seconds - east_s) * 1000 + ms;
    return 0;
}
