/* Tags of a VU's samples. */
#pragma once

#include "js/vu_internal.h"
#include "metrics/shard.h"

/* The tags a VU starts a scenario with (scenario NULL: setup, teardown): run tags, scenario tags,
 * group and scenario. */
void vu_tags_reset(struct vu *vu, const struct scenario_info *scenario);
/* Value of the group tag, "" when there is none. */
struct slice vu_group(const struct vu *vu);
void vu_set_group(struct vu *vu, struct slice path);
/* exec.vu.tags: sets or deletes one. */
void vu_tag_set(struct vu *vu, struct slice key, struct slice value);
void vu_tag_delete(struct vu *vu, struct slice key);

/* What goes with the VU's samples beside tags; NULL when there is nothing, otherwise *out filled
 * in. */
const struct sample_meta *vu_sample_meta(const struct vu *vu, struct sample_meta *out);
/* The same with metadata other than the VU's own. */
const struct sample_meta *vu_sample_meta_with(const struct vu *vu, const struct tagset *custom,
                                              struct sample_meta *out);
/* Records one value with tags, dropped without a shard. */
void vu_sample(struct vu *vu, struct metric *m, const struct tagset *tags, double value,
               int64_t time_ns);
void vu_sample_series(struct vu *vu, struct series *s, double value, int64_t time_ns);
