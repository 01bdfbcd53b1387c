#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/json_write.h"
#include "report/compare_internal.h"
#include "report/format.h"
#include "report/text.h"

#define RED "31"
#define GREEN "32"
#define BOLD "1"

static const char *const verdict_names[] = {[VERDICT_SAME] = "same",
                                            [VERDICT_WORSE] = "worse",
                                            [VERDICT_BETTER] = "better",
                                            [VERDICT_DIFFERENT] = "different",
                                            [VERDICT_UNSURE] = "unsure"};

static const char *value_text(struct arena *a, const struct compare_row *row, bool is_there,
                              double v) {
    if (!is_there)
        return "-";
    if (row->type == METRIC_COUNTER)
        return arena_printf(
            a, "%s/s", row->contains == METRIC_DATA ? format_bytes(a, v) : format_number(a, v, 2));
    return format_value(a, v, row->type, row->contains, NULL);
}

/* "+12.3%", of rates in percentage points. */
static const char *change_text(struct arena *a, const struct compare_row *row,
                               const struct compare_cell *cell) {
    double change = cell->after - cell->before;
    if (!cell->is_in_before || !cell->is_in_after)
        return cell->is_in_after ? "new" : "gone";
    if (row->type == METRIC_RATE)
        return arena_printf(a, "%+.2f pp", change * 100);
    if (cell->before == 0)
        return change == 0 ? "0%" : "from 0";
    return arena_printf(a, "%+.1f%%", change / fabs(cell->before) * 100);
}

static const char *verdict_text(const struct compare_row *row, const struct compare_cell *cell) {
    bool is_time = row->type == METRIC_TREND;
    if (!cell->is_in_before || !cell->is_in_after)
        return "";
    switch (cell->verdict) {
    case VERDICT_WORSE:
        return is_time ? "slower" : "worse";
    case VERDICT_BETTER:
        return is_time ? "faster" : "better";
    case VERDICT_DIFFERENT:
        return "different";
    case VERDICT_UNSURE:
        return "too short to tell";
    case VERDICT_SAME:
        break;
    }
    return "";
}

static const char *verdict_color(enum compare_verdict v) {
    return v == VERDICT_WORSE ? RED : v == VERDICT_BETTER ? GREEN : NULL;
}

static void put_right(struct buf *out, const char *text, size_t width, const char *color) {
    size_t w = text_width(slice_cstr(text));
    text_pad(out, w < width ? width - w : 0, ' ');
    text_colored(out, color, slice_cstr(text));
}

static void put_cell(struct arena *a, const struct compare_row *row,
                     const struct compare_cell *cell, bool is_color, struct buf *out) {
    const char *color = is_color ? verdict_color(cell->verdict) : NULL;
    buf_printf(out, "    %-6s", cell->stat.name);
    put_right(out, value_text(a, row, cell->is_in_before, cell->before), 13, NULL);
    buf_append_str(out, " →");
    put_right(out, value_text(a, row, cell->is_in_after, cell->after), 13, NULL);
    put_right(out, change_text(a, row, cell), 12, color);
    const char *verdict = verdict_text(row, cell);
    if (*verdict) {
        buf_append_str(out, "  ");
        text_colored(out, color, slice_cstr(verdict));
    }
    buf_append_char(out, '\n');
}

/* Without --all: whole metrics that changed, or that everybody looks at. */
static bool is_shown(const struct compare_row *row, bool is_all) {
    static const char *const always[] = {"http_req_duration", "http_req_failed", "http_reqs",
                                         "iteration_duration", "checks"};
    if (is_all)
        return true;
    if (compare_row_is_part(row))
        return false;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (strcmp(row->name, always[i]) == 0)
            return true;
    for (size_t i = 0; i < row->n_cells; i++)
        if (row->cells[i].verdict == VERDICT_WORSE || row->cells[i].verdict == VERDICT_BETTER)
            return true;
    return false;
}

static void put_side(struct buf *out, const char *label, const struct compare_side *side) {
    char when[40], length[DURATION_TEXT_MAX];
    clock_format_rfc3339(side->start_ms * NS_PER_MS, when);
    int64_t rounded_ns = (int64_t)(side->seconds * 10 + 0.5) * (NS_PER_S / 10);
    buf_printf(out, "  %-6s %s, %s, %s\n", label, side->script, when,
               duration_format(rounded_ns, length));
}

static const char *gate_value(struct arena *a, const struct compare_gate *g, double v) {
    if (g->type == METRIC_COUNTER || g->stat.kind == COMPARE_COUNT)
        return format_number(a, v, 2);
    return format_value(a, v, g->type, g->contains, NULL);
}

