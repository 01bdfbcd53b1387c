/* Digits of hexadecimal numbers. */
#pragma once

/* 0 to 15, in either case; -1: none. */
static inline int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
