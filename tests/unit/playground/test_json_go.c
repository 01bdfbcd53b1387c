/* What Go's decoder says about request bodies, and what it reads from good ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/error.h"
#include "json_go.h"

struct place {
    int64_t number;
    struct slice street;
};

struct order {
    int64_t count;
    bool is_hot;
    struct slice note;
    struct json_go_list extras;
    struct place door;
    struct json_go_objects stops;
};

static const struct json_go_field place_fields[] = {
    {"number", JSON_GO_INT, offsetof(struct place, number), NULL},
    {"street", JSON_GO_TEXT, offsetof(struct place, street), NULL},
};
static const struct json_go_type place_type = {"map", "Place", place_fields, countof(place_fields),
                                               sizeof(struct place)};

static const struct json_go_field fields[] = {
    {"count", JSON_GO_INT, offsetof(struct order, count), NULL},
    {"isHot", JSON_GO_BOOL, offsetof(struct order, is_hot), NULL},
    {"note", JSON_GO_TEXT, offsetof(struct order, note), NULL},
    {"extras", JSON_GO_TEXT_LIST, offsetof(struct order, extras), NULL},
    {"door", JSON_GO_OBJECT, offsetof(struct order, door), &place_type},
    {"stops", JSON_GO_OBJECTS, offsetof(struct order, stops), &place_type},
};
static const struct json_go_type order_type = {"shop", "Order", fields, countof(fields), 0};

static struct arena arena;
static char error[JSON_GO_ERROR_BYTES];

/* The body is copied to memory of its exact size, so that ASan sees a read beyond it. */
static int decode(struct slice body, struct order *out) {
    char *exact = xmalloc(body.len > 0 ? body.len : 1);
    memcpy(exact, body.ptr, body.len);
    error[0] = '\0';
    int rc = json_go_decode(exact, body.len, &order_type, out, &arena, error);
    free(exact);
    return rc;
}

static struct order read_order(const char *body) {
    struct order order = {.count = 7};
    assert_int_equal(decode(slice_cstr(body), &order), 0);
    return order;
}

static void assert_error(const char *body, const char *expected) {
    struct order order = {0};
    assert_int_equal(decode(slice_cstr(body), &order), KE_INVALID);
    assert_string_equal(error, expected);
}

