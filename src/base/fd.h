/* Writing to descriptors that are no files of one's own: logs, terminals, pipes. */
#pragma once

#include "base/slice.h"

/* Writes all of it, blocking. 0, or KE_IO with errno as write() left it; a part may be written
 * then. */
int fd_write_all(int fd, struct slice data);
