#include "js/go_print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/go_text.h"
#include "js/go_types.h"
#include "js/js_util.h"

#define DEPTH_MAX 64

/* The shortest digits that read back as d. */
static int shortest(double d, char out[32]) {
    int digits = 1;
    for (; digits < 17; digits++) {
        snprintf(out, 32, "%.*e", digits - 1, d);
        if (strtod(out, NULL) == d)
            break;
    }
    if (digits == 17)
        snprintf(out, 32, "%.16e", d);
    return digits;
}

/* strconv's 'g' of the shortest form. */
static void print_float(struct buf *out, double d) {
    char text[32];
    if (isnan(d)) {
        buf_append_str(out, "NaN");
        return;
    }
    if (isinf(d)) {
        buf_append_str(out, d > 0 ? "+Inf" : "-Inf");
        return;
    }
    int digits = shortest(d, text);
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10); /* printf wrote it */
    if (exponent < -4 || exponent >= 6)
        buf_append_str(out, text);
    else
        buf_printf(out, "%.*f", digits > exponent + 1 ? digits - exponent - 1 : 0, d);
}

static int print_date(struct buf *out, JSContext *ctx, JSValueConst v) {
    double ms;
    char text[64];
    struct tm tm;
    if (JS_ToFloat64(ctx, &ms, v))
        return KE_JS;
    if (isnan(ms))
        ms = 0;
    time_t seconds = (time_t)floor(ms / 1000);
    int fraction = (int)(ms - (double)seconds * 1000);
    localtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    buf_append_str(out, text);
    if (fraction) {
        snprintf(text, sizeof text, ".%03d", fraction);
        size_t len = strlen(text);
        while (text[len - 1] == '0')
            len--;
        buf_append(out, text, len);
    }
    strftime(text, sizeof text, " %z %Z", &tm);
    buf_append_str(out, text);
    return 0;
}

/* What differs between %v and %#v. */
struct style {
    bool is_syntax;
    const char *array_begin, *array_end, *map_begin, *map_end, *between;
};

static const struct style plain = {false, "[", "]", "map[", "]", " "};
static const struct style syntax = {true, "[]interface {}{", "}", "map[string]interface {}{", "}",
                                    ", "};

static int print(struct buf *out, JSContext *ctx, JSValueConst v, const struct style *s, int depth);

static int print_array(struct buf *out, JSContext *ctx, JSValueConst v, const struct style *s,
                       int depth) {
    int64_t n = 0;
    JSValue len = JS_GetPropertyStr(ctx, v, "length");
    JS_ToInt64(ctx, &n, len);
    JS_FreeValue(ctx, len);
    buf_append_str(out, s->array_begin);
    for (int64_t i = 0; i < n; i++) {
        JSValue item = JS_GetPropertyUint32(ctx, v, (uint32_t)i);
        if (i)
            buf_append_str(out, s->between);
        int rc = JS_IsException(item) ? KE_JS : print(out, ctx, item, s, depth);
        JS_FreeValue(ctx, item);
        if (rc)
            return rc;
    }
    buf_append_str(out, s->array_end);
    return 0;
}

struct entry {
    const char *name;
    JSAtom atom;
};

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int print_map(struct buf *out, JSContext *ctx, JSValueConst v, const struct style *s,
                     int depth) {
    JSPropertyEnum *props;
    uint32_t n;
    int rc = 0;
    if (JS_GetOwnPropertyNames(ctx, &props, &n, v, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return KE_JS;
    struct entry *entries = xcalloc(n + 1, sizeof *entries);
    for (uint32_t i = 0; i < n; i++)
        entries[i] = (struct entry){JS_AtomToCString(ctx, props[i].atom), props[i].atom};
    qsort(entries, n, sizeof *entries, by_name);
    buf_append_str(out, s->map_begin);
    for (uint32_t i = 0; i < n && !rc; i++) {
        JSValue item = JS_GetProperty(ctx, v, entries[i].atom);
        if (i)
            buf_append_str(out, s->between);
        if (s->is_syntax)
            go_quote(out, slice_cstr(entries[i].name));
        else
            buf_append_str(out, entries[i].name);
        buf_append_char(out, ':');
        rc = JS_IsException(item) ? KE_JS : print(out, ctx, item, s, depth);
        JS_FreeValue(ctx, item);
    }
    buf_append_str(out, s->map_end);
    for (uint32_t i = 0; i < n; i++)
        JS_FreeCString(ctx, entries[i].name);
    free(entries);
    js_free_names(ctx, props, n);
    return rc;
}

static int print(struct buf *out, JSContext *ctx, JSValueConst v, const struct style *s,
                 int depth) {
    struct js_text text;
    double d;
    if (depth > DEPTH_MAX) {
        JS_ThrowRangeError(ctx, "an object in the body of a request is nested too deeply");
        return KE_JS;
    }
    const char *type = go_type_name(ctx, v);
    if (strcmp(type, "float64") == 0) {
        if (JS_ToFloat64(ctx, &d, v))
            return KE_JS;
        print_float(out, d);
        return 0;
    }
    if (strcmp(type, "<nil>") == 0) {
        buf_append_str(out, s->is_syntax && depth ? "interface {}(nil)" : type);
        return 0;
    }
    if (JS_IsDateObject(v))
        return print_date(out, ctx, v);
    if (strncmp(type, "[]", 2) == 0)
        return print_array(out, ctx, v, s, depth + 1);
    if (strcmp(type, "map[string]interface {}") == 0)
        return print_map(out, ctx, v, s, depth + 1);
    if (JS_IsObject(v)) /* functions, buffers: addresses in Go */
        return 0;
    if (!js_text_get_go(ctx, v, &text))
        return KE_JS;
    if (s->is_syntax && !JS_IsNumber(v) && !JS_IsBool(v))
        go_quote(out, text.s);
    else
        buf_append_slice(out, text.s);
    js_text_release(&text);
    return 0;
}

int go_print(struct buf *out, JSContext *ctx, JSValueConst v) {
    return print(out, ctx, v, &plain, 0);
}

int go_print_syntax(struct buf *out, JSContext *ctx, JSValueConst v) {
    return print(out, ctx, v, &syntax, 0);
}
