#include "base/clock.h"
#include "base/duration.h"
#include "report/format.h"
#include "report/report_text.h"

/* In a cell: neither the end of the cell nor markup. */
static void put_cell(struct buf *out, const char *text) {
    for (const char *c = text; *c; c++) {
        if (strchr("|\\`*_<>[]~", *c) != NULL)
            buf_append_char(out, '\\');
        buf_append_char(out, (unsigned char)*c < 0x20 ? ' ' : *c);
    }
}

static void put_row(struct buf *out, const char *const *cells, size_t n) {
    for (size_t i = 0; i < n; i++) {
        buf_append_str(out, "| ");
        put_cell(out, cells[i]);
        buf_append_char(out, ' ');
    }
    buf_append_str(out, "|\n");
}

/* The first column is text, the others are numbers. */
static void put_head(struct buf *out, const char *title, const char *const *names, size_t n) {
    buf_printf(out, "\n### %s\n\n", title);
    put_row(out, names, n);
    for (size_t i = 0; i < n; i++)
        buf_append_str(out, i == 0 ? "|---" : "|--:");
    buf_append_str(out, "|\n");
}

static void put_verdict(struct buf *out, const struct summary *s, const struct report_facts *f) {
    char start[40], duration[DURATION_TEXT_MAX];
    clock_format_rfc3339(f->start_wall_ns, start);
    buf_printf(out, "## %s ", f->failure != NULL ? "❌" : "✅");
    put_cell(out, f->script);
    buf_append_str(out, "\n\n");
    if (f->failure != NULL) {
        buf_append_str(out, "**");
        put_cell(out, f->failure);
        buf_append_str(out, "**\n\n");
    }
    int64_t rounded_ns = s->options.duration_ns / (100 * NS_PER_MS) * (100 * NS_PER_MS);
    buf_printf(out, "%s, %s\n", start, duration_format(rounded_ns, duration));
}

static void put_thresholds(struct buf *out, const struct summary *s) {
    static const char *const head[] = {"Threshold", "Condition", "Result"};
    bool has_head = false;
    for (size_t i = 0; i < s->total.n_metrics; i++) {
        const struct summary_metric *m = &s->total.metrics[i];
        for (size_t k = 0; k < m->n_thresholds; k++) {
            const struct summary_threshold *t = &m->thresholds[k];
            if (!has_head)
                put_head(out, "Thresholds", head, 3);
            has_head = true;
            put_row(out, (const char *const[]){m->name, t->source, t->ok ? "✅" : "❌"}, 3);
        }
    }
}

static void put_checks(struct buf *out, struct arena *a, const struct group_stats *g,
                       bool *has_head) {
    static const char *const head[] = {"Check", "Passed", "Failed", "Rate"};
    for (size_t i = 0; i < g->n_checks; i++) {
        const struct check_stats *c = &g->checks[i];
        uint64_t total = c->passes + c->fails;
        if (!*has_head)
            put_head(out, "Checks", head, 4);
        *has_head = true;
        const char *name =
            arena_printf(a, "%s %s%s%s", c->fails ? "❌" : "✅", *g->path ? g->path + 2 : "",
                         *g->path ? " › " : "", c->name);
        put_row(
            out,
            (const char *const[]){name, arena_printf(a, "%llu", (unsigned long long)c->passes),
                                  arena_printf(a, "%llu", (unsigned long long)c->fails),
                                  format_percent(a, total ? (double)c->passes / (double)total : 0)},
            4);
    }
    for (size_t i = 0; i < g->n_groups; i++)
        put_checks(out, a, g->groups[i], has_head);
}

static const char *value(struct arena *a, const struct summary *s, const struct summary_metric *m,
                         double v) {
    return format_value(a, v, m->type, m->contains, s->options.time_unit);
}

static void put_trends(struct buf *out, struct arena *a, const struct summary *s) {
    size_t n = s->options.n_trend_stats + 1;
    const char **cells = arena_alloc(a, n * sizeof *cells);
    bool has_head = false;
    for (size_t i = 0; i < s->total.n_metrics; i++) {
        const struct summary_metric *m = &s->total.metrics[i];
        if (m->type != METRIC_TREND)
            continue;
        if (!has_head) {
            cells[0] = "Metric";
            for (size_t k = 1; k < n; k++)
                cells[k] = s->options.trend_stats[k - 1].name;
            put_head(out, "Trends", cells, n);
        }
        has_head = true;
        cells[0] = m->name;
        for (size_t k = 1; k < n; k++)
            cells[k] = value(a, s, m, m->stats[k - 1]);
        put_row(out, cells, n);
    }
}

static void put_others(struct buf *out, struct arena *a, const struct summary *s) {
    static const char *const head[] = {"Metric", "Value", "Details"};
    bool has_head = false;
    for (size_t i = 0; i < s->total.n_metrics; i++) {
        const struct summary_metric *m = &s->total.metrics[i];
        const char *details = "", *first = "";
        switch (m->type) {
        case METRIC_TREND:
            continue;
        case METRIC_COUNTER:
            first = value(a, s, m, m->counter.count);
            details = arena_printf(a, "%s/s", value(a, s, m, m->counter.rate));
            break;
        case METRIC_GAUGE:
            first = value(a, s, m, m->gauge.value);
            details = arena_printf(a, "min %s, max %s", value(a, s, m, m->gauge.min),
                                   value(a, s, m, m->gauge.max));
            break;
        case METRIC_RATE:
            first = value(a, s, m, m->rate.rate);
            details = arena_printf(a, "%llu of %llu", (unsigned long long)m->rate.passes,
                                   (unsigned long long)(m->rate.passes + m->rate.fails));
            break;
        }
        if (!has_head)
            put_head(out, "Other metrics", head, 3);
        has_head = true;
        put_row(out, (const char *const[]){m->name, first, details}, 3);
    }
}

void report_markdown_write(const struct summary *s, const struct report_facts *f, struct buf *out) {
    struct arena a;
    bool has_head = false;
    arena_init(&a);
    put_verdict(out, s, f);
    put_thresholds(out, s);
    if (s->root_group != NULL)
        put_checks(out, &a, s->root_group, &has_head);
    put_trends(out, &a, s);
    put_others(out, &a, s);
    arena_release(&a);
}
