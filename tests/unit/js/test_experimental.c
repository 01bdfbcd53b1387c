/* k6/experimental/fs and k6/experimental/csv. */
#include "script_test.h"

static void expect_with_files(const char *source, const char *log) {
    struct fixture f;
    fixture_init(&f);
    fixture_file(&f, "/test/hello.txt", "Hello, world");
    fixture_file(&f, "/test/people.csv", "name,age\nann,33\n\"b, c\",4\n");
    fixture_file(&f, "/test/long.csv", "a,b\n1,2\n3,4\n5,6\n7,8\n");
    fixture_file(&f, "/test/ragged.csv", "a,b\n1\n");
    fixture_script(&f, source, 1);
    assert_string_equal(fixture_log(&f), log);
    fixture_release(&f);
}

#define FS "import { open, SeekMode } from 'k6/experimental/fs';"
#define CSV "import csv, { parse, Parser } from 'k6/experimental/csv';"
#define RUN(init, code) FS CSV init "export default async function () { " code " }"

static void files_are_read_to_their_end(void **state) {
    (void)state;
    expect_with_files(RUN("const f = await open('hello.txt');",
                          "const b = new Uint8Array(8); let n;"
                          "while ((n = await f.read(b)) !== null)"
                          "  console.log(n, String.fromCharCode(...b.subarray(0, n)));"
                          "console.log(f.path, JSON.stringify(await f.stat()));"),
                      "info: 8 Hello, w\ninfo: 4 orld\n"
                      "info: /test/hello.txt {\"name\":\"hello.txt\",\"size\":12}\n");
}

static void seek_moves_in_all_three_modes(void **state) {
    (void)state;
    expect_with_files(
        RUN("const f = await open('file:///test/hello.txt');",
            "const b = new Uint8Array(1);"
            "for (const [o, w] of [[4, SeekMode.Start], [-2, SeekMode.Current], [0, SeekMode.End],"
            " [99, SeekMode.Start], [-1, SeekMode.Start], [0, 7], ['1', 0]])"
            "  try { console.log(await f.seek(o, w), await f.read(b), b[0]); }"
            "  catch (e) { console.log(String(e)); }"),
        "info: 4 1 111\n"
        "info: 3 1 108\n"
        "info: 11 1 100\n"
        "info: TypeError: seeking beyond end of file\n"
        "info: TypeError: offset cannot be negative when using SeekModeStart\n"
        "info: TypeError: seek() failed; reason: the whence argument must be a SeekMode\n"
        "info: TypeError: seek() failed; reason: the offset argument must be a number\n");
}

static void an_empty_buffer_reads_nothing_before_the_end(void **state) {
    (void)state;
    expect_with_files(RUN("const f = await open('hello.txt');",
                          "console.log(await f.read(new Uint8Array(0)), await f.read(new "
                          "Uint8Array(12)), await f.read(new Uint8Array(0)));"),
                      "info: 0 12 null\n");
}

static void each_open_has_an_offset_of_its_own(void **state) {
    (void)state;
    expect_with_files(RUN("const a = await open('hello.txt'), b = await open('./hello.txt');",
                          "const x = new Uint8Array(6), y = new Uint8Array(2);"
                          "await a.read(x); await b.read(y); console.log(x[5], y.join());"),
                      "info: 44 72,101\n");
}

static void open_is_for_init_only(void **state) {
    (void)state;
    expect_with_files(RUN("", "try { await open('hello.txt'); } catch (e) { console.log(e.name); "
                              "try { await open('x'); } catch (e) { console.log(e.name); } }"),
                      "info: ForbiddenError\ninfo: ForbiddenError\n");
}

static void missing_files_are_not_found(void **state) {
    (void)state;
    expect_with_files(
        RUN("if (__VU === 0) try { await open('nope'); } catch (e) { console.log(e.name, "
            "e.message, e instanceof Error); }",
            ""),
        "info: NotFoundError no such file or directory \"/test/nope\" false\n");
}

static void csv_becomes_a_shared_array(void **state) {
    (void)state;
    expect_with_files(
        RUN("const a = await parse(await open('people.csv'));"
            "const o = await csv.parse(await open('people.csv'), { asObjects: true });",
            "console.log(a.length, JSON.stringify(a), Object.isFrozen(a[0]), JSON.stringify(o));"),
        "info: 3 [[\"name\",\"age\"],[\"ann\",\"33\"],[\"b, c\",\"4\"]] true "
        "[{\"age\":\"33\",\"name\":\"ann\"},{\"age\":\"4\",\"name\":\"b, c\"}]\n");
}

static void csv_options_choose_lines(void **state) {
    (void)state;
    expect_with_files(
        RUN("const all = []; for (const o of [{ skipFirstLine: true }, { fromLine: 3 }, { toLine: "
            "1 }, { fromLine: 1, toLine: 2 }, { fromLine: 9 }, { delimiter: ';', toLine: 1 }])"
            "  try { all.push(await parse(await open('long.csv'), o)); }"
            "  catch (e) { if (__VU === 0) console.log(String(e)); }",
            "for (const a of all) console.log(JSON.stringify(a));"),
        "info: GoError: failed to create a new parser; reason: failed to skip lines until line 9; "
        "reason: EOF\n"
        "info: [[\"1\",\"2\"],[\"3\",\"4\"],[\"5\",\"6\"],[\"7\",\"8\"]]\n"
        "info: [[\"5\",\"6\"],[\"7\",\"8\"]]\n"
        "info: [[\"a\",\"b\"],[\"1\",\"2\"]]\n"
        "info: [[\"1\",\"2\"],[\"3\",\"4\"]]\n"
        "info: [[\"a,b\"],[\"1,2\"]]\n");
}

static void parser_gives_record_after_record(void **state) {
    (void)state;
    expect_with_files(
        RUN("const p = new Parser(await open('people.csv'), { skipFirstLine: true });"
            "const bad = new Parser(await open('ragged.csv'));",
            "for (;;) { const { done, value } = await p.next();"
            "  console.log(done, value.join('|')); if (done) break; }"
            "await bad.next();"
            "try { await bad.next(); } catch (e) { console.log(String(e), e.name); }"),
        "info: false ann|33\ninfo: false b, c|4\ninfo: true \n"
        "info: record on line 2: wrong number of fields undefined\n");
}

static void a_parser_outlives_the_name_of_its_file(void **state) {
    (void)state;
    expect_with_files(RUN("let f = await open('people.csv'); const p = new Parser(f); f = null;",
                          "const junk = []; for (let i = 0; i < 20000; i++) junk.push([i]);"
                          "console.log((await p.next()).value.join());"),
                      "info: name,age\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_to_their_end),
        cmocka_unit_test(seek_moves_in_all_three_modes),
        cmocka_unit_test(an_empty_buffer_reads_nothing_before_the_end),
        cmocka_unit_test(each_open_has_an_offset_of_its_own),
        cmocka_unit_test(open_is_for_init_only),
        cmocka_unit_test(missing_files_are_not_found),
        cmocka_unit_test(csv_becomes_a_shared_array),
        cmocka_unit_test(csv_options_choose_lines),
        cmocka_unit_test(parser_gives_record_after_record),
        cmocka_unit_test(a_parser_outlives_the_name_of_its_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
