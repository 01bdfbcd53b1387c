#include "unit.h"

#include "base/error.h"
#include "fixture.h"

static void check(const struct summary *s, const char *expected) {
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    summary_write_text(s, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_release(&out);
}

static void legacy_text(void **state) {
    (void)state;
    struct summary s = fixture_summary(SUMMARY_LEGACY);
    check(&s, "\n"
              "     ✓ top level\n"
              "\n"
              "     █ shop\n"
              "\n"
              "       ✓ status ok\n"
              "       ✗ never true\n"
              "        ↳  0% — ✓ 0 / ✗ 1\n"
              "\n"
              "       █ cart\n"
              "\n"
              "     checks.........................: 75.00% ✓ 3     ✗ 1   \n"
              "     data_received..................: 740 B  43 kB/s\n"
              "     http_req_blocked...............: avg=1.5s    max=1.5s    p(95)=1.5s    \n"
              "   ✗ http_req_duration..............: avg=16.41ms max=250.5ms p(95)=251.13µs\n"
              "       { expected_response:true }...: avg=1.5s    max=1.5s    p(95)=1.5s    \n"
              "   ✗ items..........................: 2      0.2/s\n"
              "     ✓ { kind:x }...................: 0      0/s\n"
              "     size...........................: avg=1.5     max=2       p(95)=0.000123\n"
              "     vus............................: 1      min=1   max=10\n"
              "\n");
}

static void compact_text(void **state) {
    (void)state;
    struct summary s = fixture_summary(SUMMARY_COMPACT);
    check(&s, "\n\n"
              "  █ THRESHOLDS \n"
              "\n"
              "    http_req_duration\n"
              "    ✓ 'p(95)<1000' p(95)=251.13µs\n"
              "    ✗ 'p(99.9) < 10' p(99.9)=300ms\n"
              "    ✓ 'med<5' med=\n"
              "\n"
              "    items\n"
              "    ✓ 'count>=2' count=2\n"
              "    ✗ 'rate>100' rate=0.2/s\n"
              "\n"
              "      {kind:x}\n"
              "      ✓ 'count==0' count=0\n"
              "\n"
              "\n"
              "  █ TOTAL RESULTS \n"
              "\n"
              "    checks_total.......: 4      0.4/s\n"
              "    checks_succeeded...: 75.00% 3 out of 4\n"
              "    checks_failed......: 25.00% 1 out of 4\n"
              "\n"
              "    ✓ status ok\n"
              "    ✗ never true\n"
              "      ↳  0% — ✓ 0 / ✗ 1\n"
              "    ✓ top level\n"
              "\n"
              "    CUSTOM\n"
              "    items..........................: 2     0.2/s\n"
              "      { kind:x }...................: 0     0/s\n"
              "    size...........................: avg=1.5     max=2       p(95)=0.000123\n"
              "\n"
              "    HTTP\n"
              "    http_req_duration..............: avg=16.41ms max=250.5ms p(95)=251.13µs\n"
              "      { expected_response:true }...: avg=1.5s    max=1.5s    p(95)=1.5s    \n"
              "\n"
              "    EXECUTION\n"
              "    vus............................: 1     min=1   max=10\n"
              "\n"
              "    NETWORK\n"
              "    data_received..................: 740 B 43 kB/s\n"
              "\n\n\n");
}

static void full_text_has_groups_and_scenarios(void **state) {
    (void)state;
    struct summary s = fixture_summary(SUMMARY_FULL);
    s.total.n_metrics = 3;
    s.total.n_checks = 0;
    check(&s, "\n\n"
              "  █ TOTAL RESULTS \n"
              "\n"
              "    checks_total.......: 4      0.4/s\n"
              "    checks_succeeded...: 75.00% 3 out of 4\n"
              "    checks_failed......: 25.00% 1 out of 4\n"
              "\n"
              "\n"
              "    HTTP\n"
              "    http_req_blocked...: avg=1.5s max=1.5s p(95)=1.5s\n"
              "\n"
              "    NETWORK\n"
              "    data_received......: 740 B 43 kB/s\n"
              "\n"
              "\n"
              "  █ GROUP: cart \n"
              "\n"
              "    checks_total.......: 1       0.1/s\n"
              "    checks_succeeded...: 0.00%   0 out of 1\n"
              "    checks_failed......: 100.00% 1 out of 1\n"
              "\n"
              "    ✗ in cart\n"
              "      ↳  0% — ✓ 0 / ✗ 1\n"
              "\n"
              "    CUSTOM\n"
              "    items...: 1 0.1/s\n"
              "\n"
              "\n"
              "  █ SCENARIO: first \n"
              "\n"
              "    CUSTOM\n"
              "    items...: 1 0.1/s\n"
              "\n"
              "    ↳ GROUP: shop \n"
              "\n"
              "      CUSTOM\n"
              "      items...: 1 0.1/s\n"
              "\n"
              "      ↳ GROUP: cart \n"
              "\n"
              "        checks_total.......: 1       0.1/s\n"
              "        checks_succeeded...: 0.00%   0 out of 1\n"
              "        checks_failed......: 100.00% 1 out of 1\n"
              "\n"
              "        ✗ in cart\n"
              "              ↳  0% — ✓ 0 / ✗ 1\n"
              "\n"
              "        CUSTOM\n"
              "        items...: 1 0.1/s\n"
              "\n\n\n");
}

static void disabled_prints_nothing(void **state) {
    (void)state;
    struct summary s = fixture_summary(SUMMARY_DISABLED);
    check(&s, "");
}

static void colors_on_a_terminal_only(void **state) {
    (void)state;
    struct summary s = fixture_summary(SUMMARY_LEGACY);
    s.total.metrics += 5;
    s.total.n_metrics = 1;
    s.root_group = NULL;
    s.options.is_stdout_tty = true;
    check(&s, "\n   \x1b[31m✗\x1b[0m items\x1b[2m...:\x1b[0m \x1b[36m2\x1b[0m "
              "\x1b[36;2m0.2/s\x1b[0m\n\n");
    s.options.no_color = true;
    check(&s, "\n   ✗ items...: 2 0.2/s\n\n");
    s.options.no_color = false;
    s.options.mode = SUMMARY_COMPACT;
    s.total.metrics++;
    s.total.n_checks = 0;
    check(&s, "\n\n  █ \x1b[1mTHRESHOLDS\x1b[0m \n\n    items{kind:x}\n"
              "    \x1b[32m✓\x1b[0m \x1b[37m'count==0'\x1b[0m \x1b[37mcount\x1b[0m="
              "\x1b[36m0\x1b[0m\n\n\n  █ \x1b[1mTOTAL RESULTS\x1b[0m \n\n"
              "    \x1b[1mCUSTOM\x1b[0m\n      { kind:x }\x1b[2;37m...:\x1b[0m "
              "\x1b[36m0\x1b[0m \x1b[2;36m0/s\x1b[0m\n\n\n\n");
}

static void modes_parse(void **state) {
    (void)state;
    enum summary_mode mode;
    assert_int_equal(summary_mode_parse(SLICE("full"), &mode), 0);
    assert_int_equal(mode, SUMMARY_FULL);
    assert_int_equal(summary_mode_parse(SLICE("legacy"), &mode), 0);
    assert_int_equal(mode, SUMMARY_LEGACY);
    assert_int_equal(summary_mode_parse(SLICE("Full"), &mode), KE_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legacy_text),
        cmocka_unit_test(compact_text),
        cmocka_unit_test(full_text_has_groups_and_scenarios),
        cmocka_unit_test(disabled_prints_nothing),
        cmocka_unit_test(colors_on_a_terminal_only),
        cmocka_unit_test(modes_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
