/* The stretches of text that JSON has as they are. Internal to proto/. */
#pragma once

#include <stdint.h>
#include <string.h>

#define EACH_BYTE(b) (UINT64_MAX / 255 * (b))

/* The high bit of each byte that is below n (at most 0x80); bytes above the first such one may be
 * set too. */
static inline uint64_t bytes_below(uint64_t eight, uint64_t n) {
    return (eight - EACH_BYTE(n)) & ~eight & EACH_BYTE(0x80);
}

/* The first byte that is a control character, a quote, a backslash or no ASCII; end when there is
 * none. */
static inline const char *plain_ascii_end(const char *p, const char *end) {
    while (end - p >= 8) {
        uint64_t eight;
        memcpy(&eight, p, sizeof eight);
        uint64_t found = (eight & EACH_BYTE(0x80)) | bytes_below(eight, 0x20) |
                         bytes_below(eight ^ EACH_BYTE('"'), 1) |
                         bytes_below(eight ^ EACH_BYTE('\\'), 1);
        if (found != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return p + __builtin_ctzll(found) / 8;
#else
            break;
#endif
        }
        p += 8;
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\')
        p++;
    return p;
}
