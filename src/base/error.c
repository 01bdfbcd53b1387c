#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

const char *error_text(int code) {
    switch (code) {
#define X(name, value, text, k6) \
    case name:                   \
        return text;
        KILN_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}

int error_k6_code(int code) {
    switch (code) {
#define X(name, value, text, k6) \
    case name:                   \
        return k6;
        KILN_ERRORS(X)
#undef X
    default:
        return code <= KE_H2 && code > KE_H2 - 100 ? 1000 - code : 1000;
    }
}

int error_set(struct error *err, int code, const char *fmt, ...) {
    if (err != NULL) {
        va_list ap;
        va_start(ap, fmt);
        err->code = code;
        err->sys_errno = 0;
        vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
    }
    return code;
}
