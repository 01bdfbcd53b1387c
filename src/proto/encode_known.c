#include <stdlib.h>

#include "proto/encode.h"
#include "proto/known.h"

/* ---------------------------------------------------------------- Timestamp, Duration */

static int value_error(struct encoder *e, const struct proto_type *type,
                       const struct json_token *token, const char *before, const char *between) {
    return json_error(&e->r, token->raw.ptr, "%s%.*s%s%.*s", before, SLICE_FMT(type->full_name),
                      between, SHOWN(token->raw));
}

static int put_seconds(struct encoder *e, const struct proto_type *type, int64_t seconds,
                       int32_t nanos) {
    struct scalar v = {.bits = (uint64_t)seconds};
    TRY(put_scalar_field(e, type->fields.ptr[0], &v));
    v.bits = (uint64_t)(int64_t)nanos;
    return put_scalar_field(e, type->fields.ptr[1], &v);
}

static int encode_time(struct encoder *e, const struct proto_type *type,
                       const struct json_token *token) {
    bool is_timestamp = type->known == KNOWN_TIMESTAMP;
    int64_t seconds;
    int32_t nanos;
    if (token->kind != JSON_STRING)
        return json_unexpected(&e->r, token);
    if (is_timestamp ? !timestamp_parse(token->text, &seconds, &nanos)
                     : !duration_json_parse(token->text, &seconds, &nanos))
        return value_error(e, type, token, "invalid ", " value ");
    if (is_timestamp ? seconds < TIMESTAMP_SECONDS_MIN || seconds > TIMESTAMP_SECONDS_MAX
                     : seconds < -DURATION_SECONDS_MAX || seconds > DURATION_SECONDS_MAX)
        return value_error(e, type, token, "", " value out of range: ");
    return put_seconds(e, type, seconds, nanos);
}

/* ---------------------------------------------------------------- FieldMask */

static int encode_field_mask(struct encoder *e, const struct proto_type *type,
                             const struct json_token *token) {
    const struct proto_field *f = type->fields.ptr[0];
    if (token->kind != JSON_STRING)
        return json_unexpected(&e->r, token);
    struct slice rest = slice_trim(token->text);
    if (rest.len == 0)
        return 0;
    while (rest.ptr != NULL) {
        struct slice path = slice_cut(&rest, ',');
        struct slice snake = snake_case(e->arena, path);
        if (!is_identifier(snake, true) || memchr(path.ptr, '_', path.len) != NULL)
            return json_error(&e->r, token->raw.ptr, "%.*s contains invalid path: \"%.*s\"",
                              SLICE_FMT(f->full_name), SHOWN(path));
        if (put_room(e->out, 5 + VARINT_BYTES + snake.len) != 0)
            return encode_too_large(e);
        put_tag_at(e->out, f);
        put_varint_at(e->out, snake.len);
        put_bytes_at(e->out, snake.ptr, snake.len);
    }
    return 0;
}

/* ---------------------------------------------------------------- Value */

/* Struct and ListValue in a Value: no depth of their own, as in protojson. */
static int encode_nested_value(struct encoder *e, const struct proto_field *f,
                               const struct json_token *token) {
    const struct proto_field *content = f->message->fields.ptr[0];
    size_t start;
    if (put_room(e->out, 5 + 1) != 0)
        return encode_too_large(e);
    put_tag_at(e->out, f);
    put_length_begin(e->out, &start);
    if (token->kind == JSON_OBJECT)
        TRY(encode_map(e, content, token));
    else
        TRY(encode_list(e, content, token));
    return put_length_end(e->out, start) != 0 ? encode_too_large(e) : 0;
}

static int encode_value(struct encoder *e, const struct proto_type *type,
                        const struct json_token *token) {
    struct proto_field *const *f = type->fields.ptr;
    const struct proto_field *field;
    struct scalar v = {0};
    switch (token->kind) {
    case JSON_NULL:
        return put_scalar_field(e, f[0], &v);
    case JSON_NUMBER: {
        double number;
        if (!json_to_double(token->raw, &number))
            return value_error(e, type, token, "invalid ", ": ");
        memcpy(&v.bits, &number, sizeof number);
        field = f[1];
        break;
    }
    case JSON_STRING:
        v.bytes = token->text;
        field = f[2];
        break;
    case JSON_BOOL:
        v.bits = token->boolean;
        field = f[3];
        break;
    case JSON_OBJECT:
        return encode_nested_value(e, f[4], token);
    case JSON_ARRAY:
        return encode_nested_value(e, f[5], token);
    default:
        return value_error(e, type, token, "invalid ", ": ");
    }
    return put_scalar_field(e, field, &v);
}

/* ---------------------------------------------------------------- Any */

/* Looks ahead in the object that was just opened. KE_NOT_FOUND when it has no "@type"; *out_empty:
 * it has no members at all. */
