/* What recording a measurement costs, in nanoseconds of one core:
 *
 *     cmake --build build --target kiln_metrics
 *     cc -O2 -D_GNU_SOURCE -Isrc bench/metrics.c build/libkiln_metrics.a build/libkiln_base.a -luv
 * -lpthread -lm -o /tmp/bench && /tmp/bench */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "metrics/aggregate.h"

#define ROUNDS 5
#define VALUES 4096

static double latency[VALUES];

static void fill_latencies(void) {
    uint64_t seed = 1;
    for (size_t i = 0; i < VALUES; i++) {
        double u[2];
        for (int j = 0; j < 2; j++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            u[j] = ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
        }
        /* Lognormal around 0.2 ms: several octaves. */
        latency[i] = exp(-1.6 + 0.6 * sqrt(-2 * log(u[0])) * cos(6.283185307 * u[1]));
    }
}

struct world {
    struct tag_table *tags;
    struct shard *shard;
    const struct tagset *request;
};

static const struct tagset *request_tags(struct world *w) {
    const struct tag base[] = {{SLICE("scenario"), SLICE("default")}, {SLICE("group"), SLICE("")}};
    const struct tag add[] = {{SLICE("method"), SLICE("GET")},
                              {SLICE("url"), SLICE("http://127.0.0.1:3333/api/things")},
                              {SLICE("name"), SLICE("http://127.0.0.1:3333/api/things")},
                              {SLICE("status"), SLICE("200")},
                              {SLICE("proto"), SLICE("HTTP/1.1")},
                              {SLICE("expected_response"), SLICE("true")}};
    return tagset_with_all(w->tags,
                           tagset_with_all(w->tags, tagset_empty(w->tags), base, countof(base)),
                           add, countof(add));
}

static void do_trend(struct world *w, size_t n) {
    struct series *s = shard_series(w->shard, metric_by_id(M_ITERATION_DURATION), w->request);
    for (size_t i = 0; i < n; i++)
        series_add(s, latency[i % VALUES], (int64_t)i);
}

static void do_counter(struct world *w, size_t n) {
    struct series *s = shard_series(w->shard, metric_by_id(M_ITERATIONS), w->request);
    for (size_t i = 0; i < n; i++)
        series_add(s, latency[i % VALUES], (int64_t)i);
}

static void do_request(struct world *w, size_t n) {
    struct http_series *h = shard_http_series(w->shard, w->request, true);
    for (size_t i = 0; i < n; i++) {
        double v = latency[i % VALUES];
        struct http_sample s = {v, v * 0.01, 0, 0, v * 0.1, v * 0.8, v * 0.1, false};
        http_series_add(h, &s, (int64_t)i, NULL);
    }
}

static void do_series(struct world *w, size_t n) {
    struct metric *a = metric_by_id(M_ITERATIONS), *b = metric_by_id(M_CHECKS);
    for (size_t i = 0; i < n; i++)
        if (!shard_series(w->shard, i & 1 ? a : b, w->request))
            abort();
}

static void do_tags(struct world *w, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (request_tags(w) != w->request)
            abort();
}

static void do_one_tag(struct world *w, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!tagset_with(w->tags, w->request, SLICE("check"), SLICE("status is 200")))
            abort();
}

static void do_check(struct world *w, size_t n) {
    for (size_t i = 0; i < n; i++)
        shard_note_check(w->shard, SLICE(""), SLICE("status is 200"), true);
}

static void drop(void *arg, struct raw_chunk *chunk) {
    (void)arg;
    raw_chunk_free(chunk);
}

static void measure(const char *what, void (*run)(struct world *, size_t), size_t n, bool is_raw) {
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        struct world w = {.tags = tag_table_new()};
        w.shard = shard_new(w.tags);
        w.request = request_tags(&w);
        if (is_raw)
            shard_stream_raw(w.shard, drop, NULL);
        run(&w, 2000);
        int64_t start = clock_now_ns();
        run(&w, n);
        double each = (double)(clock_now_ns() - start) / (double)n;
        best = each < best ? each : best;
        shard_free(w.shard);
        tag_table_free(w.tags);
    }
    printf("%-52s %7.1f ns\n", what, best);
}

static void measure_tick(void) {
    struct world w = {.tags = tag_table_new()};
    struct aggregate *a = aggregate_new();
    int64_t total = 0;
    w.shard = shard_new(w.tags);
    w.request = request_tags(&w);
    for (int i = 0; i < 100; i++) {
        do_request(&w, 5000);
        int64_t start = clock_now_ns();
        aggregate_merge(a, shard_take(w.shard));
        total += clock_now_ns() - start;
    }
    printf("%-52s %7.1f us\n", "take and merge a shard after 5000 requests", (double)total / 1e5);
    double ps[] = {0.5, 0.9, 0.95}, out[3];
    const struct sink *s = aggregate_sink(a, metric_by_id(M_HTTP_REQ_DURATION));
    int64_t start = clock_now_ns();
    for (int i = 0; i < 100; i++)
        trend_quantiles(&s->trend, ps, out, 3);
    printf("%-52s %7.1f us\n", "three quantiles of a spilled trend",
           (double)(clock_now_ns() - start) / 1e5);
    printf("%-52s %7zu bytes\n", "memory of http_req_duration's trend",
           trend_memory_bytes(&s->trend));
    aggregate_free(a);
    shard_free(w.shard);
    tag_table_free(w.tags);
}

int main(void) {
    metrics_init();
    metric_submetric(SLICE("http_req_duration{expected_response:true}"), NULL);
    fill_latencies();
    measure("series_add, counter", do_counter, 5000000, false);
    measure("series_add, trend (spilled)", do_trend, 5000000, false);
    measure("http_series_add (9 metrics, 1 submetric)", do_request, 2000000, false);
    measure("the same with raw samples streamed", do_request, 500000, true);
    measure("shard_series, alternating", do_series, 5000000, false);
    measure("tagset_with, known transition", do_one_tag, 5000000, false);
    measure("tags of a request (2 + 6), known transitions", do_tags, 1000000, false);
    measure("shard_note_check", do_check, 5000000, false);
    measure_tick();
    metrics_shutdown();
    return 0;
}
