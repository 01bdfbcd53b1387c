#include "base/base64.h"

#include "base/error.h"

static const char alphabets[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

void base64_encode(struct buf *out, struct slice in, struct base64_form form) {
    const char *a = alphabets[form.alphabet];
    const unsigned char *p = (const unsigned char *)in.ptr;
    size_t left = in.len;
    if (buf_reserve(out, (in.len + 2) / 3 * 4))
        return;
    for (; left >= 3; left -= 3, p += 3) {
        char four[4] = {a[p[0] >> 2], a[(p[0] & 3) << 4 | p[1] >> 4],
                        a[(p[1] & 15) << 2 | p[2] >> 6], a[p[2] & 63]};
        buf_append(out, four, 4);
    }
    if (left == 0)
        return;
    unsigned second = left > 1 ? p[1] : 0;
    char four[4] = {a[p[0] >> 2], a[(p[0] & 3) << 4 | second >> 4],
                    left > 1 ? a[(second & 15) << 2] : '=', '='};
    buf_append(out, four, form.is_raw ? left + 1 : 4);
}

static int value_of(char c, enum base64_alphabet alphabet) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (alphabet == BASE64_URL ? '-' : '+'))
        return 62;
    return c == (alphabet == BASE64_URL ? '_' : '/') ? 63 : -1;
}

struct decoder {
    struct slice in;
    size_t at;
    struct base64_form form;
    size_t bad_byte;
    bool is_bad;
};

static int fail(struct decoder *d, size_t bad_byte) {
    d->bad_byte = bad_byte;
    d->is_bad = true;
    return -1;
}

static void skip_line_breaks(struct decoder *d) {
    while (d->at < d->in.len && (d->in.ptr[d->at] == '\n' || d->in.ptr[d->at] == '\r'))
        d->at++;
}

/* What follows the first '=' behind n values. Returns n, or -1; garbage behind the padding is an
 * error that still lets the quantum count. */
static int decode_padding(struct decoder *d, int n) {
    if (n < 2)
        return fail(d, d->at - 1);
    if (n == 2) {
        skip_line_breaks(d);
        if (d->at == d->in.len)
            return fail(d, d->in.len);
        if (d->in.ptr[d->at] != '=')
            return fail(d, d->at - 1);
        d->at++;
    }
    skip_line_breaks(d);
    if (d->at < d->in.len)
        fail(d, d->at);
    return n;
}

/* Up to four values. Returns how many, or -1. */
static int read_quantum(struct decoder *d, uint8_t values[4]) {
    int n = 0;
    while (n < 4) {
        if (d->at == d->in.len) {
            if (n > 0 && (n == 1 || !d->form.is_raw))
                return fail(d, d->at - (size_t)n);
            return n;
        }
        char c = d->in.ptr[d->at++];
        int v = value_of(c, d->form.alphabet);
        if (v >= 0)
            values[n++] = (uint8_t)v;
        else if (c == '=' && !d->form.is_raw)
            return decode_padding(d, n);
        else if (c != '\n' && c != '\r')
            return fail(d, d->at - 1);
    }
    return n;
}

int base64_decode(struct buf *out, struct slice in, struct base64_form form, size_t *out_bad_byte) {
    struct decoder d = {.in = in, .form = form};
    while (d.at < in.len && !d.is_bad) {
        uint8_t v[4] = {0};
        int n = read_quantum(&d, v);
        uint8_t bytes[3] = {(uint8_t)(v[0] << 2 | v[1] >> 4), (uint8_t)(v[1] << 4 | v[2] >> 2),
                            (uint8_t)(v[2] << 6 | v[3])};
        if (n > 1 && buf_append(out, bytes, (size_t)n - 1))
            return KE_TOO_LARGE;
    }
    *out_bad_byte = d.bad_byte;
    return d.is_bad ? KE_INVALID : 0;
}
