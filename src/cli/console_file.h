/* --console-output: what scripts log goes to a file of its own, in the log's format. */
#pragma once

#include "load/failure.h"

/* Appends to path from now on. 0 or the failure's exit code. */
int console_file_open(const char *path, struct failure *f);
