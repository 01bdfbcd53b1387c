/* How many processors this process may use: its affinity, and the quota of its control group. A
 * container that is limited to 200 m of a 64-core machine is to have one worker, not 64. */
#pragma once

#include <stdio.h>

/* At least 1. */
int cpu_count(void);

/* The quota in processors, 0 = none: the least of the group of this process and those above it.
 * groups: text of /proc/self/cgroup; mount: /sys/fs/cgroup. v2 and v1. */
double cpu_quota(const char *mount, const char *groups);
