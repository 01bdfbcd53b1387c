/* The text of v0.51: groups with their checks, then one list of metrics. */
#include "report/summary_cells.h"
#include "report/text.h"

#define GROUP_INDENT 5
#define GREEN "32"
#define RED "31"

static void put_check(struct buf *out, const struct check_stats *c, size_t indent, bool color) {
    struct buf line;
    buf_init(&line, BUF_NO_CAP);
    text_pad(&line, indent, ' ');
    if (c->fails == 0) {
        buf_printf(&line, "✓ %s", c->name);
    } else {
        buf_printf(&line, "✗ %s\n", c->name);
        text_pad(&line, indent, ' ');
        buf_printf(&line, " ↳  %llu%% — ✓ %llu / ✗ %llu",
                   (unsigned long long)(100 * c->passes / (c->passes + c->fails)),
                   (unsigned long long)c->passes, (unsigned long long)c->fails);
    }
    text_colored(out, !color ? NULL : c->fails ? RED : GREEN, buf_slice(&line));
    buf_append_char(out, '\n');
    buf_release(&line);
}

static void put_group(struct buf *out, const struct group_stats *g, size_t indent, bool color) {
    if (g->name[0] != '\0') {
        text_pad(out, indent, ' ');
        buf_printf(out, "█ %s\n\n", g->name);
        indent += 2;
    }
    for (size_t i = 0; i < g->n_checks; i++)
        put_check(out, &g->checks[i], indent, color);
    if (g->n_checks > 0)
        buf_append_char(out, '\n');
    for (size_t i = 0; i < g->n_groups; i++)
        put_group(out, g->groups[i], indent, color);
}

static void put_mark(struct buf *out, const struct summary_metric *m, bool color) {
    bool ok = true;
    for (size_t i = 0; i < m->n_thresholds; i++)
        ok = ok && m->thresholds[i].ok;
    if (m->n_thresholds == 0)
        buf_append_char(out, ' ');
    else
        text_colored(out, !color ? NULL : ok ? GREEN : RED, ok ? SLICE("✓") : SLICE("✗"));
}

static void put_metrics(struct buf *out, const struct summary *s, bool color) {
    const struct summary_style style = {.value = color ? "36" : NULL,
                                        .extra = color ? "36;2" : NULL,
                                        .dots = color ? "2" : NULL,
                                        .legacy_rates = true};
    struct arena scratch;
    struct summary_cells cells;
    arena_init(&scratch);
    const struct summary_metric **metrics =
        summary_metric_pointers(&scratch, s->total.metrics, s->total.n_metrics);
    summary_cells_init(&cells, &scratch, s, metrics, s->total.n_metrics, &style);
    for (size_t i = 0; i < cells.n; i++) {
        buf_append_str(out, summary_is_submetric(metrics[i]->name) ? "     " : "   ");
        put_mark(out, metrics[i], color);
        buf_append_char(out, ' ');
        summary_cells_name(&cells, i, &style, out);
        buf_append_char(out, ' ');
        summary_cells_values(&cells, i, s, &style, out);
        buf_append_char(out, '\n');
    }
    arena_release(&scratch);
}

void summary_write_legacy(const struct summary *s, struct buf *out) {
    bool color = s->options.is_stdout_tty && !s->options.no_color;
    buf_append_char(out, '\n');
    if (s->root_group != NULL)
        put_group(out, s->root_group, GROUP_INDENT, color);
    put_metrics(out, s, color);
    buf_append_char(out, '\n');
}
