#include "js/gjson_internal.h"

static struct slice from(struct slice s, size_t at) {
    return at < s.len ? slice_from(s.ptr + at, s.len - at) : slice_from(s.ptr + s.len, 0);
}

/* After a dot: what follows works on the result instead of inside the value. */
static bool starts_pipe(struct slice s) {
    if (!s.len)
        return false;
    if (s.ptr[0] != '@')
        return s.ptr[0] == '[' || s.ptr[0] == '{';
    size_t end = 1;
    while (end < s.len && s.ptr[end] != '.' && s.ptr[end] != '|' && s.ptr[end] != ':')
        end++;
    return gjson_modifier_exists(slice_from(s.ptr + 1, end - 1));
}

static void cut(struct gjson_component *c, struct slice path, size_t at, bool may_pipe) {
    struct slice rest = from(path, at + 1);
    if (path.ptr[at] == '|' || (may_pipe && starts_pipe(rest))) {
        c->pipe = rest;
        c->is_piped = true;
    } else {
        c->rest = rest;
        c->has_more = true;
    }
}

void gjson_component_parse(struct gjson *g, struct slice path, struct gjson_component *c) {
    *c = (struct gjson_component){.part = path};
    size_t at = 0, escapes = 0;
    for (; at < path.len && path.ptr[at] != '.' && path.ptr[at] != '|'; at++) {
        if (path.ptr[at] == '\\') {
            escapes++;
            at++;
        } else if (path.ptr[at] == '*' || path.ptr[at] == '?') {
            c->is_wild = true;
        }
    }
    if (at > path.len)
        at = path.len;
    c->part.len = at;
    if (at < path.len)
        cut(c, path, at, true);
    if (!escapes || !gjson_may_write(g, at))
        return;
    /* The pattern of a wildcard keeps its escapes. */
    if (c->is_wild)
        return;
    char *plain = arena_alloc(&g->arena, at);
    size_t n = 0;
    for (size_t i = 0; i < at; i++) {
        if (path.ptr[i] == '\\' && ++i == at)
            break;
        plain[n++] = path.ptr[i];
    }
    c->part = slice_from(plain, n);
}

/* From a quote to the quote that closes it. */
static size_t closing_quote(struct slice path, size_t at) {
    for (at++; at < path.len && path.ptr[at] != '"'; at++)
        if (path.ptr[at] == '\\')
            at++;
    return at;
}

size_t gjson_squash(struct slice path, size_t at) {
    size_t depth = 0;
    for (; at < path.len; at++) {
        switch (path.ptr[at]) {
        case '\\':
            at++;
            break;
        case '"':
            at = closing_quote(path, at);
            break;
        case '[':
        case '(':
        case '{':
            depth++;
            break;
        case ']':
        case ')':
        case '}':
            if (depth <= 1)
                return at + 1;
            depth--;
            break;
        default:
            break;
        }
    }
    return path.len;
}

static size_t operator_bytes(struct slice s) {
    char second = s.len > 1 ? s.ptr[1] : '\0';
    switch (s.ptr[0]) {
    case '!':
        return second == '=' || second == '%' ? 2 : s.len == 1 ? 1 : 0;
    case '<':
    case '>':
        return second == '=' ? 2 : 1;
    case '=':
        return second == '=' ? 2 : 1;
    default:
        return 1;
    }
}

/* "#(path op value)" at the start of path. Returns its end, or 0 when it does not close. */
static size_t parse_query(struct gjson *g, struct slice path, struct gjson_query *q) {
    size_t end = gjson_squash(path, 1), op_at = 0;
    if (end > path.len || (path.ptr[end - 1] != ')' && path.ptr[end - 1] != ']') || end < 3)
        return 0;
    struct slice inside = slice_from(path.ptr + 2, end - 3);
    for (size_t at = 0; at < inside.len; at++) {
        char c = inside.ptr[at];
        if (memchr("!=<>%", c, 5)) {
            op_at = at + 1;
            break;
        }
        if (c == '\\')
            at++;
        else if (c == '"')
            at = closing_quote(inside, at);
        else if (c == '(' || c == '[')
            at = gjson_squash(inside, at) - 1;
    }
    *q = (struct gjson_query){.path = gjson_trim(inside)};
    if (op_at) {
        q->path = gjson_trim(slice_from(inside.ptr, op_at - 1));
        q->value = gjson_trim(from(inside, op_at - 1));
        size_t n = operator_bytes(q->value);
        q->op = slice_from(q->value.ptr, n);
        if (slice_eq(q->op, SLICE("==")))
            q->op.len = 1;
        q->value = gjson_trim(from(q->value, n));
        if (q->value.len >= 2 && q->value.ptr[0] == '"' && q->value.ptr[q->value.len - 1] == '"')
            q->value = gjson_string(g, q->value);
    }
    if (end < path.len && path.ptr[end] == '#') {
        q->is_all = true;
        end++;
    }
    return end;
}

