/* The commands of kiln: a table, one file a command. main() finds the command, parses its flags and
 * calls it. */
#pragma once

#include "cli/flags.h"
#include "load/failure.h"

struct command {
    const char *name;
    const char *usage;      /* "run [file]" */
    const char *summary;    /* one line for the list of commands */
    const char *about;      /* paragraphs for its own help */
    const char *examples;   /* lines, "{{.}}" = the program's name; may be NULL */
    int min_args, max_args; /* max -1 = any number */
    const char *args_error; /* behind "accepts N arg(s), received M"; may be NULL */
    flag_sets flags;        /* its own, without the global ones */
    bool takes_raw_args;    /* argv goes to run unparsed (kiln playground) */
    bool is_stdout_taken;   /* what it prints is for programs: no log there */
    bool is_hidden;
    /* Returns the process's exit code. argv without program and command. */
    int (*run)(const struct command *self, const struct flags *flags, int argc, char **argv);
};

extern const struct command *const commands[]; /* ended by NULL */
extern const struct flag_def global_flags[];
/* Those of `run` alone. */
extern const struct flag_def run_flag_defs[];
/* "kiln", or the name of the link it was called by. */
extern const char *program_name;

extern const struct command cmd_run, cmd_archive, cmd_inspect, cmd_new, cmd_deps, cmd_features,
    cmd_cloud, cmd_login, cmd_compare, cmd_merge, cmd_x, cmd_version, cmd_playground,
    cmd_completion, cmd_stats, cmd_status, cmd_pause, cmd_resume, cmd_scale;

/* Finds the command in argv, parses its flags and runs it. Returns the exit code. */
int command_main(int argc, char **argv);
/* Logs the error as k6 does and returns code. */
int command_fail(int code, const struct error *err);
