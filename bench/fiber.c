/* What fibers cost: a switch, a park and wake, a timer, a byte over a socket pair, 20,000 sleepers.
 *
 *     cmake --build build --target kiln_fiber
 *     cc -O2 -D_GNU_SOURCE -Isrc bench/fiber.c build/libkiln_fiber.a build/libkiln_base.a -luv
 * -lpthread -o /tmp/bench /tmp/bench */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "fiber/context.h"
#include "fiber/fiber.h"
#include "fiber/worker.h"

static void report(const char *what, int64_t ns, long n, const char *unit) {
    printf("%-52s %8.1f ns %s\n", what, (double)ns / (double)n, unit);
}

/* ---------------------------------------------------------------- bare switch */

#define SWITCHES 10000000L

static void *main_sp, *other_sp;

static void bounce(void *arg) {
    (void)arg;
    for (;;)
        fiber_context_switch(&other_sp, main_sp);
}

static void bench_switch(void) {
    static _Alignas(16) char stack[65536];
    other_sp = fiber_context_make(stack + sizeof stack, bounce, NULL);
    int64_t t0 = clock_now_ns();
    for (long i = 0; i < SWITCHES / 2; i++)
        fiber_context_switch(&main_sp, other_sp);
    report("bare context switch", clock_now_ns() - t0, SWITCHES, "a switch");
}

/* ---------------------------------------------------------------- inside a worker */

struct yielder {
    long rounds;
    int fibers;
};

static int running;

static void ended(void) {
    if (--running == 0)
        worker_stop(worker_self());
}

static void yield_main(void *arg) {
    struct yielder *y = arg;
    for (long i = 0; i < y->rounds; i++)
        fiber_yield();
    ended();
}

static void bench_yield(int fibers) {
    struct worker *w = worker_new(0);
    struct yielder y = {4000000L / fibers, fibers};
    running = fibers;
    for (int i = 0; i < fibers; i++)
        fiber_detach(fiber_start(w, FIBER_STACK_DEFAULT, yield_main, &y));
    int64_t t0 = clock_now_ns();
    worker_run(w);
    char what[64];
    snprintf(what, sizeof what, "yield, %d fibers", fibers);
    report(what, clock_now_ns() - t0, y.rounds * fibers, "a yield");
    worker_free(w);
}

#define PINGS 2000000L
static struct fiber *pinger, *ponger;

static void ping_main(void *arg) {
    (void)arg;
    for (long i = 0; i < PINGS; i++) {
        fiber_wake(ponger);
        fiber_park(worker_now_ns(worker_self()) + 60 * NS_PER_S);
    }
    ended();
}

static void pong_main(void *arg) {
    (void)arg;
    for (long i = 0; i < PINGS; i++) {
        fiber_park(worker_now_ns(worker_self()) + 60 * NS_PER_S);
        fiber_wake(pinger);
    }
    ended();
}

static void bench_wake(void) {
    struct worker *w = worker_new(0);
    running = 2;
    ponger = fiber_start(w, FIBER_STACK_DEFAULT, pong_main, NULL);
    pinger = fiber_start(w, FIBER_STACK_DEFAULT, ping_main, NULL);
    fiber_detach(pinger);
    fiber_detach(ponger);
    int64_t t0 = clock_now_ns();
    worker_run(w);
    report("park (60 s deadline) and wake, a turn for each", clock_now_ns() - t0, 2 * PINGS,
           "a park");
    worker_free(w);
}

#define TIMERS 20000
#define TIMER_ROUNDS 50

static void no_fire(struct worker_timer *t) {
    (void)t;
}

static void bench_timer(void) {
    struct worker *w = worker_new(0);
    struct worker_timer *t = xcalloc(TIMERS, sizeof *t);
    int64_t base = clock_now_ns() + NS_PER_S, t0 = clock_now_ns();
    uint32_t seed = 1;
    worker_timer_start(w, &t[0], base, no_fire);
    for (int r = 0; r < TIMER_ROUNDS; r++) {
        for (int i = 1; i < TIMERS; i++) {
            seed = seed * 1664525 + 1013904223;
            worker_timer_start(w, &t[i], base + seed, no_fire);
        }
    }
    report("timer start or move, 20,000 armed", clock_now_ns() - t0, (long)TIMERS * TIMER_ROUNDS,
           "a start");
    t0 = clock_now_ns();
    for (int i = 0; i < TIMERS; i++)
        worker_timer_stop(w, &t[i]);
    report("timer stop", clock_now_ns() - t0, TIMERS, "a stop");
    worker_free(w);
    free(t);
}

