#include "proto_unit.h"

/* Both directions against bytes that libprotobuf made (data/messages.txt), and what protojson and
 * proto.Unmarshal refuse, in their words. */

static struct proto_pool *kitchen, *old;

static int load(void **state) {
    (void)state;
    kitchen = pool_of_data("kitchen.proto");
    old = pool_of_data("old.proto");
    return 0;
}

static int unload(void **state) {
    (void)state;
    proto_pool_unref(kitchen);
    proto_pool_unref(old);
    return 0;
}

static const struct proto_type *type_of(struct slice name) {
    const struct proto_type *type = proto_pool_find_message(kitchen, name);
    if (type == NULL)
        type = proto_pool_find_message(old, name);
    if (type == NULL)
        fail_msg("no type %.*s", SLICE_FMT(name));
    return type;
}

static void check_encode(struct slice type, struct slice json, struct slice hex) {
    struct buf wire;
    struct error err;
    buf_init(&wire, BUF_NO_CAP);
    if (proto_encode_json(type_of(type), json, NULL, &wire, &err) != 0)
        fail_msg("%.*s: %s", SLICE_FMT(json), err.text);
    char *got = to_hex(buf_slice(&wire));
    if (!slice_eq(slice_cstr(got), hex))
        fail_msg("%.*s\n     got: %s\nexpected: %.*s", SLICE_FMT(json), got, SLICE_FMT(hex));
    free(got);
    buf_release(&wire);
}

static void check_decode(struct slice type, struct slice hex, struct slice json,
                         const struct proto_json_options *options) {
    struct buf wire, text;
    struct error err;
    buf_init(&wire, BUF_NO_CAP);
    buf_init(&text, BUF_NO_CAP);
    from_hex(hex.ptr, hex.len, &wire);
    if (proto_decode_json(type_of(type), buf_slice(&wire), options, &text, &err) != 0)
        fail_msg("%.*s: %s", SLICE_FMT(hex), err.text);
    if (!slice_eq(buf_slice(&text), json))
        fail_msg("%.*s\n     got: %.*s\nexpected: %.*s", SLICE_FMT(hex),
                 SLICE_FMT(buf_slice(&text)), SLICE_FMT(json));
    buf_release(&wire);
    buf_release(&text);
}

static void messages_go_both_ways_as_libprotobuf_has_them(void **state) {
    (void)state;
    struct buf file;
    size_t count = 0;
    buf_init(&file, BUF_NO_CAP);
    read_data(DATA "/messages.txt", &file);
    struct slice rest = buf_slice(&file);
    while (rest.ptr != NULL && rest.len > 0) {
        struct slice json = slice_cut(&rest, '\n');
        if (json.len == 0 || json.ptr[0] == '#')
            continue;
        struct slice type = slice_cut(&json, ' '), hex = slice_cut(&json, ' ');
        if (slice_eq(hex, SLICE("-")))
            hex = SLICE("");
        check_encode(type, json, hex);
        check_decode(type, hex, json, NULL);
        count++;
    }
    assert_int_equal(count, 35);
    buf_release(&file);
}

/* ---------------------------------------------------------------- JSON to wire */

