/* Numbers as the end-of-test summary prints them. The rules are JavaScript's (toFixed,
 * Number.toString), because k6 prints its summary from a script. Results live in the arena. */
#pragma once

#include "base/arena.h"
#include "metrics/metric.h"

/* JavaScript's Number.prototype.toFixed: exact ties go away from zero, unlike printf. */
const char *format_to_fixed(struct arena *a, double v, int digits);
/* At most `digits` decimals, rounded, without trailing zeros. */
const char *format_number(struct arena *a, double v, int digits);
/* 0.66666 -> "66.66%" (cut, not rounded). */
const char *format_percent(struct arena *a, double rate);
/* "740 B", "6.8 kB", "57 kB": base 1000. */
const char *format_bytes(struct arena *a, double bytes);
/* Milliseconds as "0s", "123ns", "1.5µs", "16.41ms", "2.5s", "2m3s"; unit "s", "ms" or "us" fixes
 * the unit and two decimals; anything else chooses. */
const char *format_duration_ms(struct arena *a, double ms, const char *unit);
/* A value of a metric: rates are percentages, then by contents. */
const char *format_value(struct arena *a, double v, enum metric_type type,
                         enum metric_contains contains, const char *unit);
