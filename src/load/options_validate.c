#include "base/compat.h"
#include "load/scenario.h"

static void start_line(struct buf *out) {
    buf_append_str(out, out->len > 0 ? "\n\t- " : "\t- ");
}

static void check_segment(const struct options *o, struct buf *out) {
    static const struct segment full = {{0, 1}, {1, 1}};
    const struct segment *own = o->execution_segment.is_set ? &o->execution_segment.value : &full;
    const struct segment_sequence *seq = &o->execution_segment_sequence.value;
    if (!o->execution_segment_sequence.is_set || segment_sequence_has(seq, own))
        return;
    start_line(out);
    buf_append_str(out, "provided segment ");
    segment_format(out, own);
    buf_append_str(out, " can't be found in sequence ");
    segment_sequence_format(out, seq);
}

bool options_validate(const struct options *o, bool (*is_exported)(void *arg, const char *name),
                      void *arg, struct buf *out) {
    struct buf problems;
    size_t before = out->len;
    buf_init(&problems, BUF_NO_CAP);
    check_segment(o, out);
    for (size_t i = 0; i < o->scenarios.len; i++) {
        struct scenario *s = &o->scenarios.items[i];
        buf_reset(&problems);
        if (scenario_validate(s, &problems))
            continue;
        start_line(out);
        buf_printf(out, "scenario %s has configuration errors: ", s->name);
        buf_append_slice(out, buf_slice(&problems));
    }
    if (o->setup_timeout.is_set && o->setup_timeout.ns <= 0 && !compat_is_v051()) {
        start_line(out);
        buf_append_str(out, "setupTimeout must be positive");
    }
    for (size_t i = 0; i < o->scenarios.len; i++) {
        const struct scenario *s = &o->scenarios.items[i];
        if (is_exported(arg, scenario_exec(s)))
            continue;
        start_line(out);
        buf_printf(out, "executor %s: function '%s' not found in exports", s->name,
                   scenario_exec(s));
    }
    buf_release(&problems);
    return out->len == before;
}
