#include "proto/json_out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "proto/json_token.h"
#include "proto/plain.h"
#include "proto/put.h"

static void put_escape(struct json_out *w, unsigned char c) {
    static const char short_names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = c != 0 ? strchr(short_names, c) : NULL;
    char text[8];
    int len = found != NULL ? snprintf(text, sizeof text, "\\%c", letters[found - short_names])
                            : snprintf(text, sizeof text, "\\u%04x", c);
    json_put(w, text, (size_t)len);
}

/* The length of the start that goes out as it is; *out_bad when what follows is not UTF-8. */
static size_t plain_length(struct slice s, bool *out_bad) {
    const char *p = s.ptr, *end = p + s.len;
    *out_bad = false;
    for (;;) {
        p = plain_ascii_end(p, end);
        if (p == end || (unsigned char)*p < 0x80)
            break;
        uint32_t rune;
        size_t len = utf8_decode(slice_from(p, (size_t)(end - p)), &rune);
        if (rune == UTF8_INVALID) {
            *out_bad = true;
            break;
        }
        p += len;
    }
    return (size_t)(p - s.ptr);
}

bool json_put_string(struct json_out *w, struct slice s) {
    bool is_bad;
    json_put_char(w, '"');
    for (;;) {
        size_t len = plain_length(s, &is_bad);
        json_put(w, s.ptr, len);
        if (is_bad)
            return false;
        if (len == s.len)
            break;
        put_escape(w, (unsigned char)s.ptr[len]);
        s = slice_from(s.ptr + len + 1, s.len - len - 1);
    }
    json_put_char(w, '"');
    return true;
}

/* ---------------------------------------------------------------- scalars */

static size_t decimal(uint64_t v, char out[24]) {
    char reversed[24];
    size_t len = 0;
    do
        reversed[len++] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    for (size_t i = 0; i < len; i++)
        out[i] = reversed[len - 1 - i];
    return len;
}

static void put_unsigned(struct json_out *w, uint64_t v) {
    char text[24];
    json_put(w, text, decimal(v, text));
}

