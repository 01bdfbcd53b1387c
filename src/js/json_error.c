#include "js/json_error.h"

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/go_text.h"
#include "base/utf8.h"

enum { DEPTH_MAX = 10000 };

struct scan {
    struct slice json;
    size_t at;
    struct json_syntax_error *out;
    bool first_generation;
    size_t depth;
    uint8_t is_object[DEPTH_MAX / 8 + 1];
};

/* strconv.QuoteRune */
static void quote_rune(uint32_t rune, char *out, size_t bytes) {
    static const char plain[] = "abtnvfr";
    static const char codes[] = "\a\b\t\n\v\f\r";
    const char *special = rune && rune < 0x20 ? strchr(codes, (int)rune) : NULL;
    if (special)
        snprintf(out, bytes, "'\\%c'", plain[special - codes]);
    else if (rune == '\'' || rune == '\\')
        snprintf(out, bytes, "'\\%c'", (char)rune);
    else if (rune < 0x20 || rune == 0x7f)
        snprintf(out, bytes, "'\\x%02x'", (unsigned)rune);
    else if (rune < 0x80)
        snprintf(out, bytes, "'%c'", (char)rune);
    else if (rune >= 0x10000)
        snprintf(out, bytes, "'\\U%08x'", (unsigned)rune);
    else
        snprintf(out, bytes, "'\\u%04x'", (unsigned)rune);
}

static void quote_at(const struct scan *s, size_t at, char *out, size_t bytes) {
    struct slice rest = slice_from(s->json.ptr + at, s->json.len - at);
    uint32_t rune = (unsigned char)rest.ptr[0];
    size_t len = 1;
    char latin1[2];
    if (!s->first_generation) {
        len = utf8_decode(rest, &rune);
        if (rune == UTF8_INVALID) {
            snprintf(out, bytes, "'\\x%02x'", (unsigned char)rest.ptr[0]);
            return;
        }
    } else if (rune >= 0xa0 && rune != 0xad) {
        /* The first generation took a byte for a code point. */
        latin1[0] = (char)(0xc0 | rune >> 6);
        latin1[1] = (char)(0x80 | (rune & 0x3f));
        rest.ptr = latin1;
        len = 2;
    }
    if (rune >= 0x80 && utf8_is_print(rune) && len > 1)
        snprintf(out, bytes, "'%.*s'", (int)len, rest.ptr);
    else
        quote_rune(rune, out, bytes);
}

static bool fail_end(struct scan *s, size_t at) {
    if (s->out) {
        s->out->offset = s->first_generation ? s->json.len : at;
        snprintf(s->out->text, sizeof s->out->text, "unexpected end of JSON input");
    }
    return false;
}

/* At the byte s->at, or at the end of the text. */
static bool fail(struct scan *s, const char *where_v051, const char *where_v2) {
    if (s->at >= s->json.len)
        return fail_end(s, s->json.len);
    if (s->out) {
        char quoted[16];
        quote_at(s, s->at, quoted, sizeof quoted);
        s->out->offset = s->at + (s->first_generation ? 1 : 0);
        snprintf(s->out->text, sizeof s->out->text, "invalid character %s %s", quoted,
                 s->first_generation ? where_v051 : where_v2);
    }
    return false;
}

static bool fail_same(struct scan *s, const char *where) {
    return fail(s, where, where);
}

static bool fail_depth(struct scan *s) {
    if (s->first_generation)
        return fail_same(s, "exceeded max depth");
    if (s->out) {
        s->out->offset = s->at;
        snprintf(s->out->text, sizeof s->out->text, "exceeded max depth");
    }
    return false;
}

static void skip_space(struct scan *s) {
    const char *p = s->json.ptr;
    while (s->at < s->json.len &&
           (p[s->at] == ' ' || p[s->at] == '\n' || p[s->at] == '\t' || p[s->at] == '\r'))
        s->at++;
}