#define STARTS 500000L

static void nothing(void *arg) {
    (void)arg;
}

static void start_main(void *arg) {
    (void)arg;
    for (long i = 0; i < STARTS; i++)
        fiber_join(fiber_start(worker_self(), FIBER_STACK_DEFAULT, nothing, NULL));
    ended();
}

static void bench_start(void) {
    struct worker *w = worker_new(0);
    running = 1;
    fiber_detach(fiber_start(w, FIBER_STACK_DEFAULT, start_main, NULL));
    int64_t t0 = clock_now_ns();
    worker_run(w);
    report("start, run and join on a recycled stack", clock_now_ns() - t0, STARTS, "a fiber");
    worker_free(w);
}

#define BYTES 300000L

static void echo_main(void *arg) {
    int fd = *(int *)arg;
    struct worker_io *io = worker_io_new(worker_self(), fd);
    char c = 'x';
    for (long i = 0; i < BYTES; i++) {
        if (fd % 2 == 0)
            CHECK(send(fd, &c, 1, 0) == 1);
        worker_io_wait(io, IO_READ, worker_now_ns(worker_self()) + 60 * NS_PER_S);
        CHECK(recv(fd, &c, 1, 0) == 1);
        if (fd % 2)
            CHECK(send(fd, &c, 1, 0) == 1);
    }
    worker_io_close(io);
    ended();
}

static void bench_io(void) {
    int fd[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
    struct worker *w = worker_new(0);
    running = 2;
    for (int i = 0; i < 2; i++)
        fiber_detach(fiber_start(w, FIBER_STACK_DEFAULT, echo_main, &fd[i]));
    int64_t t0 = clock_now_ns();
    worker_run(w);
    report("send, wait, recv of a byte on a socket pair", clock_now_ns() - t0, 2 * BYTES, "a byte");
    worker_free(w);
}

/* ---------------------------------------------------------------- many sleepers */

static int64_t end_ns;
static long naps;

static void nap_main(void *arg) {
    int64_t at_ns = worker_now_ns(worker_self()) + (intptr_t)arg * 50000;
    while (at_ns < end_ns && fiber_sleep_until(at_ns) == 0) {
        at_ns = worker_now_ns(worker_self()) + NS_PER_S;
        naps++;
    }
    ended();
}

static double cpu_s(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long rss_kib(void) {
    long size = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld %ld", &size, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void bench_sleepers(int fibers) {
    struct worker *w = worker_new(0);
    running = fibers;
    naps = 0;
    long before_kib = rss_kib();
    end_ns = clock_now_ns() + 3 * NS_PER_S;
    double cpu = cpu_s();
    for (int i = 0; i < fibers; i++)
        fiber_detach(fiber_start(w, FIBER_STACK_DEFAULT, nap_main, (void *)(intptr_t)(i % 20000)));
    long kib = rss_kib() - before_kib;
    int64_t t0 = clock_now_ns();
    worker_run(w);
    double wall = (double)(clock_now_ns() - t0) / 1e9;
    printf(
        "%d fibers sleeping 1 s in a loop: %.1f %% of a core, %.1f us a sleep, %.1f KiB a fiber\n",
        fibers, (cpu_s() - cpu) / wall * 100, (cpu_s() - cpu) / (double)naps * 1e6,
        (double)kib / fibers);
    worker_free(w);
}

int main(void) {
    bench_switch();
    bench_yield(1);
    bench_yield(100);
    bench_yield(10000);
    bench_wake();
    bench_timer();
    bench_start();
    bench_io();
    bench_sleepers(20000);
    bench_sleepers(50000);
    return 0;
}
