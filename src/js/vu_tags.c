#include "js/vu_tags.h"

#include <stdlib.h>

#include "base/check.h"
#include "metrics/tags.h"

static void add_all(struct tag_table *t, const struct tagset **tags, const struct map *from) {
    struct map_entry *e;
    for (size_t i = 0; from && (e = map_next(from, &i));)
        *tags = tagset_with(t, *tags, e->key, slice_cstr(e->value));
}

void vu_tags_reset(struct vu *vu, const struct scenario_info *scenario) {
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&vu->metadata, &i));)
        free(e->value);
    map_release(&vu->metadata);
    map_init(&vu->metadata);
    vu->meta_custom = NULL;
    if (!vu->shard)
        return;
    struct tag_table *t = shard_tags(vu->shard);
    const struct tagset *tags = tagset_empty(t);
    add_all(t, &tags, vu->config->run_tags);
    if (scenario)
        add_all(t, &tags, scenario->tags);
    if (scenario && (vu->config->system_tags & TAG_SCENARIO))
        tags = tagset_with(t, tags, SLICE("scenario"), slice_cstr(scenario->name));
    vu->base_tags = tags;
    if (vu->config->system_tags & TAG_GROUP)
        tags = tagset_with(t, tags, SLICE("group"), SLICE(""));
    vu->tags = tags;
}

struct slice vu_group(const struct vu *vu) {
    if (!vu->shard)
        return slice_cstr(vu->group_path ? vu->group_path : "");
    struct slice g = tagset_get(vu->tags, SLICE("group"));
    return g.ptr ? g : SLICE("");
}

void vu_set_group(struct vu *vu, struct slice path) {
    if (!(vu->config->system_tags & TAG_GROUP))
        return;
    if (vu->shard) {
        vu->tags = tagset_with(shard_tags(vu->shard), vu->tags, SLICE("group"), path);
        return;
    }
    char *copy = slice_dup(path);
    free(vu->group_path);
    vu->group_path = copy;
}

void vu_tag_set(struct vu *vu, struct slice key, struct slice value) {
    if (vu->shard)
        vu->tags = tagset_with(shard_tags(vu->shard), vu->tags, key, value);
}

void vu_tag_delete(struct vu *vu, struct slice key) {
    if (vu->shard)
        vu->tags = tagset_without(shard_tags(vu->shard), vu->tags, key);
}

const struct sample_meta *vu_sample_meta_with(const struct vu *vu, const struct tagset *custom,
                                              struct sample_meta *out) {
    if (likely(!vu->has_vu_tag && !vu->has_iter_tag && !custom))
        return NULL;
    *out = (struct sample_meta){vu->has_vu_tag ? vu->id : -1, vu->has_iter_tag ? vu->iteration : -1,
                                custom};
    return out;
}

const struct sample_meta *vu_sample_meta(const struct vu *vu, struct sample_meta *out) {
    return vu_sample_meta_with(vu, vu->meta_custom, out);
}

void vu_sample_series(struct vu *vu, struct series *s, double value, int64_t time_ns) {
    struct sample_meta meta;
    series_add_with(s, value, time_ns, vu_sample_meta(vu, &meta));
}

void vu_sample(struct vu *vu, struct metric *m, const struct tagset *tags, double value,
               int64_t time_ns) {
    if (vu->shard)
        vu_sample_series(vu, shard_series(vu->shard, m, tags), value, time_ns);
}
