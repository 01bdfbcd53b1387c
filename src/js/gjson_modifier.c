#include <stdlib.h>

#include "base/json_write.h"
#include "base/map.h"
#include "base/vec.h"
#include "js/gjson_internal.h"
#include "js/json_error.h"

enum { DEEP_MAX = 64 };

static bool is_array(struct gjson_value v) {
    return v.type == GJSON_JSON && v.raw.ptr[0] == '[';
}

static bool is_object(struct gjson_value v) {
    return v.type == GJSON_JSON && v.raw.ptr[0] == '{';
}

static void item(struct gjson *g, struct buf *b, struct slice raw) {
    if (b->len > 1)
        buf_append_char(b, ',');
    gjson_append(g, b, raw);
}

static void member(struct gjson *g, struct buf *b, struct slice key, struct slice raw) {
    item(g, b, key);
    buf_append_char(b, ':');
    gjson_append(g, b, raw);
}

static void begin(struct buf *b, char c) {
    buf_init(b, BUF_NO_CAP);
    buf_append_char(b, c);
}

static struct slice end(struct gjson *g, struct buf *b, char c) {
    buf_append_char(b, c);
    return gjson_keep(g, b);
}

/* Does the argument object say "name": true? */
static bool option(struct gjson *g, struct slice arg, struct slice name) {
    struct gjson_value object = gjson_parse(arg), key, value;
    struct gjson_iter it;
    bool is_on = false;
    if (object.type != GJSON_JSON)
        return false;
    for (gjson_iter_init(&it, object); gjson_next(&it, &key, &value);)
        if (key.type == GJSON_STRING && slice_eq(gjson_string(g, key.raw), name))
            is_on = gjson_is_true(g, value);
    return is_on;
}

static struct slice mod_this(struct gjson *g, struct slice json, struct slice arg) {
    (void)g;
    (void)arg;
    return json;
}

static struct slice mod_valid(struct gjson *g, struct slice json, struct slice arg) {
    (void)g;
    (void)arg;
    return json_valid(json, NULL) ? json : slice_from(NULL, 0);
}

static struct slice mod_ugly(struct gjson *g, struct slice json, struct slice arg) {
    (void)arg;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    for (size_t at = 0, next; at < json.len; at = next) {
        next = json.ptr[at] == '"' ? gjson_skip(json, at) : at + 1;
        if (!gjson_is_space(json.ptr[at]))
            gjson_append(g, &b, slice_from(json.ptr + at, next - at));
    }
    return gjson_keep(g, &b);
}

static void new_line(struct gjson *g, struct buf *b, size_t depth) {
    buf_append_char(b, '\n');
    for (size_t i = 0; i < depth && gjson_may_write(g, 2); i++)
        buf_append(b, "  ", 2);
}

static struct slice mod_pretty(struct gjson *g, struct slice json, struct slice arg) {
    struct slice ugly = mod_ugly(g, json, arg);
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    size_t depth = 0;
    for (size_t at = 0, next; at < ugly.len; at = next) {
        char c = ugly.ptr[at], after = at + 1 < ugly.len ? ugly.ptr[at + 1] : '\0';
        next = c == '"' ? gjson_skip(ugly, at) : at + 1;
        if ((c == '}' || c == ']') && depth > 0)
            new_line(g, &b, --depth);
        gjson_append(g, &b, slice_from(ugly.ptr + at, next - at));
        if ((c == '{' && after == '}') || (c == '[' && after == ']'))
            buf_append_char(&b, ugly.ptr[next++]);
        else if (c == '{' || c == '[')
            new_line(g, &b, ++depth);
        else if (c == ',')
            new_line(g, &b, depth);
        else if (c == ':')
            buf_append_char(&b, ' ');
    }
    buf_append_char(&b, '\n');
    return gjson_keep(g, &b);
}

static struct slice mod_reverse(struct gjson *g, struct slice json, struct slice arg) {
    (void)arg;
    struct gjson_value v = gjson_parse(json), key, value;
    if (v.type != GJSON_JSON)
        return json;
    VEC(struct slice) items = {0};
    struct gjson_iter it;
    for (gjson_iter_init(&it, v); gjson_next(&it, &key, &value);) {
        /* A member is turned round as one piece: key, colon, value. */
        if (it.is_object)
            value.raw =
                slice_from(key.raw.ptr, (size_t)(value.raw.ptr + value.raw.len - key.raw.ptr));
        vec_push(&items, value.raw);
    }
    struct buf b;
    begin(&b, v.raw.ptr[0]);
    for (size_t i = items.len; i-- > 0;)
        item(g, &b, items.ptr[i]);
    vec_release(&items);
    return end(g, &b, is_array(v) ? ']' : '}');
}

