#include "cli/merge_curves.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "base/vec.h"
#include "cli/run_report.h"
#include "report/merge.h"

/* Two seconds without a word of an instance: its VUs are gone. */
#define VUS_SILENCE 2

struct reader {
    struct curves *curves;
    const struct merge_file *file;
    struct result result;
    struct fiber *fiber;
    VEC(struct metric *) metrics; /* by series */
    int64_t slot;                 /* of the window that is being read */
    int64_t vus_slot;
    double vus[2]; /* vus, vus_max */
    bool has_vus, is_waiting, is_done;
};

struct curves {
    struct run *run;
    struct reader *readers;
    size_t n_readers, n_reading;
    struct fiber *waiter;
    int64_t start_ms, slot;
};

/* ---- one file */

static struct metric *metric_for(struct reader *r, size_t series) {
    while (r->metrics.len < r->result.series.len) {
        struct error err = {0};
        const struct metric *m = &r->result.series.ptr[r->metrics.len]->metric;
        vec_push(&r->metrics, merge_register_metric(m, &err));
    }
    return r->metrics.ptr[series];
}

static void wait_for_slot(struct reader *r) {
    struct curves *c = r->curves;
    while (r->slot > c->slot) {
        r->is_waiting = true;
        if (--c->n_reading == 0)
            fiber_wake(c->waiter);
        while (r->is_waiting)
            fiber_park(NEVER_NS);
    }
}

static void on_window(void *arg, int64_t from_ms, int64_t length_ms, size_t series,
                      const struct sink *sink) {
    struct reader *r = arg;
    struct curves *c = r->curves;
    struct metric *m = metric_for(r, series);
    const struct result_series *s = r->result.series.ptr[series];
    if (m == NULL || s->kind == RESULT_SERIES)
        return;
    r->slot = (from_ms + length_ms / 2 - c->start_ms) / 1000;
    wait_for_slot(r);
    if (s->kind == RESULT_METRIC && (m->id == M_VUS || m->id == M_VUS_MAX)) {
        r->vus[m->id == M_VUS_MAX] = sink->gauge.last;
        r->vus_slot = c->slot;
        r->has_vus = true;
    } else {
        aggregate_add_window(c->run->aggregate, m, s->kind == RESULT_PART ? s->tags : NULL, sink);
    }
}

static void reader_main(void *arg) {
    struct reader *r = arg;
    struct error err = {0};
    /* That it can be read was seen before. */
    if (result_read(r->file->path, RESULT_PARTIAL, on_window, r, &r->result, &err) != 0)
        log_printf(LOG_WARN, "curves without the rest of %s: %s", r->file->label, err.text);
    result_release(&r->result);
    r->is_done = true;
    if (--r->curves->n_reading == 0)
        fiber_wake(r->curves->waiter);
}

/* ---- all of them */

static void read_up_to(struct curves *c, int64_t slot) {
    c->slot = slot;
    for (size_t i = 0; i < c->n_readers; i++) {
        struct reader *r = &c->readers[i];
        if (!r->is_waiting || r->slot > slot)
            continue;
        r->is_waiting = false;
        c->n_reading++;
        fiber_wake(r->fiber);
    }
    while (c->n_reading > 0)
        fiber_park(NEVER_NS);
}

static void add_vus(struct curves *c) {
    int64_t at_ns = merge_mono_ns(c->start_ms + c->slot * 1000 + 1000);
    for (int k = 0; k < 2; k++) {
        double sum = 0;
        for (size_t i = 0; i < c->n_readers; i++) {
            const struct reader *r = &c->readers[i];
            bool is_alive = r->has_vus && c->slot - r->vus_slot < VUS_SILENCE;
            sum += is_alive ? r->vus[k] : 0;
        }
        struct metric *m = metric_by_id(k == 0 ? M_VUS : M_VUS_MAX);
        struct sink now = {.metric = m, .has_samples = true, .gauge = {sum, sum, sum, at_ns}};
        aggregate_add_window(c->run->aggregate, m, NULL, &now);
        int64_t rounded = (int64_t)(sum + 0.5);
        atomic_store(k == 0 ? &c->run->instance.vus_active : &c->run->instance.vus_initialized,
                     rounded);
    }
}

static void start_readers(struct curves *c, const struct merge_files *files) {
    c->readers = xcalloc(files->all.len + 1, sizeof *c->readers);
    c->waiter = fiber_self();
    c->slot = INT64_MIN;
    for (size_t i = 0; i < files->all.len; i++) {
        const struct merge_file *file = files->all.ptr[i];
        struct reader *r = &c->readers[c->n_readers];
        if (file->state != MERGE_TAKEN && file->state != MERGE_INCOMPLETE)
            continue;
        *r = (struct reader){.curves = c, .file = file};
        r->fiber = fiber_start(fiber_worker(c->waiter), FIBER_STACK_DEFAULT, reader_main, r);
        c->n_readers++;
        c->n_reading++;
    }
}

static void free_readers(struct curves *c) {
    for (size_t i = 0; i < c->n_readers; i++) {
        fiber_join(c->readers[i].fiber);
        vec_release(&c->readers[i].metrics);
    }
    free(c->readers);
}

static void replay(struct curves *c, struct run_results *r, const struct merge_files *files) {
    int64_t start_ns = atomic_load(&c->run->instance.start_ns);
    int64_t elapsed_ns = run_elapsed_ns(c->run), n = (elapsed_ns + NS_PER_S - 1) / NS_PER_S;
    start_readers(c, files);
    for (int64_t slot = 0; slot < n; slot++) {
        int64_t at_ns = (slot + 1) * NS_PER_S;
        at_ns = at_ns < elapsed_ns ? at_ns : elapsed_ns;
        read_up_to(c, slot);
        add_vus(c);
        run_results_replay(r, start_ns + at_ns, at_ns, slot == n - 1);
    }
    read_up_to(c, INT64_MAX); /* later ones, for clocks that differ */
    free_readers(c);
}

int merge_curves_write(struct run_results *r, struct run *run, const struct merge_files *files,
                       struct failure *f) {
    struct error err = {0};
    struct curves c = {.run = run, .start_ms = run_report_start_wall_ns(run) / NS_PER_MS};
    r->start_ns = atomic_load(&run->instance.start_ns);
    if (run_results_start(r, run, NULL, &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    if (run_results_want_windows(r)) {
        aggregate_reset_windows(run->aggregate);
        replay(&c, r, files);
    }
    run_results_stop(r, f);
    return 0;
}
