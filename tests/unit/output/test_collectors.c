#include "unit.h"

#include <jansson.h>

#include "output/collectors.h"

static void assert_settings(const char *text, const char *const *pairs, size_t n) {
    struct arena a;
    struct collectors c;
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    arena_init(&a);
    collectors_read(&c, &a, object);
    json_decref(object);
    assert_int_equal(c.len, n);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(collectors_get(&c, pairs[2 * i]));
        assert_string_equal(collectors_get(&c, pairs[2 * i]), pairs[2 * i + 1]);
    }
    assert_null(collectors_get(&c, "K6_NOTHING"));
    arena_release(&a);
}

static void keys_become_variables(void **state) {
    static const char *const influxdb[] = {
        "K6_INFLUXDB_ADDR",           "http://a:1", "K6_INFLUXDB_PUSH_INTERVAL",     "1500ms",
        "K6_INFLUXDB_TAGS_AS_FIELDS", "vu:int,url", "K6_INFLUXDB_CONCURRENT_WRITES", "2",
        "K6_INFLUXDB_INSECURE",       "true"};
    static const char *const others[] = {"K6_PROMETHEUS_RW_SERVER_URL",
                                         "http://b",
                                         "K6_PROMETHEUS_RW_INSECURE_SKIP_TLS_VERIFY",
                                         "false",
                                         "K6_PROMETHEUS_RW_HTTP_HEADERS",
                                         "X-A:1,X-B:2",
                                         "K6_OTEL_HTTP_EXPORTER_URL_PATH",
                                         "/x",
                                         "K6_OTEL_HTTP_EXPORTER_USERNAME",
                                         "me",
                                         "K6_CSV_FILENAME",
                                         "f.csv"};
    (void)state;
    assert_settings("{\"influxdb\": {\"addr\": \"http://a:1\", \"pushInterval\": 1500,"
                    "\"tagsAsFields\": [\"vu:int\", \"url\"], \"concurrentWrites\": 2,"
                    "\"insecure\": true, \"db\": null, \"username\": \"\"}}",
                    influxdb, 5);
    assert_settings("{\"experimental-prometheus-rw\": {\"url\": \"http://b\","
                    "\"insecureSkipTLSVerify\": false, \"headers\": {\"X-A\": \"1\", \"X-B\": 2}},"
                    "\"opentelemetry\": {\"httpExporterURLPath\": \"/x\", \"username\": \"me\"},"
                    "\"csv\": {\"fileName\": \"f.csv\"}, \"cloud\": {\"token\": \"t\"}}",
                    others, 6);
}

static void anything_else_is_no_setting(void **state) {
    (void)state;
    assert_settings("[]", NULL, 0);
    assert_settings("{\"influxdb\": 5, \"csv\": [1], \"statsd\": {}}", NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_become_variables),
        cmocka_unit_test(anything_else_is_no_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
