#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/compat.h"
#include "base/json_write.h"
#include "load/option_parse.h"
#include "load/scenario.h"

static struct arena arena;

static int setup(void **state) {
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_release(&arena);
    compat_set(COMPAT_V2_2);
    return 0;
}

static struct options script(const char *json) {
    struct options o;
    struct error err = {0};
    if (options_from_json(&arena, slice_cstr(json), true, &o, NULL, &err) != 0)
        fail_msg("%s: %s", json, err.text);
    return o;
}

static void assert_refused(const char *json, const char *words) {
    struct options o;
    struct error err = {0};
    assert_int_equal(options_from_json(&arena, slice_cstr(json), true, &o, NULL, &err), KE_CONFIG);
    assert_string_equal(err.text, words);
}

static void values_are_converted_as_k6_does(void **state) {
    struct options o = script("{\"vus\": \"5\", \"duration\": \"1m30s\", \"setupTimeout\": 1500, "
                              "\"VUS\": 7, \"stages\": null, \"rps\": 10}");
    (void)state;
    assert_int_equal(o.vus.value, 5);
    assert_true(o.duration.is_set);
    assert_true(o.duration.ns == 90 * NS_PER_S);
    assert_true(o.setup_timeout.ns == 1500 * NS_PER_MS);
    assert_false(o.stages.is_set);
    assert_false(o.iterations.is_set);
    assert_int_equal(o.max_redirects.value, 10);
    assert_false(o.max_redirects.is_set);
}

static void wrong_types_are_refused_with_gos_words(void **state) {
    (void)state;
    assert_refused("{\"vus\":\"five\"}", "strconv.ParseInt: parsing \"five\": invalid syntax");
    assert_refused("{\"duration\":\"soon\"}", "time: invalid duration \"soon\"");
    assert_refused("{\"duration\":{}}", "'{}' is not a valid duration value");
    assert_refused("{\"tags\":5}", "parsing options from script got error while parsing "
                                   "\"\\\"tags\\\": 5\": json: cannot unmarshal number into Go "
                                   "struct field Options.tags of type map[string]string");
    assert_refused("{\"scenarios\":[]}",
                   "parsing options from script got error while parsing \"{\": json: cannot "
                   "unmarshal array into Go struct field Options.scenarios of type "
                   "map[string]lib.protoExecutorConfig");
    assert_refused("[1]", "parsing options from script got error while parsing \"[\": json: "
                          "cannot unmarshal array into Go value of type lib.Options");
    assert_refused("\"x\"", "parsing options from script got error while parsing \"\\\"x\\\"\": "
                            "json: cannot unmarshal string into Go value of type lib.Options");
    assert_refused("{\"iterations\":1.5}",
                   "parsing options from script got error while parsing \"\\\"iterations\\\":\": "
                   "json: cannot unmarshal number 1.5 into Go struct field Options.iterations of "
                   "type int64");
    assert_refused("{\"paused\":\"yes\"}",
                   "json: cannot unmarshal string into Go value of type null.Bool");
}

static void scenarios_are_strict(void **state) {
    (void)state;
    assert_refused("{\"scenarios\":{\"s\":{}}}",
                   "scenario 's' doesn't have a specified executor type");
    assert_refused("{\"scenarios\":{\"s\":{\"executor\":\"nope\"}}}",
                   "unknown executor type 'nope'");
    assert_refused("{\"scenarios\":{\"s\":{\"executor\":\"constant-vus\",\"rate\":1}}}",
                   "json: unknown field \"rate\"");
    struct options o = script("{\"scenarios\":{\"s\":{\"executor\":\"ramping-vus\",\"exec\":\"f\","
                              "\"stages\":[{\"duration\":1500,\"target\":3}],"
                              "\"options\":{\"browser\":{\"type\":\"chromium\"}}}}}");
    assert_int_equal(o.scenarios.len, 1);
    const struct scenario *s = &o.scenarios.items[0];
    assert_int_equal(s->type, EXECUTOR_RAMPING_VUS);
    assert_string_equal(scenario_exec(s), "f");
    assert_string_equal(s->browser_type, "chromium");
    assert_true(s->stages.items[0].duration.ns == 1500 * NS_PER_MS);
    assert_true(s->graceful_stop.ns == 30 * NS_PER_S);
}