static const struct {
    const char *type, *json, *hex;
} accepted[] = {
    {"kitchen.v1.Numbers", " {\n\t\"an_int32\" : 1e2 , \"a_uint32\":\"5\"}\r\n", "18642805"},
    {"kitchen.v1.Numbers", "{\"anInt32\":1.50e2,\"anInt64\":-0,\"aSint32\":100e-1}", "1896013814"},
    {"kitchen.v1.Numbers", "{\"aDouble\":\"1.5\",\"aFloat\":\"1e1\"}",
     "09000000000000f83f1500002041"},
    {"kitchen.v1.Numbers", "{\"aDouble\":-0.0}", "090000000000000080"},
    {"kitchen.v1.Numbers", "{\"aFloat\":3.4028235e+38}", "15ffff7f7f"},
    {"kitchen.v1.Numbers", "{\"anInt32\":null,\"aBool\":null}", ""},
    {"kitchen.v1.Lists",
     "{\"int32s\":[],\"strings\":null,\"doughs\":[\"DOUGH_SLIM\",1,\"DOUGH_THIN\"]}", "4a03010101"},
    {"kitchen.v1.Lists", "{\"blobs\":[\"-_8=\",\"-_8\",\"+/8=\",\"\"]}",
     "4202fbff4202fbff4202fbff4200"},
    {"kitchen.v1.Maps", "{\"byNumber\":{\"+7\":{},\"-08\":{}}}",
     "120408071200120d08f8ffffffffffffffff011200"},
    {"kitchen.v1.Pizza", "{\"under_score_9_x\":\"a\",\"@custom name\":\"b\"}", "7a0161720162"},
    {"kitchen.v1.Pizza", "{\"custom\":\"b\",\"words\":null,\"cents\":1}", "7201623801"},
    {"kitchen.v1.Known", "{\"any\":{\"@type\":\"x/google.protobuf.Empty\",\"value\":{}}}",
     "0a190a17782f676f6f676c652e70726f746f6275662e456d707479"},
    {"kitchen.v1.Known",
     "{\"any\":{\"anInt32\":1,\"@type\":\"/kitchen.v1.Numbers\",\"aBool\":true}}",
     "0a1b0a132f6b69746368656e2e76312e4e756d62657273120418016801"},
    {"kitchen.v1.Known", "{\"timestamp\":\"2024-02-29T13:30:45.00012+01:00\"}",
     "1a0a08f5f181af0610c0a907"},
    {"kitchen.v1.Known", "{\"duration\":\"-.5s\",\"mask\":\" \"}",
     "120b1080b6ca91feffffffff012a00"},
    {"kitchen.v1.Known", "{\"duration\":\"+1.s\",\"null\":null}", "12020801"},
    {"kitchen.old.Oven", "{\"name\":\"x\",\"Shelf\":[{\"level\":1}],\"Right\":{}}",
     "0a01784b08014c6364"},
};

static void what_protojson_takes_is_taken(void **state) {
    (void)state;
    for (size_t i = 0; i < countof(accepted); i++)
        check_encode(slice_cstr(accepted[i].type), slice_cstr(accepted[i].json),
                     slice_cstr(accepted[i].hex));
}

