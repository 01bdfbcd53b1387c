/* Ctrl+C: the first SIGINT or SIGTERM asks, the second ends the process at once with exit code 105.
 */
#pragma once

#include "fiber/worker.h"

/* ask(arg, name) is called on the main worker's own stack; name as Go calls the signal:
 * "interrupt", "terminated". */
void signals_start(struct worker *main_worker, void (*ask)(void *arg, const char *name), void *arg);
void signals_stop(void);
