#include "../base/unit.h"

#include "js/gjson.h"

static const char menu[] =
    "{\"name\":\"bakery\",\"open\":true,\"none\":null,\"rating\":4.5,\"tags\":[\"rye\",\"wheat\"],"
    "\"owner\":{\"first\":\"Ada\",\"langs\":[\"en\",\"fr\"],\"odd.key\":\"dotted\"},"
    "\"menu\":[{\"id\":1,\"title\":\"loaf\",\"price\":3.5},{\"id\":2,\"title\":\"bun\",\"price\":1.25},"
    "{\"id\":3,\"title\":\"pie\",\"price\":7}]}";

static const char people[] =
    "{\n \"name\": {\"first\": \"Tom\", \"last\": \"Anderson\"},\n \"age\":37,\n"
    " \"children\": [\"Sara\",\"Alex\",\"Jack\"],\n \"fav.movie\": \"Deer Hunter\",\n"
    " \"friends\": [\n"
    "  {\"first\":\"Dale\",\"last\":\"Murphy\",\"age\":44,\"nets\":[\"ig\",\"fb\",\"tw\"]},\n"
    "  {\"first\":\"Roger\",\"last\":\"Craig\",\"age\":68,\"nets\":[\"fb\",\"tw\"]},\n"
    "  {\"first\":\"Jane\",\"last\":\"Murphy\",\"age\":47,\"nets\":[\"ig\",\"tw\"]}\n ]\n}";

static const char kinds[] =
    "{\"vals\":[{\"a\":1,\"b\":\"data\"},{\"a\":2,\"b\":true},{\"a\":3,\"b\":false},"
    "{\"a\":4,\"b\":\"0\"},{\"a\":5,\"b\":0},{\"a\":6,\"b\":\"1\"},{\"a\":7,\"b\":1},"
    "{\"a\":8,\"b\":\"true\"},{\"a\":9,\"b\":false},{\"a\":10,\"b\":null},{\"a\":11}]}";

/* expected NULL: nothing is selected */
struct expectation {
    const char *path, *expected;
};

static void select_all(const char *json, const struct expectation *list) {
    for (; list->path; list++) {
        struct buf out;
        buf_init(&out, BUF_NO_CAP);
        bool is_found = gjson_get(slice_cstr(json), slice_cstr(list->path), &out);
        const char *got = is_found ? buf_cstr(&out) : "nothing";
        const char *expected = list->expected ? list->expected : "nothing";
        if (strcmp(got, expected) != 0)
            fail_msg("%s selects %s, expected %s", list->path, got, expected);
        if (!is_found)
            assert_int_equal(out.len, 0);
        buf_release(&out);
    }
}

static void the_recorded_selectors_of_k6(void **state) {
    (void)state;
    static const struct expectation list[] = {
        {"name", "\"bakery\""},
        {"open", "true"},
        {"rating", "4.5"},
        {"none", "null"},
        {"missing", NULL},
        {"tags", "[\"rye\",\"wheat\"]"},
        {"tags.0", "\"rye\""},
        {"tags.#", "2"},
        {"tags.9", NULL},
        {"owner.first", "\"Ada\""},
        {"owner.langs.1", "\"fr\""},
        {"owner.odd\\.key", "\"dotted\""},
        {"menu.#.title", "[\"loaf\",\"bun\",\"pie\"]"},
        {"menu.1", "{\"id\":2,\"title\":\"bun\",\"price\":1.25}"},
        {"menu.#(price>3).title", "\"loaf\""},
        {"menu.#(price>3)#.title", "[\"loaf\",\"pie\"]"},
        {"menu.#(title==\"bun\").id", "2"},
        {"na*", "\"bakery\""},
        {"owner.f?rst", "\"Ada\""},
        {"menu.#(id==9)", NULL},
        {"", NULL},
        {"menu.@reverse.0.id", "3"},
        {"owner.@keys", "[\"first\",\"langs\",\"odd.key\"]"},
        {"@this.name", "\"bakery\""},
        {NULL, NULL},
    };
    select_all(menu, list);
}