static bool to_index(struct slice part, size_t *out) {
    uint64_t v;
    if (!slice_to_u64(part, &v) || v > SIZE_MAX)
        return false;
    *out = (size_t)v;
    return true;
}

void gjson_array_component_parse(struct gjson *g, struct slice path,
                                 struct gjson_array_component *a) {
    *a = (struct gjson_array_component){.c.part = path};
    size_t at = 0;
    bool has_hash = path.len && path.ptr[0] == '#';
    if (has_hash && path.len > 1 && path.ptr[1] == '.') {
        a->kind = GJSON_EACH;
        a->c.rest = from(path, 2);
        return;
    }
    if (has_hash && path.len > 1 && (path.ptr[1] == '(' || path.ptr[1] == '[')) {
        at = parse_query(g, path, &a->query);
        if (!at)
            return;
        a->kind = GJSON_QUERY;
    }
    while (at < path.len && path.ptr[at] != '.' && path.ptr[at] != '|') {
        has_hash = has_hash || path.ptr[at] == '#';
        at++;
    }
    a->c.part.len = at;
    if (at < path.len)
        cut(&a->c, path, at, !has_hash);
    if (a->kind == GJSON_QUERY)
        return;
    if (slice_eq(a->c.part, SLICE("#")))
        a->kind = GJSON_COUNT;
    else if (to_index(a->c.part, &a->index))
        a->kind = GJSON_INDEX;
}

bool gjson_split_pipe(struct slice path, struct slice *out_left, struct slice *out_right) {
    size_t at = path.len && path.ptr[0] == '{' ? gjson_squash(path, 0) : 0;
    if (at && (at >= path.len || path.ptr[at] != '|'))
        return false;
    while (at < path.len && path.ptr[at] != '|') {
        if (path.ptr[at] == '\\')
            at += 2;
        else if (path.ptr[at] == '#' && at + 1 < path.len && (!at || path.ptr[at - 1] == '.') &&
                 (path.ptr[at + 1] == '(' || path.ptr[at + 1] == '['))
            at = gjson_squash(path, at + 1);
        else
            at++;
    }
    if (at >= path.len)
        return false;
    *out_left = slice_from(path.ptr, at);
    *out_right = from(path, at + 1);
    return true;
}

bool gjson_selector_next(struct slice path, size_t *at, struct gjson_selector *out,
                         bool *out_closed) {
    size_t start = *at, i = start, colon = 0, depth = 1;
    bool has_modifier = false;
    *out_closed = false;
    /* The byte before is the bracket that closed the list. */
    if (start > 1 && path.ptr[start - 1] != ',') {
        *out_closed = true;
        return false;
    }
    for (; i < path.len; i++) {
        char c = path.ptr[i];
        if (c == '\\') {
            i++;
        } else if (c == '"') {
            i = closing_quote(path, i);
        } else if (c == '@' && (path.ptr[i - 1] == '.' || path.ptr[i - 1] == '|')) {
            has_modifier = true;
        } else if (c == ':' && !has_modifier && !colon && depth == 1) {
            colon = i;
        } else if (c == '[' || c == '(' || c == '{') {
            depth++;
        } else if (c == ']' || c == ')' || c == '}') {
            if (--depth == 0)
                break;
        } else if (c == ',' && depth == 1) {
            break;
        }
    }
    if (i >= path.len)
        return false;
    out->name = slice_from(path.ptr + start, colon ? colon - start : 0);
    if (colon)
        start = colon + 1;
    out->path = slice_from(path.ptr + start, i - start);
    *at = i + 1;
    return true;
}
