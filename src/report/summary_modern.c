/* The text of v1 and v2: thresholds, totals by kind of metric, and in full mode groups and
 * scenarios. */
#include "base/check.h"
#include "report/format.h"
#include "report/summary_cells.h"
#include "report/text.h"

#define GREEN "32"
#define RED "31"

struct view {
    const struct summary *s;
    struct buf *out;
    bool color;
    struct summary_style style;
};

/* Indentation of a level: two columns each. */
static void put_indent(struct view *v, size_t level) {
    text_pad(v->out, 2 * level, ' ');
}

static void put_colored(struct view *v, const char *codes, struct slice s) {
    text_colored(v->out, v->color ? codes : NULL, s);
}

static void put_title(struct view *v, size_t level, const char *prefix, const char *kind,
                      const char *name) {
    struct buf title;
    buf_init(&title, BUF_NO_CAP);
    buf_printf(&title, "%s%s", kind, name);
    put_indent(v, level);
    buf_printf(v->out, "%s ", prefix);
    put_colored(v, "1", buf_slice(&title));
    buf_append_str(v->out, " \n\n");
    buf_release(&title);
}

/* ------------------------------------------------------------ thresholds */

/* What stands left of the operator. */
static struct slice threshold_aggregation(const char *source) {
    return slice_trim(slice_from(source, strcspn(source, "=><")));
}

static const char *threshold_value(const struct summary_cells *c, size_t row,
                                   const struct summary *s, const struct summary_threshold *t,
                                   struct arena *a) {
    const struct summary_metric *m = c->metrics[row];
    const char **cells = c->rows[row].cells;
    struct slice aggregation = threshold_aggregation(t->source);
    if (m->type == METRIC_COUNTER)
        return cells[slice_eq(aggregation, SLICE("count")) ? 0 : 1];
    if (m->type != METRIC_TREND)
        return cells[0];
    for (size_t i = 0; i < s->options.n_trend_stats; i++)
        if (slice_eq(slice_cstr(s->options.trend_stats[i].name), aggregation))
            return cells[i];
    return t->has_value ? format_value(a, t->value, m->type, m->contains, s->options.time_unit)
                        : "";
}

static bool has_parent(const struct summary_cells *c, const char *name) {
    size_t len = strcspn(name, "{");
    for (size_t i = 0; i < c->n; i++)
        if (slice_eq(slice_cstr(c->metrics[i]->name), slice_from(name, len)))
            return true;
    return false;
}

static void put_threshold_metric(struct view *v, const struct summary_cells *c, size_t row,
                                 struct arena *a) {
    const struct summary_metric *m = c->metrics[row];
    bool is_nested = summary_is_submetric(m->name) && has_parent(c, m->name);
    size_t level = is_nested ? 3 : 2;
    put_indent(v, level);
    buf_printf(v->out, "%s\n", is_nested ? strchr(m->name, '{') : m->name);
    for (size_t i = 0; i < m->n_thresholds; i++) {
        const struct summary_threshold *t = &m->thresholds[i];
        struct slice source = slice_trim(slice_cstr(t->source));
        put_indent(v, level);
        put_colored(v, t->ok ? GREEN : RED, t->ok ? SLICE("✓") : SLICE("✗"));
        buf_append_char(v->out, ' ');
        put_colored(v, "37", slice_cstr(arena_printf(a, "'%.*s'", SLICE_FMT(source))));
        buf_append_char(v->out, ' ');
        put_colored(v, "37", threshold_aggregation(t->source));
        buf_append_char(v->out, '=');
        put_colored(v, "36", slice_cstr(threshold_value(c, row, v->s, t, a)));
        buf_append_char(v->out, '\n');
    }
    buf_append_char(v->out, '\n');
}

static void put_thresholds(struct view *v) {
    struct arena a;
    struct summary_cells cells;
    size_t n = 0;
    arena_init(&a);
    const struct summary_metric **metrics =
        summary_metric_pointers(&a, v->s->total.metrics, v->s->total.n_metrics);
    for (size_t i = 0; i < v->s->total.n_metrics; i++)
        if (metrics[i]->n_thresholds > 0)
            metrics[n++] = metrics[i];
    if (n > 0) {
        put_title(v, 1, "█", "THRESHOLDS", "");
        summary_cells_init(&cells, &a, v->s, metrics, n, &v->style);
        for (size_t i = 0; i < n; i++)
            put_threshold_metric(v, &cells, i, &a);
        buf_append_char(v->out, '\n');
    }
    arena_release(&a);
}

