#include "json_go.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/error.h"
#include "base/go_text.h"
#include "base/utf8.h"
#include "json_go_scan.h"

#define REPLACEMENT_RUNE 0xfffdU

/* Types nest no deeper than this. */
#define MAX_PATH 4

/* Works on text that json_go_scan() has accepted, so it never meets a syntax error. */
struct decoder {
    const char *at;
    const struct json_go_type *type;            /* of the innermost object */
    const struct json_go_field *path[MAX_PATH]; /* from the outermost object to what is read */
    size_t depth;
    struct arena *arena;
    char *error;
    bool has_error;
};

static void skip_space(struct decoder *d) {
    while (*d->at == ' ' || *d->at == '\t' || *d->at == '\r' || *d->at == '\n')
        d->at++;
}

static void skip_string(struct decoder *d) {
    for (d->at++; *d->at != '"'; d->at++) {
        if (*d->at == '\\')
            d->at++;
    }
    d->at++;
}

static bool ends_scalar(char c) {
    return c == '\0' || strchr(",]} \t\r\n", c) != NULL;
}

static void skip_value(struct decoder *d) {
    int depth = 0;
    do {
        skip_space(d);
        char c = *d->at;
        if (c == '"') {
            skip_string(d);
        } else if (c == '{' || c == '[') {
            depth++;
            d->at++;
        } else if (c == '}' || c == ']') {
            depth--;
            d->at++;
        } else if (c == ',' || c == ':') {
            d->at++;
        } else {
            while (!ends_scalar(*d->at))
                d->at++;
        }
    } while (depth > 0);
}

static unsigned read_hex4(const char *p) {
    char digits[5] = {p[0], p[1], p[2], p[3], '\0'};
    return (unsigned)strtoul(digits, NULL, 16);
}

/* Writes `rune` to `out` (room for 4 bytes) and returns the length. */
static size_t encode_rune(uint32_t rune, char *out) {
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char)(0xc0 | (rune >> 6));
        out[1] = (char)(0x80 | (rune & 0x3f));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (char)(0xe0 | (rune >> 12));
        out[1] = (char)(0x80 | ((rune >> 6) & 0x3f));
        out[2] = (char)(0x80 | (rune & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (rune >> 18));
    out[1] = (char)(0x80 | ((rune >> 12) & 0x3f));
    out[2] = (char)(0x80 | ((rune >> 6) & 0x3f));
    out[3] = (char)(0x80 | (rune & 0x3f));
    return 4;
}

