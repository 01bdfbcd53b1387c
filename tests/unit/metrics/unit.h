/* Common includes of the metrics tests. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/compat.h"
#include "metrics/aggregate.h"
#include "metrics/threshold.h"

#define S(literal) SLICE(literal)

static inline int registry_setup(void **state) {
    (void)state;
    compat_set(COMPAT_V2_2);
    metrics_init();
    return 0;
}

static inline int registry_teardown(void **state) {
    (void)state;
    compat_set(COMPAT_V2_2);
    metrics_shutdown();
    return 0;
}

#define registry_test(fn) cmocka_unit_test_setup_teardown(fn, registry_setup, registry_teardown)
