#include "js/gjson.h"

#include "base/json_write.h"
#include "js/gjson_internal.h"
#include "js/json_error.h"

/* Nesting of a path (components, queries, multipaths): a fiber's stack has to hold it. */
enum { DEPTH_MAX = 100 };
/* What one evaluation may read and write, in documents and in bytes on top of that: a fraction of a
 * second. */
enum { READ_FACTOR = 64, READ_BYTES = 64 << 20, WRITE_FACTOR = 4, WRITE_BYTES = 16 << 20 };

/* A look through one text for one path up to its first pipe. */
struct search {
    struct gjson *g;
    struct slice json;
    size_t at;
    struct gjson_value value;
    struct slice pipe;
    bool is_piped;
};

static const struct gjson_value none = {GJSON_NONE, {NULL, 0}};

static bool spend(struct gjson *g, size_t *left, size_t bytes) {
    if (g->is_over || bytes > *left) {
        g->is_over = true;
        return false;
    }
    *left -= bytes;
    return true;
}

bool gjson_may_read(struct gjson *g, size_t bytes) {
    return bytes < SIZE_MAX / 2 && spend(g, &g->read_left, bytes + 64);
}

bool gjson_may_write(struct gjson *g, size_t bytes) {
    return spend(g, &g->write_left, bytes);
}

void gjson_append(struct gjson *g, struct buf *b, struct slice s) {
    if (gjson_may_write(g, s.len))
        buf_append_slice(b, s);
}

struct slice gjson_keep(struct gjson *g, struct buf *b) {
    struct slice kept = {NULL, 0};
    if (!g->is_over)
        kept = slice_from(arena_strndup(&g->arena, b->ptr, b->len), b->len);
    buf_release(b);
    return kept;
}

static bool key_matches(struct gjson *g, struct slice raw_key, const struct gjson_component *c) {
    struct slice key = gjson_string(g, raw_key);
    return c->is_wild ? gjson_wild_match(key, c->part) : slice_eq(key, c->part);
}

static bool search_object(struct search *s, struct slice path);
static bool search_array(struct search *s, struct slice path);

static bool at_container(const struct search *s) {
    return s->at < s->json.len && (s->json.ptr[s->at] == '{' || s->json.ptr[s->at] == '[');
}

/* Inside the object or array at s->at. When nothing is found there, s->at is at its end. */
static bool search_inside(struct search *s, struct slice path) {
    if (s->g->depth == DEPTH_MAX) {
        s->at = gjson_skip(s->json, s->at);
        return false;
    }
    s->g->depth++;
    bool is_object = s->json.ptr[s->at++] == '{';
    bool is_hit = is_object ? search_object(s, path) : search_array(s, path);
    s->g->depth--;
    return is_hit;
}

static struct slice take(struct search *s) {
    size_t start = s->at;
    s->at = gjson_skip(s->json, start);
    return slice_from(s->json.ptr + start, s->at - start);
}

/* To the next key or element; false after the closing bracket. */
static bool next(struct search *s) {
    while (s->at < s->json.len) {
        char c = s->json.ptr[s->at];
        if (c == '}' || c == ']') {
            s->at++;
            return false;
        }
        if (!gjson_is_space(c) && c != ',' && c != ':')
            return true;
        s->at++;
    }
    return false;
}

static bool hit(struct search *s, struct gjson_value v) {
    s->value = v;
    return true;
}

static bool search_object(struct search *s, struct slice path) {
    struct gjson_component c;
    gjson_component_parse(s->g, path, &c);
    if (c.is_piped) {
        s->pipe = c.pipe;
        s->is_piped = true;
    }
    while (next(s)) {
        struct slice key = take(s);
        if (!next(s))
            return false;
        bool is_match = key_matches(s->g, key, &c);
        if (is_match && c.has_more && at_container(s)) {
            if (search_inside(s, c.rest))
                return true;
            continue;
        }
        struct slice raw = take(s);
        if (is_match && !c.has_more)
            return hit(s, gjson_typed(raw));
    }
    return false;
}