static bool is_digit_at(const struct scan *s, size_t at) {
    return at < s->json.len && s->json.ptr[at] >= '0' && s->json.ptr[at] <= '9';
}

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_literal(struct scan *s, const char *word) {
    for (const char *w = word; *w; w++, s->at++) {
        if (s->at < s->json.len && s->json.ptr[s->at] == *w)
            continue;
        char where[48];
        snprintf(where, sizeof where, "in literal %s (expecting '%c')", word, *w);
        return fail_same(s, where);
    }
    return true;
}

/* One digit or more. part_at: where the second generation would go on reading if more came. */
static bool scan_digits(struct scan *s, size_t part_at, const char *where_v051) {
    if (s->at >= s->json.len)
        return fail_end(s, part_at);
    if (!is_digit_at(s, s->at))
        return fail(s, where_v051, "in numeric literal");
    while (is_digit_at(s, s->at))
        s->at++;
    return true;
}

static bool scan_number(struct scan *s) {
    const char *p = s->json.ptr;
    size_t start = s->at;
    if (p[s->at] == '-')
        s->at++;
    if (s->at < s->json.len && p[s->at] == '0')
        s->at++;
    else if (!scan_digits(s, start, "in numeric literal"))
        return false;
    if (s->at < s->json.len && p[s->at] == '.') {
        size_t dot = s->at++;
        if (!scan_digits(s, dot, "after decimal point in numeric literal"))
            return false;
    }
    if (s->at < s->json.len && (p[s->at] == 'e' || p[s->at] == 'E')) {
        size_t e = s->at++;
        if (s->at < s->json.len && (p[s->at] == '+' || p[s->at] == '-'))
            s->at++;
        return scan_digits(s, e, "in exponent of numeric literal");
    }
    return true;
}

/* The second generation shows the whole escape, from its backslash on. */
static bool fail_escape(struct scan *s, size_t backslash, size_t len, const char *where_v051) {
    if (s->first_generation || !s->out)
        return fail_same(s, where_v051);
    struct slice what = slice_from(s->json.ptr + backslash, len);
    bool is_plain = true;
    for (size_t i = 0; i < len; i++)
        is_plain = is_plain && what.ptr[i] > ' ' && what.ptr[i] < 0x7f && what.ptr[i] != '`';
    struct buf shown;
    buf_init(&shown, 64);
    if (is_plain)
        buf_printf(&shown, "`%.*s`", SLICE_FMT(what));
    else
        go_quote(&shown, what);
    s->out->offset = backslash;
    snprintf(s->out->text, sizeof s->out->text, "invalid escape sequence %s in string",
             buf_cstr(&shown));
    buf_release(&shown);
    return false;
}

static bool scan_escape(struct scan *s) {
    size_t backslash = s->at++;
    if (s->at >= s->json.len)
        return fail_end(s, backslash);
    char c = s->json.ptr[s->at];
    if (c != 'u') {
        if (!c || !strchr("\"\\/bfnrt", c))
            return fail_escape(s, backslash, 2, "in string escape code");
        s->at++;
        return true;
    }
    s->at++;
    for (int i = 0; i < 4; i++, s->at++) {
        if (s->at >= s->json.len)
            return fail_end(s, backslash);
        if (!is_hex(s->json.ptr[s->at])) {
            size_t left = s->json.len - backslash;
            return fail_escape(s, backslash, left < 6 ? left : 6,
                               "in \\u hexadecimal character escape");
        }
    }
    return true;
}

static bool scan_string(struct scan *s) {
    s->at++;
    while (s->at < s->json.len) {
        unsigned char c = (unsigned char)s->json.ptr[s->at];
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < ' ')
            return fail(s, "in string literal", "in string");
        if (c == '\\') {
            if (!scan_escape(s))
                return false;
        } else {
            s->at++;
        }
    }
    return fail_end(s, s->json.len);
}

