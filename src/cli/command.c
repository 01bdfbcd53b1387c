#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/compat.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/log_setup.h"
#include "cli/loki.h"
#include "cli/secret_sources.h"
#include "cli/suggest.h"
#include "cli/version.h"

const char *program_name = "kiln";

const struct flag_def global_flags[] = {
    {"address", 'a', FLAG_TEXT, NULL, "address of the REST API server", NULL},
    {"compat", 0, FLAG_TEXT, NULL, "behave as this version of k6: v2 or v0.51 (env KILN_COMPAT)",
     NULL},
    {"config", 'c', FLAG_TEXT, NULL, "JSON config file", NULL},
    {"help", 'h', FLAG_BOOL, NULL, "show help", NULL},
    {"log-format", 0, FLAG_TEXT, NULL, "log format: text, json or raw", NULL},
    {"log-output", 0, FLAG_TEXT, NULL,
     "where the log goes: stderr, stdout, none, file=PATH[,level=LEVEL] or loki=URL[,…] (env K6_LOG_OUTPUT)",
     NULL},
    {"no-color", 0, FLAG_BOOL, NULL, "no colours", NULL},
    {"profiling-enabled", 0, FLAG_BOOL, NULL, "profiling endpoints on the REST API server", NULL},
    {"quiet", 'q', FLAG_BOOL, NULL, "no progress, no banner, no run header", NULL},
    {"secret-source", 0, FLAG_LIST, NULL, "where secrets come from, as TYPE[=CONFIG]", NULL},
    {"verbose", 'v', FLAG_BOOL, NULL, "debug log", NULL},
    {"version", 0, FLAG_BOOL, NULL, "show the version", NULL},
    {NULL},
};

const struct command *const commands[] = {
    &cmd_run,    &cmd_new,      &cmd_playground, &cmd_inspect, &cmd_archive,
    &cmd_deps,   &cmd_features, &cmd_cloud,      &cmd_login,   &cmd_compare,
    &cmd_merge,  &cmd_x,        &cmd_status,     &cmd_stats,   &cmd_pause,
    &cmd_resume, &cmd_scale,    &cmd_completion, &cmd_version, NULL,
};

int command_fail(int code, const struct error *err) {
    log_printf(LOG_ERROR, "%s", err->text);
    log_flush();
    return code;
}

static void print_root_help(FILE *out) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_printf(&b, "%s runs load tests written for k6.\n\nUsage:\n  %s [command]\n\nCommands:\n",
               program_name, program_name);
    for (const struct command *const *c = commands; *c; c++)
        if (!(*c)->is_hidden)
            buf_printf(&b, "  %-12s %s\n", (*c)->name, (*c)->summary);
    buf_append_str(&b, "\nFlags:\n");
    flags_describe(&b, global_flags);
    buf_printf(
        &b,
        "\nTry it:\n  %s playground                   # a demo application on http://localhost:3333\n"
        "  %s run script.js                # one user, one iteration\n"
        "  %s run -u 10 -d 30s script.js   # ten users for thirty seconds\n"
        "\n`%s [command] --help` tells more about a command.\n",
        program_name, program_name, program_name, program_name);
    fputs(buf_cstr(&b), out);
    buf_release(&b);
}

static void print_command_help(const struct command *c, FILE *out) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_printf(&b, "%s\n\nUsage:\n  %s %s [flags]\n", c->about, program_name, c->usage);
    if (c->examples) {
        buf_append_str(&b, "\nExamples:\n");
        struct slice rest = slice_cstr(c->examples);
        while (rest.ptr && rest.len) {
            struct slice line = slice_cut(&rest, '\n');
            buf_printf(&b, "  %s %.*s\n", program_name, SLICE_FMT(line));
        }
    }
    if (c->flags) {
        buf_append_str(&b, "\nFlags:\n");
        for (flag_sets s = c->flags; *s; s++)
            flags_describe(&b, *s);
    }
    buf_append_str(&b, "\nGlobal flags:\n");
    flags_describe(&b, global_flags);
    fputs(buf_cstr(&b), out);
    buf_release(&b);
}

