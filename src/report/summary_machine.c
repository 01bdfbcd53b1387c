/* The machine-readable summary, version 1.0.0 of its schema. */
#include "base/check.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "report/summary.h"

#define SCHEMA_VERSION "1.0.0"

static void put_number(struct json_writer *w, const char *key, double value) {
    json_key(w, key);
    json_double(w, value);
}

/* The schema knows these statistics of a trend, and no others. */
static void put_trend(struct json_writer *w, const struct summary *s,
                      const struct summary_metric *m) {
    static const struct {
        const char *name, *key;
    } known[] = {{"avg", "avg"}, {"max", "max"},   {"med", "med"},
                 {"min", "min"}, {"p(90)", "p90"}, {"p(95)", "p95"}};
    for (size_t k = 0; k < countof(known); k++)
        for (size_t i = 0; i < s->options.n_trend_stats; i++)
            if (strcmp(s->options.trend_stats[i].name, known[k].name) == 0)
                put_number(w, known[k].key, m->stats[i]);
}

static void put_values(struct json_writer *w, const struct summary *s,
                       const struct summary_metric *m) {
    switch (m->type) {
    case METRIC_COUNTER:
        put_number(w, "count", m->counter.count);
        break;
    case METRIC_GAUGE:
        put_number(w, "max", m->gauge.max);
        put_number(w, "min", m->gauge.min);
        put_number(w, "value", m->gauge.value);
        break;
    case METRIC_RATE:
        json_key(w, "matches");
        json_int(w, (int64_t)m->rate.passes);
        put_number(w, "rate", m->rate.rate);
        json_key(w, "total");
        json_int(w, (int64_t)(m->rate.passes + m->rate.fails));
        break;
    case METRIC_TREND:
        put_trend(w, s, m);
        break;
    }
}

static void put_metric(struct json_writer *w, const struct summary *s,
                       const struct summary_metric *m) {
    json_object_begin(w);
    json_key(w, "contains");
    json_cstr(w, metric_contains_name(m->contains));
    json_key(w, "name");
    json_cstr(w, m->name);
    json_key(w, "type");
    json_cstr(w, metric_type_name(m->type));
    json_key(w, "values");
    json_object_begin(w);
    put_values(w, s, m);
    json_object_end(w);
    json_object_end(w);
}

static const struct summary_metric *find_checks(const struct summary *s) {
    for (size_t i = 0; i < s->total.n_metrics; i++)
        if (strcmp(s->total.metrics[i].name, "checks") == 0)
            return &s->total.metrics[i];
    return NULL;
}

static void put_checks(struct json_writer *w, const struct summary *s) {
    const struct summary_metric *checks = find_checks(s);
    json_object_begin(w);
    if (checks != NULL) {
        uint64_t passes = checks->rate.passes, fails = checks->rate.fails, total = passes + fails;
        const struct summary_metric metrics[] = {
            {.name = "checks_total", .type = METRIC_COUNTER, .counter = {(double)total, 0}},
            {.name = "checks_failed",
             .type = METRIC_RATE,
             .rate = {total ? (double)fails / (double)total : 0, fails, passes}},
            {.name = "checks_succeeded",
             .type = METRIC_RATE,
             .rate = {checks->rate.rate, passes, fails}},
        };
        json_key(w, "metrics");
        json_array_begin(w);
        for (size_t i = 0; i < countof(metrics); i++)
            put_metric(w, s, &metrics[i]);
        json_array_end(w);
        json_key(w, "results");
        json_array_begin(w);
        for (size_t i = 0; i < s->total.n_checks; i++) {
            const struct summary_check *c = &s->total.checks[i];
            json_object_begin(w);
            json_key(w, "fails");
            json_int(w, (int64_t)c->fails);
            json_key(w, "name");
            json_cstr(w, c->name);
            json_key(w, "passes");
            json_int(w, (int64_t)c->passes);
            json_object_end(w);
        }
        json_array_end(w);
    }
    json_object_end(w);
}

/* Those that the text hides by name are left out here as well. */
static bool is_listed(const struct summary_metric *m) {
    return strncmp(m->name, "checks", 6) != 0 && strncmp(m->name, "group_duration", 14) != 0;
}

static void put_results(struct json_writer *w, const struct summary *s) {
    json_object_begin(w);
    json_key(w, "checks");
    put_checks(w, s);
    json_key(w, "metrics");
    json_array_begin(w);
    for (size_t i = 0; i < s->total.n_metrics; i++)
        if (is_listed(&s->total.metrics[i]))
            put_metric(w, s, &s->total.metrics[i]);
    json_array_end(w);
    json_object_end(w);
}

void summary_write_machine_readable(const struct summary *s, bool indented, struct buf *out) {
    struct json_writer w;
    char time[40];
    clock_format_rfc3339_nano(s->options.wall_ns, time);
    json_write_init(&w, out, indented ? "    " : NULL, false);
    json_object_begin(&w);
    json_key(&w, "config");
    json_object_begin(&w);
    put_number(&w, "duration", (double)s->options.duration_ns / 1e9);
    json_key(&w, "execution");
    json_cstr(&w, s->options.is_cloud ? "cloud" : "local");
    json_key(&w, "script");
    json_string(&w, s->options.script);
    json_object_end(&w);
    json_key(&w, "metadata");
    json_object_begin(&w);
    json_key(&w, "generated_at");
    json_cstr(&w, time);
    json_key(&w, "k6_version");
    json_cstr(&w, KILN_VERSION);
    json_object_end(&w);
    json_key(&w, "results");
    put_results(&w, s);
    json_key(&w, "version");
    json_cstr(&w, SCHEMA_VERSION);
    json_object_end(&w);
}
