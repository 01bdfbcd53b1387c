#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "cli/command.h"

/* The features of k6 that --features knows; kiln's own native histograms do not depend on one. */
static const struct {
    const char *name, *lifecycle, *description;
} features[] = {
    {"freeze-env", "experimental", "Freeze __ENV"},
    {"merge-run-tags", "experimental", "Add up the tags of all configuration tiers"},
    {"native-histograms", "experimental", "Send trends as native histograms"},
};

static void print_json(void) {
    printf("[\n");
    for (size_t i = 0; i < countof(features); i++)
        printf("  {\n    \"feature\": \"%s\",\n    \"lifecycle\": \"%s\",\n    \"description\": "
               "\"%s\"\n  }%s\n",
               features[i].name, features[i].lifecycle, features[i].description,
               i + 1 < countof(features) ? "," : "");
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
    for (size_t i = 0; i < countof(features); i++)
        printf("%-20s%-15s%s\n", features[i].name, features[i].lifecycle, features[i].description);
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
