#include "cli/run_report.h"

int run_report_start_saving(struct run_results *r, struct error *err) {
    (void)r;
    (void)err;
    return 0;
}

void run_report_save_window(struct run_results *r, int64_t from_ns, int64_t to_ns) {
    (void)r;
    (void)from_ns;
    (void)to_ns;
}

void run_report_write(struct run_results *r, const struct failure *f) {
    (void)r;
    (void)f;
}
const struct flag_def result_flag_defs[] = {{NULL}};
int run_results_init(struct run_results *r, struct loaded_test *t, const struct flags *flags,
                     struct failure *f) {
    (void)flags;
    (void)f;
    *r = (struct run_results){.t = t};
    buf_init(&r->record, BUF_NO_CAP);
    return 0;
}
