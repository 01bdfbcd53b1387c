#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/go_text.h"
#include "report/compare_internal.h"

static int invalid(struct slice text, const char *why, struct error *err) {
    return error_set(err, KE_INVALID,
                     "invalid gate '%.*s': %s; expected for example p95=+10%%, avg=+20ms or "
                     "http_reqs:rate=-5%%",
                     SLICE_FMT(text), why);
}

/* p95 is short for p(95). */
int compare_stat_parse(struct slice text, struct compare_stat *out) {
    static const struct {
        const char *name;
        int kind;
    } plain[] = {{"rate", COMPARE_RATE}, {"value", COMPARE_VALUE}, {"count", COMPARE_COUNT}};
    char buffer[24];
    snprintf(out->name, sizeof out->name, "%.*s", SLICE_FMT(text));
    for (size_t i = 0; i < countof(plain); i++)
        if (slice_eq(text, slice_cstr(plain[i].name))) {
            out->kind = plain[i].kind;
            return 0;
        }
    if (text.len > 1 && text.len < 16 && text.ptr[0] == 'p' && text.ptr[1] != '(') {
        snprintf(buffer, sizeof buffer, "p(%.*s)", (int)text.len - 1, text.ptr + 1);
        text = slice_cstr(buffer);
        snprintf(out->name, sizeof out->name, "%s", buffer);
    }
    out->kind = COMPARE_TREND;
    return trend_stat_parse(text, &out->trend, NULL);
}

/* "+10%" */
static int parse_limit(struct slice text, struct slice limit, struct compare_gate *out,
                       struct error *err) {
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"%", 1}, {"ms", 1}, {"us", 1e-3}, {"µs", 1e-3}, {"s", 1e3}};
    double factor = 1;
    if (limit.len < 2 || (limit.ptr[0] != '+' && limit.ptr[0] != '-'))
        return invalid(text, "the limit has to begin with + or -", err);
    for (size_t i = 0; i < countof(units); i++) {
        struct slice unit = slice_cstr(units[i].unit);
        if (!slice_ends(limit, unit))
            continue;
        limit.len -= unit.len;
        factor = units[i].factor;
        out->is_percent = i == 0;
        break;
    }
    if (go_parse_float(limit, &out->limit, NULL) != 0 || !isfinite(out->limit))
        return invalid(text, "the limit is no number", err);
    out->limit *= factor;
    return 0;
}

int compare_gate_parse(struct slice text, struct compare_gate *out, struct error *err) {
    const char *equals = text.len ? memrchr(text.ptr, '=', text.len) : NULL;
    *out = (struct compare_gate){0};
    if (!equals)
        return invalid(text, "there is no =", err);
    struct slice name = slice_from(text.ptr, (size_t)(equals - text.ptr));
    struct slice limit = slice_from(equals + 1, text.len - name.len - 1);
    struct slice metric = SLICE("http_req_duration"), stat = name;
    /* Colons in braces belong to a submetric. */
    const char *colon = name.len ? memrchr(name.ptr, ':', name.len) : NULL;
    if (colon && !memchr(colon, '}', name.len - (size_t)(colon - name.ptr))) {
        metric = slice_from(name.ptr, (size_t)(colon - name.ptr));
        stat = slice_from(colon + 1, name.len - metric.len - 1);
    }
    out->source = slice_dup(text);
    out->metric = slice_dup(metric);
    if (metric.len == 0 || compare_stat_parse(stat, &out->stat) != 0)
        return invalid(text, "the statistic is not known", err);
    return parse_limit(text, limit, out, err);
}

void compare_gate_release(struct compare_gate *g) {
    free(g->source);
    free(g->metric);
    *g = (struct compare_gate){0};
}

static bool suits(const struct compare_gate *g, enum metric_type type) {
    switch (g->stat.kind) {
    case COMPARE_TREND:
        return type == METRIC_TREND;
    case COMPARE_VALUE:
        return type == METRIC_GAUGE;
    case COMPARE_RATE:
        return type == METRIC_RATE || type == METRIC_COUNTER;
    case COMPARE_COUNT:
    case COMPARE_PER_SECOND:
        break;
    }
    return type == METRIC_COUNTER || type == METRIC_TREND;
}

static void judge(struct compare_gate *g) {
    bool is_rate = g->type == METRIC_RATE;
    double allowed = g->is_percent ? g->limit / 100 * (is_rate ? 1 : fabs(g->before)) : g->limit;
    double change = g->after - g->before;
    g->has_failed = g->limit < 0 ? change < allowed : change > allowed;
}

bool compare_check(const struct compare *c, struct compare_gate *g) {
    double *values[2] = {&g->before, &g->after};
    g->is_checked = true;
    for (int i = 0; i < 2; i++) {
        struct sink total;
        if (!result_total(&c->sides[i].result, g->metric, &total)) {
            g->is_missing = true;
            continue;
        }
        g->is_missing |= !suits(g, total.metric->type);
        g->type = total.metric->type;
        g->contains = total.metric->contains;
        *values[i] = compare_value(&total, &g->stat, c->sides[i].seconds);
        sink_release(&total);
    }
    g->has_failed = true;
    if (!g->is_missing)
        judge(g);
    return !g->has_failed;
}