static void put_gates(struct arena *a, const struct compare_gate *gates, size_t n, bool is_color,
                      struct buf *out) {
    if (n > 0)
        buf_append_str(out, "\n  gates\n");
    for (size_t i = 0; i < n; i++) {
        const struct compare_gate *g = &gates[i];
        buf_append_str(out, "  ");
        text_colored(out, is_color ? (g->has_failed ? RED : GREEN) : NULL,
                     slice_cstr(g->has_failed ? "✗" : "✓"));
        if (g->is_missing)
            buf_printf(out, " %s: not in both runs, or no such statistic of it\n", g->source);
        else
            buf_printf(out, " %s: %s → %s\n", g->source, gate_value(a, g, g->before),
                       gate_value(a, g, g->after));
    }
}

static void put_conclusion(const struct compare *c, struct buf *out) {
    struct buf worse, better;
    buf_init(&worse, BUF_NO_CAP);
    buf_init(&better, BUF_NO_CAP);
    for (size_t i = 0; i < c->rows.len; i++) {
        const struct compare_row *row = &c->rows.ptr[i];
        bool is_worse = false, is_better = false;
        for (size_t k = 0; k < row->n_cells; k++) {
            is_worse |= row->cells[k].verdict == VERDICT_WORSE;
            is_better |= row->cells[k].verdict == VERDICT_BETTER;
        }
        if (is_worse)
            buf_printf(&worse, "%s%s", worse.len ? ", " : "", row->name);
        else if (is_better)
            buf_printf(&better, "%s%s", better.len ? ", " : "", row->name);
    }
    buf_append_char(out, '\n');
    if (worse.len)
        buf_printf(out, "  got worse: %s\n", buf_cstr(&worse));
    if (better.len)
        buf_printf(out, "  got better: %s\n", buf_cstr(&better));
    if (!worse.len && !better.len)
        buf_append_str(out, "  no change beyond the noise\n");
    buf_release(&worse);
    buf_release(&better);
}

void compare_write_text(const struct compare *c, const struct compare_gate *gates, size_t n_gates,
                        const struct compare_text_options *o, struct buf *out) {
    struct arena a;
    arena_init(&a);
    put_side(out, "before", &c->sides[0]);
    put_side(out, "after", &c->sides[1]);
    for (size_t i = 0; i < c->rows.len; i++) {
        const struct compare_row *row = &c->rows.ptr[i];
        if (!is_shown(row, o->is_all))
            continue;
        buf_append_str(out, "\n  ");
        text_colored(out, o->is_color ? BOLD : NULL, slice_cstr(row->name));
        buf_append_char(out, '\n');
        for (size_t k = 0; k < row->n_cells; k++)
            put_cell(&a, row, &row->cells[k], o->is_color, out);
    }
    put_conclusion(c, out);
    put_gates(&a, gates, n_gates, o->is_color, out);
    arena_release(&a);
}

/* ---------------------------------------------------------------- JSON */

static void put_number(struct json_writer *w, const char *key, bool is_there, double v) {
    json_key(w, key);
    is_there ? json_double(w, v) : json_null(w);
}

static void put_row(struct json_writer *w, const struct compare_row *row) {
    json_key(w, row->name);
    json_object_begin(w);
    for (size_t i = 0; i < row->n_cells; i++) {
        const struct compare_cell *cell = &row->cells[i];
        json_key(w, cell->stat.name);
        json_object_begin(w);
        put_number(w, "before", cell->is_in_before, cell->before);
        put_number(w, "after", cell->is_in_after, cell->after);
        json_key(w, "verdict");
        json_cstr(w, verdict_names[cell->verdict]);
        json_object_end(w);
    }
    json_object_end(w);
}

void compare_write_json(const struct compare *c, const struct compare_gate *gates, size_t n_gates,
                        struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out, "  ", false);
    json_object_begin(&w);
    json_key(&w, "metrics");
    json_object_begin(&w);
    for (size_t i = 0; i < c->rows.len; i++)
        put_row(&w, &c->rows.ptr[i]);
    json_object_end(&w);
    json_key(&w, "gates");
    json_array_begin(&w);
    for (size_t i = 0; i < n_gates; i++) {
        json_object_begin(&w);
        json_key(&w, "gate");
        json_cstr(&w, gates[i].source);
        json_key(&w, "ok");
        json_bool(&w, !gates[i].has_failed);
        put_number(&w, "before", !gates[i].is_missing, gates[i].before);
        put_number(&w, "after", !gates[i].is_missing, gates[i].after);
        json_object_end(&w);
    }
    json_array_end(&w);
    json_object_end(&w);
    buf_append_char(out, '\n');
}
