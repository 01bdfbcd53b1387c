#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/load_test.h"
#include "cli/option_flags.h"
#include "cli/run_results.h"
#include "load/archive.h"

static const struct flag_def own_flags[] = {
    {"archive-out", 'O', FLAG_TEXT, NULL, "file to write, archive.tar by default; - is stdout",
     NULL},
    {"exclude-env-vars", 0, FLAG_BOOL, NULL, "leave the environment out", NULL},
    {NULL},
};

static int write_out(const char *path, struct slice text, struct failure *f) {
    bool is_stdout = strcmp(path, "-") == 0;
    FILE *file = is_stdout ? stdout : fopen(path, "wb");
    if (file == NULL)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "open %s: %s", path,
                           errno == ENOENT ? "no such file or directory" : strerror(errno));
    bool is_written = fwrite(text.ptr, 1, text.len, file) == text.len;
    if ((is_stdout ? fflush(file) : fclose(file)) != 0 || !is_written)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "write %s: %s", path, strerror(errno));
    return 0;
}

static int make_archive(struct loaded_test *t, const struct flags *flags, struct failure *f) {
    const char *path = flags_text(flags, "archive-out");
    bool without_env = flags_bool(flags, "exclude-env-vars", false);
    struct buf text;
    int rc = load_script(t, flags, false, f);
    if (rc == 0)
        rc = load_config(t, flags, false, f);
    if (rc == 0)
        rc = test_derive(&t->test, f);
    if (rc != 0)
        return rc;
    buf_init(&text, BUF_NO_CAP);
    archive_write(&text, &t->test, without_env ? NULL : &t->runtime.env, t->runtime.is_extended);
    rc = write_out(path != NULL ? path : "archive.tar", buf_slice(&text), f);
    buf_release(&text);
    return rc;
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)self;
    (void)argc;
    (void)argv;
    return run_on_fiber(flags, make_archive);
}

const struct command cmd_archive = {
    .name = "archive",
    .usage = "archive FILE...",
    .summary = "Pack a test with all its files into an archive",
    .about =
        "Packs a script, everything it imports and opens, and its options into one file that "
        "can be run\nelsewhere. Flags of `run` that are no options of a test are taken and mean nothing here.",
    .examples = "archive -u 10 -d 10s -O test.tar script.js\nrun test.tar",
    .min_args = 1,
    .max_args = -1,
    .flags =
        (const struct flag_def *const[]){option_flag_defs, runtime_flag_defs, own_flags,
                                         config_flag_defs, result_flag_defs, run_flag_defs, NULL},
    .is_stdout_taken = true,
    .run = run,
};
