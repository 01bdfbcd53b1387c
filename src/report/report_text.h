/* Reports for machines and for merge requests, from the same picture as the end-of-test summary. */
#pragma once

#include "report/summary.h"

struct report_facts {
    const char *script;
    const char *failure; /* why the run failed, NULL = it did not */
    bool is_threshold_failure;
    int64_t start_wall_ns;
};

/* JUnit XML: a suite of thresholds, one of checks, and one with the run itself, so that a CI server
 * shows what failed. */
void report_junit_write(const struct summary *s, const struct report_facts *f, struct buf *out);
/* GitHub's Markdown: verdict, thresholds, checks, metrics. */
void report_markdown_write(const struct summary *s, const struct report_facts *f, struct buf *out);
