/* What N instances of a large run leave, for `kiln merge`: saved runs of SECONDS seconds, each
 * instance with RATE requests a second over 20 URLs (tags name, method, status), their checks and
 * group, and times that are spread over three decades.
 *
 *     cmake --build build --target kiln kiln_report
 *     cc -O2 -D_GNU_SOURCE -Isrc bench/merge.c build/libkiln_report.a build/libkiln_metrics.a \
 *        build/libkiln_base.a -luv -ljansson -lcrypto -lz -lpthread -lm -o /tmp/bench
 *     mkdir /tmp/runs && /tmp/bench /tmp/runs 100 600 10000
 *     /usr/bin/time -v build/kiln merge /tmp/runs
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "report/result_file.h"

#define URLS 20

static uint64_t state = 88172645463325252u;

static double uniform(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / (double)(1ull << 53);
}

static double spread(double median) {
    return median * exp(1.2 * (uniform() + uniform() + uniform() + uniform() - 2) * 1.7);
}

struct urls {
    struct http_series *http[URLS];
    struct series *checks[URLS], *iterations, *duration, *vus, *vus_max;
};

static void make_series(struct shard *s, struct urls *u) {
    struct tag_table *t = shard_tags(s);
    for (int i = 0; i < URLS; i++) {
        char name[64];
        snprintf(name, sizeof name, "http://shop.example/api/%d", i);
        const struct tagset *tags =
            tagset_with(t, tagset_empty(t), SLICE("name"), slice_cstr(name));
        tags = tagset_with(t, tags, SLICE("method"), SLICE("GET"));
        tags = tagset_with(t, tags, SLICE("status"), SLICE("200"));
        tags = tagset_with(t, tags, SLICE("scenario"), SLICE("default"));
        u->http[i] = shard_http_series(s, tags, true);
        tags = tagset_with(t, tags, SLICE("check"), SLICE("status is 200"));
        u->checks[i] = shard_series(s, metric_by_id(M_CHECKS), tags);
    }
    u->iterations = shard_series(s, metric_by_id(M_ITERATIONS), tagset_empty(t));
    u->duration = shard_series(s, metric_by_id(M_ITERATION_DURATION), tagset_empty(t));
    u->vus = shard_series(s, metric_by_id(M_VUS), tagset_empty(t));
    u->vus_max = shard_series(s, metric_by_id(M_VUS_MAX), tagset_empty(t));
}

static void one_second(struct urls *u, int64_t at_ns, int rate) {
    for (int i = 0; i < rate; i++) {
        double ms = spread(40);
        struct http_sample v = {.duration = ms,
                                .sending = spread(0.02),
                                .waiting = ms * 0.97,
                                .receiving = spread(0.1),
                                .blocked = i % 50 == 0 ? spread(0.5) : 0};
        http_series_add(u->http[i % URLS], &v, at_ns, NULL);
        series_add(u->checks[i % URLS], i % 1000 != 0, at_ns);
        series_add(u->iterations, 1, at_ns);
        series_add(u->duration, ms + 1000, at_ns);
    }
    series_add(u->vus, rate, at_ns);
    series_add(u->vus_max, rate, at_ns);
}

static struct result_writer **open_all(const char *folder, int n, int64_t start_ms) {
    struct result_writer **all = xcalloc((size_t)n, sizeof *all);
    struct error err = {0};
    for (int i = 0; i < n; i++) {
        char *path = xasprintf("%s/%d.kiln", folder, i + 1);
        char *meta =
            xasprintf("{\"script\":\"shop.js\",\"digest\":\"d\",\"host\":\"pod-%d\",\"pid\":1,"
                      "\"saved_ms\":%lld,\"segment\":{\"index\":%d,\"of\":%d},\"options\":{"
                      "\"thresholds\":{\"http_req_duration\":[\"p(95)<500\"]}}}",
                      i + 1, (long long)start_ms, i, n);
        all[i] = result_writer_open(path, slice_cstr(meta), NS_PER_S, &err);
        CHECK(all[i] != NULL);
        free(meta);
        free(path);
    }
    return all;
}

int main(int argc, char **argv) {
    uint64_t numbers[3] = {0};
    for (int i = 2; i < argc && i < 5; i++)
        if (!slice_to_u64(slice_cstr(argv[i]), &numbers[i - 2]) || numbers[i - 2] > 1000000)
            argc = 0;
    if (argc != 5) {
        fprintf(stderr, "FOLDER INSTANCES SECONDS RATE\n");
        return 1;
    }
    int n = (int)numbers[0], seconds = (int)numbers[1], rate = (int)numbers[2];
    metrics_init();
    struct tag_table *tags = tag_table_new();
    struct shard *shard = shard_new(tags);
    struct aggregate *a = aggregate_new();
    struct urls u;
    struct error err = {0};
    aggregate_keep_windows(a);
    shard_keep_series(shard);
    make_series(shard, &u);
    int64_t now_ns = clock_now_ns(), start_ms = clock_wall_ns() / NS_PER_MS;
    struct result_writer **all = open_all(argv[1], n, start_ms);
    for (int s = 0; s < seconds; s++) {
        int64_t from_ns = now_ns + s * NS_PER_S;
        one_second(&u, from_ns, rate);
        aggregate_merge(a, shard_take(shard));
        for (int i = 0; i < n; i++)
            result_writer_window(all[i], a, from_ns, from_ns + NS_PER_S);
        for (int i = 0; s % 5 == 4 && i < n; i++)
            result_writer_checkpoint(all[i], SLICE("{}"));
        aggregate_reset_windows(a);
    }
    char *outcome =
        xasprintf("{\"start_ms\":%lld,\"elapsed_ns\":%lld,\"iterations\":%lld}",
                  (long long)start_ms, (long long)seconds * NS_PER_S, (long long)rate * seconds);
    for (int i = 0; i < n; i++)
        CHECK(result_writer_finish(all[i], a, slice_cstr(outcome), &err) == 0);
    return 0;
}