static const struct {
    const char *type, *json, *error;
} refused[] = {
    {"Pizza", "{\"nope\":1}", "proto: (line 1:2): unknown field \"nope\""},
    {"Pizza", "{\"name\":5}", "proto: (line 1:9): invalid value for string field name: 5"},
    {"Pizza", "{\n \"name\" : \"é\", \"nope\":1}", "proto: (line 2:16): unknown field \"nope\""},
    {"Pizza", "", "proto: syntax error (line 1:1): unexpected token "},
    {"Pizza", "null", "proto: syntax error (line 1:1): unexpected token null"},
    {"Pizza", "[]", "proto: syntax error (line 1:1): unexpected token ["},
    {"Pizza", "{", "proto: unexpected EOF"},
    {"Pizza", "{\"name\"", "proto: unexpected EOF"},
    {"Pizza", "{\"name\":\"a", "proto: unexpected EOF"},
    {"Pizza", "{\"name\" 1}",
     "proto: syntax error (line 1:9): unexpected character 1, missing \":\" after field name"},
    {"Pizza", "{\"name\":\"a\",}", "proto: syntax error (line 1:13): unexpected token }"},
    {"Pizza", "{,}", "proto: syntax error (line 1:2): unexpected token ,"},
    {"Pizza", "{} {}", "proto: syntax error (line 1:4): unexpected token {"},
    {"Pizza", "{}x", "proto: syntax error (line 1:3): invalid value x"},
    {"Pizza", "{\"name\":nul}", "proto: syntax error (line 1:9): invalid value nul"},
    {"Pizza", "{\"stars\":01}", "proto: syntax error (line 1:10): invalid value 01"},
    {"Pizza", "{\"name\":\"\\ud800\\u0041\"}",
     "proto: syntax error (line 1:9): invalid escape code \"\\\\u0041\" in string"},
    {"Pizza", "{\"name\":\"\\q\"}",
     "proto: syntax error (line 1:9): invalid escape code \"\\\\q\" in string"},
    {"Pizza", "{\"name\":\"\xff\"}", "proto: syntax error (line 1:9): invalid UTF-8 in string"},
    {"Pizza", "{\"name\":\"\n\"}",
     "proto: syntax error (line 1:9): invalid character '\\n' in string"},
    {"Pizza", "{\"name\":\"a\",\"name\":\"b\"}", "proto: (line 1:13): duplicate field \"name\""},
    {"Pizza", "{\"cents\":1,\"words\":\"b\"}",
     "proto: (line 1:12): error parsing \"words\", oneof kitchen.v1.Pizza.price is already set"},
    {"Pizza", "{\"dough\":\"NONE\"}",
     "proto: (line 1:10): invalid value for enum field dough: \"NONE\""},
    {"Pizza", "{\"toppings\":{}}", "proto: syntax error (line 1:13): unexpected token {"},
    {"Pizza", "{\"toppings\":[null]}", "proto: syntax error (line 1:14): unexpected token null"},
    {"Pizza", "{\"half\":[]}", "proto: syntax error (line 1:9): unexpected token ["},
    {"Pizza", "{\"picture\":\"A\"}",
     "proto: (line 1:12): invalid value for bytes field picture: \"A\""},
    {"Pizza", "{\"[x.y]\":1}", "proto: (line 1:2): unknown field \"[x.y]\""},
    {"Numbers", "{\"anInt32\":1.5}",
     "proto: (line 1:12): invalid value for int32 field anInt32: 1.5"},
    {"Numbers", "{\"anInt32\":2147483648}",
     "proto: (line 1:12): invalid value for int32 field anInt32: 2147483648"},
    {"Numbers", "{\"anInt64\":\" 1\"}",
     "proto: (line 1:12): invalid value for int64 field anInt64: \" 1\""},
    {"Numbers", "{\"aUint32\":-1}",
     "proto: (line 1:12): invalid value for uint32 field aUint32: -1"},
    {"Numbers", "{\"aUint64\":18446744073709551616}",
     "proto: (line 1:12): invalid value for uint64 field aUint64: 18446744073709551616"},
    {"Numbers", "{\"aFloat\":1e39}",
     "proto: (line 1:11): invalid value for float field aFloat: 1e39"},
    {"Numbers", "{\"aDouble\":\"nan\"}",
     "proto: (line 1:12): invalid value for double field aDouble: \"nan\""},
    {"Numbers", "{\"aBool\":\"true\"}",
     "proto: (line 1:10): invalid value for bool field aBool: \"true\""},
    {"Lists", "{\"strings\":[\"a\",null]}",
     "proto: (line 1:17): invalid value for string field strings: null"},
    {"Lists", "{\"strings\":[\"a\" \"b\"]}",
     "proto: syntax error (line 1:17): unexpected token \"b\""},
    {"Maps", "{\"byNumber\":{\"x\":{}}}", "proto: (line 1:14): invalid value for int32 key: \"x\""},
    {"Maps", "{\"byTruth\":{\"yes\":1}}",
     "proto: (line 1:13): invalid value for bool key: \"yes\""},
    {"Maps", "{\"texts\":{\"a\":\"\",\"\\u0061\":\"\"}}",
     "proto: (line 1:18): duplicate map key \"\\u0061\""},
    {"Maps", "{\"texts\":{\"a\":null}}",
     "proto: (line 1:15): invalid value for string field value: null"},
    {"Maps", "{\"texts\":[]}", "proto: syntax error (line 1:10): unexpected token ["},
    {"Known", "{\"timestamp\":\"2023-02-29T00:00:00Z\"}",
     "proto: (line 1:14): invalid google.protobuf.Timestamp value \"2023-02-29T00:00:00Z\""},
    {"Known", "{\"timestamp\":\"0001-01-01T00:00:00+01:00\"}",
     "proto: (line 1:14): google.protobuf.Timestamp value out of range: \"0001-01-01T00:00:00+01:00\""},
    {"Known", "{\"timestamp\":5}", "proto: syntax error (line 1:14): unexpected token 5"},
    {"Known", "{\"duration\":\"1\"}",
     "proto: (line 1:13): invalid google.protobuf.Duration value \"1\""},
    {"Known", "{\"duration\":\"315576000001s\"}",
     "proto: (line 1:13): google.protobuf.Duration value out of range: \"315576000001s\""},
    {"Known", "{\"mask\":\"a_b\"}",
     "proto: (line 1:9): google.protobuf.FieldMask.paths contains invalid path: \"a_b\""},
    {"Known", "{\"empty\":{\"a\":1}}", "proto: (line 1:11): unknown field \"a\""},
    {"Known", "{\"any\":{\"a\":1}}", "proto: (line 1:8): missing \"@type\" field"},
    {"Known", "{\"any\":{\"@type\":\"x/none.Such\"}}",
     "proto: (line 1:17): unable to resolve \"x/none.Such\": \"not found\""},
    {"Known", "{\"any\":{\"@type\":\"x/google.protobuf.Duration\"}}",
     "proto: (line 1:45): missing \"value\" field"},
    {"Known", "{\"any\":{\"@type\":\"/kitchen.v1.Numbers\",\"nope\":1}}",
     "proto: (line 1:39): unknown field \"nope\""},
    {"Known", "{\"anInt32\":\"x\"}",
     "proto: (line 1:12): invalid value for int32 field value: \"x\""},
    {"Oven", "{}", "proto: required field kitchen.old.Oven.name not set"},
    {"Oven", "{\"name\":null}", "proto: required field kitchen.old.Oven.name not set"},
    {"Strict", "{\"ovens\":{\"a\":{}}}", "proto: required field kitchen.old.Strict.oven not set"},
    {"Strict", "{\"oven\":{\"name\":\"\",\"shelf\":[{}]}}",
     "proto: required field kitchen.old.Oven.Shelf.level not set"},
};

