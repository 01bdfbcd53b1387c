#include "base/utf8.h"

#include "base/check.h"

static bool is_continuation(unsigned char c) {
    return (c & 0xc0) == 0x80;
}

size_t utf8_decode(struct slice s, uint32_t *out_rune) {
    const unsigned char *p = (const unsigned char *)s.ptr;
    uint32_t rune = p[0], least;
    size_t n;
    *out_rune = rune;
    if (rune < 0x80)
        return 1;
    *out_rune = UTF8_INVALID;
    if (rune >= 0xc2 && rune < 0xe0)
        n = 2, rune &= 0x1f, least = 0x80;
    else if (rune >= 0xe0 && rune < 0xf0)
        n = 3, rune &= 0x0f, least = 0x800;
    else if (rune >= 0xf0 && rune < 0xf5)
        n = 4, rune &= 0x07, least = 0x10000;
    else
        return 1;
    if (s.len < n)
        return 1;
    for (size_t i = 1; i < n; i++) {
        if (!is_continuation(p[i]))
            return 1;
        rune = rune << 6 | (p[i] & 0x3f);
    }
    if (rune < least || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        return 1;
    *out_rune = rune;
    return n;
}

size_t utf8_length(struct slice s) {
    size_t count = 0;
    uint32_t rune;
    for (size_t i = 0; i < s.len; count++)
        i += utf8_decode(slice_from(s.ptr + i, s.len - i), &rune);
    return count;
}

bool utf8_is_valid(struct slice s) {
    const char *p = s.ptr, *end = p + s.len;
    while (end - p >= 8) {
        uint64_t eight;
        memcpy(&eight, p, sizeof eight);
        if (eight & 0x8080808080808080u)
            break;
        p += 8;
    }
    while (p < end) {
        uint32_t rune;
        if ((unsigned char)*p < 0x80) {
            p++;
            continue;
        }
        p += utf8_decode(slice_from(p, (size_t)(end - p)), &rune);
        if (rune == UTF8_INVALID)
            return false;
    }
    return true;
}

size_t utf8_prefix_bytes(struct slice s, size_t n) {
    size_t i = 0;
    uint32_t rune;
    for (size_t count = 0; i < s.len && count < n; count++)
        i += utf8_decode(slice_from(s.ptr + i, s.len - i), &rune);
    return i;
}

/* Control, format, separator, surrogate and private-use ranges. */
static const struct {
    uint32_t first, last;
} unprintable[] = {
    {0x0, 0x1f},        {0x7f, 0xa0},       {0xad, 0xad},        {0x600, 0x605},
    {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},      {0x890, 0x891},
    {0x8e2, 0x8e2},     {0x1680, 0x1680},   {0x180e, 0x180e},    {0x2000, 0x200f},
    {0x2028, 0x202f},   {0x205f, 0x206f},   {0x3000, 0x3000},    {0xd800, 0xf8ff},
    {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},    {0xfffe, 0xffff},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},  {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff},
};

bool utf8_is_print(uint32_t rune) {
    for (size_t i = 0; i < countof(unprintable) && unprintable[i].first <= rune; i++)
        if (rune <= unprintable[i].last)
            return false;
    return rune <= 0x10ffff;
}
