#include "base/percent.h"
#include "unit.h"

#include "base/clock.h"
#include "output/output_config.h"

#define ENV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_url(const char *text, const char *base, const char *user, const char *password,
                       const char *path, const char *query) {
    struct output_url u;
    struct error err;
    assert_int_equal(output_url_parse(slice_cstr(text), &u, &err), 0);
    const char *pairs[][2] = {
        {u.base, base}, {u.username, user}, {u.password, password}, {u.path, path}};
    for (size_t i = 0; i < 4; i++) {
        if (!pairs[i][1])
            assert_null(pairs[i][0]);
        else
            assert_string_equal(pairs[i][0], pairs[i][1]);
    }
    assert_true(slice_eq(u.query, slice_cstr(query)));
    output_url_release(&u);
}

static void urls_are_taken_apart(void **state) {
    struct output_url u;
    struct error err;
    (void)state;
    assert_url("http://me:p%40ss@host:8086/my%20db?a=b&c#x", "http://host:8086", "me", "p@ss",
               "/my db", "a=b&c");
    assert_url("http://a@b@[::1]:1", "http://[::1]:1", "a@b", "", "", "");
    assert_url("mydb", NULL, NULL, NULL, "mydb", "");
    assert_url("/db?x=1", NULL, NULL, NULL, "/db", "x=1");
    assert_url("http://", NULL, NULL, NULL, "", "");
    assert_int_equal(output_url_parse(S("1a://b"), &u, &err), KE_CONFIG);
    output_url_release(&u);
}

static void values_are_escaped_and_back(void **state) {
    struct buf b, back;
    char all[256];
    (void)state;
    buf_init(&b, BUF_NO_CAP);
    buf_init(&back, BUF_NO_CAP);
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    query_escape(&b, slice_from(all, 256));
    percent_decode(&back, buf_slice(&b), true);
    assert_int_equal(back.len, 256);
    assert_memory_equal(back.ptr, all, 256);
    buf_reset(&back);
    percent_decode(&back, S("%zz%4+%41%"), true);
    assert_string_equal(buf_cstr(&back), "%zz%4 A%");
    buf_release(&b);
    buf_release(&back);
}

static void numbers_and_booleans_are_those_of_go(void **state) {
    int64_t n = 5;
    bool b;
    (void)state;
    assert_true(parse_int_go(S("-12"), &n));
    assert_int_equal(n, -12);
    assert_true(parse_int_go(S("+9223372036854775807"), &n));
    assert_false(parse_int_go(S("9223372036854775808"), &n));
    assert_false(parse_int_go(S(""), &n));
    assert_false(parse_int_go(S("1.5"), &n));
    assert_true(parse_bool_go(S("T"), &b) && b);
    assert_true(parse_bool_go(S("False"), &b) && !b);
    assert_false(parse_bool_go(S("yes"), &b));
}

static void prometheus_reads_its_variables(void **state) {
    struct world *w = *state;
    world_environment(w, ENV("K6_PROMETHEUS_RW_SERVER_URL", "http://a:1/w"));
    assert_string_equal(world_add_spec(w, "experimental-prometheus-rw"),
                        "Prometheus remote write (http://a:1/w)");
    assert_string_equal(world_add_spec(w, "experimental-prometheus-rw=url=http://b/x"),
                        "Prometheus remote write (http://b/x)");
}