static void what_protojson_refuses_is_refused_in_its_words(void **state) {
    (void)state;
    for (size_t i = 0; i < countof(refused); i++) {
        bool is_old =
            strcmp(refused[i].type, "Oven") == 0 || strcmp(refused[i].type, "Strict") == 0;
        char name[64];
        struct buf wire;
        struct error err = {0};
        snprintf(name, sizeof name, "kitchen.%s.%s", is_old ? "old" : "v1", refused[i].type);
        buf_init(&wire, BUF_NO_CAP);
        buf_append_str(&wire, "kept");
        int rc = proto_encode_json(type_of(slice_cstr(name)), slice_cstr(refused[i].json), NULL,
                                   &wire, &err);
        if (rc == 0 || strcmp(err.text, refused[i].error) != 0)
            fail_msg("%s\n     got: %s\nexpected: %s", refused[i].json, rc ? err.text : "no error",
                     refused[i].error);
        assert_true(slice_eq(buf_slice(&wire), SLICE("kept")));
        buf_release(&wire);
    }
}

/* Lengths of one, two and three bytes are put in behind the content. */
static void long_messages_in_messages_have_their_lengths(void **state) {
    (void)state;
    for (size_t len = 100; len < 20000; len = len * 3 / 2) {
        struct buf json, wire, text;
        struct error err;
        buf_init(&json, BUF_NO_CAP);
        buf_init(&wire, BUF_NO_CAP);
        buf_init(&text, BUF_NO_CAP);
        buf_append_str(&json, "{\"half\":{\"half\":{\"name\":\"");
        for (size_t i = 0; i < len; i++)
            buf_append_char(&json, (char)('a' + i % 26));
        buf_append_str(&json, "\"}}}");
        const struct proto_type *type = type_of(SLICE("kitchen.v1.Pizza"));
        assert_int_equal(proto_encode_json(type, buf_slice(&json), NULL, &wire, &err), 0);
        assert_int_equal(proto_decode_json(type, buf_slice(&wire), NULL, &text, &err), 0);
        assert_true(slice_eq(buf_slice(&json), buf_slice(&text)));
        buf_release(&json);
        buf_release(&wire);
        buf_release(&text);
    }
}

