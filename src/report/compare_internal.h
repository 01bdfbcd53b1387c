/* What the files of the comparison share. Not for other layers. */
#pragma once

#include "report/compare.h"

/* How the values of the seconds vary, per series and statistic. */
#define MOMENT_STATS 7
struct moments {
    struct {
        double n, mean, m2;
    } of[MOMENT_STATS];
};

int compare_stat_parse(struct slice text, struct compare_stat *out);
double compare_value(const struct sink *s, const struct compare_stat *stat, double seconds);
/* Statistics shown for a type; *out_n of them. */
const struct compare_stat *compare_stats(enum metric_type type, size_t *out_n);
/* Submetrics are shown when asked for. */
bool compare_row_is_part(const struct compare_row *row);
