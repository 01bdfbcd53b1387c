/* The full mode's view: what each scenario, and each group within it, measured. */
#include <stdlib.h>

#include "base/check.h"
#include "base/map.h"
#include "metrics/tags.h"
#include "report/summary_internal.h"
#include "report/text.h"

#define DEPTH_MAX 64

/* A scenario or a group. Groups have no samples of their subgroups. */
struct node {
    struct map sinks;  /* metric name -> struct sink */
    struct map checks; /* name -> struct summary_check */
    struct map groups; /* name -> struct node */
};

struct summary_sections {
    struct node root;     /* groups outside of named scenarios */
    struct map scenarios; /* name -> struct node */
};

static void node_init(struct node *n) {
    map_init(&n->sinks);
    map_init(&n->checks);
    map_init(&n->groups);
}

static void node_release(struct node *n) {
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&n->sinks, &i));) {
        struct sink *sink = e->value;
        if (sink->metric->type == METRIC_TREND)
            trend_release(&sink->trend);
        free(sink);
    }
    for (size_t i = 0; (e = map_next(&n->checks, &i));)
        free(e->value);
    for (size_t i = 0; (e = map_next(&n->groups, &i));) {
        node_release(e->value);
        free(e->value);
    }
    map_release(&n->sinks);
    map_release(&n->checks);
    map_release(&n->groups);
}

static struct node *child(struct map *children, struct slice name) {
    struct node *n = map_get(children, name);
    if (n == NULL) {
        n = xcalloc(1, sizeof *n);
        node_init(n);
        map_set(children, name, n);
    }
    return n;
}

struct summary_sections *summary_sections_new(void) {
    struct summary_sections *s = xcalloc(1, sizeof *s);
    node_init(&s->root);
    map_init(&s->scenarios);
    return s;
}

void summary_sections_free(struct summary_sections *s) {
    struct map_entry *e;
    if (s == NULL)
        return;
    node_release(&s->root);
    for (size_t i = 0; (e = map_next(&s->scenarios, &i));) {
        node_release(e->value);
        free(e->value);
    }
    map_release(&s->scenarios);
    free(s);
}

static void merge_gauge(struct sink *to, const struct sink *from) {
    if (!to->has_samples || from->gauge.last_ns >= to->gauge.last_ns) {
        to->gauge.last = from->gauge.last;
        to->gauge.last_ns = from->gauge.last_ns;
    }
    if (!to->has_samples || from->gauge.min < to->gauge.min)
        to->gauge.min = from->gauge.min;
    if (!to->has_samples || from->gauge.max > to->gauge.max)
        to->gauge.max = from->gauge.max;
}

static void merge(struct sink *to, const struct sink *from) {
    switch (to->metric->type) {
    case METRIC_COUNTER:
        to->counter.sum += from->counter.sum;
        break;
    case METRIC_GAUGE:
        merge_gauge(to, from);
        break;
    case METRIC_RATE:
        to->rate.trues += from->rate.trues;
        to->rate.total += from->rate.total;
        break;
    case METRIC_TREND:
        trend_merge(&to->trend, &from->trend);
        break;
    }
    to->has_samples = true;
}

static void node_add(struct node *n, const struct metric *metric, const struct tagset *tags,
                     const struct sink *sink) {
    struct slice name = slice_cstr(metric->name);
    struct sink *to = map_get(&n->sinks, name);
    if (to == NULL) {
        to = xcalloc(1, sizeof *to);
        to->metric = (struct metric *)metric;
        if (metric->type == METRIC_TREND)
            trend_init(&to->trend);
        map_set(&n->sinks, name, to);
    }
    merge(to, sink);
    struct slice check = tagset_get(tags, SLICE("check"));
    if (check.ptr == NULL || !slice_eq(name, SLICE("checks")))
        return;
    struct summary_check *c = map_get(&n->checks, check);
    if (c == NULL) {
        c = xcalloc(1, sizeof *c);
        map_set(&n->checks, check, c);
    }
    c->passes += sink->rate.trues;
    c->fails += sink->rate.total - sink->rate.trues;
}

/* Cuts the first name off a path "::shop::cart" and leaves "::cart". */
static struct slice next_group(struct slice *path) {
    struct slice rest = slice_from(path->ptr + 2, path->len - 2);
    const char *at = memmem(rest.ptr, rest.len, "::", 2);
    size_t len = at ? (size_t)(at - rest.ptr) : rest.len;
    *path = slice_from(rest.ptr + len, rest.len - len);
    return slice_from(rest.ptr, len);
}

void summary_sections_add(struct summary_sections *s, const struct metric *metric,
                          const struct tagset *tags, const struct sink *sink) {
    struct node *at = &s->root;
    struct slice scenario = tagset_get(tags, SLICE("scenario"));
    struct slice path = tagset_get(tags, SLICE("group"));
    if (!sink->has_samples)
        return;
    if (scenario.len > 0 && !slice_eq(scenario, SLICE("default"))) {
        at = child(&s->scenarios, scenario);
        node_add(at, metric, tags, sink);
    }
    if (!slice_starts(path, SLICE("::")) || slice_eq(path, SLICE("::setup")) ||
        slice_eq(path, SLICE("::teardown")))
        return;
    for (int depth = 0; slice_starts(path, SLICE("::")) && depth < DEPTH_MAX; depth++)
        at = child(&at->groups, next_group(&path));
    node_add(at, metric, tags, sink);
}

static void node_collect(struct summary *s, const struct node *n, const char *name,
                         struct summary_section *out) {
    struct map_entry *e;
    *out = (struct summary_section){.name = name};
    out->metrics = arena_alloc(&s->arena, (n->sinks.len + 1) * sizeof *out->metrics);
    for (size_t i = 0; (e = map_next(&n->sinks, &i));) {
        const struct sink *sink = e->value;
        summary_metric_fill(s, &out->metrics[out->n_metrics++], sink->metric, sink);
    }
    summary_metrics_sort(out->metrics, out->n_metrics);
    out->checks = arena_alloc(&s->arena, (n->checks.len + 1) * sizeof *out->checks);
    for (size_t i = 0; (e = map_next(&n->checks, &i));) {
        struct summary_check *c = &out->checks[out->n_checks++];
        *c = *(const struct summary_check *)e->value;
        c->name = arena_strndup(&s->arena, e->key.ptr, e->key.len);
    }
    out->groups = arena_alloc(&s->arena, (n->groups.len + 1) * sizeof *out->groups);
    for (size_t i = 0; (e = map_next(&n->groups, &i));)
        node_collect(s, e->value, arena_strndup(&s->arena, e->key.ptr, e->key.len),
                     &out->groups[out->n_groups++]);
}

static int compare_sections(const void *a, const void *b) {
    const struct summary_section *x = a, *y = b;
    return text_compare_locale(slice_cstr(x->name), slice_cstr(y->name));
}

void summary_sections_collect(struct summary *s, const struct summary_sections *sections) {
    struct summary_section root;
    struct map_entry *e;
    node_collect(s, &sections->root, "", &root);
    s->total.groups = root.groups;
    s->total.n_groups = root.n_groups;
    s->scenarios = arena_alloc(&s->arena, (sections->scenarios.len + 1) * sizeof *s->scenarios);
    for (size_t i = 0; (e = map_next(&sections->scenarios, &i));)
        node_collect(s, e->value, arena_strndup(&s->arena, e->key.ptr, e->key.len),
                     &s->scenarios[s->n_scenarios++]);
    if (s->n_scenarios > 1)
        qsort(s->scenarios, s->n_scenarios, sizeof *s->scenarios, compare_sections);
}
