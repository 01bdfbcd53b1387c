#include "unit.h"

static void builtins_have_their_ids(void **state) {
    (void)state;
    assert_int_equal(metric_count(), M_BUILTIN_COUNT);
    for (uint32_t i = 0; i < M_BUILTIN_COUNT; i++) {
        assert_int_equal(metric_by_id(i)->id, i);
        assert_true(metric_by_id(i)->is_builtin);
        assert_ptr_equal(metric_find(slice_cstr(metric_by_id(i)->name)), metric_by_id(i));
    }
    assert_string_equal(metric_by_id(M_HTTP_REQ_TLS_HANDSHAKING)->name, "http_req_tls_handshaking");
    assert_int_equal(metric_by_id(M_DATA_SENT)->contains, METRIC_DATA);
    assert_null(metric_by_id(M_BUILTIN_COUNT));
}

static void same_name_and_type_share_a_metric(void **state) {
    (void)state;
    struct metric *m = metric_register(S("twice"), METRIC_COUNTER, METRIC_DEFAULT, NULL);
    assert_non_null(m);
    assert_ptr_equal(metric_register(S("twice"), METRIC_COUNTER, METRIC_DEFAULT, NULL), m);
    assert_ptr_equal(metric_register(S("http_reqs"), METRIC_COUNTER, METRIC_DEFAULT, NULL),
                     metric_by_id(M_HTTP_REQS));
    assert_false(m->is_builtin);
}

static void another_type_is_refused_in_k6s_words(void **state) {
    (void)state;
    struct error err;
    assert_null(metric_register(S("http_reqs"), METRIC_TREND, METRIC_DEFAULT, &err));
    assert_string_equal(
        err.text, "metric 'http_reqs' already exists but with type counter, instead of trend");
    assert_null(metric_register(S("http_req_duration"), METRIC_TREND, METRIC_DEFAULT, &err));
    assert_string_equal(err.text, "metric 'http_req_duration' already exists but with a value type "
                                  "time, instead of default");
}

static void names_follow_k6s_pattern(void **state) {
    (void)state;
    char name[131];
    struct error err;
    assert_true(metric_name_is_valid(S("a_")));
    assert_true(metric_name_is_valid(S("_9")));
    assert_false(metric_name_is_valid(S("a")));
    assert_false(metric_name_is_valid(S("")));
    assert_false(metric_name_is_valid(S("9a")));
    assert_false(metric_name_is_valid(S("a-b")));
    assert_false(metric_name_is_valid(S("a b")));
    assert_false(metric_name_is_valid(S("\xc3\xa9t\xc3\xa9")));
    memset(name, 'x', sizeof name);
    assert_true(metric_name_is_valid(slice_from(name, 129)));
    assert_false(metric_name_is_valid(slice_from(name, 130)));
    assert_null(metric_register(S("my metric"), METRIC_RATE, METRIC_DEFAULT, &err));
    assert_string_equal(
        err.text, "Invalid metric name: 'my metric'. Metric names must only include up to 128 "
                  "ASCII letters, numbers, or underscores and start with a letter or an "
                  "underscore.");
}

static void submetric_has_its_pairs(void **state) {
    (void)state;
    struct metric *m = metric_submetric(S("http_reqs{status:200,name:http://a/b?c=1}"), NULL);
    assert_non_null(m);
    assert_string_equal(m->name, "http_reqs{status:200,name:http://a/b?c=1}");
    assert_string_equal(m->suffix, "status:200,name:http://a/b?c=1");
    assert_ptr_equal(m->parent, metric_by_id(M_HTTP_REQS));
    assert_ptr_equal(m->parent->submetrics, m);
    assert_int_equal(m->type, METRIC_COUNTER);
    assert_int_equal(m->n_match, 2);
    assert_true(slice_eq(m->match[0].key, S("name")));
    assert_true(slice_eq(m->match[0].value, S("http://a/b?c=1")));
    assert_true(slice_eq(m->match[1].value, S("200")));
    assert_ptr_equal(metric_find(slice_cstr(m->name)), m);
}

static void spaces_and_quotes_around_pairs_are_dropped(void **state) {
    (void)state;
    struct metric *m = metric_submetric(S("checks{ shop : 'north' , day : \"tue\" }"), NULL);
    assert_non_null(m);
    assert_string_equal(m->name, "checks{shop : 'north' , day : \"tue\"}");
    assert_true(slice_eq(m->match[0].key, S("day")));
    assert_true(slice_eq(m->match[0].value, S("tue")));
    assert_true(slice_eq(m->match[1].value, S("north")));
    assert_ptr_equal(metric_submetric(S("checks{day:tue,shop:north}"), NULL), m);
    m = metric_submetric(S("group_duration{group:::outer::inner}"), NULL);
    assert_true(slice_eq(m->match[0].value, S("::outer::inner")));
}

static void malformed_submetrics_are_refused_in_k6s_words(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"iterations{a}", "parsing metric name failed, metric \"a\" tag expression is malformed"},
        {"iterations{a:b", "parsing metric name failed, metric \"iterations{a:b\" has unmatched "
                           "opening/close curly brace"},
        {"iterations{a:}", "parsing metric name failed, metric \"a:\" tag expression is malformed"},
        {"iterations{a:b,}", "parsing metric name failed, metric \"\" tag expression is malformed"},
        {"iterations{}", "parsing metric name failed, metric \"\" tag expression is malformed"},
        {"iterations}a:b{", "parsing metric name failed, metric \"iterations}a:b{\" closing curly "
                            "brace appears before opening one"},
        {"iterations{a:b}c", "parsing metric name failed, metric \"iterations{a:b}c\" lacks a "
                             "closing curly brace in its last position"},
        {"no_such{a:b}", "metric 'no_such' does not exist in the script"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err;
        assert_null(metric_submetric(slice_cstr(cases[i][0]), &err));
        assert_string_equal(err.text, cases[i][1]);
    }
    assert_int_equal(metric_count(), M_BUILTIN_COUNT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        registry_test(builtins_have_their_ids),
        registry_test(same_name_and_type_share_a_metric),
        registry_test(another_type_is_refused_in_k6s_words),
        registry_test(names_follow_k6s_pattern),
        registry_test(submetric_has_its_pairs),
        registry_test(spaces_and_quotes_around_pairs_are_dropped),
        registry_test(malformed_submetrics_are_refused_in_k6s_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