static uint32_t read_unicode_escape(const char **p) {
    uint32_t rune = read_hex4(*p);
    *p += 4;
    if (rune < 0xd800 || rune >= 0xe000)
        return rune;
    if (rune < 0xdc00 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        uint32_t low = read_hex4(*p + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *p += 6;
            return 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return REPLACEMENT_RUNE;
}

/* The string at the cursor, decoded; a broken byte grows to the three of U+FFFD. */
static struct slice read_string(struct decoder *d) {
    const char *p = d->at + 1;
    skip_string(d);
    const char *end = d->at - 1;
    char *out = arena_alloc(d->arena, (size_t)(end - p) * 3 + 1);
    size_t size = 0;
    while (p < end) {
        if (*p == '\\') {
            static const char names[] = "bfnrt\\/\"";
            static const char values[] = "\b\f\n\r\t\\/\"";
            char name = p[1];
            p += 2;
            if (name == 'u')
                size += encode_rune(read_unicode_escape(&p), out + size);
            else
                out[size++] = values[strchr(names, name) - names];
        } else {
            uint32_t rune;
            p += utf8_decode(slice_from(p, (size_t)(end - p)), &rune);
            size += encode_rune(rune == UTF8_INVALID ? REPLACEMENT_RUNE : rune, out + size);
        }
    }
    out[size] = '\0';
    return (struct slice){out, size};
}

static const char *value_kind(const struct decoder *d) {
    switch (*d->at) {
    case '"':
        return "string";
    case '{':
        return "object";
    case '[':
        return "array";
    case 't':
    case 'f':
        return "bool";
    default:
        return "number";
    }
}

static void type_error(struct decoder *d, const char *value, const char *go_type) {
    if (d->has_error)
        return;
    d->has_error = true;
    if (d->depth == 0) {
        snprintf(d->error, JSON_GO_ERROR_BYTES,
                 "json: cannot unmarshal %s into Go value of type %s", value, go_type);
        return;
    }
    struct buf path;
    buf_init(&path, BUF_NO_CAP);
    for (size_t i = 0; i < d->depth; i++)
        buf_printf(&path, ".%s", d->path[i]->name);
    snprintf(d->error, JSON_GO_ERROR_BYTES,
             "json: cannot unmarshal %s into Go struct field %s%s of type %s", value, d->type->name,
             buf_cstr(&path), go_type);
    buf_release(&path);
}

static void unknown_field(struct decoder *d, struct slice key) {
    if (d->has_error)
        return;
    d->has_error = true;
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, key);
    snprintf(d->error, JSON_GO_ERROR_BYTES, "json: unknown field %.*s",
             SLICE_FMT(buf_slice(&quoted)));
    buf_release(&quoted);
}

static void read_int(struct decoder *d, int64_t *out) {
    if (*d->at != '-' && (*d->at < '0' || *d->at > '9')) {
        type_error(d, value_kind(d), "int");
        skip_value(d);
        return;
    }
    const char *start = d->at;
    skip_value(d);
    char *end;
    errno = 0;
    long long value = strtoll(start, &end, 10);
    if (errno == 0 && end == d->at) {
        *out = value;
        return;
    }
    char text[128];
    snprintf(text, sizeof text, "number %.*s", (int)(d->at - start > 100 ? 100 : d->at - start),
             start);
    type_error(d, text, "int");
}

static void read_bool(struct decoder *d, bool *out) {
    if (*d->at == 't' || *d->at == 'f')
        *out = *d->at == 't';
    else
        type_error(d, value_kind(d), "bool");
    skip_value(d);
}

static void read_text(struct decoder *d, struct slice *out) {
    if (*d->at == '"') {
        *out = read_string(d);
        return;
    }
    if (*d->at != 'n')
        type_error(d, value_kind(d), "string");
    skip_value(d);
}

/* Reads one item of a list to `out`. */
typedef void (*item_reader)(struct decoder *d, const struct json_go_type *type, void *out);

/* An array of items of a size, in the arena; they start as zero. */
static void read_list(struct decoder *d, item_reader read, const struct json_go_type *type,
                      size_t item_bytes, void **out_items, size_t *out_count) {
    size_t room = 0;
    char *items = NULL;
    size_t count = 0;
    d->at++;
    skip_space(d);
    while (*d->at != ']') {
        if (count == room) {
            room = room ? room * 2 : 4;
            char *grown = arena_alloc(d->arena, room * item_bytes);
            if (count > 0)
                memcpy(grown, items, count * item_bytes);
            items = grown;
        }
        memset(items + count * item_bytes, 0, item_bytes);
        read(d, type, items + count * item_bytes);
        count++;
        skip_space(d);
        if (*d->at == ',')
            d->at++;
        skip_space(d);
    }
    d->at++;
    *out_items = items;
    *out_count = count;
}

static void read_text_item(struct decoder *d, const struct json_go_type *type, void *out) {
    (void)type;
    *(struct slice *)out = SLICE("");
    read_text(d, out);
}

static void read_text_list(struct decoder *d, struct json_go_list *out) {
    if (*d->at != '[') {
        type_error(d, value_kind(d), "[]string");
        skip_value(d);
        return;
    }
    void *items;
    read_list(d, read_text_item, NULL, sizeof *out->items, &items, &out->count);
    out->items = items;
}

static bool equals_ignoring_case(const char *name, struct slice key) {
    for (size_t i = 0; i < key.len; i++) {
        char a = name[i];
        char b = key.ptr[i];
        if (a >= 'A' && a <= 'Z')
            a = (char)(a + 32);
        if (b >= 'A' && b <= 'Z')
            b = (char)(b + 32);
        if (a != b || a == '\0')
            return false;
    }
    return name[key.len] == '\0';
}

static const struct json_go_field *find_field(const struct json_go_type *type, struct slice key) {
    const struct json_go_field *folded = NULL;
    for (size_t i = 0; i < type->field_count; i++) {
        const struct json_go_field *f = &type->fields[i];
        if (strlen(f->name) == key.len && memcmp(f->name, key.ptr, key.len) == 0)
            return f;
        if (folded == NULL && equals_ignoring_case(f->name, key))
            folded = f;
    }
    return folded;
}

static void read_object(struct decoder *d, const struct json_go_type *type, void *out);

static void read_object_value(struct decoder *d, const struct json_go_type *type, void *out) {
    if (*d->at == '{') {
        read_object(d, type, out);
        return;
    }
    if (*d->at != 'n') {
        char go_type[128];
        snprintf(go_type, sizeof go_type, "%s.%s", type->package, type->name);
        type_error(d, value_kind(d), go_type);
    }
    skip_value(d);
}

static void read_objects(struct decoder *d, const struct json_go_type *type,
                         struct json_go_objects *out) {
    if (*d->at == '[') {
        read_list(d, read_object_value, type, type->size, &out->items, &out->count);
        return;
    }
    char go_type[128];
    snprintf(go_type, sizeof go_type, "[]%s.%s", type->package, type->name);
    type_error(d, value_kind(d), go_type);
    skip_value(d);
}

static void read_field(struct decoder *d, const struct json_go_field *field, void *out) {
    if (*d->at == 'n') {
        skip_value(d);
        return;
    }
    void *target = (char *)out + field->offset;
    switch (field->kind) {
    case JSON_GO_INT:
        read_int(d, target);
        break;
    case JSON_GO_BOOL:
        read_bool(d, target);
        break;
    case JSON_GO_TEXT:
        read_text(d, target);
        break;
    case JSON_GO_TEXT_LIST:
        read_text_list(d, target);
        break;
    case JSON_GO_OBJECT:
        read_object_value(d, field->type, target);
        break;
    case JSON_GO_OBJECTS:
        read_objects(d, field->type, target);
        break;
    }
}

static void read_object(struct decoder *d, const struct json_go_type *type, void *out) {
    const struct json_go_type *outer = d->type;
    d->type = type;
    d->at++;
    skip_space(d);
    while (*d->at != '}') {
        struct slice key = read_string(d);
        skip_space(d);
        d->at++; /* the colon */
        skip_space(d);
        const struct json_go_field *field = find_field(type, key);
        if (field != NULL) {
            CHECK(d->depth < MAX_PATH);
            d->path[d->depth++] = field;
            read_field(d, field, out);
            d->depth--;
        } else {
            unknown_field(d, key);
            skip_value(d);
        }
        skip_space(d);
        if (*d->at == ',')
            d->at++;
        skip_space(d);
    }
    d->at++;
    d->type = outer;
}

int json_go_decode(const char *body, size_t size, const struct json_go_type *type, void *out,
                   struct arena *arena, char error[static JSON_GO_ERROR_BYTES]) {
    size_t start = 0;
    size_t end = 0;
    int rc = json_go_scan(body, size, &start, &end, error, JSON_GO_ERROR_BYTES);
    if (rc != 0)
        return rc;
    struct decoder d = {
        .at = arena_strndup(arena, body + start, end - start),
        .arena = arena,
        .error = error,
    };
    read_object_value(&d, type, out);
    return d.has_error ? KE_INVALID : 0;
}
