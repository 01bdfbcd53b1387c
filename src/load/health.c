#include "load/health.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "load/requirements.h"

/* ---- before the run */

/* What is open already, and some for files, outputs and servers. */
static int64_t count_open_files(void) {
    int64_t n = 32;
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        n++;
    if (dir != NULL)
        closedir(dir);
    return n;
}

static void check_files(int64_t vus, struct buf *out) {
    struct rlimit limit;
    int64_t open = count_open_files();
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        (int64_t)limit.rlim_cur >= vus + open)
        return;
    buf_printf(out,
               "%lld VUs with a connection each need about %lld file descriptors, and %lld are "
               "allowed: raise the limit (ulimit -n %lld)\n",
               (long long)vus, (long long)(vus + open), (long long)limit.rlim_cur,
               (long long)(vus + open + 1000));
}

static int64_t count_ports(void) {
    long long first = 0, last = 0;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    bool is_known = file != NULL && fscanf(file, "%lld %lld", &first, &last) == 2;
    if (file != NULL)
        fclose(file);
    return is_known && last >= first ? last - first + 1 : 0;
}

/* To one address of a server; connections to several share the ports. */
static void check_ports(int64_t vus, int64_t n_addresses, struct buf *out) {
    int64_t ports = count_ports();
    if (ports == 0 || vus / n_addresses <= ports)
        return;
    ports *= n_addresses;
    buf_printf(out,
               "%lld VUs with a connection each to one address of a server need as many local "
               "ports, and there are %lld: widen net.ipv4.ip_local_port_range, or give more source "
               "addresses with --local-ips\n",
               (long long)vus, (long long)ports);
}

void health_preflight(const struct execution_plan *plan, int64_t n_addresses, struct buf *out) {
    check_files(plan->max_possible_vus, out);
    check_ports(plan->max_possible_vus, n_addresses, out);
}

/* ---- while it runs */

#define LATE_NS (50 * NS_PER_MS)
#define BUSY_SHARE 0.95
#define MIN_SECONDS 5
#define BAD_SHARE 0.25

/* Time in which this thread computed, or would have if others had left it the processor. */
static int64_t thread_busy_ns(void) {
    long long on_cpu, waiting;
    FILE *file = fopen("/proc/thread-self/schedstat", "r");
    bool is_known = file != NULL && fscanf(file, "%lld %lld", &on_cpu, &waiting) == 2;
    struct timespec t;
    if (file != NULL)
        fclose(file);
    if (is_known)
        return on_cpu + waiting;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
        return 0;
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

void worker_health_look(struct worker_health *h, int64_t posted_ns) {
    int64_t now = clock_now_ns(), busy = thread_busy_ns(), lag = now - posted_ns;
    int64_t wall = now - h->last_ns, spent = busy - h->last_busy_ns;
    bool is_first = h->last_ns == 0;
    h->last_ns = now;
    h->last_busy_ns = busy;
    if (is_first || wall <= 0)
        return;
    h->n_seconds++;
    h->n_late += lag > LATE_NS;
    h->n_busy += (double)spent > BUSY_SHARE * (double)wall;
    h->busy_ns += spent;
    h->wall_ns += wall;
    if (lag > h->max_lag_ns)
        h->max_lag_ns = lag;
}

static void keep_max(double *max, double value) {
    if (value > *max)
        *max = value;
}

void health_add(struct health *sum, const struct worker_health *h) {
    double n = h->n_seconds > 0 ? (double)h->n_seconds : 1;
    keep_max(&sum->full_share, (double)h->n_busy / n);
    keep_max(&sum->late_share, (double)h->n_late / n);
    keep_max(&sum->busy_share, h->wall_ns > 0 ? (double)h->busy_ns / (double)h->wall_ns : 0);
    if (h->max_lag_ns > sum->max_lag_ns)
        sum->max_lag_ns = h->max_lag_ns;
    if (h->n_seconds > sum->n_seconds)
        sum->n_seconds = h->n_seconds;
}

bool health_is_bad(const struct health *h) {
    return h->n_seconds >= MIN_SECONDS && (h->full_share > BAD_SHARE || h->late_share > BAD_SHARE);
}
