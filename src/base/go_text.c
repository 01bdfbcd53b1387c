#include "base/go_text.h"

#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/utf8.h"

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hex_letter(char c) {
    return lower(c) >= 'a' && lower(c) <= 'f';
}

static size_t skip_sign(struct slice s) {
    return s.len > 0 && (s.ptr[0] == '+' || s.ptr[0] == '-') ? 1 : 0;
}

/* inf, infinity with an optional sign, nan without one. */
static bool parse_special(struct slice s, double *out) {
    size_t sign = skip_sign(s);
    struct slice word = slice_from(s.ptr + sign, s.len - sign);
    if (slice_ieq(word, SLICE("inf")) || slice_ieq(word, SLICE("infinity"))) {
        *out = sign && s.ptr[0] == '-' ? -INFINITY : INFINITY;
        return true;
    }
    if (slice_ieq(s, SLICE("nan"))) {
        *out = NAN;
        return true;
    }
    return false;
}

/* Underscores stand between digits, or between the base prefix and a digit. */
static bool underscores_are_ok(struct slice s, bool is_hex) {
    char saw = '^'; /* '0' a digit, '_' an underscore, '!' anything else */
    size_t i = skip_sign(s);
    if (is_hex) {
        i += 2;
        saw = '0';
    }
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (is_digit(c) || (is_hex && is_hex_letter(c))) {
            saw = '0';
        } else if (c == '_') {
            if (saw != '0')
                return false;
            saw = '_';
        } else {
            if (saw == '_')
                return false;
            saw = '!';
        }
    }
    return saw != '_';
}

/* Go's grammar of a float; what strtod would take besides (locale, spaces, hex without exponent) is
 * refused. */
static bool is_float_syntax(struct slice s, bool *out_hex, bool *out_underscores) {
    size_t i = skip_sign(s), digits = 0;
    bool is_hex = i + 2 < s.len && s.ptr[i] == '0' && lower(s.ptr[i + 1]) == 'x', has_dot = false;
    *out_underscores = false;
    *out_hex = is_hex;
    if (is_hex)
        i += 2;
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '_') {
            *out_underscores = true;
        } else if (c == '.') {
            if (has_dot)
                return false;
            has_dot = true;
        } else if (is_digit(c) || (is_hex && is_hex_letter(c))) {
            digits++;
        } else {
            break;
        }
    }
    if (digits == 0)
        return false;
    if (i < s.len && lower(s.ptr[i]) == (is_hex ? 'p' : 'e')) {
        i++;
        i += skip_sign(slice_from(s.ptr + i, s.len - i));
        if (i >= s.len || !is_digit(s.ptr[i]))
            return false;
        for (; i < s.len && (is_digit(s.ptr[i]) || s.ptr[i] == '_'); i++)
            *out_underscores |= s.ptr[i] == '_';
    } else if (is_hex) {
        return false;
    }
    return i == s.len;
}

static int float_error(struct error *err, struct slice s, const char *what) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, s);
    error_set(err, KE_INVALID, "strconv.ParseFloat: parsing %s: %s", buf_cstr(&quoted), what);
    buf_release(&quoted);
    return KE_INVALID;
}

int go_parse_float(struct slice s, double *out, struct error *err) {
    bool is_hex, has_underscores;
    *out = 0;
    if (parse_special(s, out))
        return 0;
    if (!is_float_syntax(s, &is_hex, &has_underscores) ||
        (has_underscores && !underscores_are_ok(s, is_hex)))
        return float_error(err, s, "invalid syntax");
    char *text = xmalloc(s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '_')
            text[len++] = s.ptr[i];
    text[len] = '\0';
    *out = strtod(text, NULL);
    free(text);
    return isinf(*out) ? float_error(err, s, "value out of range") : 0;
}

static void quote_rune(struct buf *out, uint32_t rune, unsigned char byte) {
    static const char short_escapes[] = "abtnvfr"; /* from 7 on */
    if (rune == '"' || rune == '\\')
        buf_printf(out, "\\%c", byte);
    else if (rune >= 7 && rune <= 13)
        buf_printf(out, "\\%c", short_escapes[rune - 7]);
    else if (rune == UTF8_INVALID || rune < 0x80)
        buf_printf(out, "\\x%02x", byte);
    else if (rune < 0x10000)
        buf_printf(out, "\\u%04x", rune);
    else
        buf_printf(out, "\\U%08x", rune);
}

static bool is_quoted_as_is(uint32_t rune) {
    return rune != UTF8_INVALID && rune != '"' && rune != '\\' && utf8_is_print(rune);
}

/* Runs of plain text are copied at once: every log record with a space comes through here. */
void go_quote(struct buf *out, struct slice s) {
    size_t plain = 0, i = 0;
    buf_append_char(out, '"');
    while (i < s.len) {
        unsigned char c = (unsigned char)s.ptr[i];
        uint32_t rune = c;
        size_t n = c < 0x80 ? 1 : utf8_decode(slice_from(s.ptr + i, s.len - i), &rune);
        if ((c >= 0x20 && c < 0x7f && c != '"' && c != '\\') || is_quoted_as_is(rune)) {
            i += n;
            continue;
        }
        buf_append(out, s.ptr + plain, i - plain);
        quote_rune(out, rune, c);
        i += n;
        plain = i;
    }
    buf_append(out, s.ptr + plain, i - plain);
    buf_append_char(out, '"');
}
