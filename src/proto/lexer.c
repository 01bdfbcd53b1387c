#include "proto/lexer.h"

#include <stdio.h>

#include "base/go_text.h"

#define TAB_STOP 8

struct proto_pos lexer_pos(struct lexer *l, size_t at) {
    if (at < l->seen_at || l->seen.line == 0) {
        l->seen_at = 0;
        l->seen = (struct proto_pos){1, 0};
    }
    struct proto_pos pos = l->seen;
    size_t i = l->seen_at;
    for (; i < at && i < l->text.len; i++) {
        if (l->text.ptr[i] == '\n')
            pos = (struct proto_pos){pos.line + 1, 0};
        else if (l->text.ptr[i] == '\t')
            pos.column += TAB_STOP - pos.column % TAB_STOP;
        else
            pos.column++;
    }
    l->seen = pos;
    l->seen_at = i;
    pos.column++;
    return pos;
}

static int fail(struct lexer *l, size_t at, struct error *err, const char *what,
                struct slice detail) {
    return proto_error_at(err, l->file, lexer_pos(l, at), "%s%.*s", what, SLICE_FMT(detail));
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char peek(const struct lexer *l, size_t ahead) {
    return l->at + ahead < l->text.len ? l->text.ptr[l->at + ahead] : '\0';
}

/* At the start of one. */
static int skip_comment(struct lexer *l, struct error *err) {
    size_t start = l->at;
    bool is_line = peek(l, 1) == '/';
    for (l->at += 2; l->at < l->text.len; l->at++) {
        char c = l->text.ptr[l->at];
        if (c == '\0')
            return fail(l, start, err, "invalid control character", SLICE(""));
        if (is_line && c == '\n')
            return 0;
        if (!is_line && c == '*' && peek(l, 1) == '/') {
            l->at += 2;
            return 0;
        }
    }
    return is_line
               ? 0
               : fail(l, start, err, "block comment never terminates, unexpected EOF", SLICE(""));
}

static int skip_blank(struct lexer *l, struct error *err) {
    while (l->at < l->text.len) {
        if (is_space(l->text.ptr[l->at])) {
            l->at++;
            continue;
        }
        if (peek(l, 0) != '/' || (peek(l, 1) != '/' && peek(l, 1) != '*'))
            return 0;
        int rc = skip_comment(l, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Everything that could belong to a number; whether it is one is seen afterwards. */
static struct slice number_text(struct lexer *l) {
    size_t start = l->at;
    for (bool is_exponent = false; l->at < l->text.len; l->at++) {
        char c = l->text.ptr[l->at];
        bool is_sign = c == '-' || c == '+';
        if (is_sign ? !is_exponent : !(is_digit(c) || is_letter(c) || c == '.'))
            break;
        is_exponent = c == 'e' || c == 'E';
    }
    return slice_from(l->text.ptr + start, l->at - start);
}

static int read_float(struct lexer *l, struct token *t, struct error *err) {
    bool has_underscore = memchr(t->text.ptr, '_', t->text.len) != NULL;
    struct error why;
    t->kind = TOKEN_FLOAT;
    if (has_underscore ||
        (go_parse_float(t->text, &t->real, &why) != 0 && strstr(why.text, "out of range") == NULL))
        return fail(l, t->at, err, "invalid syntax in float value: ", t->text);
    return 0;
}

static int digit_value(char c) {
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

enum integer { INTEGER_OK, INTEGER_SYNTAX, INTEGER_RANGE };

static enum integer parse_integer(struct slice s, unsigned base, uint64_t *out) {
    uint64_t v = 0;
    bool is_over = false;
    if (s.len == 0)
        return INTEGER_SYNTAX;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)digit_value(s.ptr[i]);
        if (digit >= base)
            return INTEGER_SYNTAX;
        is_over |= __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v);
    }
    *out = v;
    return is_over ? INTEGER_RANGE : INTEGER_OK;
}

static bool contains_any(struct slice s, const char *set) {
    for (size_t i = 0; i < s.len; i++)
        if (strchr(set, s.ptr[i]) != NULL)
            return true;
    return false;
}

static int read_number(struct lexer *l, struct token *t, struct error *err) {
    struct slice s = t->text = number_text(l);
    bool is_hex = s.len > 1 && s.ptr[0] == '0' && (s.ptr[1] | 0x20) == 'x';
    if (!is_hex && contains_any(s, ".eE"))
        return read_float(l, t, err);
    unsigned base = is_hex ? 16 : s.ptr[0] == '0' ? 8 : 10;
    const char *kind = is_hex ? "hexadecimal integer" : base == 8 ? "octal integer" : "integer";
    struct slice digits = is_hex ? slice_from(s.ptr + 2, s.len - 2) : s;
    enum integer result = parse_integer(digits, base, &t->number);
    if (result == INTEGER_RANGE && base == 10)
        return read_float(l, t, err);
    if (result != INTEGER_OK) {
        char what[64];
        snprintf(what, sizeof what, "%s %s%s: ",
                 result == INTEGER_RANGE ? "value out of range for" : "invalid syntax in", kind,
                 result == INTEGER_RANGE ? "" : " value");
        return fail(l, t->at, err, what, digits);
    }
    t->kind = TOKEN_INT;
    t->real = (double)t->number;
    return 0;
}

static size_t put_utf8(char *out, uint32_t rune) {
    if (rune >= 0xd800 && rune < 0xe000)
        rune = 0xfffd;
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char)(0xc0 | rune >> 6);
        out[1] = (char)(0x80 | (rune & 0x3f));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (char)(0xe0 | rune >> 12);
        out[1] = (char)(0x80 | (rune >> 6 & 0x3f));
        out[2] = (char)(0x80 | (rune & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | rune >> 18);
    out[1] = (char)(0x80 | (rune >> 12 & 0x3f));
    out[2] = (char)(0x80 | (rune >> 6 & 0x3f));
    out[3] = (char)(0x80 | (rune & 0x3f));
    return 4;
}

/* Up to max digits of the base at l->at + 2 (or + 1 for octals): how many there are, their value.
 */
static size_t escape_digits(const struct lexer *l, size_t skip, unsigned base, size_t max,
                            uint64_t *out) {
    size_t n = 0;
    *out = 0;
    for (; n < max; n++) {
        unsigned digit = (unsigned)digit_value(peek(l, skip + n));
        if (l->at + skip + n >= l->text.len || digit >= base)
            break;
        *out = *out * base + digit;
    }
    return n;
}

/* At a backslash: appends what it stands for to *at and goes behind it. */
static int read_escape(struct lexer *l, char **at, struct error *err) {
    static const char plain[] = "abfnrtv\\'\"?", meaning[] = "\a\b\f\n\r\t\v\\'\"?";
    char c = peek(l, 1);
    uint64_t v;
    size_t n, skip = 2, want;
    const char *found = c != '\0' ? strchr(plain, c) : NULL;
    if (found != NULL) {
        *(*at)++ = meaning[found - plain];
        l->at += 2;
        return 0;
    }
    if (c == 'x' || c == 'X') {
        n = escape_digits(l, skip, 16, 2, &v);
        if (n == 0)
            return fail(l, l->at, err, "invalid hex escape: ", slice_from(l->text.ptr + l->at, 2));
    } else if (c >= '0' && c <= '7') {
        skip = 1;
        n = escape_digits(l, skip, 8, 3, &v);
        if (v > 0xff)
            return fail(l, l->at, err, "octal escape is out range, must be between 0 and 377: ",
                        slice_from(l->text.ptr + l->at, n + 1));
    } else if (c == 'u' || c == 'U') {
        want = c == 'u' ? 4 : 8;
        n = escape_digits(l, skip, 16, want, &v);
        struct slice shown = slice_from(l->text.ptr + l->at, n + 2);
        if (n < want)
            return fail(l, l->at, err, "invalid unicode escape: ", shown);
        if (v > 0x10ffff)
            return fail(l, l->at, err,
                        "unicode escape is out of range, must be between 0 and 0x10ffff: ", shown);
        *at += put_utf8(*at, (uint32_t)v);
        l->at += skip + n;
        return 0;
    } else {
        size_t shown = l->at + 1 < l->text.len ? 2 : 1;
        return fail(l, l->at, err,
                    "invalid escape sequence: ", slice_from(l->text.ptr + l->at, shown));
    }
    *(*at)++ = (char)v;
    l->at += skip + n;
    return 0;
}

static int read_string(struct lexer *l, struct token *t, struct error *err) {
    char quote = l->text.ptr[l->at++];
    size_t end = l->at;
    while (end < l->text.len && l->text.ptr[end] != quote && l->text.ptr[end] != '\n')
        end += l->text.ptr[end] == '\\' ? 2 : 1;
    if (end > l->text.len)
        end = l->text.len;
    /* an escape is never longer than what it stands for */
    char *value = arena_alloc(l->arena, end - l->at + 8), *at = value;
    while (l->at < l->text.len) {
        char c = l->text.ptr[l->at];
        if (c == '\n')
            return fail(l, t->at, err, "encountered end-of-line before end of string literal",
                        SLICE(""));
        if (c == '\0')
            return fail(l, l->at, err, "null character ('\\0') not allowed in string literal",
                        SLICE(""));
        if (c == quote) {
            l->at++;
            t->kind = TOKEN_STRING;
            t->value = slice_from(value, (size_t)(at - value));
            return 0;
        }
        if (c == '\\') {
            int rc = read_escape(l, &at, err);
            if (rc != 0)
                return rc;
        } else {
            *at++ = c;
            l->at++;
        }
    }
    return fail(l, t->at, err, "unexpected EOF", SLICE(""));
}

int lexer_next(struct lexer *l, struct token *out, struct error *err) {
    int rc = skip_blank(l, err);
    if (rc != 0)
        return rc;
    *out = (struct token){.at = l->at};
    if (l->at >= l->text.len)
        return 0;
    char c = l->text.ptr[l->at];
    if (is_letter(c)) {
        out->kind = TOKEN_NAME;
        while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)))
            l->at++;
    } else if (is_digit(c)) {
        rc = read_number(l, out, err);
    } else if (c == '.' && is_digit(peek(l, 1))) {
        out->text = number_text(l);
        rc = read_float(l, out, err);
    } else if (c == '\'' || c == '"') {
        rc = read_string(l, out, err);
    } else if ((unsigned char)c < 32 || c == 127) {
        rc = fail(l, l->at, err, "invalid control character", SLICE(""));
    } else if (strchr(";,.:=-+(){}[]<>/", c) == NULL) {
        rc = fail(l, l->at, err, "invalid character", SLICE(""));
    } else {
        out->kind = TOKEN_CHAR;
        out->c = c;
        l->at++;
    }
    out->text = slice_from(l->text.ptr + out->at, l->at - out->at);
    return rc;
}
