#include "report/text.h"

#include "base/buf.h"
#include "base/utf8.h"

size_t text_width(struct slice s) {
    size_t width = 0;
    enum { PLAIN, ESCAPE, SEQUENCE } state = PLAIN;
    for (size_t i = 0; i < s.len;) {
        uint32_t c;
        i += utf8_decode(slice_from(s.ptr + i, s.len - i), &c);
        if (c == 0x1b)
            state = ESCAPE;
        else if (state == ESCAPE && c == '[')
            state = SEQUENCE;
        else if (state == SEQUENCE && c >= 0x40 && c <= 0x7e)
            state = PLAIN;
        else if (state == ESCAPE && c >= 0x40 && c <= 0x5f)
            state = PLAIN;
        else if (state == PLAIN)
            width++;
    }
    return width;
}

/* Primary weight: the order of the Unicode collation's root table for ASCII. */
static uint32_t weight(uint32_t c) {
    static const char order[] = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789";
    if (c >= 'A' && c <= 'Z')
        c += 'a' - 'A';
    if (c >= 'a' && c <= 'z')
        return 0x100 + c;
    const char *at = c && c < 0x80 ? strchr(order, (char)c) : NULL;
    return at ? (uint32_t)(at - order) + 1 : c < 0x80 ? 0 : 0x200 + c;
}

static uint32_t next_char(struct slice s, size_t *pos) {
    uint32_t c = 0;
    if (*pos < s.len)
        *pos += utf8_decode(slice_from(s.ptr + *pos, s.len - *pos), &c);
    return c;
}

int text_compare_locale(struct slice a, struct slice b) {
    int tie = 0;
    for (size_t i = 0, k = 0; i < a.len || k < b.len;) {
        if (i >= a.len)
            return -1;
        if (k >= b.len)
            return 1;
        uint32_t x = next_char(a, &i), y = next_char(b, &k);
        if (x == y)
            continue;
        uint32_t wx = weight(x), wy = weight(y);
        if (wx != wy)
            return wx < wy ? -1 : 1;
        if (tie == 0)
            tie = x > y ? -1 : 1; /* lower case has the higher code and comes first */
    }
    return tie;
}

int text_compare_metric_names(const char *a, const char *b) {
    struct slice rest_a = slice_cstr(a), rest_b = slice_cstr(b);
    struct slice parent_a = slice_cut(&rest_a, '{'), parent_b = slice_cut(&rest_b, '{');
    int order = text_compare_locale(parent_a, parent_b);
    if (order != 0)
        return order;
    if (rest_a.ptr == NULL || rest_b.ptr == NULL)
        return (rest_a.ptr != NULL) - (rest_b.ptr != NULL);
    return text_compare_locale(rest_a, rest_b);
}

void text_pad(struct buf *out, size_t count, char c) {
    while (count-- > 0)
        buf_append_char(out, c);
}

void text_colored(struct buf *out, const char *codes, struct slice s) {
    if (codes == NULL)
        buf_append_slice(out, s);
    else
        buf_printf(out, "\x1b[%sm%.*s\x1b[0m", codes, SLICE_FMT(s));
}