static bool search_index(struct search *s, const struct gjson_array_component *a) {
    size_t count = 0;
    for (; next(s); count++) {
        bool is_match = a->kind == GJSON_INDEX && count == a->index;
        if (is_match && a->c.has_more && at_container(s)) {
            if (search_inside(s, a->c.rest))
                return true;
            continue;
        }
        struct slice raw = take(s);
        if (is_match && !a->c.has_more)
            return hit(s, gjson_typed(raw));
    }
    if (a->kind != GJSON_COUNT)
        return false;
    const char *number = arena_printf(&s->g->arena, "%zu", count);
    return hit(s, gjson_typed(slice_cstr(number)));
}

static void append(struct gjson *g, struct buf *list, struct gjson_value v) {
    if (v.type == GJSON_NONE)
        return;
    if (list->len > 1)
        buf_append_char(list, ',');
    gjson_append(g, list, v.raw);
}

static void split_pipe(struct search *s, struct slice *path) {
    struct slice left, right;
    if (!gjson_split_pipe(*path, &left, &right))
        return;
    *path = left;
    s->pipe = right;
    s->is_piped = true;
}

static bool search_each(struct search *s, struct slice path) {
    struct buf list;
    buf_init(&list, BUF_NO_CAP);
    buf_append_char(&list, '[');
    split_pipe(s, &path);
    while (next(s))
        append(s->g, &list, gjson_eval(s->g, take(s), path));
    buf_append_char(&list, ']');
    return hit(s, gjson_typed(gjson_keep(s->g, &list)));
}

static bool search_query(struct search *s, struct gjson_array_component *a) {
    struct buf list;
    bool is_split = false, is_hit = false;
    buf_init(&list, BUF_NO_CAP);
    buf_append_char(&list, '[');
    while (!is_hit && next(s)) {
        struct gjson_value v = gjson_typed(take(s)), tested = v;
        if (v.type == GJSON_JSON)
            tested = gjson_eval(s->g, v.raw, a->query.path);
        else if (a->query.path.len)
            continue;
        if (!gjson_query_matches(s->g, &a->query, tested))
            continue;
        if (a->c.has_more && !is_split)
            split_pipe(s, &a->c.rest);
        is_split = true;
        if (a->c.has_more)
            v = gjson_eval(s->g, v.raw, a->c.rest);
        if (a->query.is_all)
            append(s->g, &list, v);
        else
            is_hit = hit(s, v);
    }
    buf_append_char(&list, ']');
    if (a->query.is_all)
        is_hit = hit(s, gjson_typed(gjson_keep(s->g, &list)));
    else
        buf_release(&list);
    return is_hit;
}

static bool search_array(struct search *s, struct slice path) {
    struct gjson_array_component a;
    gjson_array_component_parse(s->g, path, &a);
    if (a.c.is_piped) {
        s->pipe = a.c.pipe;
        s->is_piped = true;
    }
    if (a.kind == GJSON_EACH)
        return search_each(s, a.c.rest);
    if (a.kind == GJSON_QUERY)
        return search_query(s, &a);
    return search_index(s, &a);
}

static void search(struct search *s, struct slice path) {
    if (path.len >= 2 && path.ptr[0] == '.' && path.ptr[1] == '.') {
        search_array(s, slice_from(path.ptr + 2, path.len - 2));
        return;
    }
    while (s->at < s->json.len && gjson_is_space(s->json.ptr[s->at]))
        s->at++;
    if (at_container(s))
        search_inside(s, path);
}

/* The name of a member that a multipath gives no name. */
static struct slice last_name(struct slice path) {
    struct slice name = path;
    for (size_t i = path.len; i-- > 0;) {
        if ((path.ptr[i] != '|' && path.ptr[i] != '.') || (i > 0 && path.ptr[i - 1] == '\\'))
            continue;
        name = slice_from(path.ptr + i + 1, path.len - i - 1);
        break;
    }
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ' || memchr("[]{}()#|!", name.ptr[i], 9))
            return SLICE("_");
    return name;
}