static void nested(struct buf *out, const char *open, const char *close, int depth) {
    for (int i = 0; i < depth; i++)
        buf_append_str(out, open);
    buf_append_str(out, "{}");
    for (int i = 0; i < depth; i++)
        buf_append_str(out, close);
}

static void depth_and_size_have_caps(void **state) {
    (void)state;
    const struct proto_type *type = type_of(SLICE("kitchen.v1.Pizza"));
    struct buf json, wire, text;
    struct error err;
    buf_init(&json, BUF_NO_CAP);
    buf_init(&wire, BUF_NO_CAP);
    buf_init(&text, BUF_NO_CAP);
    nested(&json, "{\"half\":", "}", PROTO_DEPTH_MAX - 1);
    assert_int_equal(proto_encode_json(type, buf_slice(&json), NULL, &wire, &err), 0);
    assert_int_equal(proto_decode_json(type, buf_slice(&wire), NULL, &text, &err), 0);
    assert_true(slice_eq(buf_slice(&json), buf_slice(&text)));
    buf_reset(&json);
    nested(&json, "{\"half\":", "}", PROTO_DEPTH_MAX);
    assert_int_equal(proto_encode_json(type, buf_slice(&json), NULL, &wire, &err), KE_INVALID);
    assert_string_equal(err.text, "proto: exceeded max recursion depth");
    buf_reset(&json);
    for (int i = 0; i < 100000; i++)
        buf_append_char(&json, '[');
    assert_int_equal(
        proto_encode_json(type_of(SLICE("kitchen.v1.Known")), buf_slice(&json), NULL, &wire, &err),
        KE_INVALID);

    /* what encodes, decodes: Values in Structs have three levels on the wire for one of JSON */
    buf_reset(&json);
    buf_reset(&wire);
    buf_append_str(&json, "{\"object\":{\"k\":");
    nested(&json, "{\"k\":", "}", PROTO_DEPTH_MAX - 4);
    buf_append_str(&json, "}}");
    buf_reset(&text);
    type = type_of(SLICE("kitchen.v1.Known"));
    assert_int_equal(proto_encode_json(type, buf_slice(&json), NULL, &wire, &err), 0);
    assert_int_equal(proto_decode_json(type, buf_slice(&wire), NULL, &text, &err), 0);
    assert_true(slice_eq(buf_slice(&json), buf_slice(&text)));

    type = type_of(SLICE("kitchen.v1.Pizza"));
    struct buf small;
    buf_init(&small, 10);
    assert_int_equal(
        proto_encode_json(type, SLICE("{\"name\":\"0123456789\"}"), NULL, &small, &err),
        KE_TOO_LARGE);
    assert_int_equal(small.len, 0);
    assert_int_equal(proto_decode_json(type,
                                       SLICE("\x0a\x05"
                                             "abcde"),
                                       NULL, &small, &err),
                     KE_TOO_LARGE);
    assert_int_equal(small.len, 0);
    buf_release(&small);
    buf_release(&json);
    buf_release(&wire);
    buf_release(&text);
}

/* ---------------------------------------------------------------- wire to JSON */

static void decode_to(const char *type, const char *hex, const char *json) {
    check_decode(slice_cstr(type), slice_cstr(hex), slice_cstr(json), NULL);
}

