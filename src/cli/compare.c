/* kiln compare BEFORE AFTER: two saved runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/vec.h"
#include "cli/command.h"
#include "cli/log_setup.h"
#include "load/failure.h"
#include "report/compare.h"

static const struct flag_def own_flags[] = {
    {"gate", 0, FLAG_LIST, "LIMIT",
     "fail when a statistic changes by more: p95=+10%, http_reqs:rate=-5%; several with commas",
     NULL},
    {"all", 0, FLAG_BOOL, NULL, "show all metrics and submetrics", NULL},
    {"json", 0, FLAG_BOOL, NULL, "print JSON", NULL},
    {NULL},
};

typedef VEC(struct compare_gate) gate_vec;

/* Up to the next comma that is not in braces. */
static struct slice cut_gate(struct slice *rest) {
    size_t n = 0;
    int depth = 0;
    for (; n < rest->len && (depth > 0 || rest->ptr[n] != ','); n++)
        depth += (rest->ptr[n] == '{') - (rest->ptr[n] == '}');
    struct slice gate = slice_from(rest->ptr, n);
    *rest =
        n < rest->len ? slice_from(rest->ptr + n + 1, rest->len - n - 1) : (struct slice){NULL, 0};
    return gate;
}

static int add_gates(gate_vec *gates, const char *list, struct error *err) {
    struct slice rest = slice_cstr(list);
    while (rest.ptr) {
        struct slice text = slice_trim(cut_gate(&rest));
        struct compare_gate gate;
        if (text.len == 0)
            continue;
        int rc = compare_gate_parse(text, &gate, err);
        vec_push(gates, gate);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int parse_gates(const struct flags *flags, gate_vec *gates, struct error *err) {
    int rc = 0;
    for (size_t i = 0; i < flags->uses.len && rc == 0; i++)
        if (strcmp(flags->uses.ptr[i].def->name, "gate") == 0)
            rc = add_gates(gates, flags->uses.ptr[i].value, err);
    return rc;
}

static void print(const struct compare *c, const gate_vec *gates, const struct flags *flags) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    struct compare_text_options o = {.is_color =
                                         isatty(STDOUT_FILENO) && !log_setup_no_color(flags),
                                     .is_all = flags_bool(flags, "all", false)};
    if (flags_bool(flags, "json", false))
        compare_write_json(c, gates->ptr, gates->len, &text);
    else
        compare_write_text(c, gates->ptr, gates->len, &o, &text);
    fwrite(text.ptr, 1, text.len, stdout);
    fflush(stdout);
    buf_release(&text);
}

static int run_gates(const struct compare *c, gate_vec *gates) {
    size_t failed = 0;
    for (size_t i = 0; i < gates->len; i++)
        failed += !compare_check(c, &gates->ptr[i]);
    return failed > 0 ? EXIT_CODE_THRESHOLDS : EXIT_CODE_OK;
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    struct error err = {0};
    struct compare c;
    gate_vec gates = {0};
    (void)self;
    (void)argc;
    (void)argv;
    int rc = EXIT_CODE_INVALID_CONFIG;
    if (parse_gates(flags, &gates, &err) != 0) {
        log_printf(LOG_ERROR, "%s", err.text);
    } else {
        rc = compare_runs(&c, flags->args.ptr[0], flags->args.ptr[1], &err);
        if (rc == 0) {
            rc = run_gates(&c, &gates);
            print(&c, &gates, flags);
        } else {
            log_printf(LOG_ERROR, "%s", err.text);
            rc = EXIT_CODE_GENERIC;
        }
        compare_release(&c);
    }
    for (size_t i = 0; i < gates.len; i++)
        compare_gate_release(&gates.ptr[i]);
    vec_release(&gates);
    return rc;
}

const struct command cmd_compare = {
    .name = "compare",
    .usage = "compare BEFORE AFTER",
    .summary = "Compare two saved runs",
    .about =
        "Shows what changed between two runs that were saved with `run --save`, and whether it "
        "is more than noise. With --gate the exit code is 99 when a limit is exceeded.",
    .examples = "compare main.kiln branch.kiln\n"
                "compare main.kiln branch.kiln --gate p95=+10% --gate http_req_failed:rate=+0.5%",
    .min_args = 2,
    .max_args = 2,
    .args_error = "two saved runs are needed: the one before and the one after",
    .flags = (const struct flag_def *const[]){own_flags, NULL},
    .run = run,
};
