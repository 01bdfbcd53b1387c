#include "report/result_file.h"

/* "group:::menu" of a list: the value goes to the next comma. Quotes around either are left out. */
static struct tag take_pair(struct slice *rest) {
    struct slice value = slice_trim(slice_cut(rest, ',')), key = slice_cut(&value, ':');
    struct slice parts[2] = {slice_trim(key), value.ptr ? slice_trim(value) : SLICE("")};
    for (int i = 0; i < 2; i++)
        if (parts[i].len >= 2 && (parts[i].ptr[0] == '"' || parts[i].ptr[0] == '\'') &&
            parts[i].ptr[parts[i].len - 1] == parts[i].ptr[0])
            parts[i] = slice_from(parts[i].ptr + 1, parts[i].len - 2);
    return (struct tag){parts[0], parts[1]};
}

static bool has_tag(const struct result_series *s, struct tag wanted) {
    for (size_t i = 0; i < s->n_tags; i++)
        if (slice_eq(s->tags[i].key, wanted.key))
            return slice_eq(s->tags[i].value, wanted.value);
    return false;
}

static bool has_tags(const struct result_series *s, struct slice list) {
    bool has = true;
    while (list.ptr && has)
        has = has_tag(s, take_pair(&list));
    return has;
}

bool result_total(const struct result *r, const char *name, struct sink *out) {
    const struct result_series *whole = result_find(r, name);
    struct slice base = slice_from(name, strcspn(name, "{")), list = slice_cstr(name + base.len);
    if (whole) {
        *out = (struct sink){.metric = whole->total.metric};
        sink_merge(out, &whole->total);
        return out->has_samples;
    }
    if (list.len < 2 || list.ptr[list.len - 1] != '}')
        return false;
    list = slice_from(list.ptr + 1, list.len - 2);
    *out = (struct sink){0};
    for (size_t i = 0; i < r->series.len; i++) {
        const struct result_series *s = r->series.ptr[i];
        bool is_of_metric = s->kind == RESULT_SERIES && s->total.has_samples &&
                            slice_eq(slice_cstr(s->metric.name), base);
        if (!is_of_metric || (out->metric && out->metric->type != s->metric.type) ||
            !has_tags(s, list))
            continue;
        if (!out->metric)
            out->metric = s->total.metric;
        sink_merge(out, &s->total);
    }
    return out->has_samples;
}
