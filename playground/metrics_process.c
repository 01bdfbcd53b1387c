#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/slice.h"
#include "metrics.h"

static void write_value(struct buf *out, const char *name, const char *type, const char *help,
                        double value) {
    char number[32];
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %s\n", name, help, name, type, name,
               double_format_json(value, number));
}

static double cpu_seconds(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static double open_files(void) {
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return 0;
    double count = -3; /* "." and "..", and the directory itself */
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* Field number `index` of /proc/self/stat, counted from the state, which is 0. */
static double stat_field(const char *text, int index) {
    const char *p = strrchr(text, ')');
    for (p = p != NULL ? p + 1 : NULL; p != NULL && index > 0; index--)
        p = strchr(p + 1, ' ');
    return p != NULL ? strtod(p, NULL) : 0;
}

static double boot_time(void) {
    char line[256];
    double seconds = 0;
    FILE *f = fopen("/proc/stat", "re");
    while (f != NULL && seconds == 0 && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "btime ", 6) == 0)
            seconds = strtod(line + 6, NULL);
    }
    if (f != NULL)
        fclose(f);
    return seconds;
}

void metrics_write_process(struct buf *out) {
    char text[1024] = "";
    FILE *f = fopen("/proc/self/stat", "re");
    if (f != NULL) {
        size_t size = fread(text, 1, sizeof text - 1, f);
        text[size] = '\0';
        fclose(f);
    }
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    write_value(out, "process_cpu_seconds_total", "counter",
                "Total user and system CPU time spent in seconds.", cpu_seconds());
    write_value(out, "process_max_fds", "gauge", "Maximum number of open file descriptors.",
                (double)files.rlim_cur);
    write_value(out, "process_open_fds", "gauge", "Number of open file descriptors.", open_files());
    write_value(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
                stat_field(text, 21) * (double)sysconf(_SC_PAGESIZE));
    write_value(out, "process_start_time_seconds", "gauge",
                "Start time of the process since unix epoch in seconds.",
                boot_time() + stat_field(text, 19) / (double)sysconf(_SC_CLK_TCK));
    write_value(out, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
                stat_field(text, 20));
}
