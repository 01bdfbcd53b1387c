#include "load/executor_text.h"

#include "base/clock.h"
#include "base/duration.h"
#include "load/run.h"

int executor_digits(int64_t max) {
    int digits = 1;
    for (; max >= 10; max /= 10)
        digits++;
    return digits;
}

int64_t executor_spent_ns(const struct scenario_run *s) {
    int64_t start_ns = atomic_load(&s->start_ns);
    int64_t spent_ns = start_ns != 0 ? run_clock_ns(s->run) - start_ns : 0;
    return spent_ns > 0 ? spent_ns : 0; /* a resume moves one before the other */
}

double executor_time_progress(const struct scenario_run *s) {
    int64_t spent_ns = executor_spent_ns(s);
    return spent_ns >= s->regular_ns ? 1 : (double)spent_ns / (double)s->regular_ns;
}

const char *executor_time_text(const struct scenario_run *s, struct arena *a) {
    char spent[DURATION_TEXT_MAX], whole[DURATION_TEXT_MAX];
    int64_t spent_ns = executor_spent_ns(s);
    duration_format(s->regular_ns, whole);
    if (spent_ns > s->regular_ns)
        return arena_printf(a, "%s", whole);
    duration_format_fixed(spent_ns, s->regular_ns, spent);
    return arena_printf(a, "%s/%s", spent, whole);
}
