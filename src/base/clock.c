#include "base/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_TEXT_MAX 40

static pthread_once_t offset_once = PTHREAD_ONCE_INIT;
static int64_t wall_offset_ns;

int64_t clock_wall_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void take_offset(void) {
    wall_offset_ns = clock_wall_ns() - clock_now_ns();
}

int64_t clock_mono_to_wall_ns(int64_t mono_ns) {
    pthread_once(&offset_once, take_offset);
    return mono_ns + wall_offset_ns;
}

/* Broken down local time of a second, kept per thread: streams of records share their second. */
struct second_text {
    time_t second;
    bool is_set;
    char date[20]; /* 2006-01-02T15:04:05 */
    char zone[8];  /* Z or +01:00 */
};

static const struct second_text *second_text(time_t second) {
    static _Thread_local struct second_text cache;
    if (cache.is_set && cache.second == second)
        return &cache;
    struct tm tm;
    memset(&tm, 0, sizeof tm);
    localtime_r(&second, &tm);
    strftime(cache.date, sizeof cache.date, "%Y-%m-%dT%H:%M:%S", &tm);
    long minutes = tm.tm_gmtoff / 60;
    if (minutes == 0)
        snprintf(cache.zone, sizeof cache.zone, "Z");
    else
        snprintf(cache.zone, sizeof cache.zone, "%c%02u:%02u", minutes < 0 ? '-' : '+',
                 (unsigned)labs(minutes) / 60 % 100, (unsigned)labs(minutes) % 60);
    cache.second = second;
    cache.is_set = true;
    return &cache;
}

static time_t split_ns(int64_t wall_ns, int64_t *out_ns) {
    int64_t second = wall_ns / NS_PER_S, ns = wall_ns % NS_PER_S;
    if (ns < 0) {
        ns += NS_PER_S;
        second--;
    }
    *out_ns = ns;
    return (time_t)second;
}

void clock_format_rfc3339(int64_t wall_ns, char *out) {
    int64_t ns;
    const struct second_text *s = second_text(split_ns(wall_ns, &ns));
    snprintf(out, TIME_TEXT_MAX, "%s%s", s->date, s->zone);
}

void clock_format_rfc3339_nano(int64_t wall_ns, char *out) {
    int64_t ns;
    const struct second_text *s = second_text(split_ns(wall_ns, &ns));
    char fraction[12] = "";
    if (ns != 0) {
        int len = snprintf(fraction, sizeof fraction, ".%09u", (unsigned)ns % 1000000000u);
        while (fraction[len - 1] == '0')
            fraction[--len] = '\0';
    }
    snprintf(out, TIME_TEXT_MAX, "%s%s%s", s->date, fraction, s->zone);
}
