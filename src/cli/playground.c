#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "cli/command.h"

/* The playground is a program of its own, installed beside this one. */
static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)self;
    (void)flags;
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    path[len > 0 ? len : 0] = 0;
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
    char *beside = xasprintf("%s/quickpizza", slash ? path : ".");
    char **args = xcalloc((size_t)argc + 2, sizeof *args);
    args[0] = beside;
    memcpy(args + 1, argv, (size_t)argc * sizeof *args);
    signal(SIGPIPE, SIG_DFL);
    execv(beside, args);
    execvp("quickpizza", args);
    struct error err;
    error_set(&err, KE_NOT_FOUND, "cannot start the playground '%s': %s", beside, strerror(errno));
    free(args);
    free(beside);
    return command_fail(EXIT_CODE_GENERIC, &err);
}

const struct command cmd_playground = {
    .name = "playground",
    .usage = "playground [flags of quickpizza]",
    .summary = "Start QuickPizza, the demo application to test against",
    .about =
        "Starts quickpizza, the demo application that the examples and the k6 workshop test, on\n"
        "http://localhost:3333. Flags are quickpizza's: `playground --help` lists them.",
    .max_args = -1,
    .takes_raw_args = true,
    .run = run,
};
