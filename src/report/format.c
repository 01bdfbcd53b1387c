#include "report/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/json_write.h"

#define FIXED_MAX 400 /* the longest double in %f form */

static const char *js_number(struct arena *a, double v) {
    char text[32];
    return arena_printf(a, "%s", double_format_js(v, text));
}

const char *format_to_fixed(struct arena *a, double v, int digits) {
    if (!isfinite(v) || fabs(v) >= 1e21)
        return js_number(a, v);
    /* An exact tie needs a multiple of 2^-(digits + 1); nudged, printf's round-half-even goes up.
     */
    double scaled = ldexp(v, digits + 1);
    if (scaled == floor(scaled)) {
        char text[FIXED_MAX];
        int len = snprintf(text, sizeof text, "%.*f", digits + 1, v);
        if (text[len - 1] == '5')
            v = nextafter(v, v < 0 ? -INFINITY : INFINITY);
    }
    return arena_printf(a, "%.*f", digits, v == 0 ? 0.0 : v);
}

const char *format_number(struct arena *a, double v, int digits) {
    return js_number(a, strtod(format_to_fixed(a, v, digits), NULL));
}

static const char *format_cut(struct arena *a, double v, int digits) {
    double scale = pow(10, digits);
    return format_number(a, trunc(scale * v) / scale, digits);
}

const char *format_percent(struct arena *a, double rate) {
    return arena_printf(a, "%s%%", format_to_fixed(a, trunc(rate * 100 * 100) / 100, 2));
}

const char *format_bytes(struct arena *a, double bytes) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
    if (!(bytes >= 10))
        return arena_printf(a, "%s B", js_number(a, bytes));
    double exponent = floor(log(bytes) / log(1000));
    if (exponent > (double)(countof(units) - 1))
        exponent = countof(units) - 1;
    double value = floor(bytes / pow(1000, exponent) * 10 + 0.5) / 10;
    return arena_printf(a, "%s %s", format_to_fixed(a, value, value < 10 ? 1 : 0),
                        units[(size_t)exponent]);
}

static const char *format_long_duration(struct arena *a, double ms) {
    const char *seconds = format_cut(a, fmod(ms, 60000) / 1000, ms > 60000 ? 0 : 2);
    double minutes = trunc(ms / 60000);
    if (!(minutes >= 1))
        return arena_printf(a, "%ss", seconds);
    double hours = trunc(minutes / 60);
    if (hours < 1)
        return arena_printf(a, "%.0fm%ss", fmod(minutes, 60), seconds);
    return arena_printf(a, "%sh%.0fm%ss", js_number(a, hours), fmod(minutes, 60), seconds);
}

const char *format_duration_ms(struct arena *a, double ms, const char *unit) {
    struct slice u = unit ? slice_cstr(unit) : SLICE("");
    if (slice_eq(u, SLICE("s")))
        return arena_printf(a, "%ss", format_to_fixed(a, ms * 0.001, 2));
    if (slice_eq(u, SLICE("ms")))
        return arena_printf(a, "%sms", format_to_fixed(a, ms, 2));
    if (slice_eq(u, SLICE("us")))
        return arena_printf(a, "%s\xc2\xb5s", format_to_fixed(a, ms * 1000, 2));
    if (ms == 0)
        return "0s";
    if (ms < 0.001)
        return arena_printf(a, "%sns", js_number(a, trunc(ms * 1000000)));
    if (ms < 1)
        return arena_printf(a, "%s\xc2\xb5s", format_cut(a, ms * 1000, 2));
    if (ms < 1000)
        return arena_printf(a, "%sms", format_cut(a, ms, 2));
    return format_long_duration(a, ms);
}

const char *format_value(struct arena *a, double v, enum metric_type type,
                         enum metric_contains contains, const char *unit) {
    if (type == METRIC_RATE)
        return format_percent(a, v);
    switch (contains) {
    case METRIC_DATA:
        return format_bytes(a, v);
    case METRIC_TIME:
        return format_duration_ms(a, v, unit);
    default:
        return format_number(a, v, 6);
    }
}
