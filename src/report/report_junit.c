#include "base/clock.h"
#include "report/report_text.h"

/* XML 1.0 knows no control characters, escaped or not. */
static void put_escaped(struct buf *out, const char *text) {
    for (const char *c = text; *c; c++) {
        switch (*c) {
        case '&':
            buf_append_str(out, "&amp;");
            break;
        case '<':
            buf_append_str(out, "&lt;");
            break;
        case '>':
            buf_append_str(out, "&gt;");
            break;
        case '"':
            buf_append_str(out, "&quot;");
            break;
        case '\n':
            buf_append_str(out, "&#10;");
            break;
        case '\t':
            buf_append_str(out, "&#9;");
            break;
        default:
            buf_append_char(out, (unsigned char)*c < 0x20 ? '?' : *c);
        }
    }
}

static void put_attribute(struct buf *out, const char *name, const char *value) {
    buf_printf(out, " %s=\"", name);
    put_escaped(out, value);
    buf_append_char(out, '"');
}

struct suite {
    struct buf cases;
    size_t tests, failures, errors;
};

static void suite_init(struct suite *s) {
    *s = (struct suite){0};
    buf_init(&s->cases, BUF_NO_CAP);
}

static void begin_case(struct suite *s, const char *class_name, const char *name) {
    buf_append_str(&s->cases, "    <testcase");
    put_attribute(&s->cases, "classname", class_name);
    put_attribute(&s->cases, "name", name);
    s->tests++;
}

/* kind: "failure" or "error"; message NULL: it passed. */
static void end_case(struct suite *s, const char *kind, const char *message) {
    if (message == NULL) {
        buf_append_str(&s->cases, "/>\n");
        return;
    }
    buf_printf(&s->cases, ">\n      <%s", kind);
    put_attribute(&s->cases, "message", message);
    buf_append_str(&s->cases, "/>\n    </testcase>\n");
}

static void put_suite(struct buf *out, struct suite *s, const char *name, double seconds,
                      const char *timestamp) {
    if (s->tests > 0) {
        buf_append_str(out, "  <testsuite");
        put_attribute(out, "name", name);
        buf_printf(out,
                   " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\" time=\"%.3f\" "
                   "timestamp=\"%s\">\n",
                   s->tests, s->failures, s->errors, seconds, timestamp);
        buf_append_slice(out, buf_slice(&s->cases));
        buf_append_str(out, "  </testsuite>\n");
    }
    buf_release(&s->cases);
}

static void add_thresholds(struct suite *suite, const struct summary *s) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    for (size_t i = 0; i < s->total.n_metrics; i++) {
        const struct summary_metric *m = &s->total.metrics[i];
        for (size_t k = 0; k < m->n_thresholds; k++) {
            const struct summary_threshold *t = &m->thresholds[k];
            begin_case(suite, m->name, t->source);
            buf_reset(&text);
            buf_printf(&text, "%s: %s was crossed", m->name, t->source);
            suite->failures += !t->ok;
            end_case(suite, "failure", t->ok ? NULL : buf_cstr(&text));
        }
    }
    buf_release(&text);
}

static void add_checks(struct suite *suite, const struct group_stats *g) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    for (size_t i = 0; i < g->n_checks; i++) {
        const struct check_stats *c = &g->checks[i];
        begin_case(suite, *g->path ? g->path : "checks", c->name);
        buf_reset(&text);
        buf_printf(&text, "%llu of %llu failed", (unsigned long long)c->fails,
                   (unsigned long long)(c->passes + c->fails));
        suite->failures += c->fails > 0;
        end_case(suite, "failure", c->fails > 0 ? buf_cstr(&text) : NULL);
    }
    buf_release(&text);
    for (size_t i = 0; i < g->n_groups; i++)
        add_checks(suite, g->groups[i]);
}

/* What failed otherwise: an exception, an abort, a signal. */
static void add_run(struct suite *suite, const struct report_facts *f) {
    bool has_failed = f->failure != NULL && !f->is_threshold_failure;
    begin_case(suite, "kiln", f->script);
    suite->errors += has_failed;
    end_case(suite, "error", has_failed ? f->failure : NULL);
}

void report_junit_write(const struct summary *s, const struct report_facts *f, struct buf *out) {
    struct suite run, thresholds, checks;
    char timestamp[40];
    double seconds = (double)s->options.duration_ns / (double)NS_PER_S;
    clock_format_rfc3339(f->start_wall_ns, timestamp);
    suite_init(&run);
    suite_init(&thresholds);
    suite_init(&checks);
    add_run(&run, f);
    add_thresholds(&thresholds, s);
    if (s->root_group != NULL)
        add_checks(&checks, s->root_group);
    buf_append_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    put_attribute(out, "name", f->script);
    buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\">\n",
               run.tests + thresholds.tests + checks.tests, thresholds.failures + checks.failures,
               run.errors, seconds);
    put_suite(out, &run, "run", seconds, timestamp);
    put_suite(out, &thresholds, "thresholds", seconds, timestamp);
    put_suite(out, &checks, "checks", seconds, timestamp);
    buf_append_str(out, "</testsuites>\n");
}
