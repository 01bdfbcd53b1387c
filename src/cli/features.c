#include <stdio.h>

#include "cli/command.h"
#include "cli/feature_flags.h"

static void print_json(void) {
    printf("[\n");
    for (int i = 0; i < N_FEATURES; i++)
        printf("  {\n    \"feature\": \"%s\",\n    \"lifecycle\": \"%s\",\n    \"description\": "
               "\"%s\"\n  }%s\n",
               feature_defs[i].name, feature_defs[i].lifecycle, feature_defs[i].description,
               i + 1 < N_FEATURES ? "," : "");
    printf("]\n");
}

static int run(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)self;
    (void)argc;
    (void)argv;
    if (flags_bool(flags, "json", false)) {
        print_json();
        return EXIT_CODE_OK;
    }
    printf("%-20s%-15s%s\n", "FEATURE", "LIFECYCLE", "DESCRIPTION");
    for (int i = 0; i < N_FEATURES; i++)
        printf("%-20s%-15s%s\n", feature_defs[i].name, feature_defs[i].lifecycle,
               feature_defs[i].description);
    return EXIT_CODE_OK;
}

static const struct flag_def own_flags[] = {
    {"json", 0, FLAG_BOOL, NULL, "print as JSON", NULL},
    {NULL},
};

const struct command cmd_features = {
    .name = "features",
    .usage = "features",
    .summary = "List the feature flags",
    .about = "Lists what --features can turn on.",
    .flags = (const struct flag_def *const[]){own_flags, NULL},
    .run = run,
};
