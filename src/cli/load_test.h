/* From the command line to a test that is loaded and has its options: what run, inspect and archive
 * begin with. */
#pragma once

#include "cli/command.h"
#include "cli/config.h"
#include "cli/feature_flags.h"
#include "cli/runtime_options.h"
#include "load/archive.h"

struct loaded_test {
    struct test test;
    struct runtime_options runtime;
    struct config config;
    struct feature_flags features;
    struct worker *main_worker; /* its loop runs the caller's fiber */
    char *title;                /* several scripts: their names */
    char *text;                 /* of "-", or of an archive */
    struct archive archive;     /* when the file is one */
    bool only_imports;          /* test_source's */
};

/* How a command's work runs: on a fiber of the main thread's worker. */
typedef int command_fiber_fn(struct loaded_test *t, const struct flags *flags, struct failure *f);

/* Runs fn on a fiber until it returns; logs the failure that it left. Returns the exit code. */
int run_on_fiber(const struct flags *flags, command_fiber_fn *fn);

/* Loads the script named by the first argument: VU 0 has run. Yields. */
int load_script(struct loaded_test *t, const struct flags *flags, bool include_system_env,
                struct failure *f);
/* Loads an archive that is in memory and that outlives the test, or, tar.ptr NULL, a script that
 * does nothing. t->runtime is there. Yields. */
int load_archived(struct loaded_test *t, const char *path, struct slice tar, struct failure *f);
/* Reads the tiers and consolidates; with_run_flags as in config_init. */
int load_config(struct loaded_test *t, const struct flags *flags, bool with_run_flags,
                struct failure *f);