static void unknown_keys_are_only_reported(void **state) {
    struct options o;
    const char *unknown;
    (void)state;
    assert_int_equal(options_from_json(&arena, SLICE("{\"zzz\":1,\"nope\":1,\"vus\":3}"), true, &o,
                                       &unknown, NULL),
                     0);
    assert_string_equal(unknown, "nope");
    assert_int_equal(o.vus.value, 3);
}

static const char *lookup(void *arg, const char *name) {
    const char *const *pairs = arg;
    for (; *pairs != NULL; pairs += 2)
        if (strcmp(pairs[0], name) == 0)
            return pairs[1];
    return NULL;
}

static void variables_set_options(void **state) {
    const char *env[] = {"K6_VUS",
                         "2",
                         "K6_DURATION",
                         "1s",
                         "K6_TAGS",
                         "a:b,c:d",
                         "K6_NO_CONNECTION_REUSE",
                         "true",
                         "K6_STAGES",
                         "",
                         NULL};
    struct options o;
    (void)state;
    assert_int_equal(options_from_env(&arena, lookup, env, &o, NULL), 0);
    assert_int_equal(o.vus.value, 2);
    assert_true(o.duration.ns == NS_PER_S);
    assert_string_equal(option_map_get(&o.tags, "c"), "d");
    assert_true(o.no_connection_reuse.value);
    assert_true(o.stages.is_set);
    assert_int_equal(o.stages.len, 0);
}

static void bad_variables_are_named(void **state) {
    const char *env[] = {"K6_VUS", "abc", NULL};
    struct options o;
    struct error err;
    (void)state;
    assert_int_equal(options_from_env(&arena, lookup, env, &o, &err), KE_CONFIG);
    assert_string_equal(err.text, "envconfig.Process: assigning K6_VUS to VUs: converting 'abc' to "
                                  "type null.Int. details: strconv.ParseInt: parsing \"abc\": "
                                  "invalid syntax");
}

static void a_tier_that_sets_execution_clears_what_lower_tiers_said(void **state) {
    struct options base = script("{\"vus\":9,\"stages\":[{\"duration\":\"1s\",\"target\":1}]}");
    struct options tier = script("{\"iterations\":3}");
    (void)state;
    options_merge(&arena, &base, &tier);
    assert_int_equal(base.stages.len, 0);
    assert_false(base.stages.is_set);
    assert_int_equal(base.iterations.value, 3);
    assert_int_equal(base.vus.value, 9);
    /* vus alone clears nothing */
    base = script("{\"duration\":\"1s\"}");
    tier = script("{\"vus\":2,\"tags\":{}}");
    options_merge(&arena, &base, &tier);
    assert_true(base.duration.is_set);
    assert_int_equal(base.vus.value, 2);
    assert_false(base.tags.is_set);
}

static void stages_without_a_duration_are_dropped_when_merged(void **state) {
    struct options base = script("{}");
    struct options tier = script("{\"stages\":[{\"target\":1},{\"duration\":\"1s\"}]}");
    (void)state;
    options_merge(&arena, &base, &tier);
    assert_int_equal(base.stages.len, 1);
    assert_false(base.stages.items[0].target.is_set);
}

static char warned[300];

static void note_warning(void *arg, const char *text) {
    (void)arg;
    size_t len = strlen(text);
    assert_true(len < sizeof warned);
    memcpy(warned, text, len + 1);
}

