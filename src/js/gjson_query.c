#include <math.h>

#include "base/go_text.h"
#include "base/utf8.h"
#include "js/gjson_internal.h"

/* Backtracking goes to the last star only, so the work is bounded by text × pattern; this bounds
 * that. */
enum { MATCH_STEPS_MAX = 10 * 1000 * 1000 };

static size_t rune_bytes(struct slice s, size_t at) {
    uint32_t rune;
    return utf8_decode(slice_from(s.ptr + at, s.len - at), &rune);
}

bool gjson_wild_match(struct slice text, struct slice pattern) {
    size_t t = 0, p = 0, star = SIZE_MAX, star_text = 0;
    for (unsigned steps = 0; steps < MATCH_STEPS_MAX; steps++) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = ++p;
            star_text = t;
            continue;
        }
        if (t == text.len && p == pattern.len)
            return true;
        size_t literal = p + (p + 1 < pattern.len && pattern.ptr[p] == '\\');
        if (t < text.len && p < pattern.len && pattern.ptr[p] == '?') {
            t += rune_bytes(text, t);
            p++;
        } else if (t < text.len && literal < pattern.len && pattern.ptr[literal] == text.ptr[t]) {
            t++;
            p = literal + 1;
        } else if (star != SIZE_MAX && star_text < text.len) {
            star_text += rune_bytes(text, star_text);
            t = star_text;
            p = star;
        } else {
            return false;
        }
    }
    return false;
}

static int compare(struct slice a, struct slice b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool ordered(struct slice op, int order) {
    if (slice_eq(op, SLICE("=")))
        return order == 0;
    if (slice_eq(op, SLICE("!=")))
        return order != 0;
    if (slice_eq(op, SLICE("<")))
        return order < 0;
    if (slice_eq(op, SLICE("<=")))
        return order <= 0;
    if (slice_eq(op, SLICE(">")))
        return order > 0;
    return slice_eq(op, SLICE(">=")) && order >= 0;
}

static bool string_matches(struct gjson *g, struct slice op, struct slice value, struct slice raw) {
    struct slice text = gjson_string(g, raw);
    bool is_pattern = op.len && op.ptr[op.len - 1] == '%';
    if (!is_pattern)
        return ordered(op, compare(text, value));
    return gjson_wild_match(text, value) == (op.len == 1);
}

/* A number that cannot be read is 0. */
static double to_number(struct slice s) {
    double v = 0;
    if (go_parse_float(s, &v, NULL) && !isinf(v))
        v = 0;
    return v;
}

static bool bool_matches(struct slice op, struct slice value, bool is_true) {
    bool other_is_true = slice_eq(value, SLICE("true"));
    bool other_is_false = slice_eq(value, SLICE("false"));
    if (slice_eq(op, SLICE("=")))
        return is_true ? other_is_true : other_is_false;
    if (slice_eq(op, SLICE("!=")))
        return is_true ? !other_is_true : !other_is_false;
    if (slice_eq(op, SLICE(">=")) || slice_eq(op, SLICE(">")))
        return is_true && (op.len == 2 || other_is_false);
    return !is_true && (slice_eq(op, SLICE("<=")) || (slice_eq(op, SLICE("<")) && other_is_true));
}

static bool is_falseish(struct gjson *g, struct gjson_value v) {
    struct slice text;
    switch (v.type) {
    case GJSON_NONE:
    case GJSON_NULL:
    case GJSON_FALSE:
        return true;
    case GJSON_NUMBER:
        return !gjson_is_true(g, v);
    case GJSON_STRING:
        text = gjson_string(g, v.raw);
        return slice_eq(text, SLICE("0")) || slice_ieq(text, SLICE("f")) ||
               slice_ieq(text, SLICE("false"));
    default:
        return false;
    }
}

/* "~true", "~false", "~null" and "~*": is the value of that kind, whatever its type. */
static bool kind_matches(struct gjson *g, const struct gjson_query *q, struct gjson_value v) {
    struct slice kind = slice_from(q->value.ptr + 1, q->value.len - 1);
    bool is;
    if (slice_eq(kind, SLICE("*")))
        is = v.type != GJSON_NONE;
    else if (slice_eq(kind, SLICE("null")))
        is = v.type == GJSON_NONE || v.type == GJSON_NULL;
    else if (slice_eq(kind, SLICE("true")))
        is = gjson_is_true(g, v);
    else if (slice_eq(kind, SLICE("false")))
        is = is_falseish(g, v);
    else
        return false;
    return !q->op.len || bool_matches(q->op, SLICE("true"), is);
}

bool gjson_query_matches(struct gjson *g, const struct gjson_query *q, struct gjson_value v) {
    if (q->value.len && q->value.ptr[0] == '~')
        return kind_matches(g, q, v);
    if (v.type == GJSON_NONE)
        return false;
    if (!q->op.len)
        return true;
    double a, b;
    switch (v.type) {
    case GJSON_STRING:
        return string_matches(g, q->op, q->value, v.raw);
    case GJSON_NUMBER:
        a = to_number(v.raw);
        b = to_number(q->value);
        return ordered(q->op, (a > b) - (a < b));
    case GJSON_TRUE:
    case GJSON_FALSE:
        return bool_matches(q->op, q->value, v.type == GJSON_TRUE);
    default:
        return false;
    }
}
