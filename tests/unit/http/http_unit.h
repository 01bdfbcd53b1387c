/* What every test of the HTTP layer uses. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/slice.h"

/* Compares a slice with a C string, and shows both when they differ. */
#define assert_slice(s, text)                                     \
    do {                                                          \
        struct slice s_ = (s);                                    \
        const char *text_ = (text);                               \
        if (!slice_eq(s_, slice_cstr(text_)))                     \
            fail_msg("\"%.*s\" != \"%s\"", SLICE_FMT(s_), text_); \
    } while (0)
