/* Names of saved runs that are made from a pattern, so that many runners with the same command line
 * each write a file of their own: --save /results/%t/%h.kiln
 *
 *     %h  the machine's name (in Kubernetes the pod's hostname)
 *     %i  the runner's number: tag instance_id, else its segment, from 1
 *     %t  the run's name: tag testrun_name, else testid, else the script's name without its end
 *     %p  the process's id
 *     %%  % */
#pragma once

#include "load/test.h"

/* The path for a derived test, heap; folders that are missing are made. NULL with KE_INVALID for an
 * unknown letter, KE_IO when a folder cannot be made. Slashes of values become '_'. */
char *save_path_make(const char *pattern, const struct test *t, struct error *err);

/* The same for other texts: no folder is made. */
char *save_path_expand(const char *pattern, const struct test *t, struct error *err);

/* The tag that names the run or runner, NULL = none. */
const char *save_path_tag(const struct test *t, const char *key);
