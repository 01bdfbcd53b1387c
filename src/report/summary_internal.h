/* Shared by the files that fill a struct summary. */
#pragma once

#include "report/summary.h"

/* Values of a metric from its sink; NULL or an empty one gives zeros. */
void summary_metric_fill(struct summary *s, struct summary_metric *out, const struct metric *m,
                         const struct sink *sink);
void summary_metrics_sort(struct summary_metric *metrics, size_t n);
double summary_per_second(const struct summary_options *o, double count);
/* Measurements by scenario and group, for the full mode: every series of the run is given to it, in
 * order of creation. Sinks are merged in, not kept. Samples of setup and teardown groups are left
 * out, as in k6; the scenario "default" is not shown as one. */
struct summary_sections;
struct summary_sections *summary_sections_new(void);
void summary_sections_free(struct summary_sections *s);
void summary_sections_add(struct summary_sections *s, const struct metric *metric,
                          const struct tagset *tags, const struct sink *sink);
/* Fills total.groups and scenarios. */
void summary_sections_collect(struct summary *s, const struct summary_sections *sections);
