#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/go_text.h"
#include "base/json_write.h"
#include "js/go_args.h"
#include "js/go_types.h"
#include "js/mod/redis.h"

/* ---------------------------------------------------------------- arguments */

struct js_redis_held {
    struct js_redis_held *next;
    struct js_text text; /* ctx NULL: own is it */
    char own[];
};

void js_redis_args_init(struct js_redis_args *a, JSContext *ctx, struct slice name) {
    a->ctx = ctx;
    a->slices = a->inline_slices;
    a->alloc = REDIS_ARGS_INLINE;
    a->slices[0] = name;
    a->n = 1;
    a->held = NULL;
}

void js_redis_args_release(struct js_redis_args *a) {
    while (a->held) {
        struct js_redis_held *next = a->held->next;
        if (a->held->text.ctx)
            js_text_release(&a->held->text);
        free(a->held);
        a->held = next;
    }
    if (a->slices != a->inline_slices)
        free(a->slices);
}

static void push(struct js_redis_args *a, struct slice s) {
    if (a->n == a->alloc) {
        struct slice *more = xmalloc(a->alloc * 2 * sizeof *more);
        memcpy(more, a->slices, a->n * sizeof *more);
        if (a->slices != a->inline_slices)
            free(a->slices);
        a->slices = more;
        a->alloc *= 2;
    }
    a->slices[a->n++] = s;
}

static struct js_redis_held *hold(struct js_redis_args *a, size_t bytes) {
    struct js_redis_held *h = xmalloc(sizeof *h + bytes);
    h->text.ctx = NULL;
    h->next = a->held;
    a->held = h;
    return h;
}

static void push_own(struct js_redis_args *a, const char *text) {
    size_t len = strlen(text);
    struct js_redis_held *h = hold(a, len + 1);
    memcpy(h->own, text, len + 1);
    push(a, slice_from(h->own, len));
}

void js_redis_arg_word(struct js_redis_args *a, const char *word) {
    push(a, slice_cstr(word));
}

void js_redis_arg_int(struct js_redis_args *a, int64_t v) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, v);
    push_own(a, text);
}

static bool push_text(struct js_redis_args *a, JSValueConst v) {
    struct js_text text;
    if (!js_text_get(a->ctx, v, &text))
        return false;
    hold(a, 0)->text = text;
    push(a, text.s);
    return true;
}

bool js_redis_arg_string(struct js_redis_args *a, JSValueConst v) {
    if (JS_IsUndefined(v) || JS_IsNull(v)) {
        push(a, SLICE(""));
        return true;
    }
    return push_text(a, v);
}

/* strconv's 'f': never an exponent. */
#define DOUBLE_BYTES 400
static void format_double(double v, char *out) {
    char text[32];
    if (!isfinite(v)) {
        snprintf(out, DOUBLE_BYTES, "%s", isnan(v) ? "NaN" : v < 0 ? "-Inf" : "+Inf");
        return;
    }
    double_format_json(v, text);
    char *e = strchr(text, 'e');
    if (!e) {
        snprintf(out, DOUBLE_BYTES, "%s", text);
        return;
    }
    char digits[32];
    int exponent = (int)strtol(e + 1, NULL, 10), n = 0;
    for (const char *p = text; p < e; p++) {
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    }
    char *at = out;
    if (v < 0)
        *at++ = '-';
    if (exponent < 0) {
        *at++ = '0';
        *at++ = '.';
        for (int i = 1; i < -exponent; i++)
            *at++ = '0';
    }
    memcpy(at, digits, (size_t)n);
    at += n;
    for (int i = n - 1; i < exponent; i++)
        *at++ = '0';
    *at = '\0';
}

int js_redis_arg_value(struct js_redis_args *a, JSValueConst v) {
    if (JS_IsString(v))
        return push_text(a, v) ? 1 : -1;
    if (JS_IsBool(v)) {
        js_redis_arg_word(a, JS_VALUE_GET_BOOL(v) ? "1" : "0");
        return 1;
    }
    if (JS_IsNumber(v)) {
        char text[DOUBLE_BYTES];
        double d = 0;
        JS_ToFloat64(a->ctx, &d, v);
        if (d == 0)
            d = 0; /* as exported from JavaScript, zero has no sign */
        format_double(d, text);
        push_own(a, text);
        return 1;
    }
    return 0;
}

