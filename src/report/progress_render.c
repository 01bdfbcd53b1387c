/* Drawing of a block of progress bars. The layout rules (padding of columns, the line count to go
 * back) are k6's. */
#include "base/buf.h"
#include "base/check.h"
#include "base/duration.h"
#include "base/utf8.h"
#include "report/progress.h"
#include "report/text.h"

#define BAR_MIN 8 /* narrower bars are percentages */
#define LEFT_MAX 30
#define ALIGNED_COLUMNS 2
#define TERM_PADDING 1

static const struct {
    const char *mark, *color;
} statuses[] = {
    [PROGRESS_RUNNING] = {" ", NULL},  [PROGRESS_WAITING] = {"•", "2"},
    [PROGRESS_STOPPING] = {"↓", NULL}, [PROGRESS_INTERRUPTED] = {"✗", "31"},
    [PROGRESS_DONE] = {"✓", "32"},
};

struct block {
    struct buf *out;
    const struct progress_layout *layout;
    size_t left_width;
    size_t column_widths[ALIGNED_COLUMNS];
    int longest, extra_lines;
};

/* The first bar is called "Init" when k6 measures, whatever it is called later. */
static size_t left_width(const struct progress_view *v) {
    size_t width = strlen("Init");
    for (size_t i = 0; i < v->n_bars; i++)
        if (strlen(v->bars[i].left) > width)
            width = strlen(v->bars[i].left);
    return width > LEFT_MAX ? LEFT_MAX : width;
}

static void measure_columns(struct block *b, const struct progress_bar *bar) {
    for (size_t i = 0; i + 1 < bar->n_right && i < ALIGNED_COLUMNS; i++)
        if (strlen(bar->right[i]) > b->column_widths[i])
            b->column_widths[i] = strlen(bar->right[i]);
}

static void put_left(struct buf *out, const char *left, size_t width) {
    struct slice s = slice_cstr(left);
    bool is_cut = s.len > width;
    if (is_cut) {
        s.len = width - 3;
        while (s.len > 0 && (s.ptr[s.len] & 0xc0) == 0x80)
            s.len--;
    }
    buf_append_slice(out, s);
    size_t shown = utf8_length(s) + (is_cut ? 3 : 0);
    buf_append_str(out, is_cut ? "..." : "");
    if (shown < width)
        text_pad(out, width - shown, ' ');
}

static void put_bar(struct buf *out, double fraction, int width, bool color) {
    if (!(fraction > 0))
        fraction = 0;
    if (fraction > 1)
        fraction = 1;
    buf_append_char(out, '[');
    if (width <= BAR_MIN) {
        buf_printf(out, " %3.f%% ", fraction * 100);
    } else {
        int space = width - 2, filled = (int)(space * fraction);
        text_pad(out, filled > 0 ? (size_t)(filled < space ? filled - 1 : filled) : 0, '=');
        if (filled > 0 && filled < space)
            buf_append_char(out, '>');
        struct buf rest;
        buf_init(&rest, BUF_NO_CAP);
        text_pad(&rest, (size_t)(space - filled), '-');
        text_colored(out, color && rest.len ? "2" : NULL, buf_slice(&rest));
        buf_release(&rest);
    }
    buf_append_char(out, ']');
}

static void put_line(struct block *b, const struct progress_bar *bar, int width, bool color,
                     struct buf *out) {
    CHECK(bar->status < countof(statuses) && bar->n_right <= PROGRESS_RIGHT_MAX);
    put_left(out, bar->left, b->left_width);
    buf_append_char(out, ' ');
    text_colored(out, color ? statuses[bar->status].color : NULL,
                 slice_cstr(statuses[bar->status].mark));
    buf_append_char(out, ' ');
    put_bar(out, bar->fraction, width, color);
    for (size_t i = 0; i < bar->n_right; i++) {
        size_t len = utf8_length(slice_cstr(bar->right[i]));
        size_t column = i < ALIGNED_COLUMNS ? b->column_widths[i] : 0;
        buf_printf(out, " %s", bar->right[i]);
        if (len < column + 1)
            text_pad(out, column + 1 - len, ' ');
    }
}

static void end_line(struct block *b, struct slice line) {
    int width = (int)text_width(line);
    b->extra_lines += (width - TERM_PADDING) / b->layout->term_width;
    buf_append_slice(b->out, line);
    buf_append_str(b->out, b->layout->is_tty ? "\x1b[K\n" : "\n");
}

static void put_bar_line(struct block *b, const struct progress_bar *bar, int bar_width) {
    struct buf line;
    buf_init(&line, BUF_NO_CAP);
    put_line(b, bar, bar_width, b->layout->color, &line);
    int width = (int)text_width(buf_slice(&line));
    if (width > b->longest)
        b->longest = width;
    end_line(b, buf_slice(&line));
    buf_release(&line);
}

static int clamp_width(int width) {
    return width < BAR_MIN ? BAR_MIN : width > PROGRESS_BAR_MAX ? PROGRESS_BAR_MAX : width;
}

void progress_render(struct buf *out, const struct progress_view *view,
                     struct progress_layout *layout) {
    struct block b = {.out = out, .layout = layout, .left_width = left_width(view)};
    int bar_width = layout->is_tty ? clamp_width(layout->bar_width) : 0;
    if (view->headline == NULL)
        measure_columns(&b, &view->test);
    for (size_t i = 0; i < view->n_bars; i++)
        measure_columns(&b, &view->bars[i]);
    buf_append_str(out, layout->is_tty ? "\x1b[K\n" : "\n");
    if (view->headline != NULL)
        end_line(&b, slice_cstr(view->headline));
    else
        put_bar_line(&b, &view->test, bar_width);
    for (size_t i = 0; i < view->n_bars; i++)
        put_bar_line(&b, &view->bars[i], bar_width);
    if (layout->is_tty && layout->go_back)
        buf_printf(out, "\r\x1b[J\x1b[%zuA", view->n_bars + 1 + (size_t)b.extra_lines + 1);
    if (layout->is_tty)
        layout->bar_width = clamp_width(bar_width + layout->term_width - b.longest - TERM_PADDING);
}

static int digits(uint64_t v) {
    int n = 1;
    while (v >= 10) {
        v /= 10;
        n++;
    }
    return n;
}

void progress_headline(struct buf *out, const struct progress_stats *s) {
    char elapsed[DURATION_TEXT_MAX];
    int width = digits(s->vus_max_possible);
    buf_append_str(out, s->is_paused ? "paused" : "running");
    if (s->has_started)
        buf_printf(out, " (%s)", duration_format_fixed(s->elapsed_ns, s->max_duration_ns, elapsed));
    buf_printf(out, ", %0*llu/%0*llu VUs, %llu complete and %llu interrupted iterations", width,
               (unsigned long long)s->vus_active, width, (unsigned long long)s->vus_initialized,
               (unsigned long long)s->iterations_complete,
               (unsigned long long)s->iterations_interrupted);
}
