/* Clocks. Everything internal is integer nanoseconds; CLOCK_MONOTONIC for durations and deadlines,
 * wall clock only for time stamps in outputs. */
#pragma once

#include <stdint.h>
#include <time.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
/* A deadline that never comes. */
#define NEVER_NS INT64_MAX

static inline int64_t clock_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Unix time in nanoseconds. */
int64_t clock_wall_ns(void);
/* Wall time of a monotonic reading (offset taken once per process, so that order is kept). */
int64_t clock_mono_to_wall_ns(int64_t mono_ns);
/* "2006-01-02T15:04:05Z" or with local offset "+01:00"; out holds 40 bytes. */
void clock_format_rfc3339(int64_t wall_ns, char *out);
/* Go's RFC3339Nano: up to nine fraction digits, trailing zeros removed. */
void clock_format_rfc3339_nano(int64_t wall_ns, char *out);