static void later_values_replace_and_messages_merge(void **state) {
    (void)state;
    decode_to("kitchen.v1.Pizza", "0a01610a0162", "{\"name\":\"b\"}");
    decode_to("kitchen.v1.Pizza", "5a0218015a022805",
              "{\"numbers\":{\"anInt32\":1,\"aUint32\":5}}");
    decode_to("kitchen.v1.Pizza", "3801420162", "{\"words\":\"b\"}");
    decode_to("kitchen.v1.Pizza", "4201623801", "{\"cents\":\"1\"}");
    decode_to("kitchen.v1.Maps", "0a060a016112017a0a060a0161120178", "{\"texts\":{\"a\":\"x\"}}");
    decode_to("kitchen.v1.Maps", "0a00", "{\"texts\":{\"\":\"\"}}");
    decode_to("kitchen.v1.Maps", "1200", "{\"byNumber\":{\"0\":{}}}");
    decode_to(
        "kitchen.v1.Maps", "12061202180108051a020801",
        "{\"byNumber\":{\"5\":{\"anInt32\":1}},\"byTruth\":{\"true\":\"DOUGH_UNSPECIFIED\"}}");
}

static void lists_come_packed_and_one_by_one(void **state) {
    (void)state;
    decode_to("kitchen.v1.Lists", "18011a0202031804", "{\"int32s\":[1,2,3,4]}");
    decode_to("kitchen.v1.Lists", "220201022003", "{\"sint64s\":[\"-1\",\"1\",\"-2\"]}");
    decode_to("kitchen.old.Oven", "0a0028032a00", "{\"name\":\"\",\"packed\":[3]}");
}

static void what_is_unknown_is_passed_over(void **state) {
    (void)state;
    decode_to("kitchen.v1.Numbers",
              "9a0603616263a00601ad0601020304a1060102030405060708"
              "1805",
              "{\"anInt32\":5}");
    decode_to("kitchen.v1.Numbers", "e3060a0161e3060801e406e4061805", "{\"anInt32\":5}");
    decode_to("kitchen.v1.Numbers", "1a01611805", "{\"anInt32\":5}"); /* of another wire type */
    decode_to("kitchen.v1.Pizza", "1805", "{\"dough\":5}");
}

static void k6_sees_what_is_not_set(void **state) {
    (void)state;
    const struct proto_json_options options = {.is_emit_unpopulated = true};
    check_decode(SLICE("kitchen.v1.Pizza"), SLICE(""),
                 SLICE("{\"name\":\"\",\"toppings\":[],\"dough\":\"DOUGH_UNSPECIFIED\","
                       "\"picture\":\"\",\"numbers\":null,\"lists\":null,\"maps\":null,"
                       "\"@custom name\":\"\",\"underScore9X\":\"\",\"far\":0,\"farther\":0,"
                       "\"half\":null}"),
                 &options);
    check_decode(SLICE("kitchen.v1.Maps"), SLICE(""),
                 SLICE("{\"texts\":{},\"byNumber\":{},\"byTruth\":{},\"byLarge\":{},"
                       "\"bySigned\":{},\"values\":{}}"),
                 &options);
    check_decode(SLICE("kitchen.old.Oven"), SLICE("0a00"),
                 SLICE("{\"name\":\"\",\"heat\":null,\"color\":null,\"plain\":[],\"packed\":[],"
                       "\"ratio\":null,\"text\":null,\"blob\":null,\"shelf\":[],\"shared\":null}"),
                 &options);
    const struct proto_json_options names = {.is_emit_unpopulated = true, .is_proto_names = true};
    check_decode(SLICE("kitchen.v1.Numbers"), SLICE(""),
                 SLICE("{\"a_double\":0,\"a_float\":0,\"an_int32\":0,\"an_int64\":\"0\","
                       "\"a_uint32\":0,\"a_uint64\":\"0\",\"a_sint32\":0,\"a_sint64\":\"0\","
                       "\"a_fixed32\":0,\"a_fixed64\":\"0\",\"a_sfixed32\":0,\"a_sfixed64\":\"0\","
                       "\"a_bool\":false}"),
                 &names);
}