static void prometheus_refuses_what_it_cannot_use(void **state) {
#define P "could not create the 'experimental-prometheus-rw' output: "
    struct world *w = *state;
    static const char *const cases[][3] = {
        {"K6_PROMETHEUS_RW_PUSH_INTERVAL", "soon",
         P "parse environment variables options failed: envconfig.Process: assigning "
           "K6_PROMETHEUS_RW_PUSH_INTERVAL to PushInterval: converting 'soon' to type "
           "types.NullDuration. details: time: invalid duration \"soon\""},
        {"K6_PROMETHEUS_RW_STALE_MARKERS", "yes",
         P "parse environment variables options failed: envconfig.Process: assigning "
           "K6_PROMETHEUS_RW_STALE_MARKERS to StaleMarkers: converting 'yes' to type null.Bool. "
           "details: invalid input:yes"},
        {"K6_PROMETHEUS_RW_TREND_STATS", "p(99),worst",
         P "invalid trend stat 'worst', unknown format"},
        {"K6_PROMETHEUS_RW_HTTP_HEADERS", "nothing",
         P "parse environment variables options failed: the provided header (nothing) does not "
           "respect the expected format <header key>:<value>"},
        {"K6_PROMETHEUS_RW_SIGV4_REGION", "here",
         P "sigv4 seems to be partially configured. All of K6_PROMETHEUS_RW_SIGV4_REGION, "
           "K6_PROMETHEUS_RW_SIGV4_ACCESS_KEY, K6_PROMETHEUS_RW_SIGV4_SECRET_KEY must all be set. "
           "Unset all to bypass sigv4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const pairs[] = {cases[i][0], cases[i][1], NULL};
        world_environment(w, pairs);
        world_refuses(w, "experimental-prometheus-rw", cases[i][2]);
        outputs_free(w->outputs);
        w->outputs = NULL;
    }
}

static void influxdb_reads_url_and_variables(void **state) {
    struct world *w = *state;
    world_environment(w, ENV("K6_INFLUXDB_ADDR", "http://env:1", "K6_INFLUXDB_CONCURRENT_WRITES",
                             "2", "K6_INFLUXDB_TAGS_AS_FIELDS", "a:int,b"));
    assert_string_equal(world_add_spec(w, "influxdb"), "InfluxDBv1 (http://env:1)");
    assert_string_equal(world_add_spec(w, "influxdb=db1"), "InfluxDBv1 (http://env:1)");
    assert_string_equal(world_add_spec(w, "influxdb=http://u:p@host:2/proxy/db1?insecure=true"),
                        "InfluxDBv1 (http://host:2/proxy)");
    assert_string_equal(world_add_spec(w, "influxdb=udp://host:3?payload_size=100"),
                        "InfluxDBv1 (udp://host:3)");
}

static void influxdb_2_needs_its_token_only(void **state) {
    struct world *w = *state;
    world_environment(w, ENV("K6_INFLUXDB_TOKEN", "secret", "K6_INFLUXDB_BUCKET", "b"));
    assert_string_equal(world_add_spec(w, "influxdb"), "InfluxDBv2 (http://localhost:8086)");
}

static void influxdb_refuses_what_it_cannot_use(void **state) {
#define I "could not create the 'influxdb' output: "
    struct world *w = *state;
    world_refuses(w, "influxdb=http://a/?color=red", I "unknown query parameter: color");
    world_refuses(w, "influxdb=http://a/?insecure=maybe",
                  I "insecure must be true or false, not maybe");
    world_refuses(w, "influxdb=http://a/?concurrentWrites=0",
                  I "influxdb's ConcurrentWrites must be a positive number");
    world_refuses(w, "influxdb=http://a/?concurrentWrites=x",
                  I "strconv.Atoi: parsing \"x\": invalid syntax");
    world_refuses(w, "influxdb=http://a/?precision=d",
                  I "time: unknown unit \"d\" in duration \"1d\"");
    world_refuses(w, "influxdb=http://a/?tagsAsFields=a:b",
                  I "an invalid type (b) is specified for an InfluxDB field (a)");
    world_refuses(w, "influxdb=http://a/?pushInterval=x", I "time: invalid duration \"x\"");
}

static void statsd_reads_its_variables(void **state) {
    struct world *w = *state;
    compat_set(COMPAT_V0_51);
    world_environment(w, ENV("K6_STATSD_ADDR", "host:1", "K6_STATSD_BUFFER_SIZE", "5"));
    assert_string_equal(world_add_spec(w, "statsd"), "statsd (host:1)");
}

static void opentelemetry_describes_where_it_sends(void **state) {
    struct world *w = *state;
    assert_string_equal(world_add_spec(w, "opentelemetry"), "opentelemetry (grpc, localhost:4317)");
    outputs_free(w->outputs);
    w->outputs = NULL;
    world_environment(w, ENV("K6_OTEL_EXPORTER_TYPE", "http", "K6_OTEL_HTTP_EXPORTER_INSECURE",
                             "true", "K6_OTEL_HTTP_EXPORTER_URL_PATH", "x"));
    assert_string_equal(world_add_spec(w, "opentelemetry"),
                        "opentelemetry (http, http://localhost:4318/x)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(values_are_escaped_and_back),
        cmocka_unit_test(numbers_and_booleans_are_those_of_go),
        world_test(prometheus_reads_its_variables),
        world_test(prometheus_refuses_what_it_cannot_use),
        world_test(influxdb_reads_url_and_variables),
        world_test(influxdb_2_needs_its_token_only),
        world_test(influxdb_refuses_what_it_cannot_use),
        world_test(statsd_reads_its_variables),
        world_test(opentelemetry_describes_where_it_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
