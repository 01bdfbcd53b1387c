/* The ideal open-loop schedule, beside which arrival_rate.py puts kiln's: sleeps to the absolute
 * time of each start and says how late it woke. What this prints is the machine's own lateness.
 * Usage: schedule RATE SECONDS. Output: microseconds avg, med, p99, p99.9, max. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
    double rate = argc > 2 ? strtod(argv[1], NULL) : 0,
           seconds = argc > 2 ? strtod(argv[2], NULL) : 0;
    long n = (long)(rate * seconds);
    prctl(PR_SET_TIMERSLACK, 1); /* by default the kernel may be 50 µs late */
    double *late = n > 0 ? malloc((size_t)n * sizeof *late) : NULL;
    if (!late)
        return 1;
    double start = now_us() + 1e4, sum = 0;
    for (long k = 0; k < n; k++) {
        double due = start + (double)k * 1e6 / rate;
        struct timespec t = {(time_t)(due / 1e6), 0};
        t.tv_nsec = (long)((due - (double)t.tv_sec * 1e6) * 1e3);
        while (now_us() < due)
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        late[k] = now_us() - due;
        sum += late[k];
    }
    qsort(late, (size_t)n, sizeof *late, compare);
    printf("%.2f %.2f %.2f %.2f %.2f\n", sum / (double)n, late[n / 2], late[n * 99 / 100],
           late[n * 999 / 1000], late[n - 1]);
    free(late);
    return 0;
}