static const struct {
    const char *type, *hex, *error;
} bad_wire[] = {
    {"v1.Numbers", "18", "proto: cannot parse invalid wire-format data"},
    {"v1.Numbers", "0900", "proto: cannot parse invalid wire-format data"},
    {"v1.Numbers", "00", "proto: cannot parse invalid wire-format data"},
    {"v1.Numbers", "18ffffffffffffffffffff", "proto: cannot parse invalid wire-format data"},
    {"v1.Numbers", "1c", "proto: cannot parse invalid wire-format data"},
    {"v1.Numbers", "e306", "proto: cannot parse invalid wire-format data"},
    {"v1.Numbers", "e306ec06", "proto: cannot parse invalid wire-format data"},
    {"v1.Numbers", "1e", "proto: cannot parse invalid wire-format data"},
    {"v1.Pizza", "0a05", "proto: cannot parse invalid wire-format data"},
    {"v1.Pizza", "0affffffffffffffffff01", "proto: cannot parse invalid wire-format data"},
    {"v1.Pizza", "5a0118", "proto: cannot parse invalid wire-format data"},
    {"v1.Pizza", "0a02c328", "proto: field kitchen.v1.Pizza.name contains invalid UTF-8"},
    {"v1.Pizza", "0a03eda080", "proto: field kitchen.v1.Pizza.name contains invalid UTF-8"},
    {"old.Oven", "0a02c328", "proto: field kitchen.old.Oven.name contains invalid UTF-8"},
    {"old.Oven", "", "proto: required field kitchen.old.Oven.name not set"},
    {"old.Strict", "0a030a016112050a01611200",
     "proto: required field kitchen.old.Oven.name not set"},
    {"v1.Known", "0a030a0161", "proto: google.protobuf.Any: unable to resolve \"a\": not found"},
    {"v1.Known", "0a03120161", "proto: google.protobuf.Any: type_url is not set"},
    {"v1.Known", "0a1b0a16782f6b69746368656e2e76312e4e756d626572730a120118",
     "proto: cannot parse invalid wire-format data"},
    {"v1.Known", "0a190a142f2f6b69746368656e2e76312e4e756d62657273120118",
     "proto: google.protobuf.Any: unable to unmarshal \"//kitchen.v1.Numbers\": cannot parse invalid "
     "wire-format data"},
    {"v1.Known", "3a00", "proto: google.protobuf.Value: none of the oneof fields is set"},
    {"v1.Known", "3a0911000000000000f07f",
     "proto: google.protobuf.Value.number_value: invalid +Inf value"},
    {"v1.Known", "1a0b10ffffffffffffffffff01",
     "proto: google.protobuf.Timestamp: nanos out of range -1"},
    {"v1.Known", "1a0708808080808040",
     "proto: google.protobuf.Timestamp: seconds out of range 2199023255552"},
    {"v1.Known", "120d080110ffffffffffffffffff01",
     "proto: google.protobuf.Duration: signs of seconds and nanos do not match"},
    {"v1.Known", "2a050a03612e2e",
     "proto: google.protobuf.FieldMask.paths contains invalid path: "
     "\"a..\""},
    {"v1.Known", "2a060a04615f5f62",
     "proto: google.protobuf.FieldMask.paths contains irreversible value \"a__b\""},
};

static void bad_wire_bytes_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < countof(bad_wire); i++) {
        char name[64];
        struct buf wire, text;
        struct error err = {0};
        snprintf(name, sizeof name, "kitchen.%s", bad_wire[i].type);
        buf_init(&wire, BUF_NO_CAP);
        buf_init(&text, BUF_NO_CAP);
        buf_append_str(&text, "kept");
        from_hex(bad_wire[i].hex, strlen(bad_wire[i].hex), &wire);
        int rc = proto_decode_json(type_of(slice_cstr(name)), buf_slice(&wire), NULL, &text, &err);
        if (rc == 0 || strcmp(err.text, bad_wire[i].error) != 0)
            fail_msg("%s\n     got: %s\nexpected: %s", bad_wire[i].hex,
                     rc ? err.text : buf_cstr(&text), bad_wire[i].error);
        assert_true(slice_eq(buf_slice(&text), SLICE("kept")));
        buf_release(&wire);
        buf_release(&text);
    }
}

