#include "js/collate.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "js/js_util.h"

/* What a character weighs on each level; 0 does not count on that level. */
struct weights {
    uint32_t of[3];
};

struct key {
    VEC(struct weights) list;
};

enum { PLAIN = 1, UPPER, LIGATURE };

/* What is no letter, in the order of the root. Digits and letters come behind. */
static const char order[] = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

#define FIRST_DIGIT 64
#define FIRST_LETTER 80
#define FIRST_OTHER 0x1000
#define COMBINING_FIRST 0x300
#define COMBINING_LAST 0x36f

static struct weights ascii_weights(uint32_t c) {
    if (c >= '0' && c <= '9')
        return (struct weights){{FIRST_DIGIT + (c - '0'), PLAIN, PLAIN}};
    if (c >= 'a' && c <= 'z')
        return (struct weights){{FIRST_LETTER + (c - 'a'), PLAIN, PLAIN}};
    if (c >= 'A' && c <= 'Z')
        return (struct weights){{FIRST_LETTER + (c - 'A'), PLAIN, UPPER}};
    const char *at = c ? strchr(order, (int)c) : NULL;
    return at ? (struct weights){{(uint32_t)(at - order) + 1, PLAIN, PLAIN}}
              : (struct weights){{0}};
}

/* Letters that do not come apart into a base and accents. */
static const char *letters_of(uint32_t rune) {
    switch (rune) {
    case 0xc6:
        return "AE";
    case 0xe6:
        return "ae";
    case 0xd8:
        return "O";
    case 0xf8:
        return "o";
    case 0x152:
        return "OE";
    case 0x153:
        return "oe";
    case 0xdf:
        return "ss";
    case 0x110:
        return "D";
    case 0x111:
        return "d";
    case 0x141:
        return "L";
    case 0x142:
        return "l";
    default:
        return NULL;
    }
}

static bool is_greek_or_cyrillic_capital(uint32_t rune) {
    return (rune >= 0x391 && rune <= 0x3a9) || (rune >= 0x400 && rune <= 0x42f);
}

static void add(struct key *k, uint32_t rune) {
    const char *letters = letters_of(rune);
    struct weights w;
    if (rune < 0x80) {
        w = ascii_weights(rune);
    } else if (rune >= COMBINING_FIRST && rune <= COMBINING_LAST) {
        w = (struct weights){{0, PLAIN + 1 + rune - COMBINING_FIRST, PLAIN}};
    } else if (letters) {
        for (const char *c = letters; *c; c++) {
            w = ascii_weights((unsigned char)*c);
            w.of[1] = LIGATURE;
            vec_push(&k->list, w);
        }
        return;
    } else if (is_greek_or_cyrillic_capital(rune)) {
        uint32_t lower = rune + (rune >= 0x400 && rune < 0x410 ? 0x50 : 0x20);
        w = (struct weights){{FIRST_OTHER + lower, PLAIN, UPPER}};
    } else {
        w = (struct weights){{FIRST_OTHER + rune, PLAIN, PLAIN}};
    }
    vec_push(&k->list, w);
}

static void key_of(struct key *k, struct slice s) {
    while (s.len) {
        uint32_t rune;
        size_t n = utf8_decode(s, &rune);
        add(k, rune == UTF8_INVALID ? 0xfffd : rune);
        s = slice_from(s.ptr + n, s.len - n);
    }
}

static uint32_t next_weight(const struct key *k, int level, size_t *at) {
    while (*at < k->list.len) {
        uint32_t w = k->list.ptr[(*at)++].of[level];
        if (w)
            return w;
    }
    return 0;
}

static int compare(const struct key *a, const struct key *b) {
    for (int level = 0; level < 3; level++) {
        size_t i = 0, j = 0;
        uint32_t x, y;
        do {
            x = next_weight(a, level, &i);
            y = next_weight(b, level, &j);
        } while (x == y && x);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static bool is_ascii(struct slice s) {
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    return true;
}

/* The string with its accents apart. */
static bool decomposed(JSContext *ctx, JSValueConst v, struct js_text *out) {
    JSValue s = JS_ToString(ctx, v);
    if (JS_IsException(s) || !js_text_get(ctx, s, out)) {
        JS_FreeValue(ctx, s);
        return false;
    }
    bool ok = true;
    if (!is_ascii(out->s)) {
        JSAtom name = JS_NewAtom(ctx, "normalize");
        JSValue form = JS_NewString(ctx, "NFD");
        JSValue parts = JS_Invoke(ctx, s, name, 1, (JSValueConst *)&form);
        js_text_release(out);
        ok = !JS_IsException(parts) && js_text_get(ctx, parts, out);
        JS_FreeValue(ctx, parts);
        JS_FreeValue(ctx, form);
        JS_FreeAtom(ctx, name);
    }
    JS_FreeValue(ctx, s);
    return ok;
}

static JSValue locale_compare(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct js_text a, b;
    struct key x = {0}, y = {0};
    if (JS_IsUndefined(this_val) || JS_IsNull(this_val))
        return JS_ThrowTypeError(ctx, "Value is not object coercible");
    if (!decomposed(ctx, this_val, &a))
        return JS_EXCEPTION;
    if (!decomposed(ctx, argc > 0 ? argv[0] : JS_UNDEFINED, &b)) {
        js_text_release(&a);
        return JS_EXCEPTION;
    }
    key_of(&x, a.s);
    key_of(&y, b.s);
    int order_of = compare(&x, &y);
    vec_release(&x.list);
    vec_release(&y.list);
    js_text_release(&a);
    js_text_release(&b);
    return JS_NewInt32(ctx, order_of);
}

static const JSCFunctionListEntry methods[] = {
    JS_CFUNC_DEF("localeCompare", 1, locale_compare),
};

void js_collate_register(JSContext *ctx) {
    JSValue global = JS_GetGlobalObject(ctx);
    JSValue string = JS_GetPropertyStr(ctx, global, "String");
    JSValue proto = JS_GetPropertyStr(ctx, string, "prototype");
    /* A property that is made when it is looked at cannot take the place of another. */
    JSAtom name = JS_NewAtom(ctx, methods[0].name);
    JS_DeleteProperty(ctx, proto, name, 0);
    JS_FreeAtom(ctx, name);
    JS_SetPropertyFunctionList(ctx, proto, methods, countof(methods));
    JS_FreeValue(ctx, proto);
    JS_FreeValue(ctx, string);
    JS_FreeValue(ctx, global);
}
