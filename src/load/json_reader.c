#include "load/json_reader.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/go_text.h"
#include "base/json_write.h"
#include "base/go_parse.h"
#include "load/option_parse.h"

static const char *go_value_name(const json_t *v) {
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    case JSON_NULL:
        return "null";
    default:
        return "bool";
    }
}

/* What reflect.TypeOf says of a decoded interface{}. */
static const char *go_dynamic_name(const json_t *v) {
    switch (json_typeof(v)) {
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "float64";
    case JSON_OBJECT:
    case JSON_ARRAY:
        return "";
    default:
        return "bool";
    }
}

static void literal_of(const json_t *v, struct buf *out) {
    char number[32];
    if (json_is_integer(v)) {
        buf_printf(out, "%lld", (long long)json_integer_value(v));
        return;
    }
    if (json_is_real(v)) {
        buf_append_str(out, double_format_json(json_real_value(v), number));
        return;
    }
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_INDENT(2) | JSON_SORT_KEYS);
    buf_append_str(out, text != NULL ? text : "");
    free(text);
}

int json_fail(struct json_reader *r, const char *fmt, ...) {
    va_list ap;
    if (r->err == NULL)
        return KE_CONFIG;
    r->err->code = KE_CONFIG;
    va_start(ap, fmt);
    vsnprintf(r->err->text, sizeof r->err->text, fmt, ap);
    va_end(ap);
    return KE_CONFIG;
}

/* Where the value of the current field starts in the document: `"key": ` at the depth of the path.
 */
static size_t value_offset(const struct json_reader *r) {
    const char *at = r->text;
    struct slice path = slice_cstr(r->field);
    for (int depth = 1; path.ptr != NULL && path.len > 0; depth++) {
        struct slice key = slice_cut(&path, '.');
        char needle[160];
        snprintf(needle, sizeof needle, "\n%*s\"%.*s\": ", depth * 2, "", SLICE_FMT(key));
        const char *found = strstr(at, needle);
        if (found == NULL)
            break;
        at = found + strlen(needle);
    }
    return (size_t)(at - r->text);
}

/* k6 quotes the line of the document in which Go stopped; the end of the line is searched from the
 * wrong place, and so do we. */
static void quote_place(const struct json_reader *r, const json_t *v, bool is_nested,
                        struct buf *out) {
    struct buf literal;
    buf_init(&literal, BUF_NO_CAP);
    literal_of(v, &literal);
    bool is_container = json_is_object(v) || json_is_array(v);
    size_t len = strlen(r->text), start = is_nested || *r->field == '\0' ? 0 : value_offset(r);
    size_t offset = start + (is_container ? 1 : literal.len);
    buf_release(&literal);
    if (offset > len)
        offset = len;
    size_t from = offset;
    while (from > 0 && r->text[from - 1] != '\n')
        from--;
    from = from > 0 ? from - 1 : 0;
    const char *newline = memchr(r->text + offset, '\n', len - offset);
    size_t to = newline != NULL ? (size_t)(newline - (r->text + offset)) : 0;
    if (to > len - 1)
        to = len - 1;
    if (to < offset)
        to = offset;
    go_quote(out, slice_trim(slice_from(r->text + from, to - from)));
}

int json_type_error(struct json_reader *r, const json_t *value, const char *go_type,
                    bool is_nested) {
    struct buf text;
    if (r->saved.code != 0)
        return 0;
    buf_init(&text, BUF_NO_CAP);
    if (r->text != NULL) {
        buf_append_str(&text, "parsing options from script got error while parsing ");
        quote_place(r, value, is_nested, &text);
        buf_append_str(&text, ": ");
    }
    buf_printf(&text, "json: cannot unmarshal %s", go_value_name(value));
    if (json_is_real(value) && strcmp(go_type, "int64") == 0) {
        buf_append_char(&text, ' ');
        literal_of(value, &text);
    }
    if (*r->field)
        buf_printf(&text, " into Go struct field %s.%s of type %s", r->struct_name, r->field,
                   go_type);
    else
        buf_printf(&text, " into Go value of type lib.%s", r->struct_name);
    error_set(&r->saved, KE_CONFIG, "%s", buf_cstr(&text));
    buf_release(&text);
    return 0;
}

