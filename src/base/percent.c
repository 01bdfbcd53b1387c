#include "base/percent.h"

#include "base/hex.h"

void percent_decode(struct buf *out, struct slice s, bool is_plus_space) {
    for (size_t i = 0; i < s.len; i++) {
        int hi = s.ptr[i] == '%' && i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1;
        int lo = hi >= 0 ? hex_value(s.ptr[i + 2]) : -1;
        if (lo >= 0) {
            buf_append_char(out, (char)(hi << 4 | lo));
            i += 2;
        } else {
            buf_append_char(out, is_plus_space && s.ptr[i] == '+' ? ' ' : s.ptr[i]);
        }
    }
}