static void append_name(struct gjson *g, struct buf *b, const struct gjson_selector *sel) {
    if (!gjson_may_write(g, sel->name.len + sel->path.len))
        return;
    if (sel->name.len && sel->name.ptr[0] == '"' && json_valid(sel->name, NULL)) {
        buf_append_slice(b, sel->name);
    } else {
        struct json_writer w;
        json_write_init(&w, b, NULL, true);
        json_string(&w, sel->name.len ? sel->name : last_name(sel->path));
    }
    buf_append_char(b, ':');
}

/* "[path,path]" or "{name:path,path}" at the head of a path. */
static bool multipath(struct gjson *g, struct slice json, struct slice path, struct slice *out_rest,
                      struct slice *out_result) {
    bool is_object = path.ptr[0] == '{', is_closed;
    struct gjson_selector sel;
    struct buf b;
    size_t at = 1;
    buf_init(&b, BUF_NO_CAP);
    buf_append_char(&b, path.ptr[0]);
    while (gjson_selector_next(path, &at, &sel, &is_closed)) {
        struct gjson_value v = gjson_eval(g, json, sel.path);
        if (v.type == GJSON_NONE)
            continue;
        if (b.len > 1)
            buf_append_char(&b, ',');
        if (is_object)
            append_name(g, &b, &sel);
        gjson_append(g, &b, v.raw);
    }
    buf_append_char(&b, is_object ? '}' : ']');
    *out_rest = slice_from(path.ptr + at, is_closed ? path.len - at : 0);
    if (!is_closed || (out_rest->len && out_rest->ptr[0] != '|' && out_rest->ptr[0] != '.')) {
        buf_release(&b);
        return false;
    }
    *out_result = gjson_keep(g, &b);
    return true;
}

/* A modifier, literal or multipath at the head of the path. */
static bool run_head(struct gjson *g, struct slice json, struct slice path, struct slice *out_rest,
                     struct slice *out_result) {
    if (path.len < 2)
        return false;
    switch (path.ptr[0]) {
    case '@':
        return gjson_modifier_run(g, json, path, out_rest, out_result);
    case '!':
        return gjson_literal(path, out_rest, out_result);
    case '[':
    case '{':
        return multipath(g, json, path, out_rest, out_result);
    default:
        return false;
    }
}

static struct gjson_value eval(struct gjson *g, struct slice json, struct slice path) {
    for (;;) {
        struct slice rest, made;
        if (!gjson_may_read(g, json.len))
            return none;
        if (run_head(g, json, path, &rest, &made)) {
            if (!rest.len || (rest.ptr[0] != '|' && rest.ptr[0] != '.'))
                return gjson_parse(made);
            json = made;
            path = slice_from(rest.ptr + 1, rest.len - 1);
            continue;
        }
        struct search s = {.g = g, .json = json, .value = none};
        search(&s, path);
        if (!s.is_piped)
            return s.value;
        json = s.value.raw;
        path = s.pipe;
    }
}

struct gjson_value gjson_eval(struct gjson *g, struct slice json, struct slice path) {
    if (g->depth == DEPTH_MAX || g->is_over)
        return none;
    g->depth++;
    struct gjson_value v = eval(g, json, path);
    g->depth--;
    return v;
}

bool gjson_get(struct slice json, struct slice path, struct buf *out) {
    if (!json_valid(json, NULL))
        return false;
    if (json.len > SIZE_MAX / READ_FACTOR / 2)
        return false;
    struct gjson g = {.read_left = json.len * READ_FACTOR + READ_BYTES,
                      .write_left = json.len * WRITE_FACTOR + WRITE_BYTES};
    arena_init(&g.arena);
    struct gjson_value v = gjson_eval(&g, json, path);
    /* What a path made itself (literals, unwrapped strings) may be anything. */
    bool is_found = v.type != GJSON_NONE && !g.is_over && json_valid(v.raw, NULL) &&
                    buf_append_slice(out, v.raw) == 0;
    arena_release(&g.arena);
    return is_found;
}
