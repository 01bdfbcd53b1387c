
#include "base/check.h"
#include "report/recorder_internal.h"

/* More checks than this are not listed on the page. */
#define CHECKS_MAX 5000

static void put_names(struct json_writer *w, const char *key, const char *const *names, size_t n) {
    json_key(w, key);
    json_array_begin(w);
    for (size_t i = 0; i < n; i++)
        json_cstr(w, names[i]);
    json_array_end(w);
}

static void put_aggregates(struct json_writer *w) {
    static const char *const counter[] = {"count", "rate"}, *const gauge[] = {"value"},
                             *const rate[] = {"rate"}, *const trend[] = {"avg",  "max",   "med",
                                                                         "min",  "p(90)", "p(95)",
                                                                         "p(99)"};
    json_key(w, "aggregates");
    json_object_begin(w);
    put_names(w, "counter", counter, countof(counter));
    put_names(w, "gauge", gauge, countof(gauge));
    put_names(w, "rate", rate, countof(rate));
    put_names(w, "trend", trend, countof(trend));
    json_object_end(w);
}

/* Thresholds of one metric stand together. */
static bool is_first_of_metric(const struct threshold_set *set, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (set->items[k].metric == set->items[i].metric)
            return false;
    return set->items[i].metric != NULL;
}

/* {metric: [sources]}; only what fails, or all. */
static size_t put_sources(struct json_writer *w, const struct threshold_set *set,
                          bool only_failed) {
    size_t n = 0;
    json_object_begin(w);
    for (size_t i = 0; set && i < set->len; i++) {
        size_t here = 0;
        if (!is_first_of_metric(set, i))
            continue;
        for (size_t k = i; k < set->len; k++) {
            const struct threshold *t = &set->items[k];
            if (t->metric != set->items[i].metric || (only_failed && !t->has_failed))
                continue;
            if (here++ == 0) {
                json_key(w, t->metric->name);
                json_array_begin(w);
            }
            json_cstr(w, t->source);
        }
        if (here)
            json_array_end(w);
        n += here;
    }
    json_object_end(w);
    return n;
}

void recorder_write_param(struct json_writer *w, const struct recorder_config *c,
                          int64_t start_ms) {
    json_object_begin(w);
    if (c->thresholds && c->thresholds->len) {
        json_key(w, "thresholds");
        put_sources(w, c->thresholds, false);
    }
    put_names(w, "scenarios", c->scenarios, c->n_scenarios);
    json_pair_int(w, "endOffset", c->end_offset_ns / NS_PER_MS);
    json_pair_int(w, "period", c->period_ns / NS_PER_MS);
    json_key(w, "tags");
    json_array_begin(w);
    for (size_t i = 0; i < c->n_tags; i++)
        json_string(w, c->tags[i]);
    json_array_end(w);
    json_pair_cstr(w, "scriptPath", c->script);
    put_aggregates(w);
    json_pair_int(w, "start", start_ms);
    json_pair_cstr(w, "program", c->program);
    if (c->test_id)
        json_pair_cstr(w, "testId", c->test_id);
    json_object_end(w);
}

bool recorder_write_failed(struct json_writer *w, const struct threshold_set *set) {
    return put_sources(w, set, true) > 0;
}

void recorder_write_thresholds(struct json_writer *w, const struct threshold_set *set) {
    json_array_begin(w);
    for (size_t i = 0; set && i < set->len; i++) {
        const struct threshold *t = &set->items[i];
        if (!t->metric)
            continue;
        json_object_begin(w);
        json_pair_cstr(w, "metric", t->metric->name);
        json_pair_cstr(w, "source", t->source);
        json_pair_bool(w, "ok", !t->has_failed);
        if (t->has_value) {
            json_key(w, "value");
            json_double(w, t->last_value);
        }
        json_object_end(w);
    }
    json_array_end(w);
}

static void put_group(struct json_writer *w, const struct group_stats *g, size_t *left) {
    for (size_t i = 0; i<g->n_checks && * left> 0; i++, --*left) {
        const struct check_stats *c = &g->checks[i];
        json_object_begin(w);
        json_pair_cstr(w, "group", g->path);
        json_pair_cstr(w, "name", c->name);
        json_pair_int(w, "passes", (int64_t)c->passes);
        json_pair_int(w, "fails", (int64_t)c->fails);
        json_object_end(w);
    }
    for (size_t i = 0; i < g->n_groups; i++)
        put_group(w, g->groups[i], left);
}

void recorder_write_checks(struct json_writer *w, const struct group_stats *root) {
    size_t left = CHECKS_MAX;
    json_array_begin(w);
    if (root)
        put_group(w, root, &left);
    json_array_end(w);
}

void recorder_write_status(struct json_writer *w, const struct recorder_config *c,
                           const struct recorder_state *s, const char *verdict) {
    json_object_begin(w);
    json_pair_cstr(w, "state", s->state);
    json_pair_int(w, "elapsed", s->elapsed_ns / NS_PER_MS);
    json_pair_int(w, "vus", s->vus);
    json_pair_int(w, "vusMax", s->vus_max);
    json_pair_int(w, "iterations", s->iterations);
    json_pair_int(w, "interrupted", s->interrupted);
    json_key(w, "progress");
    json_double(w, s->progress);
    json_pair_bool(w, "paused", s->is_paused);
    if (c->can_control) {
        json_key(w, "control");
        json_object_begin(w);
        json_pair_bool(w, "pause", s->can_pause);
        json_pair_bool(w, "scale", s->can_scale);
        json_object_end(w);
    }
    if (verdict)
        json_pair_cstr(w, "verdict", verdict);
    json_object_end(w);
}