static void paths_wildcards_and_escapes(void **state) {
    (void)state;
    static const struct expectation list[] = {
        {"name.last", "\"Anderson\""},
        {"friends.1.first", "\"Roger\""},
        {"child*.2", "\"Jack\""},
        {"c?ildren.0", "\"Sara\""},
        {"fav\\.movie", "\"Deer Hunter\""},
        {"fav.movie", NULL},
        {"n*e.l*t", "\"Anderson\""},
        {"*.last", "\"Anderson\""},
        {"age.x", NULL},
        {"children.01", "\"Alex\""},
        {"children.-1", NULL},
        {"children.x", NULL},
        {"children.99999999999999999999999", NULL},
        {"friends.#", "3"},
        {"friends.#.age", "[44,68,47]"},
        {"friends.#.missing", "[]"},
        {"friends.#.nets.#", "[3,2,2]"},
        {"friends.#.nets.0", "[\"ig\",\"fb\",\"ig\"]"},
        {NULL, NULL},
    };
    select_all(people, list);
    static const struct expectation odd[] = {
        {"a\\*b", "1"}, {"a*", "1"}, {"x\\\\y", "2"}, {"caf\xc3\xa9", "3"},
        {"caf?", "3"},  {"@", "4"},  {"@odd", "5"},   {NULL, NULL},
    };
    select_all("{\"a*b\":1,\"x\\\\y\":2,\"caf\\u00e9\":3,\"@\":4,\"@odd\":5}", odd);
}

static void queries(void **state) {
    (void)state;
    static const struct expectation list[] = {
        {"friends.#(last==\"Murphy\").first", "\"Dale\""},
        {"friends.#(last=\"Murphy\")#.first", "[\"Dale\",\"Jane\"]"},
        {"friends.#(last == \"Murphy\")#.first", "[\"Dale\",\"Jane\"]"},
        {"friends.#[last==\"Craig\"].first", "\"Roger\""},
        {"friends.#(last==Craig).first", "\"Roger\""},
        {"friends.#(age>45)#.last", "[\"Craig\",\"Murphy\"]"},
        {"friends.#(age>=47)#.age", "[68,47]"},
        {"friends.#(age<47)#.age", "[44]"},
        {"friends.#(age<=47)#.age", "[44,47]"},
        {"friends.#(age!=47)#.age", "[44,68]"},
        {"friends.#(first%\"D*\").last", "\"Murphy\""},
        {"friends.#(first!%\"D*\").last", "\"Craig\""},
        {"children.#(!%\"*a*\")", "\"Alex\""},
        {"children.#(%\"*a*\")#", "[\"Sara\",\"Jack\"]"},
        {"friends.#(nets.#(==\"fb\"))#.first", "[\"Dale\",\"Roger\"]"},
        {"friends.#(nets.#==3).first", "\"Dale\""},
        {"friends.#(first>\"E\")#.first", "[\"Roger\",\"Jane\"]"},
        {"friends.#(age)#.age", "[44,68,47]"},
        {"friends.#(missing)#", "[]"},
        {"friends.#(missing)", NULL},
        {"friends.#(last==\"Murphy\").missing", NULL},
        {"friends.#(age>45", NULL},
        {"friends.#(", NULL},
        {"friends.#()", NULL},
        {NULL, NULL},
    };
    select_all(people, list);
    /* What a number is compared with counts as 0 when it is no number. */
    static const struct expectation truth[] = {
        {"vals.#(b==~true)#.a", "[2,6,7,8]"},
        {"vals.#(b==~false)#.a", "[3,4,5,9,10,11]"},
        {"vals.#(b==~null)#.a", "[10,11]"},
        {"vals.#(b==~*)#.a", "[1,2,3,4,5,6,7,8,9,10]"},
        {"vals.#(b!=~*)#.a", "[11]"},
        {"vals.#(b==true)#.a", "[2,5,8]"},
        {"vals.#(b==false)#.a", "[3,5,9]"},
        {"vals.#(b==null)#.a", "[5]"},
        {NULL, NULL},
    };
    select_all(kinds, truth);
}