static void flatten(struct gjson *g, struct buf *b, struct gjson_value v, bool is_deep,
                    unsigned depth) {
    struct gjson_iter it;
    struct gjson_value key, value;
    for (gjson_iter_init(&it, v); gjson_next(&it, &key, &value);) {
        if (is_array(value) && (depth == 0 || is_deep) && depth < DEEP_MAX)
            flatten(g, b, value, is_deep, depth + 1);
        else
            item(g, b, value.raw);
    }
}

static struct slice mod_flatten(struct gjson *g, struct slice json, struct slice arg) {
    struct gjson_value v = gjson_parse(json);
    if (!is_array(v))
        return json;
    struct buf b;
    begin(&b, '[');
    flatten(g, &b, v, option(g, arg, SLICE("deep")), 0);
    return end(g, &b, ']');
}

static struct slice keys_or_values(struct gjson *g, struct gjson_value v, bool is_keys) {
    struct buf b;
    struct gjson_iter it;
    struct gjson_value key, value;
    begin(&b, '[');
    if (v.type != GJSON_NONE)
        for (gjson_iter_init(&it, v); gjson_next(&it, &key, &value);) {
            struct slice name = it.is_object ? key.raw : SLICE("null");
            item(g, &b, is_keys ? name : value.raw);
            if (it.is_scalar)
                break;
        }
    return end(g, &b, ']');
}

static struct slice mod_keys(struct gjson *g, struct slice json, struct slice arg) {
    (void)arg;
    return keys_or_values(g, gjson_parse(json), true);
}

static struct slice mod_values(struct gjson *g, struct slice json, struct slice arg) {
    (void)arg;
    struct gjson_value v = gjson_parse(json);
    return is_array(v) ? json : keys_or_values(g, v, false);
}

struct pair {
    struct slice key, value;
};

/* Each name once, where it came first and with what it had last. */
static void join_object(struct gjson *g, struct map *seen, struct gjson_value object) {
    struct gjson_iter it;
    struct gjson_value key, value;
    for (gjson_iter_init(&it, object); gjson_next(&it, &key, &value);) {
        struct slice name = gjson_string(g, key.raw);
        struct pair *pair = map_get(seen, name);
        if (!pair) {
            pair = arena_alloc(&g->arena, sizeof *pair);
            pair->key = key.raw;
            map_set(seen, name, pair);
        }
        pair->value = value.raw;
    }
}

static struct slice mod_join(struct gjson *g, struct slice json, struct slice arg) {
    struct gjson_value v = gjson_parse(json), key, value, inner_key, inner;
    if (!is_array(v))
        return json;
    bool is_preserve = option(g, arg, SLICE("preserve"));
    struct buf b;
    struct gjson_iter it, members;
    struct map seen;
    begin(&b, '{');
    map_init(&seen);
    for (gjson_iter_init(&it, v); gjson_next(&it, &key, &value);) {
        if (!is_object(value))
            continue;
        if (!is_preserve) {
            join_object(g, &seen, value);
            continue;
        }
        for (gjson_iter_init(&members, value); gjson_next(&members, &inner_key, &inner);)
            member(g, &b, inner_key.raw, inner.raw);
    }
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&seen, &i));) {
        struct pair *pair = e->value;
        member(g, &b, pair->key, pair->value);
    }
    map_release(&seen);
    return end(g, &b, '}');
}

static struct slice mod_tostr(struct gjson *g, struct slice json, struct slice arg) {
    (void)arg;
    struct buf b;
    struct json_writer w;
    buf_init(&b, BUF_NO_CAP);
    json_write_init(&w, &b, NULL, true);
    /* Six bytes for one at most. */
    if (gjson_may_write(g, json.len * 6))
        json_string(&w, json);
    return gjson_keep(g, &b);
}

static struct slice mod_fromstr(struct gjson *g, struct slice json, struct slice arg) {
    (void)arg;
    if (!json_valid(json, NULL))
        return slice_from(NULL, 0);
    struct gjson_value v = gjson_parse(json);
    if (v.type == GJSON_NULL)
        return slice_from(NULL, 0);
    return v.type == GJSON_STRING ? gjson_string(g, v.raw) : v.raw;
}

