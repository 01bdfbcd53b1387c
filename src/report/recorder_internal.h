/* The recorder's events that are not arrays of values. Not for other layers. */
#pragma once

#include "base/json_write.h"
#include "report/recorder.h"

void recorder_write_param(struct json_writer *w, const struct recorder_config *c, int64_t start_ms);
/* {metric: [sources]} of what fails; false: nothing does. */
bool recorder_write_failed(struct json_writer *w, const struct threshold_set *set);
/* All thresholds with their last values. */
void recorder_write_thresholds(struct json_writer *w, const struct threshold_set *set);
/* [{"group": "::a", "name": …, "passes": …, "fails": …}]; root may be NULL. */
void recorder_write_checks(struct json_writer *w, const struct group_stats *root);
void recorder_write_status(struct json_writer *w, const struct recorder_config *c,
                           const struct recorder_state *s, const char *verdict);