static int find_type_url(const struct encoder *e, struct json_token *out, bool *out_empty) {
    struct json_reader ahead = e->r;
    struct json_token token;
    bool is_found = false;
    *out_empty = true;
    for (;;) {
        TRY(json_read(&ahead, &token));
        if (token.kind == JSON_OBJECT_END)
            return is_found ? 0 : KE_NOT_FOUND;
        if (token.kind != JSON_NAME)
            continue;
        *out_empty = false;
        if (!slice_eq(token.text, SLICE("@type"))) {
            TRY(json_skip(&ahead));
            continue;
        }
        if (is_found)
            return json_error(&ahead, token.raw.ptr, "duplicate \"@type\" field");
        TRY(json_read(&ahead, &token));
        if (token.kind != JSON_STRING)
            return json_error(&ahead, token.raw.ptr, "@type field value is not a string: %.*s",
                              SHOWN(token.raw));
        if (token.text.len == 0)
            return json_error(&ahead, token.raw.ptr, "@type field contains empty value");
        *out = token;
        is_found = true;
    }
}

/* The "value" member of an Any whose content has a JSON form of its own. */
static int encode_any_value(struct encoder *e, const struct proto_type *type) {
    struct json_token name, token;
    bool is_found = false;
    for (;;) {
        TRY(json_read(&e->r, &name));
        if (name.kind == JSON_OBJECT_END) {
            if (!is_found && type->known != KNOWN_EMPTY)
                return json_error(&e->r, name.raw.ptr, "missing \"value\" field");
            return 0;
        }
        if (name.kind != JSON_NAME)
            return json_unexpected(&e->r, &name);
        TRY(json_read(&e->r, &token));
        if (slice_eq(name.text, SLICE("@type")))
            continue;
        if (!slice_eq(name.text, SLICE("value")))
            return json_error(&e->r, name.raw.ptr, "unknown field %.*s", SHOWN(name.raw));
        if (is_found)
            return json_error(&e->r, name.raw.ptr, "duplicate \"value\" field");
        is_found = true;
        TRY(encode_known(e, type, &token));
    }
}

static int encode_any(struct encoder *e, const struct proto_type *type,
                      const struct json_token *token) {
    struct json_token url;
    bool is_empty;
    if (token->kind != JSON_OBJECT)
        return json_unexpected(&e->r, token);
    int rc = find_type_url(e, &url, &is_empty);
    if (rc == KE_NOT_FOUND && is_empty)
        return json_read(&e->r, &url); /* the closing brace */
    if (rc == KE_NOT_FOUND)
        return json_error(&e->r, token->raw.ptr, "missing \"@type\" field");
    if (rc != 0)
        return rc;
    const struct proto_type *content = any_type(e->pool, e->options, url.text);
    if (content == NULL)
        return json_error(&e->r, url.raw.ptr, "unable to resolve %.*s: \"not found\"",
                          SHOWN(url.raw));
    struct scalar v = {.bytes = url.text};
    TRY(put_scalar_field(e, type->fields.ptr[0], &v));
    size_t before = e->out->len, start;
    if (put_room(e->out, 5 + 1) != 0)
        return encode_too_large(e);
    put_tag_at(e->out, type->fields.ptr[1]);
    put_length_begin(e->out, &start);
    e->any_depth++;
    if (content->known != KNOWN_NONE)
        TRY(encode_any_value(e, content));
    else
        TRY(encode_message(e, content, token, true));
    e->any_depth--;
    if (e->out->len == start) {
        e->out->len = before;
        return 0;
    }
    return put_length_end(e->out, start) != 0 ? encode_too_large(e) : 0;
}

static int encode_empty(struct encoder *e, const struct json_token *token) {
    struct json_token name;
    if (token->kind != JSON_OBJECT)
        return json_unexpected(&e->r, token);
    TRY(json_read(&e->r, &name));
    if (name.kind == JSON_NAME)
        return json_error(&e->r, name.raw.ptr, "unknown field %.*s", SHOWN(name.raw));
    return name.kind == JSON_OBJECT_END ? 0 : json_unexpected(&e->r, &name);
}

int encode_known(struct encoder *e, const struct proto_type *type, const struct json_token *token) {
    struct scalar v;
    switch ((enum proto_known)type->known) {
    case KNOWN_ANY:
        return encode_any(e, type, token);
    case KNOWN_TIMESTAMP:
    case KNOWN_DURATION:
        return encode_time(e, type, token);
    case KNOWN_WRAPPER:
        TRY(encode_scalar(e, type->fields.ptr[0], token, &v));
        return put_scalar_field(e, type->fields.ptr[0], &v);
    case KNOWN_STRUCT:
        return encode_map(e, type->fields.ptr[0], token);
    case KNOWN_LIST_VALUE:
        return encode_list(e, type->fields.ptr[0], token);
    case KNOWN_VALUE:
        return encode_value(e, type, token);
    case KNOWN_FIELD_MASK:
        return encode_field_mask(e, type, token);
    case KNOWN_EMPTY:
        return encode_empty(e, token);
    case KNOWN_NONE:
        break;
    }
    return 0;
}