/* ---------------------------------------------------------------- replies */

/* The words are buf's. */
static bool fail(JSContext *ctx, struct buf *words, JSValue *out) {
    *out = go_error_object(ctx, buf_cstr(words));
    buf_release(words);
    return false;
}

/* With the first line, as go-redis quotes it. */
static bool cannot_parse(JSContext *ctx, struct slice reply, const char *what, JSValue *out) {
    const char *end = memchr(reply.ptr, '\r', reply.len);
    size_t n = end ? (size_t)(end - reply.ptr) : reply.len;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_printf(&b, "redis: can't parse %s: ", what);
    go_quote(&b, slice_from(reply.ptr, n < 100 ? n : 100));
    return fail(ctx, &b, out);
}

static JSValue big_integer(JSContext *ctx, struct slice text) {
    JSValue global = JS_GetGlobalObject(ctx), fn = JS_GetPropertyStr(ctx, global, "BigInt");
    JSValue digits = JS_NewStringLen(ctx, text.ptr, text.len);
    JSValue v = JS_Call(ctx, fn, JS_UNDEFINED, 1, (JSValueConst *)&digits);
    JS_FreeValue(ctx, digits);
    JS_FreeValue(ctx, fn);
    JS_FreeValue(ctx, global);
    return v;
}

static JSValue any(JSContext *ctx, struct slice *rest, struct resp_item *item);

/* The next item whatever it is. */
static JSValue next_any(JSContext *ctx, struct slice *rest) {
    struct resp_item item;
    return resp_next(rest, &item) ? any(ctx, rest, &item) : JS_NULL;
}

static JSValue list(JSContext *ctx, struct slice *rest, int64_t n) {
    JSValue a = JS_NewArray(ctx);
    for (int64_t i = 0; i < n; i++)
        JS_DefinePropertyValueUint32(ctx, a, (uint32_t)i, next_any(ctx, rest), JS_PROP_C_W_E);
    return a;
}

static void set_pair(JSContext *ctx, JSValueConst o, JSValueConst name, JSValue value) {
    JSAtom atom = JS_ValueToAtom(ctx, name);
    if (atom == JS_ATOM_NULL) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        JS_FreeValue(ctx, value);
        return;
    }
    JS_DefinePropertyValue(ctx, o, atom, value, JS_PROP_C_W_E);
    JS_FreeAtom(ctx, atom);
}

static JSValue pairs(JSContext *ctx, struct slice *rest, int64_t n) {
    JSValue o = JS_NewObject(ctx);
    for (int64_t i = 0; i < n; i++) {
        JSValue name = next_any(ctx, rest);
        set_pair(ctx, o, name, next_any(ctx, rest));
        JS_FreeValue(ctx, name);
    }
    return o;
}

static JSValue any(JSContext *ctx, struct slice *rest, struct resp_item *item) {
    switch (item->type) {
    case RESP_STATUS:
    case RESP_STRING:
        return go_string_new(ctx, item->text);
    case RESP_ERROR: {
        char *words = slice_dup(item->text);
        JSValue v = go_error_object(ctx, words);
        free(words);
        return v;
    }
    case RESP_INTEGER:
        return JS_NewInt64(ctx, item->integer);
    case RESP_BOOL:
        return JS_NewBool(ctx, item->integer);
    case RESP_DOUBLE:
        return JS_NewFloat64(ctx, item->number);
    case RESP_BIG_INTEGER:
        return big_integer(ctx, item->text);
    case RESP_ARRAY:
    case RESP_PUSH:
        return list(ctx, rest, item->integer);
    case RESP_MAP:
        return pairs(ctx, rest, item->integer);
    default:
        return JS_NULL;
    }
}

