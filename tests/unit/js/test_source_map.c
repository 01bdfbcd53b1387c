/* Places of errors in the files that people wrote. */
#include "script_test.h"

/* Line 2 from column 2 is line 10, column 4 of orig.ts; line 3 is line 11, column 0 of it. */
#define MAP \
    "{\"version\":3,\"sources\":[\"./src/orig.ts\"],\"names\":[],\"mappings\":\"AAAA;EASI;AACJ\"}"
#define SCRIPT \
    "export default function () {\n  throw new Error('mapped');\n}\n//# sourceMappingURL="

static void run(const char *source, const char *map, const char *log) {
    struct fixture f;
    fixture_init(&f);
    if (map)
        fixture_file(&f, "/test/script.js.map", map);
    fixture_script(&f, source, 1);
    if (!strstr(fixture_log(&f), log))
        fail_msg("no '%s' in '%s'", log, fixture_log(&f));
    fixture_release(&f);
}

static void a_map_beside_the_script_is_read(void **state) {
    (void)state;
    run(SCRIPT "script.js.map\n", MAP,
        "Error: mapped\n\tat default (file:///test/src/orig.ts:10:4(");
}

static void a_map_in_the_script_is_read(void **state) {
    (void)state;
    run(SCRIPT
        "data:application/json;base64,"
        "eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbIndlYnBhY2s6Ly8veC50cyJdLCJtYXBwaW5ncyI6IkFBQUE7RUFTSSJ9\n",
        NULL, "\tat default (webpack:///x.ts:10:4(");
}

static void maps_that_cannot_be_used_are_named(void **state) {
    (void)state;
    run(SCRIPT "nope.map\n", NULL, "warn: Couldn't load source map for file:///test/script.js\n");
    run(SCRIPT "nope.map\n", NULL, "\tat default (file:///test/script.js:2:9(");
    run(SCRIPT "script.js.map\n", "{\"version\":2}",
        "warn: Couldn't load source map for file:///test/script.js\n");
    run(SCRIPT "script.js.map\n", "{\"version\":3,\"sources\":[],\"mappings\":\"AAAA\"}",
        "warn: Couldn't load source map for file:///test/script.js\n");
    run(SCRIPT "script.js.map\n", "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"!\"}",
        "warn: Couldn't load source map for file:///test/script.js\n");
    run(SCRIPT "script.js.map\n", "no json",
        "warn: Couldn't load source map for file:///test/script.js\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_beside_the_script_is_read),
        cmocka_unit_test(a_map_in_the_script_is_read),
        cmocka_unit_test(maps_that_cannot_be_used_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
