#include "proto/encode.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/check.h"

int encode_too_large(struct encoder *e) {
    return error_set(e->r.err, KE_TOO_LARGE, "proto: message is larger than %zu bytes",
                     e->out->cap);
}

#define ROOM(e, bytes)                                  \
    do {                                                \
        if (unlikely(put_room((e)->out, (bytes)) != 0)) \
            return encode_too_large(e);                 \
    } while (0)

/* ---------------------------------------------------------------- scalars */

/* The number that a token is or that stands in its string; a slice of length 0 when neither. */
static struct slice number_of(const struct json_token *token) {
    if (token->kind == JSON_NUMBER)
        return token->raw;
    if (token->kind == JSON_STRING && json_is_number(token->text))
        return token->text;
    return SLICE("");
}

static uint64_t zigzag(int64_t v) {
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static bool read_int(const struct json_token *token, bool is_32, int64_t *out) {
    struct slice number = number_of(token);
    return number.len > 0 &&
           json_to_int(number, is_32 ? INT32_MIN : INT64_MIN, is_32 ? INT32_MAX : INT64_MAX, out);
}

static bool read_uint(const struct json_token *token, bool is_32, uint64_t *out) {
    struct slice number = number_of(token);
    return number.len > 0 && json_to_uint(number, is_32 ? UINT32_MAX : UINT64_MAX, out);
}

static bool special_double(const struct json_token *token, double *out) {
    if (token->kind != JSON_STRING)
        return false;
    if (slice_eq(token->text, SLICE("NaN")))
        *out = __builtin_nan("");
    else if (slice_eq(token->text, SLICE("Infinity")))
        *out = __builtin_inf();
    else if (slice_eq(token->text, SLICE("-Infinity")))
        *out = -__builtin_inf();
    else
        return false;
    return true;
}

static bool read_double(const struct json_token *token, uint64_t *out_bits) {
    double v;
    struct slice number = number_of(token);
    if (number.len > 0 ? !json_to_double(number, &v) : !special_double(token, &v))
        return false;
    memcpy(out_bits, &v, sizeof v);
    return true;
}

static bool read_float(const struct json_token *token, uint64_t *out_bits) {
    double special;
    float v;
    uint32_t bits;
    struct slice number = number_of(token);
    if (number.len > 0) {
        if (!json_to_float(number, &v))
            return false;
    } else {
        if (!special_double(token, &special))
            return false;
        v = (float)special;
    }
    memcpy(&bits, &v, sizeof v);
    *out_bits = bits;
    return true;
}

static bool read_base64(struct encoder *e, const struct json_token *token, struct slice *out) {
    if (token->kind != JSON_STRING)
        return false;
    struct base64_form form = {.alphabet = BASE64_STD, .is_raw = token->text.len % 4 != 0};
    for (size_t i = 0; i < token->text.len; i++)
        if (token->text.ptr[i] == '-' || token->text.ptr[i] == '_')
            form.alphabet = BASE64_URL;
    size_t bad;
    buf_reset(e->scratch);
    if (base64_decode(e->scratch, token->text, form, &bad) != 0)
        return false;
    *out = buf_slice(e->scratch);
    return true;
}

static bool read_enum(const struct proto_field *f, const struct json_token *token, int64_t *out) {
    const struct proto_enum_value *value;
    switch (token->kind) {
    case JSON_STRING:
        value = enum_value_by_name(f->enumeration, token->text);
        if (value != NULL)
            *out = value->number;
        return value != NULL;
    case JSON_NUMBER:
        return json_to_int(token->raw, INT32_MIN, INT32_MAX, out);
    case JSON_NULL:
        *out = 0;
        return f->enumeration->is_null_value;
    default:
        return false;
    }
}

static bool read_scalar(struct encoder *e, const struct proto_field *f,
                        const struct json_token *token, struct scalar *out) {
    int64_t v = 0;
    bool is_ok;
    switch (f->kind) {
    case KIND_STRING:
        if (token->kind == JSON_STRING)
            out->bytes = token->text;
        return token->kind == JSON_STRING;
    case KIND_INT32:
    case KIND_INT64:
        is_ok = read_int(token, f->kind == KIND_INT32, &v);
        out->bits = (uint64_t)v;
        return is_ok;
    case KIND_BOOL:
        out->bits = token->kind == JSON_BOOL && token->boolean;
        return token->kind == JSON_BOOL;
    case KIND_ENUM:
        is_ok = read_enum(f, token, &v);
        out->bits = (uint64_t)v;
        return is_ok;
    case KIND_DOUBLE:
        return read_double(token, &out->bits);
    case KIND_FLOAT:
        return read_float(token, &out->bits);
    case KIND_UINT32:
    case KIND_FIXED32:
        return read_uint(token, true, &out->bits);
    case KIND_UINT64:
    case KIND_FIXED64:
        return read_uint(token, false, &out->bits);
    case KIND_SINT32:
    case KIND_SINT64:
        is_ok = read_int(token, f->kind == KIND_SINT32, &v);
        out->bits = is_ok ? zigzag(v) : 0;
        return is_ok;
    case KIND_SFIXED32:
    case KIND_SFIXED64:
        is_ok = read_int(token, f->kind == KIND_SFIXED32, &v);
        out->bits = (uint64_t)v;
        return is_ok;
    case KIND_BYTES:
        return read_base64(e, token, &out->bytes);
    default:
        return false;
    }
}

int encode_scalar(struct encoder *e, const struct proto_field *f, const struct json_token *token,
                  struct scalar *out) {
    *out = (struct scalar){0};
    if (likely(read_scalar(e, f, token, out)))
        return 0;
    return json_error(&e->r, token->raw.ptr, "invalid value for %s field %.*s: %.*s",
                      proto_kind_names[f->kind], SLICE_FMT(f->json_name), SHOWN(token->raw));
}

static int put_scalar(struct encoder *e, const struct proto_field *f, const struct scalar *v,
                      bool with_tag) {
    ROOM(e, 5 + VARINT_BYTES + v->bytes.len);
    if (with_tag)
        put_tag_at(e->out, f);
    switch (f->wire_type) {
    case WIRE_VARINT:
        put_varint_at(e->out, v->bits);
        break;
    case WIRE_FIXED32:
        put_fixed_at(e->out, v->bits, 4);
        break;
    case WIRE_FIXED64:
        put_fixed_at(e->out, v->bits, 8);
        break;
    default:
        put_varint_at(e->out, v->bytes.len);
        put_bytes_at(e->out, v->bytes.ptr, v->bytes.len);
    }
    return 0;
}

int put_scalar_field(struct encoder *e, const struct proto_field *f, const struct scalar *v) {
    if (!f->has_presence && v->bits == 0 && v->bytes.len == 0)
        return 0;
    return put_scalar(e, f, v, true);
}

/* ---------------------------------------------------------------- lists */

static int encode_packed(struct encoder *e, const struct proto_field *f, struct json_token *token) {
    struct scalar v;
    size_t start;
    ROOM(e, 5 + 1);
    put_varint_at(e->out, f->number << 3 | WIRE_BYTES);
    put_length_begin(e->out, &start);
    while (token->kind != JSON_ARRAY_END) {
        TRY(encode_scalar(e, f, token, &v));
        TRY(put_scalar(e, f, &v, false));
        TRY(json_read(&e->r, token));
    }
    return put_length_end(e->out, start) != 0 ? encode_too_large(e) : 0;
}

int encode_list(struct encoder *e, const struct proto_field *f, const struct json_token *token) {
    struct json_token item;
    struct scalar v;
    if (token->kind != JSON_ARRAY)
        return json_unexpected(&e->r, token);
    TRY(json_read(&e->r, &item));
    if (f->is_packed && item.kind != JSON_ARRAY_END)
        return encode_packed(e, f, &item);
    while (item.kind != JSON_ARRAY_END) {
        if (f->message != NULL) {
            TRY(encode_field_message(e, f, &item));
        } else {
            TRY(encode_scalar(e, f, &item, &v));
            TRY(put_scalar(e, f, &v, true));
        }
        TRY(json_read(&e->r, &item));
    }
    return 0;
}

/* ---------------------------------------------------------------- maps */

/* Keys of a map that were seen: open addressing in the arena, at most half full. */
struct key_set {
    struct slice *slots;
    size_t size, count;
};

static bool key_set_put(struct key_set *set, struct slice key) {
    size_t i = hash_bytes(key.ptr, key.len) & (set->size - 1);
    for (; set->slots[i].ptr != NULL; i = (i + 1) & (set->size - 1))
        if (slice_eq(set->slots[i], key))
            return false;
    set->slots[i] = key;
    set->count++;
    return true;
}

/* false when it is there already. */
static bool key_set_add(struct arena *a, struct key_set *set, struct slice key) {
    if (set->count * 2 >= set->size) {
        struct key_set grown = {.size = set->size ? set->size * 2 : 8};
        grown.slots = arena_zalloc(a, grown.size * sizeof *grown.slots);
        for (size_t i = 0; i < set->size; i++)
            if (set->slots[i].ptr != NULL)
                key_set_put(&grown, set->slots[i]);
        *set = grown;
    }
    return key_set_put(set, key);
}

/* strconv.ParseInt and ParseUint take a plus sign (the first) and leading zeros, but no exponents.
 */
static bool key_number(const struct json_token *token, bool is_signed, struct slice *out) {
    struct slice s = token->text;
    size_t i = 0;
    if (is_signed && s.len > 0 && s.ptr[0] == '+')
        s = slice_from(s.ptr + 1, s.len - 1);
    else if (is_signed && s.len > 0 && s.ptr[0] == '-')
        i = 1;
    *out = s;
    if (i == s.len)
        return false;
    for (; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return true;
}

static bool read_key(const struct proto_field *f, const struct json_token *token,
                     struct scalar *out) {
    bool is_32 = f->kind == KIND_INT32 || f->kind == KIND_SINT32 || f->kind == KIND_SFIXED32 ||
                 f->kind == KIND_UINT32 || f->kind == KIND_FIXED32;
    struct slice number;
    int64_t v;
    switch (f->kind) {
    case KIND_STRING:
        out->bytes = token->text;
        return true;
    case KIND_BOOL:
        out->bits = slice_eq(token->text, SLICE("true"));
        return out->bits || slice_eq(token->text, SLICE("false"));
    case KIND_UINT32:
    case KIND_UINT64:
    case KIND_FIXED32:
    case KIND_FIXED64:
        return key_number(token, false, &number) &&
               json_to_uint(number, is_32 ? UINT32_MAX : UINT64_MAX, &out->bits);
    default:
        if (!key_number(token, true, &number) ||
            !json_to_int(number, is_32 ? INT32_MIN : INT64_MIN, is_32 ? INT32_MAX : INT64_MAX, &v))
            return false;
        out->bits = f->kind == KIND_SINT32 || f->kind == KIND_SINT64 ? zigzag(v) : (uint64_t)v;
        return true;
    }
}

static int encode_entry(struct encoder *e, const struct proto_field *f, const struct scalar *key) {
    const struct proto_field *key_field = f->message->fields.ptr[0],
                             *value_field = f->message->fields.ptr[1];
    struct json_token token;
    struct scalar v;
    size_t start;
    ROOM(e, 5 + 1);
    put_tag_at(e->out, f);
    put_length_begin(e->out, &start);
    TRY(put_scalar(e, key_field, key, true));
    TRY(json_read(&e->r, &token));
    if (value_field->message != NULL) {
        TRY(encode_field_message(e, value_field, &token));
    } else {
        TRY(encode_scalar(e, value_field, &token, &v));
        TRY(put_scalar(e, value_field, &v, true));
    }
    return put_length_end(e->out, start) != 0 ? encode_too_large(e) : 0;
}

int encode_map(struct encoder *e, const struct proto_field *f, const struct json_token *token) {
    const struct proto_field *key_field = f->message->fields.ptr[0];
    struct key_set seen = {0};
    struct json_token name;
    if (token->kind != JSON_OBJECT)
        return json_unexpected(&e->r, token);
    for (;;) {
        TRY(json_read(&e->r, &name));
        if (name.kind == JSON_OBJECT_END)
            return 0;
        if (name.kind != JSON_NAME)
            return json_unexpected(&e->r, &name);
        struct scalar key = {0};
        if (!read_key(key_field, &name, &key))
            return json_error(&e->r, name.raw.ptr, "invalid value for %s key: %.*s",
                              proto_kind_names[key_field->kind], SHOWN(name.raw));
        struct slice canonical = key.bytes;
        if (key_field->kind != KIND_STRING)
            canonical = arena_slice(e->arena, slice_from((const char *)&key.bits, sizeof key.bits));
        else if (canonical.ptr == NULL)
            canonical = SLICE("");
        if (!key_set_add(e->arena, &seen, canonical))
            return json_error(&e->r, name.raw.ptr, "duplicate map key %.*s", SHOWN(name.raw));
        TRY(encode_entry(e, f, &key));
    }
}

/* ---------------------------------------------------------------- messages */

/* Bits for fields and oneofs that were seen. */
#define SEEN_WORDS 2

struct seen {
    uint64_t few[SEEN_WORDS];
    uint64_t *words;
};

static void seen_init(struct seen *s, struct arena *a, uint32_t count) {
    s->words = s->few;
    if (count > SEEN_WORDS * 64)
        s->words = arena_zalloc(a, (count + 63) / 64 * sizeof *s->words);
    else
        memset(s->few, 0, sizeof s->few);
}

static bool seen_set(struct seen *s, uint32_t i) {
    uint64_t bit = (uint64_t)1 << i % 64;
    bool was_set = (s->words[i / 64] & bit) != 0;
    s->words[i / 64] |= bit;
    return was_set;
}

static bool seen_has(const struct seen *s, uint32_t i) {
    return s->words[i / 64] >> i % 64 & 1;
}

static bool takes_null(const struct proto_field *f) {
    return (f->message != NULL && f->message->known == KNOWN_VALUE) ||
           (f->enumeration != NULL && f->enumeration->is_null_value);
}

int encode_field_message(struct encoder *e, const struct proto_field *f,
                         const struct json_token *token) {
    size_t start;
    ROOM(e, 5 + 1);
    put_tag_at(e->out, f);
    if (f->kind == KIND_GROUP) {
        TRY(encode_message(e, f->message, token, false));
        ROOM(e, 5);
        put_varint_at(e->out, f->number << 3 | WIRE_END_GROUP);
        return 0;
    }
    put_length_begin(e->out, &start);
    TRY(encode_message(e, f->message, token, false));
    return put_length_end(e->out, start) != 0 ? encode_too_large(e) : 0;
}

static int field_error(struct encoder *e, const struct json_token *name, const char *what) {
    return json_error(&e->r, name->raw.ptr, "%s field %.*s", what, SHOWN(name->raw));
}

static int encode_field(struct encoder *e, const struct proto_field *f,
                        const struct json_token *name, const struct json_token *token,
                        struct seen *oneofs) {
    if (f->is_list)
        return encode_list(e, f, token);
    if (f->is_map)
        return encode_map(e, f, token);
    if (f->oneof != NULL && seen_set(oneofs, f->oneof->index))
        return json_error(&e->r, name->raw.ptr, "error parsing %.*s, oneof %.*s is already set",
                          SHOWN(name->raw), SLICE_FMT(f->oneof->full_name));
    if (f->message != NULL)
        return encode_field_message(e, f, token);
    struct scalar v;
    TRY(encode_scalar(e, f, token, &v));
    return put_scalar_field(e, f, &v);
}

/* The outermost message that lacks something is the one that is told. */
static void note_missing(struct encoder *e, const struct proto_type *type,
                         const struct seen *fields) {
    if (e->any_depth > 0 || (e->missing != NULL && e->missing_depth <= e->depth))
        return;
    for (uint32_t i = 0; i < type->fields.len; i++)
        if (type->fields.ptr[i]->is_required && !seen_has(fields, i)) {
            e->missing = type->fields.ptr[i];
            e->missing_depth = e->depth;
            return;
        }
}

static int encode_members(struct encoder *e, const struct proto_type *type, bool is_in_any) {
    struct json_token name, token;
    struct seen fields, set, oneofs;
    uint32_t next = 0;
    seen_init(&fields, e->arena, type->fields.len);
    seen_init(&oneofs, e->arena, type->oneof_count);
    if (type->required_count > 0)
        seen_init(&set, e->arena, type->fields.len);
    for (;;) {
        TRY(json_read(&e->r, &name));
        if (name.kind == JSON_OBJECT_END)
            break;
        if (name.kind != JSON_NAME)
            return json_unexpected(&e->r, &name);
        if (is_in_any && slice_eq(name.text, SLICE("@type"))) {
            TRY(json_read(&e->r, &token));
            continue;
        }
        const struct proto_field *f = type_field_by_name(type, name.text, next);
        if (f == NULL)
            return field_error(e, &name, "unknown");
        if (seen_set(&fields, f->index))
            return field_error(e, &name, "duplicate");
        next = f->index + 1;
        TRY(json_read(&e->r, &token));
        if (token.kind == JSON_NULL && !takes_null(f))
            continue;
        if (type->required_count > 0)
            seen_set(&set, f->index);
        TRY(encode_field(e, f, &name, &token, &oneofs));
    }
    if (type->required_count > 0)
        note_missing(e, type, &set);
    return 0;
}

int encode_message(struct encoder *e, const struct proto_type *type, const struct json_token *token,
                   bool is_in_any) {
    int rc;
    if (++e->depth > PROTO_DEPTH_MAX)
        return proto_error(e->r.err, "exceeded max recursion depth");
    if (type->known != KNOWN_NONE)
        rc = encode_known(e, type, token);
    else if (token->kind != JSON_OBJECT)
        rc = json_unexpected(&e->r, token);
    else if (type->is_message_set)
        rc = proto_error(e->r.err, "no support for proto1 MessageSets");
    else
        rc = encode_members(e, type, is_in_any);
    e->depth--;
    return rc;
}

static int encode_all(struct encoder *e, const struct proto_type *type) {
    struct json_token token;
    TRY(json_read(&e->r, &token));
    TRY(encode_message(e, type, &token, false));
    TRY(json_read(&e->r, &token));
    if (token.kind != JSON_END)
        return json_unexpected(&e->r, &token);
    if (e->missing != NULL)
        return proto_error(e->r.err, "required field %.*s not set",
                           SLICE_FMT(e->missing->full_name));
    return 0;
}

#define STACK_BYTES 1024 /* strings with escapes and keys of maps, as long as they are small */

int proto_encode_json(const struct proto_type *type, struct slice json,
                      const struct proto_json_options *options, struct buf *out,
                      struct error *err) {
    static const struct proto_json_options none;
    _Alignas(16) char memory[STACK_BYTES];
    struct error why;
    struct arena arena;
    struct buf scratch;
    struct encoder e = {.out = out, .arena = &arena, .scratch = &scratch, .pool = type->pool};
    size_t before = out->len;
    arena_init_in(&arena, memory, sizeof memory);
    buf_init(&scratch, json.len);
    e.options = options != NULL ? options : &none;
    json_reader_init(&e.r, json, &arena, err != NULL ? err : &why);
    int rc = encode_all(&e, type);
    if (rc != 0)
        out->len = before;
    buf_release(&scratch);
    arena_release(&arena);
    return rc;
}
