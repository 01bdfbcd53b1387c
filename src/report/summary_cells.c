#include "report/summary_cells.h"

#include "report/format.h"
#include "report/text.h"

bool summary_is_submetric(const char *metric_name) {
    return strchr(metric_name, '{') != NULL;
}

const char *summary_display_name(struct arena *a, const char *metric_name) {
    const char *open = strchr(metric_name, '{');
    if (open == NULL)
        return metric_name;
    return arena_printf(a, "{ %.*s }", (int)strlen(open + 1) - 1, open + 1);
}

static size_t indent_of(const char *metric_name) {
    return summary_is_submetric(metric_name) ? 2 : 0;
}

static size_t width(const char *s) {
    return text_width(slice_cstr(s));
}

static size_t widest(size_t a, size_t b) {
    return a > b ? a : b;
}

static const char **new_cells(struct arena *a, struct summary_row *row, size_t n) {
    row->n_cells = n;
    row->cells = arena_alloc(a, (n + 1) * sizeof *row->cells);
    return row->cells;
}

static void trend_row(struct arena *a, const struct summary *s, const struct summary_metric *m,
                      struct summary_row *row) {
    const struct summary_options *o = &s->options;
    const char **cells = new_cells(a, row, o->n_trend_stats);
    for (size_t i = 0; i < o->n_trend_stats; i++)
        cells[i] = o->trend_stats[i].kind == STAT_COUNT
                       ? format_number(a, m->stats[i], 0)
                       : format_value(a, m->stats[i], m->type, m->contains, o->time_unit);
}

static void rate_row(struct arena *a, const struct summary_metric *m, bool legacy,
                     struct summary_row *row) {
    unsigned long long passes = m->rate.passes, fails = m->rate.fails;
    const char **cells = new_cells(a, row, legacy ? 3 : 2);
    cells[0] = format_percent(a, m->rate.rate);
    if (legacy) {
        cells[1] = arena_printf(a, "✓ %llu", passes);
        cells[2] = arena_printf(a, "✗ %llu", fails);
    } else {
        cells[1] = arena_printf(a, "%llu out of %llu", passes, passes + fails);
    }
}

static void fill_row(struct arena *a, const struct summary *s, const struct summary_metric *m,
                     bool legacy_rates, struct summary_row *row) {
    const char *unit = s->options.time_unit;
    const char **cells;
    switch (m->type) {
    case METRIC_TREND:
        trend_row(a, s, m, row);
        break;
    case METRIC_RATE:
        rate_row(a, m, legacy_rates, row);
        break;
    case METRIC_COUNTER:
        cells = new_cells(a, row, 2);
        cells[0] = format_value(a, m->counter.count, m->type, m->contains, unit);
        cells[1] =
            arena_printf(a, "%s/s", format_value(a, m->counter.rate, m->type, m->contains, unit));
        break;
    case METRIC_GAUGE:
        cells = new_cells(a, row, 3);
        cells[0] = format_value(a, m->gauge.value, m->type, m->contains, unit);
        cells[1] =
            arena_printf(a, "min=%s", format_value(a, m->gauge.min, m->type, m->contains, unit));
        cells[2] =
            arena_printf(a, "max=%s", format_value(a, m->gauge.max, m->type, m->contains, unit));
        break;
    }
}

void summary_cells_init(struct summary_cells *c, struct arena *a, const struct summary *s,
                        const struct summary_metric *const *metrics, size_t n,
                        const struct summary_style *style) {
    size_t n_stats = s->options.n_trend_stats;
    *c = (struct summary_cells){.metrics = metrics, .n = n};
    c->rows = arena_alloc(a, (n + 1) * sizeof *c->rows);
    c->trend_widths = arena_alloc(a, (n_stats + 1) * sizeof *c->trend_widths);
    memset(c->trend_widths, 0, (n_stats + 1) * sizeof *c->trend_widths);
    for (size_t i = 0; i < n; i++) {
        const struct summary_metric *m = metrics[i];
        struct summary_row *row = &c->rows[i];
        fill_row(a, s, m, style->legacy_rates, row);
        c->name_width =
            widest(c->name_width, indent_of(m->name) + width(summary_display_name(a, m->name)));
        for (size_t k = 0; k < row->n_cells; k++) {
            size_t *slot = m->type == METRIC_TREND ? &c->trend_widths[k]
                           : k == 0                ? &c->value_width
                                                   : &c->extra_widths[k - 1];
            *slot = widest(*slot, width(row->cells[k]));
        }
    }
}

void summary_cells_name(const struct summary_cells *c, size_t row,
                        const struct summary_style *style, struct buf *out) {
    const char *name = c->metrics[row]->name;
    struct arena scratch;
    struct buf dots;
    arena_init(&scratch);
    buf_init(&dots, BUF_NO_CAP);
    const char *shown = summary_display_name(&scratch, name);
    text_pad(&dots, c->name_width - width(shown) - indent_of(name) + 3, '.');
    buf_append_char(&dots, ':');
    buf_append_str(out, shown);
    text_colored(out, style->dots, buf_slice(&dots));
    buf_release(&dots);
    arena_release(&scratch);
}

static void put_trend(const struct summary_cells *c, const struct summary_row *row,
                      const struct summary *s, const struct summary_style *style, struct buf *out) {
    for (size_t i = 0; i < row->n_cells; i++) {
        buf_printf(out, "%s%s=", i ? " " : "", s->options.trend_stats[i].name);
        text_colored(out, style->value, slice_cstr(row->cells[i]));
        text_pad(out, c->trend_widths[i] - width(row->cells[i]), ' ');
    }
}

/* A single extra is not padded, two are, each to the widest of its column. */
void summary_cells_values(const struct summary_cells *c, size_t row_index, const struct summary *s,
                          const struct summary_style *style, struct buf *out) {
    const struct summary_row *row = &c->rows[row_index];
    if (c->metrics[row_index]->type == METRIC_TREND) {
        put_trend(c, row, s, style, out);
        return;
    }
    text_colored(out, style->value, slice_cstr(row->cells[0]));
    text_pad(out, c->value_width - width(row->cells[0]), ' ');
    for (size_t i = 1; i < row->n_cells; i++) {
        buf_append_char(out, ' ');
        text_colored(out, style->extra, slice_cstr(row->cells[i]));
        if (row->n_cells > 2)
            text_pad(out, c->extra_widths[i - 1] - width(row->cells[i]), ' ');
    }
}

const struct summary_metric **
summary_metric_pointers(struct arena *a, const struct summary_metric *items, size_t n) {
    const struct summary_metric **pointers = arena_alloc(a, (n + 1) * sizeof *pointers);
    for (size_t i = 0; i < n; i++)
        pointers[i] = &items[i];
    return pointers;
}