static void dots_and_pipes_differ_after_a_hash(void **state) {
    (void)state;
    static const struct expectation list[] = {
        {"friends|0|first", "\"Dale\""},
        {"friends|#", "3"},
        {"friends.#(last=\"Murphy\")#|first", NULL},
        {"friends.#(last=\"Murphy\")#.0", "[]"},
        {"friends.#(last=\"Murphy\")#|0.first", "\"Dale\""},
        {"friends.#(last=\"Murphy\")#.#", "[]"},
        {"friends.#(last=\"Murphy\")#|#", "2"},
        {"friends.#.first|0", "\"Dale\""},
        {"friends.#(age>45)#.last|1", "\"Murphy\""},
        {NULL, NULL},
    };
    select_all(people, list);
}

static void modifiers(void **state) {
    (void)state;
    static const struct expectation list[] = {
        {"children.@reverse", "[\"Jack\",\"Alex\",\"Sara\"]"},
        {"children|@reverse|0", "\"Jack\""},
        {"name.@reverse", "{\"last\": \"Anderson\",\"first\": \"Tom\"}"},
        {"age.@reverse", "37"},
        {"name.@values", "[\"Tom\",\"Anderson\"]"},
        {"children.@values", "[\"Sara\",\"Alex\",\"Jack\"]"},
        {"children.@keys", "[null,null,null]"},
        {"name.@ugly", "{\"first\":\"Tom\",\"last\":\"Anderson\"}"},
        {"name.@pretty.@ugly", "{\"first\":\"Tom\",\"last\":\"Anderson\"}"},
        {"name.@pretty", "{\n  \"first\": \"Tom\",\n  \"last\": \"Anderson\"\n}"},
        {"name.@pretty:{\"sortKeys\":true}|first", "\"Tom\""},
        {"age.@tostr", "\"37\""},
        {"name.@ugly.@tostr", "\"{\\\"first\\\":\\\"Tom\\\",\\\"last\\\":\\\"Anderson\\\"}\""},
        {"name.@tostr.@fromstr.last", "\"Anderson\""},
        {"name.@valid.first", "\"Tom\""},
        {"name.first.@fromstr", NULL},
        {"missing.@keys", "[]"},
        {"missing.sub.@keys", NULL},
        {"missing.@this", NULL},
        {"name.@nope", NULL},
        {"@dig:first", "[\"Tom\",\"Dale\",\"Roger\",\"Jane\"]"},
        {NULL, NULL},
    };
    select_all(people, list);
    static const struct expectation flat[] = {
        {"@flatten", "[1,2,3,4,5,[6,7]]"},
        {"@flatten:{\"deep\":true}", "[1,2,3,4,5,6,7]"},
        {"@flatten.#", "6"},
        {NULL, NULL},
    };
    select_all("[1,[2],[3,4],[5,[6,7]],[]]", flat);
    static const struct expectation join[] = {
        {"@join", "{\"first\":\"Tom\",\"age\":41}"},
        {"@join:{\"preserve\":true}", "{\"first\":\"Tom\",\"age\":37,\"age\":41}"},
        {NULL, NULL},
    };
    select_all("[{\"first\":\"Tom\",\"age\":37},7,{\"age\":41}]", join);
    static const struct expectation group[] = {
        {"@group", "[{\"id\":1,\"n\":\"a\"},{\"id\":2,\"n\":\"b\"},{\"n\":\"c\"}]"},
        {NULL, NULL},
    };
    select_all("{\"id\":[1,2],\"n\":[\"a\",\"b\",\"c\"],\"x\":1}", group);
}

