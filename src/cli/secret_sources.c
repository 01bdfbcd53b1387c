#include "cli/secret_sources.h"

#include <stdlib.h>
#include <string.h>

#include "js/secrets/secrets.h"

static struct secrets *sources;

static void release(void) {
    secrets_install(NULL);
    secrets_free(sources);
}

int secret_sources_setup(const struct flags *flags, struct error *err) {
    int rc = 0;
    for (size_t i = 0; i < flags->uses.len && rc == 0; i++) {
        const struct flag_use *use = &flags->uses.ptr[i];
        if (strcmp(use->def->name, "secret-source") != 0)
            continue;
        if (!sources) {
            sources = secrets_new();
            secrets_install(sources);
            atexit(release);
        }
        rc = secrets_add(sources, use->value, err);
    }
    return rc;
}