/* ------------------------------------------------------------ checks */

static void put_lines(struct view *v, size_t level, const struct summary_metric *const *metrics,
                      size_t n, const struct summary_cells *cells, size_t first_row) {
    for (size_t i = 0; i < n; i++) {
        put_indent(v, level + summary_is_submetric(metrics[i]->name));
        summary_cells_name(cells, first_row + i, &v->style, v->out);
        buf_append_char(v->out, ' ');
        summary_cells_values(cells, first_row + i, v->s, &v->style, v->out);
        buf_append_char(v->out, '\n');
    }
}

static void put_check_metrics(struct view *v, size_t level, const struct summary_metric *checks) {
    uint64_t passes = checks->rate.passes, fails = checks->rate.fails, total = passes + fails;
    double seconds = (double)v->s->options.duration_ns / 1e9;
    const struct summary_metric metrics[] = {
        {.name = "checks_total",
         .type = METRIC_COUNTER,
         .counter = {(double)total, seconds > 0 ? (double)total / seconds : 0}},
        {.name = "checks_succeeded",
         .type = METRIC_RATE,
         .rate = {checks->rate.rate, passes, fails}},
        {.name = "checks_failed",
         .type = METRIC_RATE,
         .rate = {total ? (double)fails / (double)total : 0, fails, passes}},
    };
    struct arena a;
    struct summary_cells cells;
    arena_init(&a);
    const struct summary_metric **pointers = summary_metric_pointers(&a, metrics, countof(metrics));
    summary_cells_init(&cells, &a, v->s, pointers, countof(metrics), &v->style);
    put_lines(v, level, pointers, countof(metrics), &cells, 0);
    arena_release(&a);
}

static void put_check(struct view *v, size_t level, const struct summary_check *c) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    buf_printf(&text, "%s %s", c->fails ? "✗" : "✓", c->name);
    put_indent(v, level);
    put_colored(v, c->fails ? RED : GREEN, buf_slice(&text));
    buf_append_char(v->out, '\n');
    if (c->fails > 0) {
        buf_reset(&text);
        buf_printf(&text, "↳  %llu%% — ✓ %llu / ✗ %llu",
                   (unsigned long long)(100 * c->passes / (c->passes + c->fails)),
                   (unsigned long long)c->passes, (unsigned long long)c->fails);
        put_indent(v, 2 * level - 1); /* k6 counts the level twice here */
        put_colored(v, RED, buf_slice(&text));
        buf_append_char(v->out, '\n');
    }
    buf_release(&text);
}

static void put_checks(struct view *v, size_t level, const struct summary_section *section) {
    for (size_t i = 0; i < section->n_metrics; i++) {
        if (strcmp(section->metrics[i].name, "checks") != 0)
            continue;
        put_check_metrics(v, level, &section->metrics[i]);
        buf_append_char(v->out, '\n');
        for (size_t k = 0; k < section->n_checks; k++)
            put_check(v, level, &section->checks[k]);
        buf_append_char(v->out, '\n');
    }
}

/* ------------------------------------------------------------ metrics */

enum kind { CUSTOM, HTTP, EXECUTION, NETWORK, BROWSER, WEB_VITALS, GRPC, WEBSOCKET, KINDS, HIDDEN };

static const char *const kind_titles[KINDS] = {
    "CUSTOM", "HTTP", "EXECUTION", "NETWORK", "BROWSER", "WEB_VITALS", "GRPC", "WEBSOCKET",
};

