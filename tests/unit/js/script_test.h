/* What tests that run one script and compare its log begin with. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

/* Runs one iteration of source and compares what it logged. */
static inline void expect_log(const char *source, const char *log) {
    struct fixture f;
    fixture_init(&f);
    fixture_script(&f, source, 1);
    assert_string_equal(fixture_log(&f), log);
    fixture_release(&f);
}
