#include "base/json_write.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOUBLE_TEXT_MAX 32

/* Fewest significant digits that read back as v (> 0): digits without a point, and the decimal
 * exponent of the first. */
static int shortest_digits(double v, char *digits) {
    char text[DOUBLE_TEXT_MAX];
    /* 15 digits show every shorter decimal as it is, except in the thin air of subnormal numbers.
     */
    for (int precision = v < DBL_MIN ? 0 : 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, v);
        if (precision == 16 || strtod(text, NULL) == v)
            break;
    }
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    size_t len = 0;
    for (const char *p = text; *p != 'e'; p++)
        if (*p != '.')
            digits[len++] = *p;
    while (len > 1 && digits[len - 1] == '0')
        len--;
    digits[len] = '\0';
    return exponent;
}

static char *put_digits(char *at, const char *digits, int len) {
    memcpy(at, digits, (size_t)len);
    return at + len;
}

static char *put_zeros(char *at, int count) {
    memset(at, '0', (size_t)count);
    return at + count;
}

static int decimal_length(unsigned long long v) {
    int len = 1;
    while (v >= 10) {
        v /= 10;
        len++;
    }
    return len;
}

/* With zeros in front. */
static void put_decimal(char *out, unsigned long long v, int len) {
    for (; len > 0; v /= 10)
        out[--len] = (char)('0' + v % 10);
}

/* A decimal of at most 15 digits, nine of them behind the point: what people and prices have. Such
 * decimals are different doubles each, so the first that reads back as v is the shortest text. The
 * quotient of two doubles that are exact is what reading the text gives. */
static bool format_short(double v, char *out) {
    static const double powers[] = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    for (int k = 0; k < 9; k++) {
        double shifted = v * powers[k];
        if (shifted >= 1e15)
            return false;
        double n = floor(shifted + 0.5);
        if (n / powers[k] != v)
            continue;
        unsigned long long digits = (unsigned long long)n, scale = (unsigned long long)powers[k];
        int len = decimal_length(digits / scale);
        put_decimal(out, digits / scale, len);
        out[len] = '.';
        put_decimal(out + len + 1, digits % scale, k + 1);
        out[len + 1 + k + 1] = '\0';
        return true;
    }
    return false;
}

/* Both Go's encoding/json and JavaScript use the exponent form below 1e-6 and from 1e21 on. room:
 * DOUBLE_TEXT_MAX - 1 */
static void format_positive(double v, char *out) {
    if (v < 1e15 && v == floor(v)) {
        snprintf(out, DOUBLE_TEXT_MAX - 1, "%lld", (long long)v);
        return;
    }
    if (v >= 1e-6 && v < 1e15 && format_short(v, out))
        return;
    char digits[DOUBLE_TEXT_MAX];
    int exponent = shortest_digits(v, digits), len = (int)strlen(digits);
    char *at = out;
    if (v < 1e-6 || v >= 1e21) {
        *at++ = digits[0];
        if (len > 1)
            *at++ = '.';
        at = put_digits(at, digits + 1, len - 1);
        snprintf(at, 6, "e%+d", exponent);
        return;
    }
    if (exponent < 0) {
        *at++ = '0';
        *at++ = '.';
        at = put_digits(put_zeros(at, -exponent - 1), digits, len);
    } else if (len <= exponent + 1) {
        at = put_zeros(put_digits(at, digits, len), exponent + 1 - len);
    } else {
        at = put_digits(at, digits, exponent + 1);
        *at++ = '.';
        at = put_digits(at, digits + exponent + 1, len - exponent - 1);
    }
    *at = '\0';
}

char *double_format_json(double v, char *out) {
    if (!isfinite(v)) {
        snprintf(out, DOUBLE_TEXT_MAX, "null");
        return out;
    }
    char *at = out;
    if (signbit(v))
        *at++ = '-';
    format_positive(fabs(v), at);
    return out;
}

char *double_format_js(double v, char *out) {
    if (isnan(v))
        snprintf(out, DOUBLE_TEXT_MAX, "NaN");
    else if (isinf(v))
        snprintf(out, DOUBLE_TEXT_MAX, v < 0 ? "-Infinity" : "Infinity");
    else
        double_format_json(v == 0 ? 0.0 : v, out);
    return out;
}
