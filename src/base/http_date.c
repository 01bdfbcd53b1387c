#include "base/http_date.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/go_text.h"

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
    if (!r->is_bad && peek(r) == c && r->s.len)
        advance(r, 1);
    else
        r->is_bad = true;
}

/* One blank or more, as Go reads the blank of a layout. */
static void blanks(struct reader *r) {
    if (r->s.len == 0) /* Go complains about what should follow */
        return;
    expect(r, ' ');
    while (!r->is_bad && peek(r) == ' ')
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

/* Where reading stopped: at what, and either what the layout has there or what is wrong. */
struct stop {
    struct slice at;
    const char *wanted, *range;
};

/* Reads one element of the layout; the first that cannot be read is kept. */
#define ELEMENT(words, call)                                   \
    do {                                                       \
        struct slice before = r.s;                             \
        call;                                                  \
        if (r.is_bad && !stop->wanted)                         \
            *stop = (struct stop){before, words, stop->range}; \
    } while (0)

/* A literal of the layout: what it did not match is what is left. */
#define LITERAL(words, call)                                \
    do {                                                    \
        call;                                               \
        if (r.is_bad && !stop->wanted)                      \
            *stop = (struct stop){r.s, words, stop->range}; \
    } while (0)

static void limit(const struct reader *r, int value, int max, const char *what, struct stop *stop) {
    if (value > max && !r->is_bad && !stop->range)
        stop->range = what;
}

static int parse(struct slice text, bool is_dashed, int64_t *out_unix_ms, struct stop *stop) {
    struct reader r = {text, false};
    int day, month, year, hour, minute, second;
    int64_t ms, east_s;
    *stop = (struct stop){{0}, NULL, NULL};
    ELEMENT("Mon", name(&r, days));
    LITERAL(", ", (expect(&r, ','), blanks(&r)));
    ELEMENT("02", day = number(&r, 2, 2));
    LITERAL(" ", is_dashed ? expect(&r, '-') : blanks(&r));
    ELEMENT("Jan", month = name(&r, months));
    LITERAL(" ", is_dashed ? expect(&r, '-') : blanks(&r));
    ELEMENT("2006", year = number(&r, 4, 4));
    LITERAL(" ", blanks(&r));
    ELEMENT("15", hour = number(&r, 1, 2));
    limit(&r, hour, 23, "hour", stop);
    LITERAL(":", expect(&r, ':'));
    ELEMENT("04", minute = number(&r, 2, 2));
    limit(&r, minute, 59, "minute", stop);
    LITERAL(":", expect(&r, ':'));
    ELEMENT("05", second = number(&r, 2, 2));
    limit(&r, second, 59, "second", stop);
    ms = fraction_ms(&r);
    LITERAL(" ", blanks(&r));
    ELEMENT("MST", east_s = zone(&r));
    if (!r.is_bad && r.s.len)
        *stop = (struct stop){r.s, NULL, stop->range};
    else if (!r.is_bad && (day < 1 || day > days_in(month, year)) && !stop->range)
        stop->range = "day";
    if (r.is_bad || r.s.len || stop->range)
        return KE_INVALID;
    int64_t seconds = unix_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *out_unix_ms = (seconds - east_s) * 1000 + ms;
    return 0;
}

int http_date_parse(struct slice text, int64_t *out_unix_ms) {
    struct stop stop;
    return parse(text, false, out_unix_ms, &stop) == 0 || parse(text, true, out_unix_ms, &stop) == 0
               ? 0
               : KE_INVALID;
}

int http_date_parse_rfc1123(struct slice text, int64_t *out_unix_ms, struct error *err) {
    struct stop stop;
    struct buf words;
    if (parse(text, false, out_unix_ms, &stop) == 0)
        return 0;
    buf_init(&words, BUF_NO_CAP);
    buf_append_str(&words, "parsing time ");
    go_quote(&words, text);
    if (stop.range) {
        buf_printf(&words, ": %s out of range", stop.range);
    } else if (!stop.wanted) {
        buf_append_str(&words, ": extra text: ");
        go_quote(&words, stop.at);
    } else {
        buf_append_str(&words, " as \"Mon, 02 Jan 2006 15:04:05 MST\": cannot parse ");
        go_quote(&words, stop.at);
        buf_printf(&words, " as \"%s\"", stop.wanted);
    }
    int rc = error_set(err, KE_INVALID, "%s", buf_cstr(&words));
    buf_release(&words);
    return rc;
}