static void assert_text(struct slice text, const char *expected) {
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

static void reads_every_kind_of_field(void **state) {
    (void)state;
    struct order order = read_order(
        " {\"count\": -12, \"isHot\" :true,\"note\":\"a\",\"extras\":[\"x\" , \"\", null]}");
    assert_int_equal(order.count, -12);
    assert_true(order.is_hot);
    assert_text(order.note, "a");
    assert_int_equal(order.extras.count, 3);
    assert_text(order.extras.items[0], "x");
    assert_text(order.extras.items[2], "");
}

static void absent_and_null_keep_the_default(void **state) {
    (void)state;
    assert_int_equal(read_order("{}").count, 7);
    assert_int_equal(read_order("null").count, 7);
    assert_int_equal(read_order("{\"count\":null,\"extras\":null,\"note\":null}").count, 7);
    assert_null(read_order("{}").note.ptr);
}

static void keys_match_without_case_and_the_last_wins(void **state) {
    (void)state;
    assert_int_equal(read_order("{\"COUNT\":1,\"count\":2,\"Count\":3}").count, 3);
    assert_int_equal(read_order("{\"\\u0063ount\":4}").count, 4);
}

static void text_after_the_value_is_ignored(void **state) {
    (void)state;
    assert_int_equal(read_order("{\"count\":1}{\"count\":2}").count, 1);
    assert_int_equal(read_order("{\"count\":1} !").count, 1);
}

static void strings_are_decoded(void **state) {
    (void)state;
    assert_text(read_order("{\"note\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83c\\udf55\"}").note,
                "\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x8d\x95");
    assert_text(read_order("{\"note\":\"\\ud83c!\"}").note, "\xef\xbf\xbd!");
    assert_text(read_order("{\"note\":\"\\ud83c\\u0041\"}").note, "\xef\xbf\xbd\x41");
    assert_text(read_order("{\"note\":\"\xff\xc3\"}").note, "\xef\xbf\xbd\xef\xbf\xbd");
    assert_int_equal(read_order("{\"note\":\"\\u0000\"}").note.len, 1);
}

static void syntax_errors(void **state) {
    (void)state;
    assert_error("", "EOF");
    assert_error(" \n", "EOF");
    assert_error("{", "unexpected EOF");
    assert_error("{\"count\":1", "unexpected EOF");
    assert_error("{\"note\":\"", "unexpected EOF");
    assert_error("tru", "unexpected EOF");
    assert_error("-", "unexpected EOF");
    assert_error("{bad", "invalid character 'b' looking for beginning of object key string");
    assert_error("{\"count\":1,}",
                 "invalid character '}' looking for beginning of object key string");
    assert_error("x", "invalid character 'x' looking for beginning of value");
    assert_error("[1,]", "invalid character ']' looking for beginning of value");
    assert_error("{\"count\" 1}", "invalid character '1' after object key");
    assert_error("{\"count\":1 2}", "invalid character '2' after object key:value pair");
    assert_error("[1 2]", "invalid character '2' after array element");
    assert_error("nul!", "invalid character '!' in literal null (expecting 'l')");
    assert_error("-a", "invalid character 'a' in numeric literal");
    assert_error("[1.]", "invalid character ']' after decimal point in numeric literal");
    assert_error("[1e]", "invalid character ']' in exponent of numeric literal");
    assert_error("[01]", "invalid character '1' after array element");
    assert_error("\"\n\"", "invalid character '\\n' in string literal");
    assert_error("\"\\q\"", "invalid character 'q' in string escape code");
    assert_error("\"\\u12x4\"", "invalid character 'x' in \\u hexadecimal character escape");
    assert_error("'", "invalid character '\\'' looking for beginning of value");
    assert_error("\xc3", "invalid character '\xc3\x83' looking for beginning of value");
    assert_error("\x01", "invalid character '\\x01' looking for beginning of value");
}

static void type_errors_name_the_field(void **state) {
    (void)state;
    assert_error("{\"count\":\"1\"}",
                 "json: cannot unmarshal string into Go struct field Order.count of type int");
    assert_error("{\"count\":1.0}",
                 "json: cannot unmarshal number 1.0 into Go struct field Order.count of type int");
    assert_error(
        "{\"count\":99999999999999999999}",
        "json: cannot unmarshal number 99999999999999999999 into Go struct field Order.count of "
        "type int");
    assert_error("{\"count\":{}}",
                 "json: cannot unmarshal object into Go struct field Order.count of type int");
    assert_error("{\"isHot\":[]}",
                 "json: cannot unmarshal array into Go struct field Order.isHot of type bool");
    assert_error("{\"note\":true}",
                 "json: cannot unmarshal bool into Go struct field Order.note of type string");
    assert_error(
        "{\"extras\":\"x\"}",
        "json: cannot unmarshal string into Go struct field Order.extras of type []string");
    assert_error("{\"extras\":[[1]]}",
                 "json: cannot unmarshal array into Go struct field Order.extras of type string");
    assert_error("[]", "json: cannot unmarshal array into Go value of type shop.Order");
    assert_error("12", "json: cannot unmarshal number into Go value of type shop.Order");
}

static void the_first_error_counts_and_the_rest_is_read(void **state) {
    (void)state;
    struct order order = {0};
    struct slice body =
        SLICE("{\"foo\":{\"a\":[1,{\"b\":\"]}\"}]},\"count\":\"x\",\"isHot\":true}");
    assert_int_equal(decode(body, &order), KE_INVALID);
    assert_string_equal(error, "json: unknown field \"foo\"");
    assert_true(order.is_hot);
    assert_error("{\"a\\n\\\"b\":1}", "json: unknown field \"a\\n\\\"b\"");
}

static void depth_has_a_limit(void **state) {
    (void)state;
    char deep[10001];
    memset(deep, '[', sizeof deep);
    struct order order = {0};
    assert_int_equal(decode(slice_from(deep, sizeof deep), &order), KE_INVALID);
    assert_string_equal(error, "exceeded max depth");
    assert_int_equal(decode(slice_from(deep, sizeof deep - 1), &order), KE_INVALID);
    assert_string_equal(error, "unexpected EOF");
}

static int set_up(void **state) {
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_release(&arena);
    return 0;
}

static void objects_nest(void **state) {
    (void)state;
    struct order o = {0};
    assert_int_equal(
        decode(SLICE("{\"door\":{\"NUMBER\":7,\"street\":\"Elm\"},\"note\":\"n\",\"stops\":["
                     "{\"number\":1},null,{\"street\":\"Oak\"},{},{\"number\":5}]}"),
               &o),
        0);
    const struct place *stops = o.stops.items;
    assert_int_equal(o.door.number, 7);
    assert_true(slice_eq(o.door.street, SLICE("Elm")));
    assert_true(slice_eq(o.note, SLICE("n")));
    assert_int_equal(o.stops.count, 5);
    assert_int_equal(stops[0].number, 1);
    assert_true(stops[0].street.ptr == NULL && stops[1].street.ptr == NULL);
    assert_true(slice_eq(stops[2].street, SLICE("Oak")));
    assert_int_equal(stops[4].number, 5);
}

static void errors_in_nested_objects_name_the_way_there(void **state) {
    (void)state;
    static const struct {
        const char *body;
        const char *error;
    } cases[] = {
        {"{\"door\":{\"number\":\"x\"}}",
         "json: cannot unmarshal string into Go struct field Place.door.number of type int"},
        {"{\"stops\":[{},{\"street\":1}]}",
         "json: cannot unmarshal number into Go struct field Place.stops.street of type string"},
        {"{\"door\":5}",
         "json: cannot unmarshal number into Go struct field Order.door of type map.Place"},
        {"{\"stops\":{}}",
         "json: cannot unmarshal object into Go struct field Order.stops of type []map.Place"},
        {"{\"stops\":[true]}",
         "json: cannot unmarshal bool into Go struct field Order.stops of type map.Place"},
        {"{\"door\":{\"floor\":1}}", "json: unknown field \"floor\""},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct order o = {0};
        assert_int_equal(decode(slice_cstr(cases[i].body), &o), KE_INVALID);
        assert_string_equal(error, cases[i].error);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_field),
        cmocka_unit_test(absent_and_null_keep_the_default),
        cmocka_unit_test(keys_match_without_case_and_the_last_wins),
        cmocka_unit_test(text_after_the_value_is_ignored),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(syntax_errors),
        cmocka_unit_test(type_errors_name_the_field),
        cmocka_unit_test(the_first_error_counts_and_the_rest_is_read),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(objects_nest),
        cmocka_unit_test(errors_in_nested_objects_name_the_way_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
