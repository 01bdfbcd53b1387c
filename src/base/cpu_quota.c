#include "base/cpu_quota.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/slice.h"

#define GROUPS_BYTES_MAX 16384
#define PATH_BYTES_MAX 4096

static int read_file(const char *folder, const char *name, char *out, size_t bytes) {
    char path[PATH_BYTES_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    size_t n = f != NULL ? fread(out, 1, bytes - 1, f) : 0;
    if (f != NULL)
        fclose(f);
    out[n] = '\0';
    return n > 0 ? 0 : -1;
}

static double quotient(const char *quota, const char *period) {
    double q = strtod(quota, NULL), p = strtod(period, NULL); /* "max" and -1 are none */
    return q > 0 && p > 0 ? q / p : 0;
}

/* "20000 100000" */
static double read_v2(const char *folder) {
    char text[128];
    if (read_file(folder, "cpu.max", text, sizeof text) != 0)
        return 0;
    char *space = strchr(text, ' ');
    return space != NULL ? quotient(text, space + 1) : 0;
}

static double read_v1(const char *folder) {
    char quota[64], period[64];
    if (read_file(folder, "cpu.cfs_quota_us", quota, sizeof quota) != 0 ||
        read_file(folder, "cpu.cfs_period_us", period, sizeof period) != 0)
        return 0;
    return quotient(quota, period);
}

/* From the group up to the mount. A container may see a path that is the host's: then only the
 * mount is there, which is the container's own group. */
static double least(const char *mount, struct slice group, double (*read)(const char *folder)) {
    char folder[PATH_BYTES_MAX];
    double found = 0;
    size_t mount_bytes = strlen(mount);
    if (mount_bytes + group.len + 1 > sizeof folder)
        return 0;
    memcpy(folder, mount, mount_bytes);
    if (group.len > 0)
        memcpy(folder + mount_bytes, group.ptr, group.len);
    folder[mount_bytes + group.len] = '\0';
    for (;;) {
        double quota = read(folder);
        if (quota > 0 && (found == 0 || quota < found))
            found = quota;
        char *slash = strrchr(folder + mount_bytes, '/');
        if (slash == NULL)
            return found;
        *slash = '\0';
    }
}

static bool has_controller(struct slice list, struct slice name) {
    while (list.ptr != NULL)
        if (slice_eq(slice_cut(&list, ','), name))
            return true;
    return false;
}

/* Lines of ID:CONTROLLERS:PATH; v2 has no controllers. */
double cpu_quota(const char *mount, const char *groups) {
    struct slice rest = slice_cstr(groups);
    double found = 0;
    char v1[PATH_BYTES_MAX];
    while (rest.ptr != NULL && rest.len > 0) {
        struct slice path = slice_cut(&rest, '\n');
        slice_cut(&path, ':');
        struct slice controllers = slice_cut(&path, ':');
        double quota = 0;
        if (path.ptr == NULL)
            continue;
        if (controllers.len == 0) {
            quota = least(mount, path, read_v2);
        } else if (has_controller(controllers, SLICE("cpu"))) {
            snprintf(v1, sizeof v1, "%s/cpu", mount);
            quota = least(v1, path, read_v1);
        }
        if (quota > 0 && (found == 0 || quota < found))
            found = quota;
    }
    return found;
}

int cpu_count(void) {
    char groups[GROUPS_BYTES_MAX];
    cpu_set_t cpus;
    int n = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    read_file("/proc/self", "cgroup", groups, sizeof groups);
    double quota = cpu_quota("/sys/fs/cgroup", groups);
    int allowed = quota > 0 && quota < n ? (int)ceil(quota) : n;
    return allowed > 0 ? allowed : 1;
}
