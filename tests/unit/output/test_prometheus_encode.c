#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "output/prometheus_encode.h"
#include "output/protobuf.h"
#include "output/snappy_pack.h"

/* "name{label="value",…} value@time;" for each time series of a WriteRequest. */
static char *text_of(struct buf *request) {
    struct pb_reader r = pb_reader_of(buf_slice(request));
    struct pb_field series, part, pair;
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    while (pb_read(&r, &series)) {
        struct pb_reader parts = pb_reader_of(series.bytes);
        while (pb_read(&parts, &part)) {
            struct pb_reader pairs = pb_reader_of(part.bytes);
            struct slice text[2] = {{0}};
            double value = 0;
            long long time_ms = 0;
            while (part.number < 4 && pb_read(&pairs, &pair)) {
                if (part.number == 1)
                    text[pair.number - 1] = pair.bytes;
                else if (pair.number == 1)
                    memcpy(&value, &pair.value, sizeof value);
                else
                    time_ms = (long long)pair.value;
            }
            if (part.number == 1)
                buf_printf(&out, "%.*s=%.*s ", SLICE_FMT(text[0]), SLICE_FMT(text[1]));
            else if (part.number == 2)
                buf_printf(&out, "%g@%lld;", value, time_ms);
            else
                buf_append_str(&out, "histogram;");
        }
    }
    buf_release(request);
    return buf_detach(&out, NULL);
}

static void keep(struct world *w) {
    shard_keep_series(w->shard);
}

static void assert_series(struct world *w, const struct prom_mapping *m, size_t n_want,
                          const char *want) {
    struct aggregate *a = world_aggregate(w);
    struct buf out;
    size_t n = 0;
    buf_init(&out, BUF_NO_CAP);
    for (size_t i = 0; i < aggregate_series_count(a); i++)
        n += prom_put_series(&out, m, aggregate_series_at(a, i), 1000);
    char *got = text_of(&out);
    assert_string_equal(got, want);
    assert_int_equal(n, n_want);
    free(got);
    aggregate_free(a);
}

