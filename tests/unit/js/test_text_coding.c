#include "script_test.h"

#define RUN(code) "export default function () { " code " }"
#define DECODE(label, options, bytes) \
    "JSON.stringify(new TextDecoder('" label "', " options ").decode(new Uint8Array([" bytes "])))"

static void encoder_gives_utf8(void **state) {
    (void)state;
    expect_log(RUN("const e = new TextEncoder(); console.log(e.encode('a\\u00e9\\u20ac').join(), "
                   "e.encode('\\ud800x').join(), e.encode('\\u{1f35e}').join());"),
               "info: 97,195,169,226,130,172 239,191,189,120 240,159,141,158\n");
}

static void broken_utf8_becomes_one_replacement_a_longest_beginning(void **state) {
    (void)state;
    expect_log(RUN("console.log(" DECODE("utf-8", "{}", "0xf0,0x9f,0x8d,0x41") ", " DECODE(
                   "utf-8", "{}", "0xed,0xa0,0x80") ", " DECODE("utf-8", "{}", "0xc0,0x80") ");"),
               "info: \"\xef\xbf\xbd"
               "A\" \"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\" \"\xef\xbf\xbd\xef\xbf\xbd\"\n");
}

static void fatal_decoders_throw_and_start_anew(void **state) {
    (void)state;
    expect_log(RUN("const d = new TextDecoder('utf8', { fatal: true });"
                   "for (const b of [[0xff], [0x41], [0xe2, 0x82]]) try { "
                   "console.log(d.decode(new Uint8Array(b))); } catch (e) { console.log(String(e), "
                   "e instanceof TypeError); }"),
               "info: TypeError: decoding text: invalid byte sequence true\n"
               "info: A\n"
               "info: TypeError: decoding text: invalid byte sequence true\n");
}

static void byte_order_marks_go_unless_they_are_ignored(void **state) {
    (void)state;
    expect_log(
        RUN("console.log(" DECODE("utf-8", "{}", "0xef,0xbb,0xbf,97") ", " DECODE(
            "utf-8", "{ignoreBOM: true}",
            "0xef,0xbb,0xbf,97") ", " DECODE("utf-16le", "{}",
                                             "0xff,0xfe,97,0") ", " DECODE("utf-16be", "{}",
                                                                           "0,97,0xfe,0xff") ");"),
        "info: \"a\" \"\xef\xbb\xbf"
        "a\" \"a\" \"a\xef\xbb\xbf\"\n");
}

static void streams_may_cut_anywhere(void **state) {
    (void)state;
    expect_log(
        RUN("for (const [label, bytes] of [['utf-8', [0xef, 0xbb, 0xbf, 0xf0, 0x9f, 0x8d, 0x9e, "
            "65]], ['utf-16le', [0xff, 0xfe, 0x3c, 0xd8, 0x5e, 0xdf, 65, 0]]]) {"
            "  const d = new TextDecoder(label, { fatal: true }); let s = '';"
            "  for (const b of bytes) s += d.decode(new Uint8Array([b]), { stream: true });"
            "  s += d.decode(); console.log(s.length, s.codePointAt(0).toString(16)); }"),
        "info: 3 1f35e\ninfo: 3 1f35e\n");
}

static void lone_surrogates_and_odd_bytes_are_replaced(void **state) {
    (void)state;
    expect_log(RUN("console.log(" DECODE("utf-16le", "{}", "0,0xd8,65,0,66") ");"),
               "info: \"\xef\xbf\xbd"
               "A\xef\xbf\xbd\"\n");
}

static void unknown_labels_are_range_errors(void **state) {
    (void)state;
    expect_log(RUN("for (const l of [' UTF-8\\n', 'ucs-2', 'latin1']) try { console.log(new "
                   "TextDecoder(l).encoding); } catch (e) { console.log(String(e)); }"
                   "try { new TextDecoder().decode(5); } catch (e) { console.log(String(e)); }"),
               "info: utf-8\ninfo: utf-16le\ninfo: RangeError: unsupported encoding: latin1\n"
               "info: GoError: data is not an ArrayBuffer, typed array, or DataView\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoder_gives_utf8),
        cmocka_unit_test(broken_utf8_becomes_one_replacement_a_longest_beginning),
        cmocka_unit_test(fatal_decoders_throw_and_start_anew),
        cmocka_unit_test(byte_order_marks_go_unless_they_are_ignored),
        cmocka_unit_test(streams_may_cut_anywhere),
        cmocka_unit_test(lone_surrogates_and_odd_bytes_are_replaced),
        cmocka_unit_test(unknown_labels_are_range_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
