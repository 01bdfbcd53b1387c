#include "unit.h"

#include "fixture.h"

/* Checks the document as a whole on a small run, and single parts on the fixture. */

static void check_part(struct buf *out, const char *part) {
    if (strstr(buf_cstr(out), part) == NULL)
        fail_msg("no %s in %s", part, buf_cstr(out));
}

static void data_object_has_the_four_parts(void **state) {
    (void)state;
    struct buf out;
    struct summary s = fixture_summary(SUMMARY_LEGACY);
    s.root_group = NULL;
    s.total.metrics += 5;
    s.total.n_metrics = 2;
    s.options.setup_data = SLICE("{\"a\":1}");
    buf_init(&out, BUF_NO_CAP);
    summary_write_data(&s, &out);
    assert_string_equal(
        buf_cstr(&out),
        "{\"root_group\":{\"name\":\"\",\"path\":\"\",\"id\":\"d41d8cd98f00b204e9800998ecf8427e\","
        "\"groups\":[],\"checks\":[]},"
        "\"options\":{\"summaryTrendStats\":[\"avg\",\"max\",\"p(95)\"],\"summaryTimeUnit\":\"\","
        "\"noColor\":false},"
        "\"state\":{\"isStdOutTTY\":false,\"isStdErrTTY\":false,\"testRunDurationMs\":10000},"
        "\"metrics\":{\"items\":{\"type\":\"counter\",\"contains\":\"default\","
        "\"values\":{\"count\":2,\"rate\":0.2},"
        "\"thresholds\":{\"count>=2\":{\"ok\":true},\"rate>100\":{\"ok\":false}}},"
        "\"items{kind:x}\":{\"type\":\"counter\",\"contains\":\"default\","
        "\"values\":{\"count\":0,\"rate\":0},\"thresholds\":{\"count==0\":{\"ok\":true}}}},"
        "\"setup_data\":{\"a\":1}}");
    buf_release(&out);
}

static void data_object_has_values_of_each_type_and_ids(void **state) {
    (void)state;
    struct buf out;
    struct summary s = fixture_summary(SUMMARY_COMPACT);
    buf_init(&out, BUF_NO_CAP);
    summary_write_data(&s, &out);
    check_part(&out, "\"checks\":{\"type\":\"rate\",\"contains\":\"default\",\"values\":{"
                     "\"rate\":0.75,\"passes\":3,\"fails\":1}}");
    check_part(&out, "\"vus\":{\"type\":\"gauge\",\"contains\":\"default\",\"values\":{"
                     "\"value\":1,\"min\":1,\"max\":10}}");
    check_part(&out, "\"http_req_blocked\":{\"type\":\"trend\",\"contains\":\"time\",\"values\":{"
                     "\"avg\":1500,\"max\":1500,\"p(95)\":1500}}");
    check_part(&out, "\"checks\":[{\"name\":\"top level\",\"path\":\"::top level\",\"id\":"
                     "\"5cc133f16df12743470fbfd81b4ac907\"");
    check_part(&out, "{\"name\":\"cart\",\"path\":\"::shop::cart\",\"id\":");
    assert_null(strstr(buf_cstr(&out), "setup_data"));
    buf_release(&out);
}

static void export_is_flat_and_says_breached(void **state) {
    (void)state;
    struct buf out;
    struct summary s = fixture_summary(SUMMARY_LEGACY);
    buf_init(&out, BUF_NO_CAP);
    summary_write_export(&s, &out);
    check_part(&out, "{\n    \"metrics\": {\n        \"checks\": {\n            \"value\": 0.75,\n"
                     "            \"passes\": 3,\n            \"fails\": 1\n        },");
    check_part(&out, "\"thresholds\": {\n                \"count>=2\": false,\n"
                     "                \"rate>100\": true\n            }");
    check_part(&out, "\"groups\": {\n            \"shop\": {\n                \"name\": \"shop\",");
    check_part(&out, "\"checks\": {\n            \"top level\": {\n");
    buf_release(&out);
}

static void machine_readable_document(void **state) {
    (void)state;
    struct buf out;
    struct summary s = fixture_summary(SUMMARY_COMPACT);
    s.total.n_metrics = 2;
    s.total.n_checks = 1;
    s.options.script = SLICE("// x\n");
    buf_init(&out, BUF_NO_CAP);
    summary_write_machine_readable(&s, false, &out);
    assert_string_equal(
        buf_cstr(&out),
        "{\"config\":{\"duration\":10,\"execution\":\"local\",\"script\":\"// x\\n\"},"
        "\"metadata\":{\"generated_at\":\"1970-01-01T00:00:00Z\",\"k6_version\":\"" KILN_VERSION
        "\"},\"results\":{\"checks\":{\"metrics\":["
        "{\"contains\":\"default\",\"name\":\"checks_total\",\"type\":\"counter\","
        "\"values\":{\"count\":4}},"
        "{\"contains\":\"default\",\"name\":\"checks_failed\",\"type\":\"rate\","
        "\"values\":{\"matches\":1,\"rate\":0.25,\"total\":4}},"
        "{\"contains\":\"default\",\"name\":\"checks_succeeded\",\"type\":\"rate\","
        "\"values\":{\"matches\":3,\"rate\":0.75,\"total\":4}}],"
        "\"results\":[{\"fails\":0,\"name\":\"status ok\",\"passes\":1}]},"
        "\"metrics\":[{\"contains\":\"data\",\"name\":\"data_received\",\"type\":\"counter\","
        "\"values\":{\"count\":740}}]},\"version\":\"1.0.0\"}");
    buf_release(&out);
}

int main(void) {
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_object_has_the_four_parts),
        cmocka_unit_test(data_object_has_values_of_each_type_and_ids),
        cmocka_unit_test(export_is_flat_and_says_breached),
        cmocka_unit_test(machine_readable_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
