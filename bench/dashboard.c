/* What a second of the web dashboard, or of --save, costs the main thread: 20,000 requests of a
 * test with ten groups are in the shard, then everything is done that a tick does.
 *
 *     cmake --build build --target kiln_report
 *     cc -O2 -D_GNU_SOURCE -Isrc bench/dashboard.c build/libkiln_report.a build/libkiln_metrics.a \
 *        build/libkiln_base.a -luv -ljansson -lcrypto -lz -lpthread -lm -o /tmp/bench && /tmp/bench
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "report/recorder.h"
#include "report/result_file.h"

#define GROUPS 10
#define REQUESTS 20000
#define SECONDS 50

static size_t n_bytes;

static void on_event(void *arg, const char *event, struct slice json, bool is_latest) {
    (void)arg;
    (void)event;
    (void)is_latest;
    n_bytes += json.len;
}

static void fill(struct shard *s, int second) {
    char name[32];
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(name, sizeof name, "::group %d", i % GROUPS);
        const struct tagset *tags = tagset_with(shard_tags(s), tagset_empty(shard_tags(s)),
                                                SLICE("group"), slice_cstr(name));
        double ms = 0.2 + (double)((i * 7919 + second) % 1000) / 300;
        struct http_sample v = {
            .duration = ms, .sending = ms / 20, .waiting = ms, .receiving = ms / 9};
        http_series_add(shard_http_series(s, tags, true), &v, clock_now_ns(), NULL);
    }
}

int main(void) {
    static const struct slice keys[] = {{"group", 5}};
    struct error err = {0};
    metrics_init();
    struct tag_table *tags = tag_table_new();
    struct shard *shard = shard_new(tags);
    struct aggregate *a = aggregate_new();
    struct recorder_config config = {.script = "a.js",
                                     .program = "kiln",
                                     .end_offset_ns = SECONDS * NS_PER_S,
                                     .period_ns = NS_PER_S,
                                     .tags = keys,
                                     .n_tags = 1,
                                     .give = on_event};
    struct recorder *r = recorder_new(&config, 0);
    struct result_writer *w = result_writer_open("/dev/null", SLICE("{}"), NS_PER_S, &err);
    int64_t merge_ns = 0, record_ns = 0, save_ns = 0;
    aggregate_keep_windows(a);
    shard_break_down(shard, keys, 1);
    for (int s = 1; s <= SECONDS; s++) {
        struct recorder_state state = {
            .now_ns = s * NS_PER_S, .elapsed_ns = s * NS_PER_S, .state = "running"};
        fill(shard, s);
        struct shard_delta *d = shard_take(shard);
        int64_t t0 = clock_now_ns();
        aggregate_merge(a, d);
        int64_t t1 = clock_now_ns();
        recorder_add(r, a);
        recorder_tick(r, a, &state);
        int64_t t2 = clock_now_ns();
        result_writer_window(w, a, (s - 1) * NS_PER_S, s * NS_PER_S);
        int64_t t3 = clock_now_ns();
        aggregate_reset_windows(a);
        merge_ns += t1 - t0;
        record_ns += t2 - t1;
        save_ns += t3 - t2;
    }
    printf(
        "%zu metrics and parts\nmerging a shard, windows kept   %8.0f us\nsnapshot, totals, status        "
        "%8.0f us, %zu bytes of events\nwindow of a saved run           %8.0f us\n",
        aggregate_window_count(a), (double)merge_ns / SECONDS / 1e3,
        (double)record_ns / SECONDS / 1e3, n_bytes / SECONDS, (double)save_ns / SECONDS / 1e3);
    result_writer_abandon(w);
    recorder_free(r);
    return 0;
}