static const struct command *find_command(const char *name) {
    for (const struct command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static int setup_compat(const struct flags *flags) {
    const char *text = flags_text(flags, "compat");
    enum compat_version version = COMPAT_V2_2;
    if (!text)
        text = getenv("KILN_COMPAT");
    if (text && *text && compat_parse(text, &version)) {
        struct error err;
        error_set(&err, KE_CONFIG, "unknown k6 version '%s' to be compatible with, use v2 or v0.51",
                  text);
        return command_fail(EXIT_CODE_INVALID_CONFIG, &err);
    }
    compat_set(version);
    return 0;
}

static int check_args(const struct command *c, const struct flags *flags) {
    int n = (int)flags->args.len;
    struct error err;
    if (n >= c->min_args && (c->max_args < 0 || n <= c->max_args))
        return 0;
    if (c->max_args == 0) {
        error_set(&err, KE_INVALID, "unknown command \"%s\" for \"%s %s\"", flags->args.ptr[0],
                  program_name, c->name);
        return command_fail(EXIT_CODE_GENERIC, &err);
    }
    const char *kind = c->min_args == c->max_args || c->max_args < 0 ? ""
                       : n < c->min_args                             ? "at least "
                                                                     : "at most ";
    error_set(&err, KE_INVALID, "accepts %s%d arg(s), received %d%s%s", kind,
              n < c->min_args ? c->min_args : c->max_args, n, c->args_error ? ": " : "",
              c->args_error ? c->args_error : "");
    return command_fail(EXIT_CODE_GENERIC, &err);
}

#define MAX_FLAG_SETS 8

static int run_command(const struct command *c, int argc, char **argv) {
    if (c->takes_raw_args)
        return c->run(c, NULL, argc, argv);
    const struct flag_def *sets[MAX_FLAG_SETS + 2] = {global_flags};
    size_t n = 1;
    for (flag_sets s = c->flags; s && *s && n < MAX_FLAG_SETS; s++)
        sets[n++] = *s;
    struct flags flags;
    struct error err;
    int rc = flags_parse(sets, argc, argv, &flags, &err);
    if (rc) {
        rc = command_fail(EXIT_CODE_GENERIC, &err);
    } else if (flags_bool(&flags, "help", false)) {
        print_command_help(c, stdout);
    } else {
        rc = log_setup(&flags, c->is_stdout_taken, &err) || secret_sources_setup(&flags, &err)
                 ? command_fail(EXIT_CODE_GENERIC, &err)
                 : setup_compat(&flags);
        if (!rc)
            rc = check_args(c, &flags);
        if (!rc)
            rc = c->run(c, &flags, argc, argv);
    }
    flags_release(&flags);
    return rc;
}

static int run_root(int argc, char **argv) {
    const struct flag_def *sets[] = {global_flags, NULL};
    struct flags flags;
    struct error err;
    int rc = flags_parse(sets, argc, argv, &flags, &err);
    rc = rc ? command_fail(EXIT_CODE_GENERIC, &err) : setup_compat(&flags);
    if (rc)
        ;
    else if (flags_bool(&flags, "version", false))
        version_print(stdout);
    else
        print_root_help(stdout);
    flags_release(&flags);
    return rc;
}

/* Global flags may stand before the command: finds the first argument that is none. */
static int command_position(int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-')
            return i;
        for (const struct flag_def *d = global_flags; d->name; d++) {
            bool is_this = (argv[i][1] == d->short_name && d->short_name && !argv[i][2]) ||
                           (argv[i][1] == '-' && strcmp(argv[i] + 2, d->name) == 0);
            if (is_this && d->type != FLAG_BOOL)
                i++;
        }
    }
    return -1;
}

static int unknown_command(const char *name) {
    const char *names[countof(commands) + 1];
    size_t n = 0;
    struct buf text;
    struct error err;
    for (const struct command *const *c = commands; *c; c++)
        if (!(*c)->is_hidden)
            names[n++] = (*c)->name;
    names[n] = NULL;
    buf_init(&text, BUF_NO_CAP);
    suggest(&text, name, names);
    error_set(&err, KE_INVALID, "unknown command \"%s\" for \"%s\"%s", name, program_name,
              buf_cstr(&text));
    buf_release(&text);
    return command_fail(EXIT_CODE_GENERIC, &err);
}

int command_main(int argc, char **argv) {
    int at = command_position(argc - 1, argv + 1);
    if (at < 0)
        return run_root(argc - 1, argv + 1);
    const char *name = argv[1 + at];
    /* The command's arguments are those before it (global flags) and those behind. */
    for (int i = at; i > 0; i--)
        argv[1 + i] = argv[i];
    int rest = argc - 2;
    char **args = argv + 2;
    if (strcmp(name, "help") == 0) {
        const struct command *about = rest > 0 ? find_command(args[0]) : NULL;
        about ? print_command_help(about, stdout) : print_root_help(stdout);
        return EXIT_CODE_OK;
    }
    const struct command *c = find_command(name);
    if (!c)
        return unknown_command(name);
    int rc = run_command(c, rest, args);
    log_flush();
    loki_stop();
    return rc;
}
