#include "http/url_escape.h"

#include "base/go_text.h"
#include "base/utf8.h"

static bool is_hex(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static unsigned hex_value(unsigned char c) {
    if (c <= '9')
        return c - '0';
    return (c | 0x20) - 'a' + 10;
}

static bool is_alnum(unsigned char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool should_escape(unsigned char c, enum url_mode mode) {
    if (is_alnum(c))
        return false;
    if ((mode == URL_HOST || mode == URL_ZONE) && c != 0 && strchr("!$&'()*+,;=:[]<>\"", c))
        return false;
    switch (c) {
    case '-':
    case '_':
    case '.':
    case '~':
        return false;
    case '$':
    case '&':
    case '+':
    case ',':
    case '/':
    case ':':
    case ';':
    case '=':
    case '?':
    case '@':
        switch (mode) {
        case URL_PATH:
            return c == '?';
        case URL_USER_PASSWORD:
            return c == '@' || c == '/' || c == '?' || c == ':';
        case URL_QUERY_COMPONENT:
            return true;
        case URL_FRAGMENT:
            return false;
        case URL_HOST:
        case URL_ZONE:
            return true;
        }
        return true;
    case '!':
    case '(':
    case ')':
    case '*':
        return mode != URL_FRAGMENT;
    default:
        return true;
    }
}

void url_escape(struct buf *out, struct slice s, enum url_mode mode) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == ' ' && mode == URL_QUERY_COMPONENT) {
            buf_append_char(out, '+');
        } else if (should_escape(c, mode)) {
            char hex[3] = {'%', digits[c >> 4], digits[c & 15]};
            buf_append(out, hex, sizeof hex);
        } else {
            buf_append_char(out, (char)c);
        }
    }
}

static int error_quoted(struct error *err, const char *before, struct slice s, const char *after) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, before);
    go_quote(&b, s);
    buf_append_str(&b, after);
    error_set(err, KE_URL, "%s", buf_cstr(&b));
    buf_release(&b);
    return KE_URL;
}

int url_unescape(struct buf *out, struct slice s, enum url_mode mode, struct error *err) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '%') {
            if (i + 2 >= s.len || !is_hex((unsigned char)s.ptr[i + 1]) ||
                !is_hex((unsigned char)s.ptr[i + 2])) {
                size_t len = s.len - i < 3 ? s.len - i : 3;
                return error_quoted(err, "invalid URL escape ", slice_from(s.ptr + i, len), "");
            }
            unsigned v = hex_value((unsigned char)s.ptr[i + 1]) << 4 |
                         hex_value((unsigned char)s.ptr[i + 2]);
            /* A host may only escape what is not ASCII; a zone whatever a zone name cannot hold. */
            if (mode == URL_HOST && v < 0x80 && v != '%')
                return error_quoted(err, "invalid URL escape ", slice_from(s.ptr + i, 3), "");
            if (mode == URL_ZONE && v != '%' && v != ' ' &&
                should_escape((unsigned char)v, URL_HOST))
                return error_quoted(err, "invalid URL escape ", slice_from(s.ptr + i, 3), "");
            buf_append_char(out, (char)v);
            i += 2;
        } else if (c == '+' && mode == URL_QUERY_COMPONENT) {
            buf_append_char(out, ' ');
        } else {
            if ((mode == URL_HOST || mode == URL_ZONE) && c < 0x80 && should_escape(c, mode))
                return error_quoted(err, "invalid character ", slice_from(s.ptr + i, 1),
                                    " in host name");
            buf_append_char(out, (char)c);
        }
    }
    return 0;
}

bool url_is_valid_encoding(struct slice s, enum url_mode mode) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c != 0 && strchr("!$&'()*+,;=:@[]%", c))
            continue;
        if (should_escape(c, mode))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------- IDNA */

/* Lower case of the scripts that host names are usually written in. */
static uint32_t rune_lower(uint32_t r) {
    if ((r >= 'A' && r <= 'Z') || (r >= 0xC0 && r <= 0xDE && r != 0xD7) ||
        (r >= 0x391 && r <= 0x3A9) || (r >= 0x410 && r <= 0x42F))
        return r + 32;
    if (r >= 0x400 && r <= 0x40F)
        return r + 80;
    if (r >= 0x100 && r <= 0x17E && r != 0x130 && r != 0x131 && r != 0x178) {
        bool odd_is_upper = (r >= 0x139 && r <= 0x148) || (r >= 0x179 && r <= 0x17E);
        if ((r & 1) == (odd_is_upper ? 1U : 0U))
            return r + 1;
    }
    return r;
}

static size_t punycode_adapt(size_t delta, size_t points, bool is_first) {
    size_t k = 0;
    delta = is_first ? delta / 700 : delta / 2;
    delta += delta / points;
    for (; delta > 455; k += 36)
        delta /= 35;
    return k + 36 * delta / (delta + 38);
}

static void punycode_digits(struct buf *out, size_t delta, size_t bias) {
    size_t q = delta;
    for (size_t k = 36;; k += 36) {
        size_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (q < t)
            break;
        size_t digit = t + (q - t) % (36 - t);
        buf_append_char(out, (char)(digit < 26 ? 'a' + digit : '0' + digit - 26));
        q = (q - t) / (36 - t);
    }
    buf_append_char(out, (char)(q < 26 ? 'a' + q : '0' + q - 26));
}

#define LABEL_MAX 256

/* RFC 3492. A label that cannot be encoded (too long, bad UTF-8) is copied: resolving it fails with
 * the name in it. */
static void label_to_ascii(struct buf *out, struct slice label) {
    uint32_t runes[LABEL_MAX];
    size_t n = 0, basic = 0;
    bool is_ascii = true;
    for (struct slice rest = label; rest.len;) {
        uint32_t r;
        size_t used = utf8_decode(rest, &r);
        if (r == UTF8_INVALID || n == LABEL_MAX) {
            buf_append_slice(out, label);
            return;
        }
        is_ascii = is_ascii && r < 0x80;
        runes[n++] = rune_lower(r);
        rest = slice_from(rest.ptr + used, rest.len - used);
    }
    if (is_ascii) {
        buf_append_slice(out, label);
        return;
    }
    buf_append_str(out, "xn--");
    for (size_t i = 0; i < n; i++) {
        if (runes[i] < 0x80) {
            buf_append_char(out, (char)runes[i]);
            basic++;
        }
    }
    if (basic)
        buf_append_char(out, '-');
    size_t delta = 0, bias = 72, done = basic;
    for (uint32_t at = 0x80; done < n; at++, delta++) {
        uint32_t next = UINT32_MAX;
        for (size_t i = 0; i < n; i++) {
            if (runes[i] >= at && runes[i] < next)
                next = runes[i];
        }
        delta += (size_t)(next - at) * (done + 1);
        at = next;
        for (size_t i = 0; i < n; i++) {
            if (runes[i] < at)
                delta++;
            if (runes[i] == at) {
                punycode_digits(out, delta, bias);
                bias = punycode_adapt(delta, done + 1, done == basic);
                delta = 0;
                done++;
            }
        }
    }
}

void url_host_to_ascii(struct buf *out, struct slice host) {
    bool is_ascii = true;
    for (size_t i = 0; i < host.len && is_ascii; i++)
        is_ascii = (unsigned char)host.ptr[i] < 0x80;
    if (is_ascii) {
        buf_append_slice(out, host);
        return;
    }
    for (struct slice rest = host; rest.ptr;) {
        struct slice label = slice_cut(&rest, '.');
        label_to_ascii(out, label);
        if (rest.ptr)
            buf_append_char(out, '.');
    }
}
