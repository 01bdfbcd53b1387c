#include <math.h>
#include <stdio.h>

#include "base/go_text.h"
#include "metrics/aggregate.h"

int trend_stat_parse(struct slice text, struct trend_stat *out, struct error *err) {
    static const struct {
        const char *name;
        int kind;
    } plain[] = {{"avg", STAT_AVG},
                 {"min", STAT_MIN},
                 {"med", STAT_MED},
                 {"max", STAT_MAX},
                 {"count", STAT_COUNT}};
    double percent;
    *out = (struct trend_stat){0};
    snprintf(out->name, sizeof out->name, "%.*s", SLICE_FMT(text));
    for (size_t i = 0; i < countof(plain); i++) {
        if (slice_eq(text, slice_cstr(plain[i].name))) {
            out->kind = plain[i].kind;
            return 0;
        }
    }
    if (text.len < 3 || !slice_starts(text, SLICE("p(")) || !slice_ends(text, SLICE(")")))
        return error_set(err, KE_INVALID, "invalid trend stat '%.*s', unknown format",
                         SLICE_FMT(text));
    if (go_parse_float(slice_from(text.ptr + 2, text.len - 3), &percent, NULL) ||
        !(percent >= 0 && percent <= 100))
        return error_set(err, KE_INVALID,
                         "invalid percentile trend stat value '%.*s', provide a number between 0 "
                         "and 100",
                         SLICE_FMT(text));
    out->kind = STAT_PERCENTILE;
    out->p = percent / 100;
    return 0;
}

double trend_stat_value(const struct trend *t, const struct trend_stat *stat) {
    switch (stat->kind) {
    case STAT_AVG:
        return trend_avg(t);
    case STAT_MIN:
        return t->min;
    case STAT_MED:
        return trend_quantile(t, 0.5);
    case STAT_MAX:
        return t->max;
    case STAT_COUNT:
        return (double)t->count;
    case STAT_SUM:
        return t->sum;
    case STAT_PERCENTILE:
        return trend_quantile(t, stat->p);
    }
    return 0;
}