static bool scan_scalar(struct scan *s) {
    switch (s->json.ptr[s->at]) {
    case '"':
        return scan_string(s);
    case 't':
        return scan_literal(s, "true");
    case 'f':
        return scan_literal(s, "false");
    case 'n':
        return scan_literal(s, "null");
    case '-':
        return scan_number(s);
    default:
        if (is_digit_at(s, s->at))
            return scan_number(s);
        return fail_same(s, "looking for beginning of value");
    }
}

/* A key and its colon. */
static bool scan_key(struct scan *s) {
    skip_space(s);
    if (s->at >= s->json.len || s->json.ptr[s->at] != '"')
        return fail_same(s, "looking for beginning of object key string");
    if (!scan_string(s))
        return false;
    skip_space(s);
    if (s->at >= s->json.len || s->json.ptr[s->at] != ':')
        return fail_same(s, "after object key");
    s->at++;
    return true;
}

static bool in_object(const struct scan *s) {
    size_t level = s->depth - 1;
    return s->is_object[level / 8] >> (level % 8) & 1;
}

static bool push(struct scan *s, bool is_object) {
    if (s->depth == DEPTH_MAX)
        return fail_depth(s);
    size_t level = s->depth++;
    uint8_t bit = (uint8_t)(1u << (level % 8));
    if (is_object)
        s->is_object[level / 8] |= bit;
    else
        s->is_object[level / 8] &= (uint8_t)~bit;
    s->at++;
    return true;
}

/* Up to the next value: false when there is none, for which *out_valid tells good from bad. */
static bool next_value(struct scan *s, bool *out_valid) {
    *out_valid = false;
    for (;;) {
        skip_space(s);
        if (s->depth == 0) {
            *out_valid = s->at >= s->json.len || fail_same(s, "after top-level value");
            return false;
        }
        bool is_object = in_object(s);
        char c = s->at < s->json.len ? s->json.ptr[s->at] : '\0';
        if (c == ',') {
            s->at++;
            return !is_object || scan_key(s);
        }
        if (c != (is_object ? '}' : ']'))
            return fail_same(s, is_object ? "after object key:value pair" : "after array element");
        s->at++;
        s->depth--;
    }
}

bool json_valid(struct slice json, struct json_syntax_error *out) {
    struct scan s;
    s.json = json;
    s.at = 0;
    s.out = out;
    s.first_generation = compat_on(COMPAT_JSON_ERROR_OFFSET);
    s.depth = 0;
    bool is_valid;
    do {
        skip_space(&s);
        char c = s.at < json.len ? json.ptr[s.at] : '\0';
        if (c == '{' || c == '[') {
            if (!push(&s, c == '{'))
                return false;
            skip_space(&s);
            if (s.at < json.len && json.ptr[s.at] == (c == '{' ? '}' : ']')) {
                s.at++;
                s.depth--;
            } else if (c == '[') {
                continue;
            } else if (scan_key(&s)) {
                continue;
            } else {
                return false;
            }
        } else if (s.at >= json.len) {
            return fail_end(&s, json.len);
        } else if (!scan_scalar(&s)) {
            return false;
        }
        if (!next_value(&s, &is_valid))
            return is_valid;
    } while (true);
}

void json_error_describe(struct slice json, char *out, size_t out_bytes) {
    struct json_syntax_error e = {0, "the text is not accepted"};
    json_valid(json, &e);
    /* k6 counts code points up to the byte at the offset; a new line counts as the first character
     * of its line. */
    unsigned long line = 1, character = 0;
    for (size_t i = 0, n; i < json.len; i += n) {
        uint32_t rune;
        n = utf8_decode(slice_from(json.ptr + i, json.len - i), &rune);
        if (rune == '\n') {
            line++;
            character = 0;
        }
        character++;
        if (i == e.offset)
            break;
    }
    snprintf(out, out_bytes,
             "cannot parse json due to an error at line %lu, character %lu , error: %s", line,
             character, e.text);
}