/* By the beginning of the name, as k6 has it: the first row that fits. */
static const struct {
    const char *prefix;
    enum kind kind;
    bool compact_only;
} kinds[] = {
    {"checks", HIDDEN, false},
    {"group_duration", HIDDEN, false},
    {"http_req_blocked", HIDDEN, true},
    {"http_req_connecting", HIDDEN, true},
    {"http_req_receiving", HIDDEN, true},
    {"http_req_sending", HIDDEN, true},
    {"http_req_tls_handshaking", HIDDEN, true},
    {"http_req_waiting", HIDDEN, true},
    {"http_reqs", HTTP, false},
    {"http_req_failed", HTTP, false},
    {"http_req_duration", HTTP, false},
    {"http_req_blocked", HTTP, false},
    {"http_req_connecting", HTTP, false},
    {"http_req_tls_handshaking", HTTP, false},
    {"http_req_sending", HTTP, false},
    {"http_req_waiting", HTTP, false},
    {"http_req_receiving", HTTP, false},
    {"vus", EXECUTION, false},
    {"iterations", EXECUTION, false},
    {"iteration_duration", EXECUTION, false},
    {"dropped_iterations", EXECUTION, false},
    {"data_sent", NETWORK, false},
    {"data_received", NETWORK, false},
    {"browser_web_vital_", WEB_VITALS, false},
    {"browser_", BROWSER, false},
    {"grpc_", GRPC, false},
    {"ws_", WEBSOCKET, false},
};

static enum kind metric_kind(const char *name, bool compact) {
    for (size_t i = 0; i < countof(kinds); i++)
        if ((compact || !kinds[i].compact_only) &&
            strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return kinds[i].kind;
    return CUSTOM;
}

static void put_metrics(struct view *v, size_t level, const struct summary_section *section) {
    bool compact = v->s->options.mode != SUMMARY_FULL;
    struct arena a;
    struct summary_cells cells;
    size_t starts[KINDS + 1], n = 0;
    arena_init(&a);
    const struct summary_metric **shown = arena_alloc(&a, (section->n_metrics + 1) * sizeof *shown);
    for (int k = 0; k < KINDS; k++) {
        starts[k] = n;
        for (size_t i = 0; i < section->n_metrics; i++)
            if ((int)metric_kind(section->metrics[i].name, compact) == k)
                shown[n++] = &section->metrics[i];
    }
    starts[KINDS] = n;
    summary_cells_init(&cells, &a, v->s, shown, n, &v->style);
    for (int k = 0; k < KINDS; k++) {
        if (starts[k] == starts[k + 1])
            continue;
        put_indent(v, level);
        put_colored(v, "1", slice_cstr(kind_titles[k]));
        buf_append_char(v->out, '\n');
        put_lines(v, level, shown + starts[k], starts[k + 1] - starts[k], &cells, starts[k]);
        buf_append_char(v->out, '\n');
    }
    arena_release(&a);
}

/* ------------------------------------------------------------ sections */

/* Depth is bounded by the depth of group() calls, which has a cap. */
static void put_section(struct view *v, size_t level, const struct summary_section *section) {
    put_checks(v, level, section);
    put_metrics(v, level, section);
    for (size_t i = 0; i < section->n_groups; i++) {
        put_title(v, level, "↳", "GROUP: ", section->groups[i].name);
        put_section(v, level + 1, &section->groups[i]);
    }
}

static void put_titled(struct view *v, const char *kind, const struct summary_section *section) {
    put_title(v, 1, "█", kind, section->name ? section->name : "");
    put_section(v, 2, section);
    buf_append_char(v->out, '\n');
}

void summary_write_modern(const struct summary *s, struct buf *out) {
    bool color = s->options.is_stdout_tty && !s->options.no_color;
    struct view v = {.s = s, .out = out, .color = color};
    if (color)
        v.style = (struct summary_style){.value = "36", .extra = "2;36", .dots = "2;37"};
    struct summary_section total = s->total;
    total.name = NULL;
    total.n_groups = 0;
    buf_append_str(out, "\n\n");
    put_thresholds(&v);
    put_titled(&v, "TOTAL RESULTS", &total);
    if (s->options.mode == SUMMARY_FULL) {
        for (size_t i = 0; i < s->total.n_groups; i++)
            put_titled(&v, "GROUP: ", &s->total.groups[i]);
        for (size_t i = 0; i < s->n_scenarios; i++)
            put_titled(&v, "SCENARIO: ", &s->scenarios[i]);
    }
    buf_append_char(out, '\n');
}
