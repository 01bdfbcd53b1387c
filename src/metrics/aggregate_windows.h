/* The aggregate's windows. Not for other layers. */
#pragma once

#include "metrics/aggregate.h"

struct windows;

struct windows *windows_new(void);
void windows_free(struct windows *w);
/* total: the aggregate's sink of the metric, which already has `from`. */
void windows_add(struct windows *w, const struct sink *total, const struct sink *from);
/* from->part says which tag value it is for. */
void windows_add_part(struct windows *w, const struct sink *from);
size_t windows_count(const struct windows *w);
const struct aggregate_window *windows_at(const struct windows *w, size_t i);
void windows_reset(struct windows *w);
