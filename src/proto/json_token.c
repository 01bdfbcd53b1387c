#include "proto/json_token.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/go_text.h"
#include "base/utf8.h"
#include "proto/descriptor.h"
#include "proto/plain.h"

#define SCALAR (JSON_NULL | JSON_BOOL | JSON_NUMBER | JSON_STRING)

void json_reader_init(struct json_reader *r, struct slice json, struct arena *arena,
                      struct error *err) {
    r->all = json;
    r->at = json.ptr;
    r->end = json.ptr + json.len;
    r->last = JSON_START;
    r->arena = arena;
    r->err = err;
    r->open = 0;
}

/* ---------------------------------------------------------------- errors */

int proto_error(struct error *err, const char *fmt, ...) {
    char words[480];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    return error_set(err, KE_INVALID, "proto: %s", words);
}

__attribute__((format(printf, 4, 0))) static int error_at(const struct json_reader *r,
                                                          const char *at, const char *kind,
                                                          const char *fmt, va_list ap) {
    char words[440];
    size_t line = 1;
    const char *start = r->all.ptr;
    for (const char *p = start; p < at; p++)
        if (*p == '\n') {
            line++;
            start = p + 1;
        }
    size_t column = utf8_length(slice_from(start, (size_t)(at - start))) + 1;
    vsnprintf(words, sizeof words, fmt, ap);
    return error_set(r->err, KE_INVALID, "proto: %s(line %zu:%zu): %s", kind, line, column, words);
}

int json_error(const struct json_reader *r, const char *at, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int rc = error_at(r, at, "", fmt, ap);
    va_end(ap);
    return rc;
}

int json_syntax_error(const struct json_reader *r, const char *at, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int rc = error_at(r, at, "syntax error ", fmt, ap);
    va_end(ap);
    return rc;
}

int json_unexpected(const struct json_reader *r, const struct json_token *token) {
    return json_syntax_error(r, token->raw.ptr, "unexpected token %.*s", SHOWN(token->raw));
}

static int early_end(const struct json_reader *r) {
    return proto_error(r->err, "unexpected EOF");
}

/* ---------------------------------------------------------------- single tokens */

static bool is_word_char(char c) {
    return c == '-' || c == '+' || c == '.' || c == '_' || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_digit(const char *p, const char *end) {
    return p < end && *p >= '0' && *p <= '9';
}

/* The end of the JSON number at p, or NULL. */
static const char *number_end(const char *p, const char *end) {
    if (p < end && *p == '-')
        p++;
    if (!is_digit(p, end))
        return NULL;
    if (*p == '0')
        p++;
    else
        while (is_digit(p, end))
            p++;
    if (p < end && *p == '.' && is_digit(p + 1, end))
        for (p++; is_digit(p, end);)
            p++;
    if (p + 1 < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (*p == '+' || *p == '-') {
            p++;
            if (p == end)
                return NULL;
        }
        while (is_digit(p, end))
            p++;
    }
    return p < end && is_word_char(*p) ? NULL : p;
}

static int invalid_value(const struct json_reader *r) {
    const char *p = r->at;
    while (p < r->end && p < r->at + 32 && is_word_char(*p))
        p++;
    if (p == r->at) {
        uint32_t rune;
        p += utf8_decode(slice_from(p, (size_t)(r->end - p)), &rune);
    }
    return json_syntax_error(r, r->at, "invalid value %.*s", (int)(p - r->at), r->at);
}

static int read_word(struct json_reader *r, const char *word, size_t len, enum json_kind kind,
                     struct json_token *out) {
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0 ||
        (r->at + len < r->end && is_word_char(r->at[len])))
        return invalid_value(r);
    out->kind = kind;
    out->boolean = word[0] == 't';
    out->raw = slice_from(r->at, len);
    return 0;
}

static bool hex4(const char *p, uint32_t *out) {
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
        v = v << 4 | digit;
    }
    *out = v;
    return true;
}

static char *put_rune(char *out, uint32_t rune) {
    if (rune < 0x80) {
        *out++ = (char)rune;
    } else if (rune < 0x800) {
        *out++ = (char)(0xc0 | rune >> 6);
        *out++ = (char)(0x80 | (rune & 0x3f));
    } else if (rune < 0x10000) {
        *out++ = (char)(0xe0 | rune >> 12);
        *out++ = (char)(0x80 | (rune >> 6 & 0x3f));
        *out++ = (char)(0x80 | (rune & 0x3f));
    } else {
        *out++ = (char)(0xf0 | rune >> 18);
        *out++ = (char)(0x80 | (rune >> 12 & 0x3f));
        *out++ = (char)(0x80 | (rune >> 6 & 0x3f));
        *out++ = (char)(0x80 | (rune & 0x3f));
    }
    return out;
}