static bool has_text(const struct resp_item *item) {
    return item->type == RESP_STATUS || item->type == RESP_STRING;
}

/* What go-redis reads as a string: numbers and booleans, too, by their text on the wire. */
static bool string(JSContext *ctx, struct slice reply, const struct resp_item *head, JSValue *out) {
    if (has_text(head) || head->type == RESP_BIG_INTEGER) {
        *out = go_string_new(ctx, head->text);
    } else if (head->type == RESP_INTEGER || head->type == RESP_DOUBLE || head->type == RESP_BOOL) {
        const char *end = memchr(reply.ptr, '\r', reply.len);
        *out = JS_NewStringLen(ctx, reply.ptr + 1, (size_t)(end - reply.ptr) - 1);
    } else {
        return cannot_parse(ctx, reply, "reply as a string", out);
    }
    return true;
}

static bool to_int(const struct resp_item *head, int64_t *out) {
    uint64_t v;
    bool is_negative = head->text.len && head->text.ptr[0] == '-';
    if (head->type == RESP_INTEGER) {
        *out = head->integer;
        return true;
    }
    struct slice digits = slice_from(head->text.ptr + is_negative, head->text.len - is_negative);
    if (!slice_to_u64(digits, &v) || v > INT64_MAX)
        return false;
    *out = is_negative ? -(int64_t)v : (int64_t)v;
    return true;
}

static bool integer(JSContext *ctx, struct slice reply, const struct resp_item *head,
                    bool is_seconds, JSValue *out) {
    int64_t v;
    if (head->type != RESP_INTEGER && !has_text(head))
        return cannot_parse(ctx, reply, "int reply", out);
    if (!to_int(head, &v)) {
        struct buf b;
        buf_init(&b, BUF_NO_CAP);
        buf_append_str(&b, "strconv.ParseInt: parsing ");
        go_quote(&b, head->text);
        buf_append_str(&b, ": invalid syntax");
        return fail(ctx, &b, out);
    }
    /* -1 and -2 (no time to live, no key) are as many nanoseconds in k6. */
    *out = is_seconds && (v == -1 || v == -2) ? JS_NewFloat64(ctx, (double)v / 1e9)
                                              : JS_NewInt64(ctx, v);
    return true;
}

static bool is_true(const struct resp_item *head) {
    if (head->type == RESP_INTEGER || head->type == RESP_BOOL)
        return head->integer == 1;
    return has_text(head) &&
           (slice_eq(head->text, SLICE("OK")) || slice_eq(head->text, SLICE("1")));
}

static bool is_list(const struct resp_item *head) {
    return head->type == RESP_ARRAY || head->type == RESP_PUSH;
}

bool js_redis_value(JSContext *ctx, struct slice reply, enum js_redis_reply kind, JSValue *out) {
    struct slice rest = reply;
    struct resp_item head;
    if (!resp_next(&rest, &head))
        head.type = RESP_NULL;
    if (head.type == RESP_NULL && kind != REPLY_BOOL) {
        *out = go_error_object(ctx, "redis: nil");
        return false;
    }
    if (head.type == RESP_ERROR) {
        *out = any(ctx, &rest, &head);
        return false;
    }
    switch (kind) {
    case REPLY_STRING:
        return string(ctx, reply, &head, out);
    case REPLY_INT:
    case REPLY_SECONDS:
        return integer(ctx, reply, &head, kind == REPLY_SECONDS, out);
    case REPLY_BOOL:
        *out = JS_NewBool(ctx, is_true(&head));
        return true;
    case REPLY_STRINGS:
        if (!is_list(&head))
            return cannot_parse(ctx, reply, "array/set/push reply", out);
        break;
    case REPLY_MAP:
        if (head.type != RESP_MAP && (!is_list(&head) || head.integer % 2))
            return cannot_parse(ctx, reply, "map reply", out);
        *out = pairs(ctx, &rest, head.type == RESP_MAP ? head.integer : head.integer / 2);
        return true;
    case REPLY_ANY:
        break;
    }
    *out = any(ctx, &rest, &head);
    return true;
}
