/* What the process itself uses. Linux' /proc; elsewhere only what getrusage tells. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "api/api_internal.h"

struct usage {
    double cpu_seconds;
    int64_t resident_bytes, virtual_bytes;
    int open_fds, max_fds, threads;
    double start_seconds;
};

static int count_fds(void) {
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;
    if (dir == NULL)
        return 0;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        n += e->d_name[0] != '.';
    closedir(dir);
    return n > 0 ? n - 1 : 0; /* the directory's own */
}

static double boot_seconds(void) {
    struct timespec wall, boot;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (double)(wall.tv_sec - boot.tv_sec) + (double)(wall.tv_nsec - boot.tv_nsec) / 1e9;
}

/* Fields 20, 22, 23 and 24 of proc(5)'s stat; the name in field 2 may hold anything. */
static void read_stat(struct usage *u) {
    char text[1024];
    FILE *file = fopen("/proc/self/stat", "r");
    if (file == NULL)
        return;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    const char *rest = strrchr(text, ')');
    unsigned long long start_ticks = 0, virtual_bytes = 0;
    long long resident_pages = 0;
    if (rest == NULL ||
        sscanf(rest + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d "
               "%*d %llu %llu %lld",
               &u->threads, &start_ticks, &virtual_bytes, &resident_pages) != 4)
        return;
    u->virtual_bytes = (int64_t)virtual_bytes;
    u->resident_bytes = resident_pages * sysconf(_SC_PAGESIZE);
    u->start_seconds = boot_seconds() + (double)start_ticks / (double)sysconf(_SC_CLK_TCK);
}

static double seconds(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void measure(struct usage *u) {
    struct rusage usage;
    struct rlimit limit;
    *u = (struct usage){0};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        u->cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        u->max_fds = limit.rlim_cur > INT32_MAX ? INT32_MAX : (int)limit.rlim_cur;
    u->open_fds = count_fds();
    read_stat(u);
}

static void put(struct buf *out, const char *name, const char *type, const char *help,
                double value) {
    char text[32];
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %s\n", name, help, name, type, name,
               double_format_json(value, text));
}

void api_write_process_metrics(struct buf *out, const char *version) {
    struct usage u;
    measure(&u);
    buf_printf(out,
               "# HELP kiln_info Version of the program.\n# TYPE kiln_info gauge\n"
               "kiln_info{version=\"%s\"} 1\n",
               version);
    put(out, "process_cpu_seconds_total", "counter",
        "Total user and system CPU time spent in seconds.", u.cpu_seconds);
    put(out, "process_max_fds", "gauge", "Maximum number of open file descriptors.", u.max_fds);
    put(out, "process_open_fds", "gauge", "Number of open file descriptors.", u.open_fds);
    put(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
        (double)u.resident_bytes);
    put(out, "process_start_time_seconds", "gauge",
        "Start time of the process since unix epoch in seconds.", u.start_seconds);
    put(out, "process_threads", "gauge", "Number of threads.", u.threads);
    put(out, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
        (double)u.virtual_bytes);
}

/* Without the command line, which may hold secrets. */
void api_write_process_vars(struct buf *out) {
    struct usage u;
    struct json_writer w;
    measure(&u);
    json_write_init(&w, out, NULL, true);
    json_object_begin(&w);
    json_key(&w, "memstats");
    json_object_begin(&w);
    json_key(&w, "Alloc");
    json_int(&w, u.resident_bytes);
    json_key(&w, "Sys");
    json_int(&w, u.virtual_bytes);
    json_object_end(&w);
    json_object_end(&w);
}
