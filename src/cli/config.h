/* Configuration of a run besides the options of the script: outputs, linger …, from the config
 * file, the environment and flags, with the options of these tiers. */
#pragma once

#include "cli/flags.h"
#include "load/failure.h"
#include "load/test.h"
#include "output/collectors.h"

struct config {
    struct options file, env, cli;
    struct opt_list out;          /* -o, K6_OUT, `out` of the file */
    struct collectors collectors; /* of the file */
    bool linger, web_dashboard;
};

extern const struct flag_def config_flag_defs[];

/* Reads all tiers. with_run_flags: the command has the flags of config_flag_defs. 0 or the
 * failure's exit code. */
int config_init(struct config *c, struct arena *a, const struct flags *flags, bool with_run_flags,
                struct failure *f);

/* `features` of the config file; nothing when it cannot be read, which config_init then says. */
void config_file_features(struct arena *a, const struct flags *flags, struct opt_list *out);