static const struct scenario *derived(struct options *o) {
    struct error err;
    warned[0] = '\0';
    if (options_derive(&arena, o, note_warning, NULL, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(o->scenarios.len, 1);
    return &o->scenarios.items[0];
}

static void shortcuts_become_scenarios(void **state) {
    (void)state;
    struct options o = script("{\"vus\":2,\"iterations\":10,\"duration\":\"5s\"}");
    const struct scenario *s = derived(&o);
    assert_int_equal(s->type, EXECUTOR_SHARED_ITERATIONS);
    assert_true(s->max_duration.ns == 5 * NS_PER_S);
    o = script("{\"duration\":\"5s\"}");
    s = derived(&o);
    assert_int_equal(s->type, EXECUTOR_CONSTANT_VUS);
    assert_int_equal(s->vus.value, 1);
    o = script("{\"stages\":[{\"duration\":\"5s\",\"target\":4}]}");
    assert_int_equal(derived(&o)->type, EXECUTOR_RAMPING_VUS);
    o = script("{}");
    assert_int_equal(derived(&o)->type, EXECUTOR_PER_VU_ITERATIONS);
}

static void vus_alone_is_one_iteration_each_since_v2(void **state) {
    (void)state;
    struct options o =
        script("{\"vus\":3,\"scenarios\":{\"a\":{\"executor\":\"per-vu-iterations\"}}}");
    const struct scenario *s = derived(&o);
    assert_int_equal(s->type, EXECUTOR_SHARED_ITERATIONS);
    assert_int_equal(s->iterations.value, 3);
    assert_string_equal(warned, "`vus=3` overrides scenarios configuration");
    compat_set(COMPAT_V0_51);
    o = script("{\"vus\":3}");
    assert_int_equal(derived(&o)->type, EXECUTOR_PER_VU_ITERATIONS);
    assert_non_null(strstr(warned, "`vus=3` option will be ignored"));
    compat_set(COMPAT_V2_2);
}

static void contradicting_shortcuts_are_refused(void **state) {
    struct error err;
    (void)state;
    struct options o = script("{\"iterations\":1,\"stages\":[{\"duration\":\"1s\",\"target\":1}]}");
    assert_int_equal(options_derive(&arena, &o, note_warning, NULL, &err), KE_CONFIG);
    assert_string_equal(err.text,
                        "using `iterations` and `stages` options simultaneously is not allowed");
    compat_set(COMPAT_V0_51);
    assert_int_equal(options_derive(&arena, &o, note_warning, NULL, &err), KE_CONFIG);
    assert_string_equal(err.text, "using multiple execution config shortcuts (`iterations` and "
                                  "`stages`) simultaneously is not allowed");
    compat_set(COMPAT_V2_2);
}

static bool only_default(void *arg, const char *name) {
    (void)arg;
    return strcmp(name, "default") == 0;
}

static void assert_problems(const char *json, const char *lines) {
    struct options o = script(json);
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    assert_false(options_validate(&o, only_default, NULL, &out));
    assert_string_equal(buf_cstr(&out), lines);
    buf_release(&out);
}

static void scenario_problems_are_listed(void **state) {
    (void)state;
    assert_problems("{\"scenarios\":{\"s\":{\"executor\":\"shared-iterations\",\"vus\":3,"
                    "\"iterations\":2,\"maxDuration\":\"10ms\",\"startTime\":\"-1s\"}}}",
                    "\t- scenario s has configuration errors: the startTime can't be negative, the "
                    "number of iterations (2) can't be less than the number of VUs (3), the "
                    "maxDuration must be at least 1s, but is 10ms");
    assert_problems("{\"scenarios\":{\"s\":{\"executor\":\"shared-iterations\",\"exec\":\"f\"}}}",
                    "\t- executor s: function 'f' not found in exports");
    assert_problems("{\"scenarios\":{\"a b\":{\"executor\":\"per-vu-iterations\"},"
                    "\"c\":{\"executor\":\"constant-vus\"}},\"setupTimeout\":0}",
                    "\t- scenario a b has configuration errors: the scenario name should contain "
                    "only numbers, latin letters, underscores, and dashes\n"
                    "\t- scenario c has configuration errors: the duration is unspecified\n"
                    "\t- setupTimeout must be positive");
}

static char *exported(const struct options *o, enum options_export how) {
    struct json_writer w;
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    json_write_init(&w, &out, NULL, false);
    options_export(&w, o, how);
    return buf_detach(&out, NULL);
}

static void unset_options_are_written_as_null(void **state) {
    struct options o = script("{\"vus\":3,\"duration\":\"90s\",\"systemTags\":[\"url\",\"status\"],"
                              "\"thresholds\":{\"m\":[\"p(95)<1\",{\"threshold\":\"avg<2\","
                              "\"abortOnFail\":true,\"delayAbortEval\":\"5s\"}]}}");
    char *all = exported(&o, OPTIONS_EXPORT_ALL);
    char *specified = exported(&o, OPTIONS_EXPORT_SPECIFIED);
    char *execution = exported(&o, OPTIONS_EXPORT_EXECUTION);
    (void)state;
    assert_non_null(strstr(all, "\"paused\":null,\"vus\":3,\"duration\":\"1m30s\""));
    assert_non_null(strstr(all, "\"dns\":{\"ttl\":null,\"select\":null,\"policy\":null}"));
    assert_non_null(strstr(all, "\"systemTags\":[\"status\",\"url\"]"));
    assert_null(strstr(all, "consoleOutput"));
    assert_string_equal(specified,
                        "{\"vus\":3,\"duration\":\"1m30s\",\"thresholds\":{\"m\":[\"p(95)<1\","
                        "{\"threshold\":\"avg<2\",\"abortOnFail\":true,\"delayAbortEval\":"
                        "\"5s\"}]},\"systemTags\":[\"status\",\"url\"]}");
    assert_null(strstr(execution, "\"vus\""));
    assert_non_null(strstr(execution, "\"localIPs\":null"));
    free(all);
    free(specified);
    free(execution);
}

static void addresses_are_normalised(void **state) {
    struct options o = script("{\"hosts\":{\"X.test:80\":\"127.0.0.1:81\",\"v6.test\":\"::1\"},"
                              "\"blacklistIPs\":[\"10.1.2.3/8\"]}");
    (void)state;
    assert_string_equal(option_map_get(&o.hosts, "x.test:80"), "127.0.0.1:81");
    assert_string_equal(option_map_get(&o.hosts, "v6.test"), "::1");
    assert_string_equal(o.blacklist_ips.items[0], "10.0.0.0/8");
    assert_refused("{\"blockHostnames\":[\"a*b.test\"]}", "invalid hostname pattern 'a*b.test'");
    assert_refused("{\"hosts\":{\"a_b\":\"1.2.3.4\"}}", "invalid host pattern 'a_b'");
}

static void address_pools_wrap_around(void **state) {
    struct ip_pool pool;
    struct error err;
    struct sockaddr_storage a;
    (void)state;
    assert_int_equal(
        option_ip_pool_parse(&arena, SLICE("10.0.0.1,10.0.1.0/29,::1-::2"), &pool, NULL), 0);
    assert_int_equal(pool.count, 1 + 6 + 2);
    option_ip_pool_get(&pool, 1, &a);
    assert_int_equal(ntohl(((struct sockaddr_in *)&a)->sin_addr.s_addr), 0x0a000101);
    option_ip_pool_get(&pool, 8, &a);
    assert_int_equal(a.ss_family, AF_INET6);
    assert_int_equal(((struct sockaddr_in6 *)&a)->sin6_addr.s6_addr[15], 2);
    option_ip_pool_get(&pool, 9, &a);
    assert_int_equal(a.ss_family, AF_INET);
    assert_int_not_equal(option_ip_pool_parse(&arena, SLICE("not-an-ip"), &pool, &err), 0);
    assert_string_equal(err.text, "wrong IP range format: not-an-ip");
    assert_int_not_equal(option_ip_pool_parse(&arena, SLICE("10.0.0.2-10.0.0.1"), &pool, &err), 0);
    assert_string_equal(err.text, "negative IP range: 10.0.0.2-10.0.0.1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_converted_as_k6_does),
        cmocka_unit_test(wrong_types_are_refused_with_gos_words),
        cmocka_unit_test(scenarios_are_strict),
        cmocka_unit_test(unknown_keys_are_only_reported),
        cmocka_unit_test(variables_set_options),
        cmocka_unit_test(bad_variables_are_named),
        cmocka_unit_test(a_tier_that_sets_execution_clears_what_lower_tiers_said),
        cmocka_unit_test(stages_without_a_duration_are_dropped_when_merged),
        cmocka_unit_test(shortcuts_become_scenarios),
        cmocka_unit_test(vus_alone_is_one_iteration_each_since_v2),
        cmocka_unit_test(contradicting_shortcuts_are_refused),
        cmocka_unit_test(scenario_problems_are_listed),
        cmocka_unit_test(unset_options_are_written_as_null),
        cmocka_unit_test(addresses_are_normalised),
        cmocka_unit_test(address_pools_wrap_around),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