/* As k6 shows details of a google.rpc.Status, with types of the client's own files. */
static void any_finds_types_of_other_pools(void **state) {
    (void)state;
    const struct proto_type *status = proto_builtin_message(SLICE("google.rpc.Status"));
    const struct proto_pool *pools[] = {kitchen};
    const struct proto_json_options options = {.pools = pools, .pool_count = 1};
    struct slice json = SLICE("{\"code\":3,\"details\":[{\"@type\":\"x/kitchen.v1.Numbers\","
                              "\"anInt32\":1},{\"@type\":\"x/google.rpc.RetryInfo\","
                              "\"retryDelay\":\"1s\"}]}");
    struct buf wire, text;
    struct error err;
    buf_init(&wire, BUF_NO_CAP);
    buf_init(&text, BUF_NO_CAP);
    assert_int_equal(proto_encode_json(status, json, &options, &wire, &err), 0);
    assert_int_equal(proto_decode_json(status, buf_slice(&wire), &options, &text, &err), 0);
    assert_true(slice_eq(buf_slice(&text), json));
    assert_int_equal(proto_decode_json(status, buf_slice(&wire), NULL, &text, &err), KE_INVALID);
    buf_release(&wire);
    buf_release(&text);
}

static void editions_say_what_is_on_the_wire(void **state) {
    (void)state;
    const struct text_file files[] = {
        {"e.proto",
         "edition = \"2023\"; package e; option features.field_presence = IMPLICIT;"
         "message M { int32 zero = 1; int32 set = 2 [features.field_presence = EXPLICIT];"
         " repeated int32 packed = 3; repeated int32 expanded = 4"
         " [features.repeated_field_encoding = EXPANDED];"
         " M group = 5 [features.message_encoding = DELIMITED];"
         " string any = 6 [features.utf8_validation = NONE];"
         " int32 must = 7 [features.field_presence = LEGACY_REQUIRED]; }"},
        {NULL, NULL}};
    struct error err;
    struct proto_pool *pool = pool_of_texts(files, &err);
    struct buf wire;
    buf_init(&wire, BUF_NO_CAP);
    assert_non_null(pool);
    const struct proto_type *type = proto_pool_find_message(pool, SLICE("e.M"));
    assert_int_equal(proto_encode_json(type,
                                       SLICE("{\"zero\":0,\"set\":0,\"packed\":[1,2],\"expanded\":"
                                             "[1,2],\"group\":{\"must\":0},\"must\":0}"),
                                       NULL, &wire, &err),
                     0);
    char *hex = to_hex(buf_slice(&wire));
    assert_string_equal(hex, "10001a020102200120022b38002c3800");
    free(hex);
    assert_int_equal(proto_encode_json(type, SLICE("{}"), NULL, &wire, &err), KE_INVALID);
    assert_string_equal(err.text, "proto: required field e.M.must not set");
    buf_release(&wire);
    proto_pool_unref(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_both_ways_as_libprotobuf_has_them),
        cmocka_unit_test(what_protojson_takes_is_taken),
        cmocka_unit_test(what_protojson_refuses_is_refused_in_its_words),
        cmocka_unit_test(long_messages_in_messages_have_their_lengths),
        cmocka_unit_test(depth_and_size_have_caps),
        cmocka_unit_test(later_values_replace_and_messages_merge),
        cmocka_unit_test(lists_come_packed_and_one_by_one),
        cmocka_unit_test(what_is_unknown_is_passed_over),
        cmocka_unit_test(k6_sees_what_is_not_set),
        cmocka_unit_test(bad_wire_bytes_are_refused),
        cmocka_unit_test(any_finds_types_of_other_pools),
        cmocka_unit_test(editions_say_what_is_on_the_wire),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