static struct prom_mapping mapping(const char *const *stats) {
    struct prom_mapping m = {0};
    struct error err;
    for (; stats && *stats; stats++)
        assert_int_equal(prom_stats_add(&m.stats, slice_cstr(*stats), &err), 0);
    return m;
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void each_type_has_its_suffix(void **state) {
    struct world *w = *state;
    struct prom_mapping m = mapping(LIST("p(99)"));
    const struct tagset *tags = world_tags(w, LIST("b", "2", "A", "1", "empty", ""));
    keep(w);
    world_record(w, M_HTTP_REQS, tags, 2, NULL);
    world_record(w, M_HTTP_REQS, tags, 3, NULL);
    world_record(w, M_VUS, tags, 7, NULL);
    world_record(w, M_CHECKS, tags, 1, NULL);
    world_record(w, M_CHECKS, tags, 0, NULL);
    world_record(w, M_CHECKS, tags, 0, NULL);
    world_record(w, M_CHECKS, tags, 0, NULL);
    world_record(w, M_HTTP_REQ_DURATION, tags, 1500, NULL);
    assert_series(w, &m, 4,
                  "A=1 __name__=k6_http_reqs_total b=2 5@1000;"
                  "A=1 __name__=k6_vus b=2 7@1000;"
                  "A=1 __name__=k6_checks_rate b=2 0.25@1000;"
                  "A=1 __name__=k6_http_req_duration_p99 b=2 1.5@1000;");
}

static void each_stat_is_a_series_and_times_are_in_seconds(void **state) {
    struct world *w = *state;
    struct prom_mapping m =
        mapping(LIST("count", "sum", "min", "max", "avg", "med", "p(99.9)", "p(50)", "count"));
    keep(w);
    for (int i = 1; i <= 3; i++)
        world_record(w, M_HTTP_REQ_DURATION, world_tags(w, LIST("a", "b")), i * 1000, NULL);
    assert_series(w, &m, 8,
                  "__name__=k6_http_req_duration_count a=b 0.003@1000;"
                  "__name__=k6_http_req_duration_sum a=b 6@1000;"
                  "__name__=k6_http_req_duration_min a=b 1@1000;"
                  "__name__=k6_http_req_duration_max a=b 3@1000;"
                  "__name__=k6_http_req_duration_avg a=b 2@1000;"
                  "__name__=k6_http_req_duration_med a=b 2@1000;"
                  "__name__=k6_http_req_duration_p999 a=b 2.998@1000;"
                  "__name__=k6_http_req_duration_p50 a=b 2@1000;");
}

static void native_histograms_carry_their_unit(void **state) {
    struct world *w = *state;
    struct prom_mapping m = {.is_native = true};
    keep(w);
    world_record(w, M_HTTP_REQ_DURATION, world_tags(w, LIST("a", "b")), 1, NULL);
    assert_series(w, &m, 1, "__name__=k6_http_req_duration_seconds a=b histogram;");
}

static void stale_markers_cover_the_same_series(void **state) {
    struct world *w = *state;
    struct prom_mapping m = mapping(LIST("p(99)", "max"));
    struct buf out;
    keep(w);
    world_record(w, M_HTTP_REQ_DURATION, world_tags(w, LIST("a", "b")), 1, NULL);
    world_record(w, M_VUS, world_tags(w, LIST("a", "b")), 1, NULL);
    struct aggregate *a = world_aggregate(w);
    buf_init(&out, BUF_NO_CAP);
    for (size_t i = 0; i < aggregate_series_count(a); i++)
        prom_put_stale(&out, &m, aggregate_series_at(a, i), 5);
    static const unsigned char marker[] = {2, 0, 0, 0, 0, 0, 0xf0, 0x7f};
    int n = 0;
    for (const char *at = out.ptr; (at = memmem(at, out.len - (size_t)(at - out.ptr), marker, 8));
         at++)
        n++;
    assert_int_equal(n, 3);
    buf_release(&out);
    aggregate_free(a);
}

static void stats_are_checked(void **state) {
    struct prom_stats s = {0};
    struct error err;
    char text[16];
    (void)state;
    assert_int_equal(prom_stats_add(&s, S("worst"), &err), KE_CONFIG);
    assert_string_equal(err.text, "invalid trend stat 'worst', unknown format");
    for (int i = 0; i < PROM_STATS_MAX; i++) {
        snprintf(text, sizeof text, "p(%d)", i);
        assert_int_equal(prom_stats_add(&s, slice_cstr(text), &err), 0);
    }
    assert_int_equal(prom_stats_add(&s, S("p(99.9)"), &err), KE_CONFIG);
}

static void snappy_packs_what_its_library_unpacks(void **state) {
    struct error err;
    struct buf in, out;
    (void)state;
    if (snappy_load(&err))
        skip();
    buf_init(&in, BUF_NO_CAP);
    buf_init(&out, BUF_NO_CAP);
    for (int i = 0; i < 5000; i++)
        buf_printf(&in, "line %d of many, ", i % 10);
    buf_append_str(&out, "kept");
    snappy_pack(&out, buf_slice(&in));
    assert_memory_equal(out.ptr, "kept", 4);
    assert_true(out.len < in.len / 4);
    /* The block begins with the length as a varint. */
    struct pb_reader r = pb_reader_of(slice_from(out.ptr + 4, out.len - 4));
    uint64_t len;
    assert_true(pb_read_varint(&r, &len));
    assert_int_equal(len, in.len);
    buf_release(&in);
    buf_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        world_test(each_type_has_its_suffix),
        world_test(each_stat_is_a_series_and_times_are_in_seconds),
        world_test(native_histograms_carry_their_unit),
        world_test(stale_markers_cover_the_same_series),
        cmocka_unit_test(stats_are_checked),
        cmocka_unit_test(snappy_packs_what_its_library_unpacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
