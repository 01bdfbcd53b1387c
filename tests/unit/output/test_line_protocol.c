#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "output/line_protocol.h"

static struct line_fields fields;

/* One line without its time stamp; the caller frees. NULL: not written. */
static char *line(struct world *w, const char *const *tags, double value) {
    struct line_writer writer;
    struct buf out;
    struct raw_sample s = {
        .series = shard_series(w->shard, metric_by_id(M_HTTP_REQ_DURATION), world_tags(w, tags)),
        .value = value,
        .time_ns = clock_now_ns(),
        .vu = 3,
        .iter = 4};
    buf_init(&out, BUF_NO_CAP);
    line_writer_init(&writer, &fields, 1);
    bool is_written = line_write(&writer, &out, &s);
    line_writer_release(&writer);
    if (is_written) {
        char stamp[32];
        int n =
            snprintf(stamp, sizeof stamp, " %lld\n", (long long)clock_mono_to_wall_ns(s.time_ns));
        assert_true(slice_ends(buf_slice(&out), slice_from(stamp, (size_t)n)));
        out.len -= (size_t)n;
        return buf_detach(&out, NULL);
    }
    assert_int_equal(out.len, 0);
    buf_release(&out);
    return NULL;
}

static void assert_line(struct world *w, const char *const *tags, double value, const char *want) {
    char *got = line(w, tags, value);
    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
}

static void set_fields(const char *const *specs) {
    struct error err;
    line_fields_release(&fields);
    for (; *specs; specs++)
        assert_int_equal(line_fields_add(&fields, slice_cstr(*specs), &err), 0);
}

#define TAGS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void tags_are_sorted_and_escaped(void **state) {
    set_fields(TAGS("url"));
    assert_line(*state, TAGS("b", "x y", "a k", "1,2=3", "empty", ""), 1.5,
                "http_req_duration,a\\ k=1\\,2\\=3,b=x\\ y value=1.5");
    assert_line(*state, TAGS("a", "two\nlines\r"), 1, "http_req_duration,a=two\\nlines\\r value=1");
    assert_line(*state, TAGS("a", "end\\", "b", "2"), 1, "http_req_duration,a=end\\ ,b=2 value=1");
    assert_line(*state, TAGS("a", "\xc3\xa4\"'"), 1, "http_req_duration,a=\xc3\xa4\"' value=1");
    assert_line(*state, (const char *const[]){NULL}, 1, "http_req_duration value=1");
}

static void tags_become_fields_of_their_kind(void **state) {
    set_fields(TAGS("url", "n:int", "x:float", "ok:bool", "value:int"));
    assert_line(
        *state, TAGS("url", "http://a/?q=\"1\\\"", "n", "-7", "x", "1e3", "ok", "T", "a", "b"), 2,
        "http_req_duration,a=b n=-7i,ok=true,url=\"http://a/?q=\\\"1\\\\\\\"\",value=2,x=1000");
    assert_line(*state, TAGS("n", "seven", "x", "inf", "ok", "yes"), 2,
                "http_req_duration n=\"seven\",ok=\"yes\",value=2,x=\"inf\"");
    assert_line(*state, TAGS("value", "9"), 2, "http_req_duration value=2");
}

static void values_have_no_exponent(void **state) {
    set_fields(TAGS("url"));
    assert_line(*state, TAGS("a", "b"), 1e21, "http_req_duration,a=b value=1000000000000000000000");
    assert_line(*state, TAGS("a", "b"), -0.00000012, "http_req_duration,a=b value=-0.00000012");
    assert_line(*state, TAGS("a", "b"), 0, "http_req_duration,a=b value=0");
    assert_null(line(*state, TAGS("a", "b"), NAN));
    assert_null(line(*state, TAGS("a", "b"), -INFINITY));
}

static void fields_are_checked(void **state) {
    struct error err;
    (void)state;
    line_fields_release(&fields);
    assert_int_equal(line_fields_add(&fields, S("a:number"), &err), KE_CONFIG);
    assert_string_equal(err.text,
                        "an invalid type (number) is specified for an InfluxDB field (a)");
    assert_int_equal(line_fields_add(&fields, S("a:int"), &err), 0);
    assert_int_equal(line_fields_add(&fields, S("a"), &err), KE_CONFIG);
    assert_string_equal(err.text, "a tag name (a) shows up more than once in InfluxDB field type "
                                  "configurations");
    char name[16];
    for (int i = 1; i < LINE_FIELDS_MAX; i++) {
        snprintf(name, sizeof name, "f%d", i);
        assert_int_equal(line_fields_add(&fields, slice_cstr(name), &err), 0);
    }
    assert_int_equal(line_fields_add(&fields, S("last"), &err), KE_CONFIG);
}

static int release_fields(void **state) {
    (void)state;
    line_fields_release(&fields);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        world_test(tags_are_sorted_and_escaped),
        world_test(tags_become_fields_of_their_kind),
        world_test(values_have_no_exponent),
        world_test(fields_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, release_fields);
}