/* {"a":[1,2],"b":[3]} → [{"a":1,"b":3},{"a":2}] */
static struct slice mod_group(struct gjson *g, struct slice json, struct slice arg) {
    (void)arg;
    struct gjson_value v = gjson_parse(json), key, value, none, element;
    if (!is_object(v))
        return slice_from(NULL, 0);
    VEC(struct buf) rows = {0};
    struct gjson_iter it, elements;
    for (gjson_iter_init(&it, v); gjson_next(&it, &key, &value);) {
        if (!is_array(value))
            continue;
        size_t row = 0;
        for (gjson_iter_init(&elements, value); gjson_next(&elements, &none, &element); row++) {
            if (g->is_over)
                break;
            if (row == rows.len) {
                struct buf fresh;
                begin(&fresh, '{');
                vec_push(&rows, fresh);
            }
            member(g, &rows.ptr[row], key.raw, element.raw);
        }
    }
    struct buf b;
    begin(&b, '[');
    for (size_t i = 0; i < rows.len; i++) {
        buf_append_char(&rows.ptr[i], '}');
        item(g, &b, buf_slice(&rows.ptr[i]));
        buf_release(&rows.ptr[i]);
    }
    vec_release(&rows);
    return end(g, &b, ']');
}

static void dig(struct gjson *g, struct gjson_value v, struct slice path, unsigned depth,
                struct buf *b) {
    struct gjson_value found = gjson_eval(g, v.raw, path), key, value;
    if (found.type != GJSON_NONE)
        item(g, b, found.raw);
    if (v.type != GJSON_JSON || depth == DEEP_MAX)
        return;
    struct gjson_iter it;
    for (gjson_iter_init(&it, v); gjson_next(&it, &key, &value);)
        dig(g, value, path, depth + 1, b);
}

static struct slice mod_dig(struct gjson *g, struct slice json, struct slice arg) {
    struct buf b;
    begin(&b, '[');
    dig(g, gjson_parse(json), arg, 0, &b);
    return end(g, &b, ']');
}

typedef struct slice modifier_fn(struct gjson *g, struct slice json, struct slice arg);

static const struct {
    const char *name;
    modifier_fn *run;
} modifiers[] = {
    {"this", mod_this},     {"valid", mod_valid},     {"ugly", mod_ugly},
    {"pretty", mod_pretty}, {"reverse", mod_reverse}, {"keys", mod_keys},
    {"values", mod_values}, {"flatten", mod_flatten}, {"join", mod_join},
    {"tostr", mod_tostr},   {"fromstr", mod_fromstr}, {"group", mod_group},
    {"dig", mod_dig},
};

static modifier_fn *find(struct slice name) {
    for (size_t i = 0; i < countof(modifiers); i++)
        if (slice_eq(name, slice_cstr(modifiers[i].name)))
            return modifiers[i].run;
    return NULL;
}

bool gjson_modifier_exists(struct slice name) {
    return find(name) != NULL;
}

static struct slice from(struct slice s, size_t at) {
    return slice_from(s.ptr + at, s.len - at);
}

/* A JSON argument ends where its value ends, any other at a pipe outside brackets. */
static size_t argument_end(struct slice s) {
    if (s.len && memchr("{[\"", s.ptr[0], 3))
        return gjson_skip(s, 0);
    size_t at = 0;
    while (at < s.len && s.ptr[at] != '|') {
        if (s.ptr[at] == '"')
            at = gjson_skip(s, at);
        else if (memchr("{[(", s.ptr[at], 3))
            at = gjson_squash(s, at);
        else
            at++;
    }
    return at;
}

bool gjson_modifier_run(struct gjson *g, struct slice json, struct slice path,
                        struct slice *out_rest, struct slice *out_result) {
    size_t at = 1;
    while (at < path.len && !memchr(":|.", path.ptr[at], 3))
        at++;
    modifier_fn *run = find(slice_from(path.ptr + 1, at - 1));
    if (!run)
        return false;
    struct slice arg = {NULL, 0};
    *out_rest = from(path, at);
    if (out_rest->len && out_rest->ptr[0] == ':') {
        struct slice s = from(*out_rest, 1);
        size_t n = argument_end(s);
        arg = slice_from(s.ptr, n);
        *out_rest = from(s, n);
    }
    *out_result = gjson_may_read(g, json.len) ? run(g, json, arg) : slice_from(NULL, 0);
    return true;
}

bool gjson_literal(struct slice path, struct slice *out_rest, struct slice *out_result) {
    struct slice s = from(path, 1);
    if (!s.len)
        return false;
    size_t at = 0;
    if (memchr("{[\"", s.ptr[0], 3)) {
        at = gjson_skip(s, 0);
    } else {
        bool is_number = memchr("+-0123456789", s.ptr[0], 12) != NULL;
        while (at < s.len && s.ptr[at] != '|' && (is_number || s.ptr[at] != '.'))
            at++;
        struct slice word = slice_from(s.ptr, at);
        if (!is_number && !slice_ieq(word, SLICE("true")) && !slice_ieq(word, SLICE("false")) &&
            !slice_ieq(word, SLICE("null")))
            return false;
    }
    *out_result = slice_from(s.ptr, at);
    *out_rest = from(s, at);
    return true;
}
