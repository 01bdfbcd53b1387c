/* --setup-from URL: of several instances the first runs setup(), and the others ask its REST API
 * for the data. They do not run teardown() either.
 *
 * All instances may have the same command line: the first one (segment 1 of several, or the tag
 * instance_id=1) knows that it is meant by the URL. The URL may have the letters of save_path.h:
 * http://%t-service-1:6565 */
#pragma once

#include "cli/flags.h"
#include "load/run.h"
#include "load/test.h"

struct setup_from {
    char *address; /* "host:port"; NULL = setup() is run here */
    struct worker *worker;
};

/* Reads the flag or KILN_SETUP_FROM, after test_derive. 0 or the failure's exit code. */
int setup_from_init(struct setup_from *s, const struct flags *flags, const struct test *t,
                    struct worker *main_worker, struct failure *f);
/* run_config.fetch_setup: waits until the first instance has its data, or has failed, for
 * setupTimeout at most. *out_json: heap, "" when setup() returned nothing. Yields. */
int setup_from_fetch(void *arg, struct run *run, char **out_json, struct failure *f);
void setup_from_release(struct setup_from *s);
