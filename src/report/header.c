#include "report/header.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/duration.h"
#include "report/text.h"

#define CYAN "36"
#define ORANGE "38;5;208"

/* clang-format off */
static const char banner[] =
    "         (  )          _    _ _\n"
    "        )  (  (       | | _(_) |_ __\n"
    "      .-'\"\"\"\"'-.      | |/ / | | '_ \\\n"
    "     /  .-\"\"-.  \\     |   <| | | | | |\n"
    "    /___/ )( \\___\\    |_|\\_\\_|_|_| |_|";
/* clang-format on */

void header_write_banner(struct buf *out, bool color) {
    buf_append_char(out, '\n');
    text_colored(out, color ? ORANGE : NULL, slice_cstr(banner));
    buf_append_str(out, "\n\n");
}

static void put_row(struct buf *out, const char *label, const char *value, bool color) {
    buf_printf(out, "%14s: ", label);
    text_colored(out, color ? CYAN : NULL, slice_cstr(value));
    buf_append_char(out, '\n');
}

static void put_outputs(struct buf *out, const struct run_header *h, bool color) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    for (size_t i = 0; i < h->n_outputs; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", h->outputs[i]);
    put_row(out, "output", h->n_outputs ? buf_cstr(&text) : "-", color);
    buf_release(&text);
}

static void put_scenarios(struct buf *out, const struct run_header *h, bool color) {
    char duration[DURATION_TEXT_MAX];
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    int64_t rounded_ns =
        (h->max_duration_ns + 50 * NS_PER_MS) / (100 * NS_PER_MS) * 100 * NS_PER_MS;
    if (h->n_scenarios == 1)
        buf_printf(&text, "(%.2f%%) 1 scenario", h->segment_fraction * 100);
    else
        buf_printf(&text, "(%.2f%%) %zu scenarios", h->segment_fraction * 100, h->n_scenarios);
    buf_printf(&text, ", %llu max VUs, %s max duration (incl. graceful stop):",
               (unsigned long long)h->max_vus, duration_format(rounded_ns, duration));
    put_row(out, "scenarios", buf_cstr(&text), color);
    for (size_t i = 0; i < h->n_scenarios; i++)
        buf_printf(out, "              * %s: %s\n", h->scenarios[i].name,
                   h->scenarios[i].description);
    buf_release(&text);
}

void header_write(struct buf *out, const struct run_header *h, bool color) {
    put_row(out, "execution", h->execution, color);
    put_row(out, "script", h->script, color);
    if (h->dashboard_url != NULL)
        put_row(out, "web dashboard", h->dashboard_url, color);
    put_outputs(out, h, color);
    if (h->profiling_address != NULL) {
        struct buf url;
        buf_init(&url, BUF_NO_CAP);
        buf_printf(&url, "http://%s/debug/pprof/", h->profiling_address);
        put_row(out, "profiling", buf_cstr(&url), color);
        buf_release(&url);
    }
    buf_append_char(out, '\n');
    put_scenarios(out, h, color);
    buf_append_char(out, '\n');
}
