#include <stdio.h>

#include "base/duration.h"
#include "base/json_write.h"
#include "cli/load_test.h"
#include "js/console.h"

static const struct flag_def own_flags[] = {
    {"execution-requirements", 0, FLAG_BOOL, NULL,
     "consolidated options with scenarios, total duration and number of VUs", NULL},
    {NULL},
};

static void print_options(const struct options *o, const struct execution_plan *plan) {
    struct json_writer w;
    struct buf text;
    char duration[DURATION_TEXT_MAX];
    buf_init(&text, BUF_NO_CAP);
    json_write_init(&w, &text, "  ", true);
    json_object_begin(&w);
    options_export_members(&w, o, OPTIONS_EXPORT_ALL);
    if (plan != NULL) {
        json_key(&w, "totalDuration");
        json_cstr(&w, duration_format(plan->end_offset_ns, duration));
        json_key(&w, "maxVUs");
        json_int(&w, plan->max_possible_vus);
    }
    json_object_end(&w);
    fputs(buf_cstr(&text), stdout);
    buf_release(&text);
}

/* k6-operator takes any line of the log with "level" and "error" for a failure: what the init code
 * says below an error is left out. */
static void log_errors_only(void *arg, enum log_level level, struct slice msg) {
    (void)arg;
    if (level == LOG_ERROR)
        log_fields(level, msg, LOG_STR("source", "console"));
}

static int inspect(struct loaded_test *t, const struct flags *flags, struct failure *f) {
    bool with_plan = flags_bool(flags, "execution-requirements", false);
    if (with_plan)
        js_console_redirect(log_errors_only, NULL);
    int rc = load_script(t, flags, false, f);
    if (rc == 0 && with_plan) {
        rc = load_config(t, flags, false, f);
        if (rc == 0)
            rc = test_derive(&t->test, f);
    }
    if (rc == 0)
        print_options(with_plan ? &t->test.derived : &t->test.script_options,
                      with_plan ? &t->test.plan : NULL);
    return rc;
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)self;
    (void)argc;
    (void)argv;
    return run_on_fiber(flags, inspect);
}

const struct command cmd_inspect = {
    .name = "inspect",
    .usage = "inspect FILE...",
    .summary = "Show the options of a script or archive",
    .about = "Prints the options of a script or archive as JSON.",
    .min_args = 1,
    .max_args = -1,
    .flags = (const struct flag_def *const[]){runtime_flag_defs, own_flags, NULL},
    .is_stdout_taken = true,
    .run = run,
};
