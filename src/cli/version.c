#include <stdio.h>
#include <string.h>

#include "base/compat.h"
#include "cli/command.h"
#include "cli/version.h"

#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "unknown"
#endif

#if defined(__linux__)
#define OS "linux"
#elif defined(__APPLE__)
#define OS "darwin"
#else
#define OS "unknown"
#endif

void version_print(FILE *out) {
    fprintf(out, "%s v%s (commit/%s, k6 %s, %s/%s)\n", program_name, KILN_VERSION, KILN_COMMIT,
            compat_is_v051() ? "v0.51" : "v2.2", OS, ARCH);
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)self;
    (void)argc;
    (void)argv;
    if (flags_bool(flags, "json", false))
        printf("{\"commit\":\"%s\",\"compatible_with\":\"%s\",\"go_arch\":\"%s\",\"go_os\":\"%s\","
               "\"version\":\"v%s\"}\n",
               KILN_COMMIT, compat_is_v051() ? "v0.51" : "v2.2", ARCH, OS, KILN_VERSION);
    else
        version_print(stdout);
    return EXIT_CODE_OK;
}

static const struct flag_def own_flags[] = {
    {"json", 0, FLAG_BOOL, NULL, "print details as JSON", NULL},
    {NULL},
};

const struct command cmd_version = {
    .name = "version",
    .usage = "version",
    .summary = "Show the version",
    .about = "Shows the version of the program, and which k6 it behaves as.",
    .max_args = -1, /* as k6 */
    .flags = (const struct flag_def *const[]){own_flags, NULL},
    .run = run,
};
