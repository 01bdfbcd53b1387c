/* Text of reports: widths on a terminal and the order of names. */
#pragma once

#include "base/slice.h"

struct buf;

/* Columns: code points, terminal escape sequences not counted. */
size_t text_width(struct slice s);
/* The order of localeCompare for the names that metrics have: punctuation before digits before
 * letters, case only as a last resort (lower case first), other characters behind. Metrics stand by
 * name, submetrics under their parent. */
int text_compare_metric_names(const char *a, const char *b);
int text_compare_locale(struct slice a, struct slice b);
void text_pad(struct buf *out, size_t count, char c);
/* s in "ESC[codes m … ESC[0m"; as it is when codes is NULL. */
void text_colored(struct buf *out, const char *codes, struct slice s);
