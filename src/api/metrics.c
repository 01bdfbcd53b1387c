/* /v1/metrics: every metric that was observed, or has a threshold. */
#include "api/api_internal.h"

#include "base/check.h"

struct shown {
    const struct metric *metric;
    const struct sink *sink; /* may be NULL */
};

static bool is_observed(const struct run *run, const struct metric *m, struct shown *out) {
    const struct sink *sink = aggregate_sink(run->aggregate, m);
    *out = (struct shown){m, sink != NULL && sink->has_samples ? sink : NULL};
    return out->sink != NULL || m->is_shown;
}

/* Null while its thresholds, if it has any, were never evaluated. */
static void put_tainted(struct json_writer *w, const struct run *run, const struct metric *m) {
    const struct threshold_set *set = run->config.thresholds;
    bool is_known = false, is_tainted = false;
    for (size_t i = 0; set != NULL && i < set->len; i++)
        if (set->items[i].metric == m) {
            is_known |= set->items[i].has_value;
            is_tainted |= set->items[i].has_failed;
        }
    json_key(w, "tainted");
    if (is_known || is_tainted)
        json_bool(w, is_tainted);
    else
        json_null(w);
}

static void put_number(struct json_writer *w, const char *key, double value) {
    json_key(w, key);
    json_double(w, value);
}

static void put_trend(struct json_writer *w, const struct trend *t) {
    static const double p[] = {0.5, 0.9, 0.95};
    double q[countof(p)] = {0};
    if (t != NULL)
        trend_quantiles(t, p, q, countof(p));
    put_number(w, "avg", t != NULL ? trend_avg(t) : 0);
    put_number(w, "max", t != NULL ? t->max : 0);
    put_number(w, "med", q[0]);
    put_number(w, "min", t != NULL ? t->min : 0);
    put_number(w, "p(90)", q[1]);
    put_number(w, "p(95)", q[2]);
}

static void put_counter(struct json_writer *w, const struct sink *s, int64_t elapsed_ns) {
    double sum = s != NULL ? s->counter.sum : 0;
    put_number(w, "count", sum);
    put_number(w, "rate", elapsed_ns > 0 ? sum / ((double)elapsed_ns / (double)NS_PER_S) : 0);
}

static void put_sample(struct json_writer *w, const struct run *run, const struct shown *shown) {
    const struct sink *s = shown->sink;
    json_key(w, "sample");
    json_object_begin(w);
    switch (shown->metric->type) {
    case METRIC_COUNTER:
        put_counter(w, s, run_elapsed_ns(run));
        break;
    case METRIC_GAUGE:
        put_number(w, "value", s != NULL ? s->gauge.last : 0);
        break;
    case METRIC_RATE:
        put_number(w, "rate",
                   s != NULL && s->rate.total > 0 ? (double)s->rate.trues / (double)s->rate.total
                                                  : 0);
        break;
    case METRIC_TREND:
        put_trend(w, s != NULL ? &s->trend : NULL);
        break;
    }
    json_object_end(w);
}

static void put_metric(struct json_writer *w, const struct run *run, const struct shown *shown) {
    const struct metric *m = shown->metric;
    json_object_begin(w);
    json_key(w, "type");
    json_cstr(w, "metrics");
    json_key(w, "id");
    json_cstr(w, m->name);
    json_key(w, "attributes");
    json_object_begin(w);
    json_key(w, "type");
    json_cstr(w, metric_type_name(m->type));
    json_key(w, "contains");
    json_cstr(w, metric_contains_name(m->contains));
    put_tainted(w, run, m);
    put_sample(w, run, shown);
    json_object_end(w);
    json_object_end(w);
}

/* While a test runs its measurements lie in the workers. Once it is over all were fetched. */
static void refresh(struct run *run) {
    if (run != NULL && run->is_ticking)
        run_collect(run);
}

void api_get_metrics(struct api_call *call) {
    struct json_writer w;
    struct buf body;
    struct shown shown;
    refresh(call->api->run);
    const struct run *run = call->api->run;
    buf_init(&body, BUF_NO_CAP);
    json_write_init(&w, &body, NULL, true);
    json_object_begin(&w);
    json_key(&w, "data");
    json_array_begin(&w);
    for (uint32_t i = 0; run != NULL && i < metric_count(); i++)
        if (is_observed(run, metric_by_id(i), &shown))
            put_metric(&w, run, &shown);
    json_array_end(&w);
    json_object_end(&w);
    api_answer(call, 200, API_JSON, &body);
    buf_release(&body);
}

void api_get_metric(struct api_call *call) {
    struct json_writer w;
    struct buf body;
    struct shown shown;
    refresh(call->api->run);
    const struct run *run = call->api->run;
    const struct metric *m = metric_find(slice_cstr(call->id));
    if (run == NULL || m == NULL || !is_observed(run, m, &shown)) {
        api_answer_error(call, 404, "Not Found", "No metric with that ID was found");
        return;
    }
    buf_init(&body, BUF_NO_CAP);
    json_write_init(&w, &body, NULL, true);
    json_object_begin(&w);
    json_key(&w, "data");
    put_metric(&w, run, &shown);
    json_object_end(&w);
    api_answer(call, 200, API_JSON, &body);
    buf_release(&body);
}