const json_t *json_member(const json_t *object, const char *name) {
    const json_t *v = json_object_get(object, name);
    const char *key;
    json_t *other;
    if (v == NULL) {
        json_object_foreach((json_t *)object, key, other) {
            if (slice_ieq(slice_cstr(key), slice_cstr(name)))
                v = other;
        }
    }
    return json_is_null(v) ? NULL : v;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **json_sorted_keys(struct json_reader *r, const json_t *object, size_t *out_len) {
    size_t n = 0;
    const char *key;
    json_t *value;
    const char **keys = arena_alloc(r->arena, (json_object_size(object) + 1) * sizeof *keys);
    json_object_foreach((json_t *)object, key, value) {
        (void)value;
        keys[n++] = key;
    }
    qsort(keys, n, sizeof *keys, by_bytes);
    *out_len = n;
    return keys;
}

int json_read_bool(struct json_reader *r, const json_t *v, struct opt_bool *out) {
    if (!json_is_boolean(v))
        return json_fail(r, "json: cannot unmarshal %s into Go value of type null.Bool",
                         go_dynamic_name(v));
    *out = (struct opt_bool){json_is_true(v), true};
    return 0;
}

int json_read_int(struct json_reader *r, const json_t *v, struct opt_int *out) {
    if (json_is_integer(v)) {
        *out = (struct opt_int){json_integer_value(v), true};
        return 0;
    }
    if (json_is_real(v))
        return json_type_error(r, v, "int64", true);
    if (!json_is_string(v))
        return json_fail(r, "json: cannot unmarshal %s into Go value of type null.Int",
                         go_dynamic_name(v));
    struct slice text = slice_from(json_string_value(v), json_string_length(v));
    if (text.len == 0)
        return 0;
    out->is_set = true;
    return go_parse_int(text, 10, &out->value, r->err) == 0 ? 0 : KE_CONFIG;
}

int json_read_duration(struct json_reader *r, const json_t *v, struct opt_duration *out) {
    out->is_set = true;
    if (json_is_string(v)) {
        struct slice text = slice_from(json_string_value(v), json_string_length(v));
        return go_parse_duration_extended(text, &out->ns, r->err) == 0 ? 0 : KE_CONFIG;
    }
    if (json_is_number(v)) {
        double ns = json_number_value(v) * (double)NS_PER_MS;
        if (ns > 9e18 || ns < -9e18)
            return json_fail(r, "time: invalid duration");
        out->ns = json_is_integer(v) ? json_integer_value(v) * NS_PER_MS : (int64_t)ns;
        return 0;
    }
    struct buf literal;
    buf_init(&literal, BUF_NO_CAP);
    literal_of(v, &literal);
    json_fail(r, "'%s' is not a valid duration value", buf_cstr(&literal));
    buf_release(&literal);
    return KE_CONFIG;
}

int json_read_text(struct json_reader *r, const json_t *v, struct opt_text *out) {
    if (!json_is_string(v))
        return json_fail(r, "json: cannot unmarshal %s into Go value of type null.String",
                         go_dynamic_name(v));
    *out = (struct opt_text){arena_strndup(r->arena, json_string_value(v), json_string_length(v)),
                             true};
    return 0;
}

int json_read_list(struct json_reader *r, const json_t *v, struct opt_list *out, bool is_nested) {
    if (!json_is_array(v))
        return json_type_error(r, v, "[]string", is_nested);
    out->is_set = true;
    out->len = 0;
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *item = json_array_get(v, i);
        if (json_is_string(item))
            option_list_append(r->arena, out,
                               slice_from(json_string_value(item), json_string_length(item)));
        else if (!json_is_null(item))
            json_type_error(r, item, "string", is_nested);
    }
    return 0;
}

int json_read_map(struct json_reader *r, const json_t *v, struct opt_map *out, bool is_nested) {
    const char *key;
    json_t *item;
    if (!json_is_object(v))
        return json_type_error(r, v, "map[string]string", is_nested);
    out->is_set = true;
    out->len = 0;
    json_object_foreach((json_t *)v, key, item) {
        struct slice value = SLICE("");
        if (json_is_string(item))
            value = slice_from(json_string_value(item), json_string_length(item));
        else if (!json_is_null(item))
            json_type_error(r, item, "string", is_nested);
        option_map_set(r->arena, out, slice_cstr(key), value);
    }
    return 0;
}

static int read_stage(struct json_reader *r, const json_t *v, struct stage *out, bool is_strict) {
    const json_t *duration = json_member(v, "duration"), *target = json_member(v, "target");
    const char *key;
    json_t *item;
    int rc = 0;
    if (json_is_null(v))
        return 0;
    if (!json_is_object(v))
        return json_type_error(r, v, is_strict ? "executor.Stage" : "lib.StageFields", true);
    if (is_strict)
        json_object_foreach((json_t *)v, key, item) {
            (void)item;
            if (!slice_ieq(slice_cstr(key), SLICE("duration")) &&
                !slice_ieq(slice_cstr(key), SLICE("target")))
                return json_fail(r, "json: unknown field \"%s\"", key);
        }
    if (duration != NULL)
        rc = json_read_duration(r, duration, &out->duration);
    if (rc == 0 && target != NULL)
        rc = json_read_int(r, target, &out->target);
    return rc;
}

int json_read_stages(struct json_reader *r, const json_t *v, struct opt_stages *out,
                     bool is_strict) {
    if (!json_is_array(v))
        return json_type_error(r, v, is_strict ? "[]executor.Stage" : "[]lib.Stage", is_strict);
    size_t n = json_array_size(v);
    *out = (struct opt_stages){arena_alloc(r->arena, (n + 1) * sizeof *out->items), n, true};
    for (size_t i = 0; i < n; i++) {
        out->items[i] = (struct stage){0};
        int rc = read_stage(r, json_array_get(v, i), &out->items[i], is_strict);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int json_read_raw(struct json_reader *r, const json_t *v, struct opt_text *out) {
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
    CHECK(text != NULL);
    *out = (struct opt_text){arena_strndup(r->arena, text, strlen(text)), true};
    free(text);
    return 0;
}