static void put_signed(struct json_out *w, int64_t v) {
    if (v < 0)
        json_put_char(w, '-');
    put_unsigned(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* The fewest digits that read back as the float; those of a double have the same text. */
static double float_value(uint64_t bits) {
    static const double powers[] = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    uint32_t low = (uint32_t)bits;
    char text[32];
    float v;
    memcpy(&v, &low, sizeof v);
    if (!isfinite(v) || (fabsf(v) < 1e6f && v == (float)(int32_t)v))
        return v;
    for (int k = 0; k < 9; k++) {
        double shifted = fabs((double)v) * powers[k], n = floor(shifted + 0.5);
        if (n >= 1e6)
            break;
        /* 1e9 is small enough for the quotient never to be taken for the middle of two floats */
        if ((float)(n / powers[k]) == fabsf(v))
            return v < 0 ? -(n / powers[k]) : n / powers[k];
    }
    int precision = 5;
    do
        snprintf(text, sizeof text, "%.*e", precision, (double)v);
    while (precision++ < 8 && strtof(text, NULL) != v);
    return strtod(text, NULL);
}

static void put_double(struct json_out *w, double v) {
    char text[32];
    if (isnan(v)) {
        json_put_literal(w, "\"NaN\"");
    } else if (isinf(v)) {
        json_put(w, v < 0 ? "\"-Infinity\"" : "\"Infinity\"", v < 0 ? 11 : 10);
    } else {
        double_format_json(v, text);
        json_put(w, text, strlen(text));
    }
}

static int put_enum(struct json_out *w, const struct proto_field *f, int32_t number) {
    if (f->enumeration->is_null_value) {
        json_put_literal(w, "null");
        return 0;
    }
    const struct proto_enum_value *value = enum_value_by_number(f->enumeration, number);
    if (value == NULL) {
        put_signed(w, number);
        return 0;
    }
    json_put_char(w, '"');
    json_put(w, value->name.ptr, value->name.len);
    json_put_char(w, '"');
    return 0;
}

static int put_bytes(struct json_out *w, struct slice s) {
    json_put_char(w, '"');
    size_t before = w->out->len;
    base64_encode(w->out, s, (struct base64_form){BASE64_STD, false});
    if (s.len > 0 && w->out->len == before)
        w->is_full = true;
    json_put_char(w, '"');
    return 0;
}

int json_put_single(struct json_out *w, const struct proto_field *f, const union proto_value *v) {
    double number;
    switch (f->kind) {
    case KIND_STRING:
        if (json_put_string(w, slice_from(v->bytes.ptr, v->bytes.len)))
            return 0;
        return proto_error(w->err, "field %.*s contains invalid UTF-8", SLICE_FMT(f->full_name));
    case KIND_MESSAGE:
    case KIND_GROUP:
        return json_put_message(w, v->message, (struct slice){0});
    case KIND_BOOL:
        json_put(w, v->bits ? "true" : "false", v->bits ? 4 : 5);
        return 0;
    case KIND_INT32:
    case KIND_SINT32:
    case KIND_SFIXED32:
        put_signed(w, (int64_t)v->bits);
        return 0;
    case KIND_UINT32:
    case KIND_FIXED32:
        put_unsigned(w, v->bits);
        return 0;
    case KIND_INT64:
    case KIND_SINT64:
    case KIND_SFIXED64:
        json_put_char(w, '"');
        put_signed(w, (int64_t)v->bits);
        json_put_char(w, '"');
        return 0;
    case KIND_UINT64:
    case KIND_FIXED64:
        json_put_char(w, '"');
        put_unsigned(w, v->bits);
        json_put_char(w, '"');
        return 0;
    case KIND_DOUBLE:
        memcpy(&number, &v->bits, sizeof number);
        put_double(w, number);
        return 0;
    case KIND_FLOAT:
        put_double(w, float_value(v->bits));
        return 0;
    case KIND_BYTES:
        return put_bytes(w, slice_from(v->bytes.ptr, v->bytes.len));
    case KIND_ENUM:
        return put_enum(w, f, (int32_t)v->bits);
    default:
        return 0;
    }
}

/* ---------------------------------------------------------------- lists and maps */

int json_put_list(struct json_out *w, const struct proto_field *f, const struct proto_list *list) {
    json_put_char(w, '[');
    for (uint32_t i = 0; list != NULL && i < list->len; i++) {
        if (i > 0)
            json_put_char(w, ',');
        TRY(json_put_single(w, f, &list->items[i]));
    }
    json_put_char(w, ']');
    return 0;
}

struct entry {
    const struct proto_message *message;
    uint32_t index;
};

static const union proto_value *key_of(const struct entry *e) {
    return &e->message->fields[0];
}

static int by_text(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    uint32_t x_len = key_of(x)->bytes.len, y_len = key_of(y)->bytes.len;
    uint32_t common = x_len < y_len ? x_len : y_len;
    int order = common > 0 ? memcmp(key_of(x)->bytes.ptr, key_of(y)->bytes.ptr, common) : 0;
    if (order != 0)
        return order;
    if (x_len != y_len)
        return x_len < y_len ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static int by_unsigned(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (key_of(x)->bits != key_of(y)->bits)
        return key_of(x)->bits < key_of(y)->bits ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static int by_signed(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (key_of(x)->bits != key_of(y)->bits)
        return (int64_t)key_of(x)->bits < (int64_t)key_of(y)->bits ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

typedef int compare_entries(const void *a, const void *b);

static compare_entries *order_of(const struct proto_field *key) {
    switch (key->kind) {
    case KIND_STRING:
        return by_text;
    case KIND_BOOL:
    case KIND_UINT32:
    case KIND_UINT64:
    case KIND_FIXED32:
    case KIND_FIXED64:
        return by_unsigned;
    default:
        return by_signed;
    }
}

static bool same_key(const struct proto_field *key, const struct entry *a, const struct entry *b) {
    if (key->kind != KIND_STRING)
        return key_of(a)->bits == key_of(b)->bits;
    return slice_eq(slice_from(key_of(a)->bytes.ptr, key_of(a)->bytes.len),
                    slice_from(key_of(b)->bytes.ptr, key_of(b)->bytes.len));
}

static int put_key(struct json_out *w, const struct proto_field *key, const union proto_value *v) {
    bool is_quoted = key->kind == KIND_STRING || key->kind == KIND_INT64 ||
                     key->kind == KIND_SINT64 || key->kind == KIND_SFIXED64 ||
                     key->kind == KIND_UINT64 || key->kind == KIND_FIXED64;
    if (!is_quoted)
        json_put_char(w, '"');
    TRY(json_put_single(w, key, v));
    json_put(w, is_quoted ? ":" : "\":", is_quoted ? 1 : 2);
    return 0;
}

static const struct proto_message **sorted_entries(const struct proto_field *f,
                                                   const struct proto_list *list,
                                                   struct arena *arena, uint32_t *out_count) {
    const struct proto_field *key = f->message->fields.ptr[0];
    struct entry *entries = arena_alloc(arena, list->len * sizeof *entries);
    const struct proto_message **out = arena_alloc(arena, list->len * sizeof *out);
    for (uint32_t i = 0; i < list->len; i++)
        entries[i] = (struct entry){list->items[i].message, i};
    qsort(entries, list->len, sizeof *entries, order_of(key));
    *out_count = 0;
    for (uint32_t i = 0; i < list->len; i++)
        if (i + 1 == list->len || !same_key(key, &entries[i], &entries[i + 1]))
            out[(*out_count)++] = entries[i].message;
    return out;
}

int json_put_map(struct json_out *w, const struct proto_field *f, const struct proto_list *list) {
    const struct proto_field *key = f->message->fields.ptr[0], *value = f->message->fields.ptr[1];
    const struct proto_message **entries = NULL;
    uint32_t count = 0;
    if (list != NULL)
        entries = sorted_entries(f, list, w->arena, &count);
    json_put_char(w, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            json_put_char(w, ',');
        TRY(put_key(w, key, &entries[i]->fields[0]));
        TRY(json_put_single(w, value, &entries[i]->fields[1]));
    }
    json_put_char(w, '}');
    return 0;
}

/* ---------------------------------------------------------------- messages */

static int put_unpopulated(struct json_out *w, const struct proto_field *f) {
    static const union proto_value zero;
    if (f->is_list)
        json_put_literal(w, "[]");
    else if (f->is_map)
        json_put_literal(w, "{}");
    else if (f->has_presence)
        json_put_literal(w, "null");
    else if (f->kind == KIND_STRING || f->kind == KIND_BYTES)
        json_put_literal(w, "\"\"");
    else
        return json_put_single(w, f, &zero);
    return 0;
}

static int put_field(struct json_out *w, const struct proto_message *m, const struct proto_field *f,
                     bool is_populated) {
    if (!is_populated)
        return put_unpopulated(w, f);
    const union proto_value *v = &m->fields[f->index];
    if (f->is_list)
        return json_put_list(w, f, v->list);
    if (f->is_map)
        return json_put_map(w, f, v->list);
    return json_put_single(w, f, v);
}

int json_put_message(struct json_out *w, const struct proto_message *m, struct slice type_url) {
    const struct proto_type *type = m->type;
    bool is_first = true;
    if (type->known != KNOWN_NONE)
        return json_put_known(w, m);
    w->depth++;
    json_put_char(w, '{');
    if (type_url.ptr != NULL) {
        json_put_literal(w, "\"@type\":");
        json_put_string(w, type_url);
        is_first = false;
    }
    for (uint32_t i = 0; i < type->fields.len; i++) {
        const struct proto_field *f = type->fields.ptr[i];
        bool is_populated = message_is_populated(m, f);
        if (!is_populated && (!w->options->is_emit_unpopulated || f->oneof != NULL))
            continue;
        if (!is_first)
            json_put_char(w, ',');
        is_first = false;
        struct slice key = w->options->is_proto_names ? f->proto_key : f->json_key;
        json_put(w, key.ptr, key.len);
        TRY(put_field(w, m, f, is_populated));
    }
    json_put_char(w, '}');
    w->depth--;
    return 0;
}

#define STACK_BYTES 3072 /* what a small message needs */

int proto_decode_json(const struct proto_type *type, struct slice wire,
                      const struct proto_json_options *options, struct buf *out,
                      struct error *err) {
    static const struct proto_json_options none;
    _Alignas(16) char memory[STACK_BYTES];
    struct arena arena;
    struct json_out w = {.out = out, .arena = &arena, .pool = type->pool, .err = err};
    struct proto_message *m;
    size_t before = out->len;
    arena_init_in(&arena, memory, sizeof memory);
    w.options = options != NULL ? options : &none;
    int rc = message_decode(type, wire, false, WIRE_DEPTH_MAX, &arena, &m, err);
    if (rc == 0)
        rc = json_put_message(&w, m, (struct slice){0});
    if (rc == 0 && w.is_full)
        rc = error_set(err, KE_TOO_LARGE, "proto: the JSON of a message is larger than %zu bytes",
                       out->cap);
    if (rc != 0)
        out->len = before;
    arena_release(&arena);
    return rc;
}
