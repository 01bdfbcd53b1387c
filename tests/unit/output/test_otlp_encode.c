#include "unit.h"

#include "base/clock.h"
#include "output/otlp_encode.h"
#include "output/protobuf.h"

struct requests {
    size_t n, longest;
    uint64_t n_points, n_points_read, n_metrics;
};

static struct slice member(struct slice message, unsigned number) {
    struct pb_reader r = pb_reader_of(message);
    struct pb_field f;
    while (pb_read(&r, &f))
        if (f.number == number && f.bytes.ptr)
            return f.bytes;
    return SLICE("");
}

static void read_metric(struct requests *q, struct slice metric) {
    struct pb_reader r = pb_reader_of(metric), points;
    struct pb_field f, point;
    q->n_metrics++;
    while (pb_read(&r, &f)) {
        if (f.number < 5)
            continue;
        points = pb_reader_of(f.bytes);
        while (pb_read(&points, &point))
            q->n_points_read += point.number == 1 && point.bytes.ptr;
    }
    assert_ptr_equal(r.at, r.end);
}

static void take(void *arg, struct buf *body, uint64_t n_points) {
    struct requests *q = arg;
    struct slice scope = member(member(buf_slice(body), 1), 2);
    struct pb_reader r = pb_reader_of(scope);
    struct pb_field f;
    q->n++;
    q->n_points += n_points;
    q->longest = body->len > q->longest ? body->len : q->longest;
    assert_true(slice_eq(member(member(buf_slice(body), 1), 1), S("resource")));
    assert_true(slice_eq(member(member(scope, 1), 1), S("k6")));
    while (pb_read(&r, &f))
        if (f.number == 2)
            read_metric(q, f.bytes);
    assert_ptr_equal(r.at, r.end);
}

static struct requests encode(struct world *w, bool has_exponential) {
    struct otlp_mapping m = {
        .prefix = "p.", .has_exponential = has_exponential, .resource = S("resource")};
    struct requests q = {0}, again = {0};
    struct aggregate *a = world_aggregate(w);
    struct otlp_encoder e;
    otlp_encoder_init(&e, &m);
    otlp_encode(&e, a, 5, take, &q);
    otlp_encode(&e, a, 6, take, &again);
    assert_memory_equal(&q, &again, sizeof q);
    otlp_encoder_release(&e);
    aggregate_free(a);
    assert_int_equal(q.n_points_read, q.n_points);
    return q;
}

static void nothing_gives_no_request(void **state) {
    shard_keep_series(((struct world *)*state)->shard);
    assert_int_equal(encode(*state, false).n, 0);
}

static void series_of_a_metric_stay_together(void **state) {
    struct world *w = *state;
    shard_keep_series(w->shard);
    for (int i = 0; i < 10; i++) {
        char text[12];
        snprintf(text, sizeof text, "%d", i);
        const struct tagset *tags = world_tags(w, (const char *const[]){"i", text, NULL});
        world_record(w, M_HTTP_REQS, tags, 1, NULL);
        world_record(w, M_CHECKS, tags, i % 2, NULL);
        world_record(w, M_VUS, tags, 1, NULL);
    }
    struct requests q = encode(w, false);
    assert_int_equal(q.n, 1);
    assert_int_equal(q.n_metrics, 3);
    assert_int_equal(q.n_points, 30);
}

static void many_series_are_cut_into_requests(void **state) {
    struct world *w = *state;
    shard_keep_series(w->shard);
    for (int i = 0; i < 12000; i++) {
        char text[32];
        snprintf(text, sizeof text, "http://host/%d", i);
        const struct tagset *tags = world_tags(w, (const char *const[]){"url", text, NULL});
        world_record(w, M_HTTP_REQ_DURATION, tags, i, NULL);
    }
    struct requests q = encode(w, false);
    assert_true(q.n >= 2);
    assert_int_equal(q.n_points, 12000);
    assert_true(q.longest < OTLP_BODY_BYTES + 1000);
}

static void partial_successes_are_read(void **state) {
    struct otlp_partial p;
    (void)state;
    assert_false(otlp_read_partial(S(""), &p));
    assert_false(otlp_read_partial(S("\x0a\x00"), &p));
    assert_false(otlp_read_partial(S("{\"json\": true}"), &p));
    assert_true(otlp_read_partial(S("\x0a\x06\x08\x03\x12\x02no"), &p));
    assert_int_equal(p.rejected, 3);
    assert_true(slice_eq(p.message, S("no")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        world_test(nothing_gives_no_request),
        world_test(series_of_a_metric_stay_together),
        world_test(many_series_are_cut_into_requests),
        cmocka_unit_test(partial_successes_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