static void multipaths_and_literals(void **state) {
    (void)state;
    static const struct expectation list[] = {
        {"[name.first,age]", "[\"Tom\",37]"},
        {"{name.first,age,\"the_murphys\":friends.#(last=\"Murphy\")#.first}",
         "{\"first\":\"Tom\",\"age\":37,\"the_murphys\":[\"Dale\",\"Jane\"]}"},
        {"{name.first,age,\"company\":!\"Happysoft\",\"employed\":!true}",
         "{\"first\":\"Tom\",\"age\":37,\"company\":\"Happysoft\",\"employed\":true}"},
        {"{n:missing,age}", "{\"age\":37}"},
        {"{friends.#}", "{\"_\":3}"},
        {"name.{f:first}", "{\"f\":\"Tom\"}"},
        {"friends.#.{first,age}|1.age", "68"},
        {"[age,[age,name.first]].1.1", "\"Tom\""},
        {"[age", NULL},
        {"[age]x", NULL},
        {"[]", "[]"},
        {"!12.5", "12.5"},
        {"!{\"a\":[1]}.a.0", "1"},
        {"!nan", NULL},
        {"!{\"a\":", NULL},
        {NULL, NULL},
    };
    select_all(people, list);
}

static void the_lines_prefix_takes_the_document_as_an_element(void **state) {
    (void)state;
    static const struct expectation list[] = {
        {"..#", "1"}, {"..0.age", "37"}, {"..1", NULL}, {"..#.age", "[37]"}, {NULL, NULL},
    };
    select_all(people, list);
}

static void nothing_is_selected_in_a_broken_document(void **state) {
    (void)state;
    static const struct expectation list[] = {
        {"broken", NULL}, {"broken.0", NULL}, {"@this", NULL}, {NULL, NULL}};
    select_all("{\"broken\": [1, 2,", list);
    select_all("{\"broken\":1}{", list);
    select_all("", list);
}

static void scalars_have_no_members(void **state) {
    (void)state;
    static const struct expectation list[] = {{"a", NULL},         {"0", NULL},
                                              {"#", NULL},         {"@this", "\"{\\\"a\\\":1}\""},
                                              {"@fromstr.a", "1"}, {NULL, NULL}};
    select_all(" \"{\\\"a\\\":1}\" ", list);
}

static void a_path_that_multiplies_the_document_ends(void **state) {
    (void)state;
    char path[1200] = "[@this,@this]";
    for (int i = 0; i < 60; i++)
        strncat(path, "|[@this,@this]", sizeof path - strlen(path) - 1);
    const struct expectation list[] = {{path, NULL}, {NULL, NULL}};
    select_all(people, list);
}

static void a_path_nested_too_deep_selects_nothing(void **state) {
    (void)state;
    static char path[4001], json[8001];
    for (int i = 0; i < 2000; i++) {
        memcpy(path + 2 * i, "0.", 2);
        json[i] = '[';
        json[2000 + i] = ']';
    }
    path[3999] = '\0';
    const struct expectation list[] = {{path, NULL}, {"0.0.0.0.#", "1"}, {NULL, NULL}};
    select_all(json, list);
    memset(path, '[', 4000);
    const struct expectation brackets[] = {{path, NULL}, {NULL, NULL}};
    select_all(json, brackets);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recorded_selectors_of_k6),
        cmocka_unit_test(paths_wildcards_and_escapes),
        cmocka_unit_test(queries),
        cmocka_unit_test(dots_and_pipes_differ_after_a_hash),
        cmocka_unit_test(modifiers),
        cmocka_unit_test(multipaths_and_literals),
        cmocka_unit_test(the_lines_prefix_takes_the_document_as_an_element),
        cmocka_unit_test(nothing_is_selected_in_a_broken_document),
        cmocka_unit_test(scalars_have_no_members),
        cmocka_unit_test(a_path_that_multiplies_the_document_ends),
        cmocka_unit_test(a_path_nested_too_deep_selects_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
