#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"

/* The number behind `key` in a file of lines, or the whole file with key "". */
static size_t read_number(const char *path, const char *key) {
    char line[256];
    size_t found = SIZE_MAX;
    FILE *f = fopen(path, "re");
    while (f && found == SIZE_MAX && fgets(line, sizeof line, f)) {
        struct slice s = slice_cstr(line);
        uint64_t n;
        if (!slice_starts(s, slice_cstr(key)))
            continue;
        s = slice_trim(slice_from(s.ptr + strlen(key), s.len - strlen(key)));
        if (slice_to_u64(slice_cut(&s, ' '), &n))
            found = n;
    }
    if (f)
        fclose(f);
    return found;
}

/* Control groups v2 as a container sees its own; v1 behind it. "max" is no number: no limit. */
static size_t group_left_bytes(void) {
    size_t max = read_number("/sys/fs/cgroup/memory.max", "");
    size_t used = read_number("/sys/fs/cgroup/memory.current", "");
    if (max == SIZE_MAX) {
        max = read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", "");
        used = read_number("/sys/fs/cgroup/memory/memory.usage_in_bytes", "");
    }
    if (max == SIZE_MAX || used == SIZE_MAX)
        return SIZE_MAX;
    return max > used ? max - used : 0;
}

size_t memory_available_bytes(void) {
    size_t kib = read_number("/proc/meminfo", "MemAvailable:");
    size_t system = kib == SIZE_MAX ? SIZE_MAX : kib * 1024;
    size_t group = group_left_bytes();
    return group < system ? group : system;
}