/* Go's %q of an escape that is wrong: it starts with a backslash, the rest is what it is. */
static int bad_escape(const struct json_reader *r, const char *p, size_t len) {
    struct buf quoted;
    buf_init(&quoted, 256);
    go_quote(&quoted, slice_from(p, len));
    int rc = json_syntax_error(r, r->at, "invalid escape code %s in string", buf_cstr(&quoted));
    buf_release(&quoted);
    return rc;
}

/* p at the 'u' of \u: writes the rune, goes behind it. */
static int read_unicode_escape(struct json_reader *r, const char **at, char **out) {
    const char *p = *at - 1;
    uint32_t rune, low;
    if (r->end - p < 6)
        return early_end(r);
    if (!hex4(p + 2, &rune))
        return bad_escape(r, p, 6);
    p += 6;
    if (rune >= 0xd800 && rune < 0xe000) {
        if (r->end - p < 6)
            return early_end(r);
        if (p[0] != '\\' || p[1] != 'u' || rune >= 0xdc00 || !hex4(p + 2, &low) || low < 0xdc00 ||
            low > 0xdfff)
            return bad_escape(r, p, 6);
        rune = 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
        p += 6;
    }
    *out = put_rune(*out, rune);
    *at = p;
    return 0;
}

static int read_escape(struct json_reader *r, const char **at, char **out) {
    static const char plain[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
    const char *p = *at + 1;
    if (p >= r->end)
        return early_end(r);
    if (*p == 'u') {
        *at = p;
        return read_unicode_escape(r, at, out);
    }
    const char *found = *p != '\0' ? strchr(plain, *p) : NULL;
    if (found == NULL)
        return bad_escape(r, *at, 2);
    *(*out)++ = meaning[found - plain];
    *at = p + 1;
    return 0;
}

/* Goes over what needs no change: the first quote, backslash, control or invalid character. */
static const char *plain_end(const char *p, const char *end) {
    for (;;) {
        p = plain_ascii_end(p, end);
        if (p == end || (unsigned char)*p < 0x80)
            return p;
        uint32_t rune;
        size_t len = utf8_decode(slice_from(p, (size_t)(end - p)), &rune);
        if (rune == UTF8_INVALID)
            return p;
        p += len;
    }
}

static int bad_character(const struct json_reader *r, const char *p) {
    if ((unsigned char)*p >= 0x80)
        return json_syntax_error(r, r->at, "invalid UTF-8 in string");
    char shown[16];
    switch (*p) {
    case '\n':
        snprintf(shown, sizeof shown, "\\n");
        break;
    case '\t':
        snprintf(shown, sizeof shown, "\\t");
        break;
    case '\r':
        snprintf(shown, sizeof shown, "\\r");
        break;
    default:
        snprintf(shown, sizeof shown, "\\x%02x", (unsigned char)*p);
    }
    return json_syntax_error(r, r->at, "invalid character '%s' in string", shown);
}

static int read_string(struct json_reader *r, struct json_token *out) {
    const char *start = r->at + 1, *p = plain_end(start, r->end);
    out->kind = JSON_STRING;
    if (likely(p < r->end && *p == '"')) {
        out->text = slice_from(start, (size_t)(p - start));
        out->raw = slice_from(r->at, (size_t)(p + 1 - r->at));
        return 0;
    }
    /* room: up to the closing quote, which no escape can move */
    const char *close = p;
    while (close < r->end && *close != '"')
        close += *close == '\\' && close + 1 < r->end ? 2 : 1;
    char *text = arena_alloc(r->arena, (size_t)(close - start) + 8), *at = text;
    const char *from = start;
    for (;;) {
        memcpy(at, from, (size_t)(p - from));
        at += p - from;
        if (p >= r->end)
            return early_end(r);
        if (*p == '"')
            break;
        if (*p != '\\')
            return bad_character(r, p);
        int rc = read_escape(r, &p, &at);
        if (rc != 0)
            return rc;
        from = p;
        p = plain_end(p, r->end);
    }
    out->text = slice_from(text, (size_t)(at - text));
    out->raw = slice_from(r->at, (size_t)(p + 1 - r->at));
    return 0;
}

static void skip_blank(struct json_reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

/* One token, whatever stood before it. r->at stays at its start. */
static int next_token(struct json_reader *r, struct json_token *out) {
    skip_blank(r);
    out->raw = slice_from(r->at, r->at < r->end ? 1 : 0);
    if (r->at == r->end) {
        out->kind = JSON_END;
        return 0;
    }
    switch (*r->at) {
    case '"':
        return read_string(r, out);
    case '{':
        out->kind = JSON_OBJECT;
        return 0;
    case '}':
        out->kind = JSON_OBJECT_END;
        return 0;
    case '[':
        out->kind = JSON_ARRAY;
        return 0;
    case ']':
        out->kind = JSON_ARRAY_END;
        return 0;
    case ',':
        out->kind = JSON_COMMA;
        return 0;
    case 'n':
        return read_word(r, "null", 4, JSON_NULL, out);
    case 't':
        return read_word(r, "true", 4, JSON_BOOL, out);
    case 'f':
        return read_word(r, "false", 5, JSON_BOOL, out);
    default:
        break;
    }
    const char *end =
        *r->at == '-' || (*r->at >= '0' && *r->at <= '9') ? number_end(r->at, r->end) : NULL;
    if (end == NULL)
        return invalid_value(r);
    out->kind = JSON_NUMBER;
    out->raw = slice_from(r->at, (size_t)(end - r->at));
    return 0;
}

/* ---------------------------------------------------------------- tokens in their place */

static bool is_in_array(const struct json_reader *r) {
    return r->open > 0 && (r->is_array[(r->open - 1) / 8] >> (r->open - 1) % 8 & 1);
}

static bool is_value_next(const struct json_reader *r) {
    if (r->open == 0)
        return r->last == JSON_START;
    return is_in_array(r) ? r->last == JSON_ARRAY || r->last == JSON_COMMA : r->last == JSON_NAME;
}

static int push(struct json_reader *r, bool is_array) {
    if (r->open == JSON_OPEN_MAX)
        return proto_error(r->err, "exceeded max recursion depth");
    uint8_t bit = (uint8_t)(1u << r->open % 8);
    if (is_array)
        r->is_array[r->open / 8] |= bit;
    else
        r->is_array[r->open / 8] &= (uint8_t)~bit;
    r->open++;
    return 0;
}

/* A string where no value may stand: the name of a member, with its colon. */
static int make_name(struct json_reader *r, struct json_token *out) {
    if (r->last != JSON_OBJECT && r->last != JSON_COMMA)
        return json_unexpected(r, out);
    r->at += out->raw.len;
    skip_blank(r);
    if (r->at == r->end)
        return early_end(r);
    if (*r->at != ':') {
        uint32_t rune;
        size_t len = utf8_decode(slice_from(r->at, (size_t)(r->end - r->at)), &rune);
        return json_syntax_error(
            r, r->at, "unexpected character %.*s, missing \":\" after field name", (int)len, r->at);
    }
    r->at++;
    out->kind = JSON_NAME;
    return 0;
}

static int check_place(struct json_reader *r, const struct json_token *out) {
    bool is_ok = true;
    switch (out->kind) {
    case JSON_END:
        return r->open > 0 ? early_end(r) : 0;
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_NUMBER:
        is_ok = is_value_next(r);
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
        if (!is_value_next(r))
            break;
        return push(r, out->kind == JSON_ARRAY);
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
        is_ok = r->open > 0 && r->last != JSON_COMMA && r->last != JSON_NAME &&
                is_in_array(r) == (out->kind == JSON_ARRAY_END);
        if (is_ok)
            r->open--;
        break;
    case JSON_COMMA:
        is_ok = r->open > 0 && (r->last & (SCALAR | JSON_OBJECT_END | JSON_ARRAY_END)) != 0;
        break;
    default:
        break;
    }
    if (out->kind == JSON_OBJECT || out->kind == JSON_ARRAY)
        is_ok = false;
    return is_ok ? 0 : json_unexpected(r, out);
}

int json_read(struct json_reader *r, struct json_token *out) {
    do {
        int rc = next_token(r, out);
        if (rc != 0)
            return rc;
        if (out->kind == JSON_STRING && !is_value_next(r)) {
            rc = make_name(r, out);
        } else {
            if (out->kind != JSON_STRING)
                rc = check_place(r, out);
            r->at += out->raw.len;
        }
        if (rc != 0)
            return rc;
        r->last = out->kind;
    } while (out->kind == JSON_COMMA);
    return 0;
}

int json_skip(struct json_reader *r) {
    struct json_token token;
    unsigned open = 0;
    do {
        int rc = json_read(r, &token);
        if (rc != 0)
            return rc;
        if (token.kind == JSON_OBJECT || token.kind == JSON_ARRAY)
            open++;
        else if (token.kind == JSON_OBJECT_END || token.kind == JSON_ARRAY_END)
            open--;
        else if (token.kind == JSON_END)
            return early_end(r);
    } while (open > 0);
    return 0;
}

/* ---------------------------------------------------------------- numbers */

bool json_is_number(struct slice s) {
    return s.len > 0 && number_end(s.ptr, s.ptr + s.len) == s.ptr + s.len;
}

/* Digits of an integral number without point and exponent: "1.50e2" is 150. At most 20 of them. */
static bool integer_digits(struct slice s, bool *out_negative, char digits[21], size_t *out_len) {
    const char *p = s.ptr, *end = s.ptr + s.len;
    *out_negative = p < end && *p == '-';
    if (*out_negative)
        p++;
    const char *whole = p;
    while (is_digit(p, end))
        p++;
    size_t whole_len = (size_t)(p - whole), fraction_len = 0;
    if (whole_len == 1 && *whole == '0')
        whole_len = 0;
    const char *fraction = p;
    if (p < end && *p == '.') {
        fraction = ++p;
        while (is_digit(p, end))
            p++;
        fraction_len = (size_t)(p - fraction);
        while (fraction_len > 0 && fraction[fraction_len - 1] == '0')
            fraction_len--;
    }
    long exponent = 0;
    if (p < end) { /* e */
        char text[16];
        size_t len = (size_t)(end - ++p);
        if (len == 0 || len >= sizeof text)
            return len == 0 && fraction_len == 0 && whole_len == 0;
        memcpy(text, p, len);
        text[len] = '\0';
        exponent = strtol(text, NULL, 10);
    }
    *out_len = 0;
    if (whole_len == 0 && fraction_len == 0) {
        digits[(*out_len)++] = '0';
        return true;
    }
    if (exponent >= 0) {
        if (exponent > 20 || fraction_len > (size_t)exponent || whole_len + (size_t)exponent > 20)
            return false;
        memcpy(digits, whole, whole_len);
        memcpy(digits + whole_len, fraction, fraction_len);
        memset(digits + whole_len + fraction_len, '0', (size_t)exponent - fraction_len);
        *out_len = whole_len + (size_t)exponent;
        return true;
    }
    if (fraction_len > 0 || exponent < -1000 || (size_t)-exponent > whole_len)
        return false;
    size_t kept = whole_len - (size_t)-exponent;
    for (size_t i = kept; i < whole_len; i++)
        if (whole[i] != '0')
            return false;
    if (kept == 0 || kept > 20)
        return false;
    memcpy(digits, whole, kept);
    *out_len = kept;
    return true;
}

bool json_to_uint(struct slice number, uint64_t most, uint64_t *out) {
    uint64_t v = 0;
    const char *p = number.ptr, *end = p + number.len;
    if (likely(number.len < 19)) { /* the usual: only digits */
        while (is_digit(p, end))
            v = v * 10 + (uint64_t)(*p++ - '0');
        if (likely(p == end && number.len > 0)) {
            *out = v;
            return v <= most;
        }
    }
    char digits[21];
    bool is_negative;
    size_t len;
    if (!integer_digits(number, &is_negative, digits, &len) || is_negative)
        return false;
    return slice_to_u64(slice_from(digits, len), out) && *out <= most;
}

bool json_to_int(struct slice number, int64_t least, int64_t most, int64_t *out) {
    uint64_t v;
    bool is_negative = number.len > 0 && number.ptr[0] == '-';
    if (is_negative)
        number = slice_from(number.ptr + 1, number.len - 1);
    if (!json_to_uint(number, is_negative ? (uint64_t) - (least + 1) + 1 : (uint64_t)most, &v))
        return false;
    *out = is_negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool json_to_double(struct slice number, double *out) {
    char small[64], *text = small;
    const char *p = number.ptr, *end = p + number.len;
    if (number.len <= 15) {
        int64_t v = 0;
        bool is_negative = *p == '-';
        for (p += is_negative; is_digit(p, end); p++)
            v = v * 10 + (*p - '0');
        if (p == end && !(is_negative && v == 0)) {
            *out = (double)(is_negative ? -v : v);
            return true;
        }
    }
    if (number.len >= sizeof small)
        text = xmalloc(number.len + 1);
    memcpy(text, number.ptr, number.len);
    text[number.len] = '\0';
    *out = strtod(text, NULL);
    if (text != small)
        free(text);
    char last = number.ptr[number.len - 1];
    return isfinite(*out) && last >= '0' && last <= '9'; /* "1e" is no float */
}

bool json_to_float(struct slice number, float *out) {
    char small[64], *text = small;
    if (number.len >= sizeof small)
        text = xmalloc(number.len + 1);
    memcpy(text, number.ptr, number.len);
    text[number.len] = '\0';
    *out = strtof(text, NULL);
    if (text != small)
        free(text);
    char last = number.ptr[number.len - 1];
    return isfinite(*out) && last >= '0' && last <= '9';
}
