/* The columns of the summary's metric lines, common to its text forms: values as text, with the
 * widths that align them over a set of metrics. */
#pragma once

#include "report/summary.h"

struct summary_row {
    size_t n_cells;
    const char **cells; /* trend: one per trend stat; others: value, then the extras */
};

struct summary_cells {
    const struct summary_metric *const *metrics;
    size_t n;
    struct summary_row *rows;
    size_t *trend_widths;
    size_t value_width, extra_widths[2];
    size_t name_width; /* longest display name, indentation of submetrics included */
};

struct summary_style {
    const char *value, *extra, *dots; /* colour codes; NULL = none */
    bool legacy_rates;                /* "✓ 1 ✗ 2" instead of "1 out of 3" */
};

/* Everything lives in the arena. */
void summary_cells_init(struct summary_cells *c, struct arena *a, const struct summary *s,
                        const struct summary_metric *const *metrics, size_t n,
                        const struct summary_style *style);
/* "name......:"; the indentation of submetrics counts as width but is the caller's to print. */
void summary_cells_name(const struct summary_cells *c, size_t row,
                        const struct summary_style *style, struct buf *out);
void summary_cells_values(const struct summary_cells *c, size_t row, const struct summary *s,
                          const struct summary_style *style, struct buf *out);
/* "http_reqs" or "{ status:200 }". */
const char *summary_display_name(struct arena *a, const char *metric_name);
bool summary_is_submetric(const char *metric_name);
/* Pointers to the items, for the functions above. */
const struct summary_metric **summary_metric_pointers(struct arena *a,
                                                      const struct summary_metric *items, size_t n);
