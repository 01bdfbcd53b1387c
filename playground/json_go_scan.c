#include "json_go_scan.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

#define MAX_DEPTH 10000

struct scan {
    const unsigned char *text;
    size_t size;
    size_t at;
    char *error;
    size_t error_bytes;
};

static int peek(const struct scan *s) {
    return s->at < s->size ? s->text[s->at] : -1;
}

static void skip_space(struct scan *s) {
    while (s->at < s->size && memchr(" \t\r\n", s->text[s->at], 4) != NULL)
        s->at++;
}

static void quote_char(int c, char out[16]) {
    static const char controls[] = "\a\b\f\n\r\t\v";
    const char *control = c != 0 ? strchr(controls, c) : NULL;
    if (c == '\'')
        snprintf(out, 16, "%s", "'\\''");
    else if (c == '"')
        snprintf(out, 16, "%s", "'\"'");
    else if (c == '\\')
        snprintf(out, 16, "%s", "'\\\\'");
    else if (control != NULL)
        snprintf(out, 16, "'\\%c'", "abfnrtv"[control - controls]);
    else if (c < 0x20 || c == 0x7f)
        snprintf(out, 16, "'\\x%02x'", c);
    else if (!utf8_is_print((uint32_t)c))
        snprintf(out, 16, "'\\u%04x'", c);
    else if (c >= 0x80)
        /* Go takes the byte for a character of its own */
        snprintf(out, 16, "'%c%c'", 0xc0 | (c >> 6), 0x80 | (c & 0x3f));
    else
        snprintf(out, 16, "'%c'", c);
}

/* The character at the cursor must not be there. */
static int reject(struct scan *s, const char *context) {
    int c = peek(s);
    if (c < 0) {
        snprintf(s->error, s->error_bytes, "unexpected EOF");
    } else {
        char quoted[16];
        quote_char(c, quoted);
        snprintf(s->error, s->error_bytes, "invalid character %s %s", quoted, context);
    }
    return KE_INVALID;
}

static int scan_literal(struct scan *s, const char *word) {
    for (const char *p = word; *p != '\0'; p++, s->at++) {
        if (peek(s) != *p) {
            char context[64];
            snprintf(context, sizeof context, "in literal %s (expecting '%c')", word, *p);
            return reject(s, context);
        }
    }
    return 0;
}

static bool is_hex(int c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int scan_escape(struct scan *s) {
    s->at++;
    int c = peek(s);
    if (c <= 0 || strchr("bfnrt\\/\"u", c) == NULL)
        return reject(s, "in string escape code");
    s->at++;
    for (int i = 0; c == 'u' && i < 4; i++, s->at++) {
        if (!is_hex(peek(s)))
            return reject(s, "in \\u hexadecimal character escape");
    }
    return 0;
}

static int scan_string(struct scan *s) {
    s->at++;
    for (;;) {
        int c = peek(s);
        if (c < 0x20)
            return reject(s, "in string literal");
        if (c == '"') {
            s->at++;
            return 0;
        }
        if (c == '\\') {
            int rc = scan_escape(s);
            if (rc != 0)
                return rc;
        } else {
            s->at++;
        }
    }
}

static bool skip_digits(struct scan *s) {
    size_t start = s->at;
    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > start;
}

static int scan_number(struct scan *s) {
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0')
        s->at++;
    else if (!skip_digits(s))
        return reject(s, "in numeric literal");
    if (peek(s) == '.') {
        s->at++;
        if (!skip_digits(s))
            return reject(s, "after decimal point in numeric literal");
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        if (!skip_digits(s))
            return reject(s, "in exponent of numeric literal");
    }
    return 0;
}

static int scan_scalar(struct scan *s) {
    int c = peek(s);
    switch (c) {
    case '"':
        return scan_string(s);
    case 't':
        return scan_literal(s, "true");
    case 'f':
        return scan_literal(s, "false");
    case 'n':
        return scan_literal(s, "null");
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return scan_number(s);
        return reject(s, "looking for beginning of value");
    }
}

/* A key and its colon; the cursor stands at the first character that is not white space. */
static int scan_key(struct scan *s) {
    if (peek(s) != '"')
        return reject(s, "looking for beginning of object key string");
    int rc = scan_string(s);
    if (rc != 0)
        return rc;
    skip_space(s);
    if (peek(s) != ':')
        return reject(s, "after object key");
    s->at++;
    return 0;
}

/* Closes what ends here and steps over one comma. Sets *out_is_done when the outermost value is
 * complete. */
static int scan_after_value(struct scan *s, const char *stack, int *depth, bool *out_is_done) {
    for (;;) {
        if (*depth == 0) {
            *out_is_done = true;
            return 0;
        }
        bool is_object = stack[*depth - 1] == '{';
        skip_space(s);
        int c = peek(s);
        if (c == ',') {
            s->at++;
            skip_space(s);
            return is_object ? scan_key(s) : 0;
        }
        if (c != (is_object ? '}' : ']'))
            return reject(s, is_object ? "after object key:value pair" : "after array element");
        s->at++;
        --*depth;
    }
}

/* Opens the object or array at the cursor. *out_is_empty: it is closed again, a value is complete.
 */
static int scan_open(struct scan *s, char *stack, int *depth, bool *out_is_empty) {
    char opener = (char)peek(s);
    s->at++;
    if (*depth == MAX_DEPTH) {
        snprintf(s->error, s->error_bytes, "exceeded max depth");
        return KE_INVALID;
    }
    stack[(*depth)++] = opener;
    skip_space(s);
    if (peek(s) == (opener == '{' ? '}' : ']')) {
        s->at++;
        --*depth;
        *out_is_empty = true;
        return 0;
    }
    *out_is_empty = false;
    return opener == '{' ? scan_key(s) : 0;
}

int json_go_scan(const char *text, size_t size, size_t *out_start, size_t *out_end, char *error,
                 size_t error_bytes) {
    struct scan s = {
        .text = (const unsigned char *)text,
        .size = size,
        .error = error,
        .error_bytes = error_bytes,
    };
    skip_space(&s);
    if (s.at == size) {
        snprintf(error, error_bytes, "EOF");
        return KE_INVALID;
    }
    *out_start = s.at;

    char stack[MAX_DEPTH];
    int depth = 0;
    bool is_done = false;
    while (!is_done) {
        skip_space(&s);
        bool is_complete = true;
        int rc;
        if (peek(&s) == '{' || peek(&s) == '[')
            rc = scan_open(&s, stack, &depth, &is_complete);
        else
            rc = scan_scalar(&s);
        if (rc == 0 && is_complete)
            rc = scan_after_value(&s, stack, &depth, &is_done);
        if (rc != 0)
            return rc;
    }
    *out_end = s.at;
    return 0;
}
