#include "html/text.h"

#include "base/check.h"
#include "base/utf8.h"

/* Upper-case ranges: with a distance to the lower case, or (0) pairs of which the upper one is
 * even, or (-1) odd. */
static const struct case_range {
    uint16_t from, to;
    int16_t distance;
} case_ranges[] = {
    {0x41, 0x5a, 32},   {0xc0, 0xd6, 32},    {0xd8, 0xde, 32},    {0x100, 0x12f, 0},
    {0x132, 0x137, 0},  {0x139, 0x148, -1},  {0x14a, 0x177, 0},   {0x178, 0x178, -121},
    {0x179, 0x17e, -1}, {0x386, 0x386, 38},  {0x388, 0x38a, 37},  {0x38c, 0x38c, 64},
    {0x38e, 0x38f, 63}, {0x391, 0x3a1, 32},  {0x3a3, 0x3ab, 32},  {0x400, 0x40f, 80},
    {0x410, 0x42f, 32}, {0x460, 0x481, 0},   {0x48a, 0x4bf, 0},   {0x4d0, 0x52f, 0},
    {0x531, 0x556, 48}, {0x1e00, 0x1e95, 0}, {0x1ea0, 0x1eff, 0},
};

static uint32_t convert(uint32_t rune, bool to_lower) {
    for (size_t i = 0; i < countof(case_ranges); i++) {
        const struct case_range *r = &case_ranges[i];
        if (r->distance > 0 || r->distance < -1) {
            uint32_t shift = (uint32_t)(int32_t)r->distance;
            uint32_t upper = to_lower ? rune : rune - shift;
            if (upper >= r->from && upper <= r->to)
                return to_lower ? rune + shift : upper;
        } else if (rune >= r->from && rune <= r->to) {
            bool is_upper = (rune & 1) == (r->distance ? 1 : 0);
            return is_upper == to_lower ? (to_lower ? rune + 1 : rune - 1) : rune;
        }
    }
    return rune;
}

uint32_t html_rune_lower(uint32_t rune) {
    if (rune < 0x80)
        return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
    return convert(rune, true);
}

uint32_t html_rune_upper(uint32_t rune) {
    if (rune < 0x80)
        return rune >= 'a' && rune <= 'z' ? rune - 32 : rune;
    return convert(rune, false);
}

static size_t next_rune(struct slice s, size_t at, uint32_t *out) {
    size_t n = utf8_decode(slice_from(s.ptr + at, s.len - at), out);
    if (*out == UTF8_INVALID)
        *out = 0xfffd;
    return n;
}

static void append_rune(struct buf *out, uint32_t r) {
    if (r < 0x80) {
        buf_append_char(out, (char)r);
    } else if (r < 0x800) {
        buf_append_char(out, (char)(0xc0 | r >> 6));
        buf_append_char(out, (char)(0x80 | (r & 0x3f)));
    } else {
        buf_append_char(out, (char)(0xe0 | r >> 12));
        buf_append_char(out, (char)(0x80 | (r >> 6 & 0x3f)));
        buf_append_char(out, (char)(0x80 | (r & 0x3f)));
    }
}

void html_lower(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.len;) {
        uint32_t rune;
        size_t n = next_rune(s, i, &rune);
        if (rune < 0x10000)
            append_rune(out, html_rune_lower(rune));
        else
            buf_append(out, s.ptr + i, n);
        i += n;
    }
}

bool html_equal_fold(struct slice a, struct slice b) {
    size_t i = 0, j = 0;
    while (i < a.len && j < b.len) {
        uint32_t x, y;
        i += next_rune(a, i, &x);
        j += next_rune(b, j, &y);
        if (x != y && html_rune_lower(x) != html_rune_lower(y))
            return false;
    }
    return i == a.len && j == b.len;
}

static bool is_space(uint32_t r) {
    return r == ' ' || (r >= '\t' && r <= '\r') || r == 0x85 || r == 0xa0 || r == 0x1680 ||
           (r >= 0x2000 && r <= 0x200a) || r == 0x2028 || r == 0x2029 || r == 0x202f ||
           r == 0x205f || r == 0x3000;
}

bool html_is_blank(struct slice s) {
    for (size_t i = 0; i < s.len;) {
        uint32_t rune;
        i += next_rune(s, i, &rune);
        if (!is_space(rune))
            return false;
    }
    return true;
}
