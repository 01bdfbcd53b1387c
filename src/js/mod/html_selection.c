#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "js/go_args.h"
#include "js/mod/html_internal.h"

#define ARG(i) (argc > (i) ? argv[i] : JS_UNDEFINED)

static JSValue bad_argument(JSContext *ctx, JSValueConst v) {
    return js_throw_go_error(ctx, "invalid argument, cannot use a '%s' as a selector",
                             html_type_name(ctx, v));
}

/* ---- what an argument stands for ---- */

struct criterion {
    struct html_selector *selector;
    struct html_nodes nodes; /* a view */
    bool is_text;            /* selector counts, even NULL */
};

static void criterion_release(struct criterion *c) {
    html_selector_free(c->selector);
}

static bool is_selection(JSValueConst v) {
    struct html_set *s = html_set_of(v);
    return s && s->kind == HTML_SELECTION;
}

/* In k6, the kinds of elements with accessors of their own are other Go types, which it does not
 * take for elements here. */
static bool is_plain_element(JSValueConst v) {
    struct html_set *s = html_set_of(v);
    return s && s->kind == HTML_ELEMENT_SET && html_kind_of(s->nodes.ptr[0]) < 0;
}

/* 0, KE_JS with an exception pending, KE_INVALID when v is none of what is taken. */
static int criterion_read(JSContext *ctx, JSValueConst v, bool takes_element,
                          struct criterion *out) {
    *out = (struct criterion){0};
    if (JS_IsString(v)) {
        struct js_text text;
        if (!js_text_get(ctx, v, &text))
            return KE_JS;
        out->selector = html_selector_new(text.s);
        out->is_text = true;
        js_text_release(&text);
        return 0;
    }
    if (!is_selection(v) && !(takes_element && is_plain_element(v)))
        return KE_INVALID;
    out->nodes = html_set_of(v)->nodes;
    if (!is_selection(v))
        out->nodes.len = 1;
    return 0;
}

/* ---- find, add, closest, has, not ---- */

enum by_argument { FIND, ADD, CLOSEST, HAS, NOT };

static void apply_selector(enum by_argument op, struct html_nodes *out, const struct html_set *s,
                           const struct html_selector *selector) {
    struct html_nodes root = {0}, found = {0};
    switch (op) {
    case FIND:
        html_find(out, &s->nodes, selector, false);
        break;
    case ADD:
        html_nodes_add(&root, &s->doc->root);
        html_find(&found, &root, selector, false);
        html_union(out, &s->nodes, &found);
        break;
    case CLOSEST:
        html_closest(out, &s->nodes, selector);
        break;
    case HAS:
        html_having(out, &s->nodes, selector);
        break;
    case NOT:
        html_filter(out, &s->nodes, selector, false);
        break;
    }
    html_nodes_release(&root);
    html_nodes_release(&found);
}

static void apply_nodes(enum by_argument op, struct html_nodes *out, const struct html_set *s,
                        const struct html_nodes *nodes) {
    switch (op) {
    case FIND:
        html_find_nodes(out, &s->nodes, nodes);
        break;
    case ADD:
        html_union(out, &s->nodes, nodes);
        break;
    case CLOSEST:
        html_closest_nodes(out, &s->nodes, nodes);
        break;
    case HAS:
        html_having_nodes(out, &s->nodes, nodes);
        break;
    case NOT:
        html_filter_nodes(out, &s->nodes, nodes, false);
        break;
    }
}

static JSValue by_argument(JSContext *ctx, JSValueConst this_val, JSValueConst arg,
                           enum by_argument op) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct criterion c;
    struct html_nodes out = {0};
    if (!s)
        return JS_EXCEPTION;
    int rc = criterion_read(ctx, arg, true, &c);
    if (rc)
        return rc == KE_JS ? JS_EXCEPTION : bad_argument(ctx, arg);
    if (c.is_text)
        apply_selector(op, &out, s, c.selector);
    else
        apply_nodes(op, &out, s, &c.nodes);
    criterion_release(&c);
    JSValue v = html_new_selection(ctx, this_val, &out);
    if (op == ADD && !c.is_text)
        html_set_of(v)->other = JS_DupValue(ctx, arg);
    return v;
}

static JSValue js_by_argument(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                              int op) {
    return by_argument(ctx, this_val, ARG(0), (enum by_argument)op);
}

static JSValue js_single(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct js_text text;
    struct html_nodes out = {0};
    if (!s || !html_arg_text(ctx, argc, argv, 0, &text))
        return JS_EXCEPTION;
    struct html_selector *selector = html_selector_new(text.s);
    html_find(&out, &s->nodes, selector, true);
    html_selector_free(selector);
    js_text_release(&text);
    if (out.len > 1)
        out.len = 1;
    return html_new_selection(ctx, this_val, &out);
}

/* ---- neighbours, with a selector to keep only some ---- */

enum neighbours { NEXT, NEXT_ALL, PREV, PREV_ALL, PARENT, PARENTS, SIBLINGS, CHILDREN, CONTENTS };

static struct html_nodes neighbours_of(const struct html_set *s, enum neighbours which) {
    struct html_nodes out = {0};
    switch (which) {
    case NEXT:
    case PREV:
        html_adjacent(&out, &s->nodes, which == NEXT ? HTML_NEXT : HTML_PREV);
        break;
    case NEXT_ALL:
    case PREV_ALL:
        html_adjacent_all(&out, &s->nodes, which == NEXT_ALL ? HTML_NEXT : HTML_PREV, NULL);
        break;
    case PARENT:
        html_parent(&out, &s->nodes);
        break;
    case PARENTS:
        html_parents(&out, &s->nodes, NULL);
        break;
    case SIBLINGS:
        html_siblings(&out, &s->nodes);
        break;
    case CHILDREN:
    case CONTENTS:
        html_children(&out, &s->nodes, which == CONTENTS);
        break;
    }
    return out;
}

static JSValue js_neighbours(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                             int which) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct js_text filter;
    bool has_filter = argc > 0 && which != CONTENTS;
    if (!s || (has_filter && !go_string_arg(ctx, argc, argv, 0, &filter)))
        return JS_EXCEPTION;
    struct html_nodes out = neighbours_of(s, (enum neighbours)which);
    if (has_filter) {
        html_keep_matching(&out, filter.s);
        js_text_release(&filter);
    }
    return html_new_selection(ctx, this_val, &out);
}

static JSValue js_until(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                        int which) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct criterion c = {0};
    struct html_nodes out = {0};
    struct js_text filter;
    if (!s)
        return JS_EXCEPTION;
    if (argc > 0 && !JS_IsUndefined(argv[0]) && !JS_IsNull(argv[0])) {
        int rc = argc > 2 ? KE_INVALID : criterion_read(ctx, argv[0], false, &c);
        if (rc)
            return rc == KE_JS ? JS_EXCEPTION : bad_argument(ctx, argv[0]);
    }
    struct html_until until = {.selector = c.selector, .nodes = c.is_text ? NULL : &c.nodes};
    if (which == PARENTS)
        html_parents(&out, &s->nodes, &until);
    else
        html_adjacent_all(&out, &s->nodes, which == NEXT_ALL ? HTML_NEXT : HTML_PREV, &until);
    criterion_release(&c);
    if (argc > 1) {
        if (!js_text_get(ctx, argv[1], &filter)) {
            html_nodes_release(&out);
            return JS_EXCEPTION;
        }
        html_keep_matching(&out, filter.s);
        js_text_release(&filter);
    }
    return html_new_selection(ctx, this_val, &out);
}

/* ---- functions of the script ---- */

/* fn(index, item): this is the function itself, as in k6. Takes item. */
static JSValue call(JSContext *ctx, JSValueConst fn, size_t i, JSValue item) {
    JSValue args[] = {JS_NewInt64(ctx, (int64_t)i), item};
    JSValue v = JS_Call(ctx, fn, fn, 2, args);
    JS_FreeValue(ctx, item);
    return v;
}

/* Whether the predicate holds for node i: -1 with an exception pending. */
static int holds(JSContext *ctx, JSValueConst this_val, JSValueConst fn, size_t i) {
    const struct html_node *n = html_set_of(this_val)->nodes.ptr[i];
    JSValue v = call(ctx, fn, i, html_new_single(ctx, this_val, n, HTML_SELECTION_RAW));
    int is_true = JS_IsException(v) ? -1 : JS_ToBool(ctx, v);
    JS_FreeValue(ctx, v);
    return is_true;
}

static JSValue winnow(JSContext *ctx, JSValueConst this_val, JSValueConst fn, bool keep) {
    struct html_set *s = html_set_of(this_val);
    struct html_nodes out = {0};
    for (size_t i = 0; i < s->nodes.len; i++) {
        int is_true = holds(ctx, this_val, fn, i);
        if (is_true < 0) {
            html_nodes_release(&out);
            return JS_EXCEPTION;
        }
        if (is_true == keep)
            html_nodes_add(&out, s->nodes.ptr[i]);
    }
    return html_new_selection(ctx, this_val, &out);
}

static JSValue js_not(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    if (!html_this_selection(ctx, this_val))
        return JS_EXCEPTION;
    if (JS_IsFunction(ctx, ARG(0)))
        return winnow(ctx, this_val, argv[0], false);
    return by_argument(ctx, this_val, ARG(0), NOT);
}

static JSValue js_filter(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct criterion c;
    struct html_nodes out = {0};
    if (!s)
        return JS_EXCEPTION;
    if (JS_IsFunction(ctx, ARG(0)))
        return winnow(ctx, this_val, argv[0], true);
    int rc = criterion_read(ctx, ARG(0), false, &c);
    if (rc)
        return rc == KE_JS ? JS_EXCEPTION
                           : js_throw_go_error(ctx, "the argument to filter() must be a function, "
                                                    "a selector or a selection");
    if (c.is_text)
        html_filter(&out, &s->nodes, c.selector, true);
    else
        html_filter_nodes(&out, &s->nodes, &c.nodes, true);
    criterion_release(&c);
    return html_new_selection(ctx, this_val, &out);
}

static JSValue is_by_function(JSContext *ctx, JSValueConst this_val, JSValueConst fn) {
    struct html_set *s = html_set_of(this_val);
    for (size_t i = 0; i < s->nodes.len; i++) {
        int is_true = holds(ctx, this_val, fn, i);
        if (is_true)
            return is_true < 0 ? JS_EXCEPTION : JS_TRUE;
    }
    return JS_FALSE;
}

static JSValue js_is(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct criterion c;
    if (!s)
        return JS_EXCEPTION;
    if (JS_IsFunction(ctx, ARG(0)))
        return is_by_function(ctx, this_val, argv[0]);
    int rc = criterion_read(ctx, ARG(0), false, &c);
    if (rc)
        return rc == KE_JS ? JS_EXCEPTION
                           : js_throw_go_error(ctx, "the argument to is() must be a function, a "
                                                    "selector or a selection");
    bool is = false;
    for (size_t i = 0; i < s->nodes.len && !is; i++)
        is = c.is_text ? html_selector_match(c.selector, s->nodes.ptr[i])
                       : html_nodes_have(&c.nodes, s->nodes.ptr[i]);
    criterion_release(&c);
    return JS_NewBool(ctx, is);
}

/* The frame on top of a stack, " at f (file:///x.js:1:2(3))": all that Go's errors show of one. */
static struct slice top_frame(struct slice stack) {
    const char *at = stack.len ? memmem(stack.ptr, stack.len, "\tat ", 4) : NULL;
    if (!at)
        return slice_from("", 0);
    struct slice rest = slice_from(at + 1, stack.len - (size_t)(at + 1 - stack.ptr));
    return slice_cut(&rest, '\n');
}

static JSValue each_failed(JSContext *ctx) {
    JSValue e = JS_GetException(ctx);
    struct js_text words, stack;
    if (JS_IsUncatchableError(ctx, e))
        return JS_Throw(ctx, e);
    JSValue trace =
        JS_IsError(ctx, e) ? JS_GetPropertyStr(ctx, e, "stack") : JS_GetThrownStack(ctx);
    if (!JS_IsString(trace)) {
        JS_FreeValue(ctx, trace);
        trace = JS_NewStringLen(ctx, "", 0);
    }
    if (js_text_get(ctx, e, &words)) {
        if (js_text_get(ctx, trace, &stack)) {
            struct slice frame = top_frame(stack.s);
            js_throw_go_error(ctx, "the function passed to each() failed: %.*s%s%.*s",
                              SLICE_FMT(words.s), frame.len ? " " : "", SLICE_FMT(frame));
            js_text_release(&stack);
        }
        js_text_release(&words);
    }
    JS_FreeValue(ctx, trace);
    JS_FreeValue(ctx, e);
    return JS_EXCEPTION;
}

static JSValue js_each(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    if (!s)
        return JS_EXCEPTION;
    if (!JS_IsFunction(ctx, ARG(0)))
        return js_throw_go_error(ctx, "the argument to each() must be a function");
    for (size_t i = 0; i < s->nodes.len; i++) {
        JSValue v = call(ctx, argv[0], i, html_new_element_of(ctx, this_val, s->nodes.ptr[i]));
        if (JS_IsException(v))
            return each_failed(ctx);
        JS_FreeValue(ctx, v);
    }
    return html_new_alias(ctx, this_val);
}

/* What the function throws is passed over. */
static JSValue js_map(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    if (!s)
        return JS_EXCEPTION;
    if (!JS_IsFunction(ctx, ARG(0)))
        return js_throw_go_error(ctx, "the argument to map() must be a function");
    JSValue list = JS_NewArray(ctx);
    uint32_t n = 0;
    for (size_t i = 0; i < s->nodes.len; i++) {
        JSValue item = html_new_single(ctx, this_val, s->nodes.ptr[i], HTML_SELECTION_POINTER);
        JSValue v = call(ctx, argv[0], i, item);
        if (!JS_IsException(v)) {
            JS_SetPropertyUint32(ctx, list, n++, v);
            continue;
        }
        JSValue thrown = JS_GetException(ctx);
        if (JS_IsUncatchableError(ctx, thrown)) {
            JS_FreeValue(ctx, list);
            return JS_Throw(ctx, thrown);
        }
        JS_FreeValue(ctx, thrown);
    }
    return list;
}

/* ---- members ---- */

static JSValue js_size(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct html_set *s = html_this_selection(ctx, this_val);
    return s ? JS_NewInt64(ctx, (int64_t)s->nodes.len) : JS_EXCEPTION;
}

static bool arg_int(JSContext *ctx, int argc, JSValueConst *argv, int i, int64_t *out) {
    *out = 0;
    return i >= argc || JS_ToInt64(ctx, out, argv[i]) == 0;
}

/* Node i, counted from the end when negative: a Selection of it, or of nothing. */
static JSValue eq(JSContext *ctx, JSValueConst this_val, int64_t i) {
    struct html_set *s = html_set_of(this_val);
    struct html_nodes out = {0};
    int64_t len = (int64_t)s->nodes.len;
    if (i < 0)
        i += len;
    bool is_inside = i >= 0 && i < len;
    if (is_inside)
        html_nodes_add(&out, s->nodes.ptr[i]);
    JSValue v = html_new_selection(ctx, this_val, &out);
    html_set_of(v)->has_end = is_inside;
    return v;
}

static JSValue js_eq(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    int64_t i;
    if (!html_this_selection(ctx, this_val) || !arg_int(ctx, argc, argv, 0, &i))
        return JS_EXCEPTION;
    return eq(ctx, this_val, i);
}

static JSValue js_first_or_last(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                                int i) {
    (void)argc;
    (void)argv;
    return html_this_selection(ctx, this_val) ? eq(ctx, this_val, i) : JS_EXCEPTION;
}

static JSValue js_get(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    int64_t i;
    if (!s || !arg_int(ctx, argc, argv, 0, &i))
        return JS_EXCEPTION;
    int64_t len = (int64_t)s->nodes.len;
    if (argc > 0) {
        if (i >= len || i <= -len)
            return JS_UNDEFINED;
        return html_new_element_of(ctx, this_val, s->nodes.ptr[i < 0 ? i + len : i]);
    }
    struct html_nodes all = {0};
    for (i = 0; i < len; i++)
        html_nodes_add(&all, s->nodes.ptr[i]);
    return html_new_elements(ctx, this_val, &all);
}

static JSValue js_to_array(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct html_set *s = html_this_selection(ctx, this_val);
    if (!s)
        return JS_EXCEPTION;
    JSValue list = JS_NewArray(ctx);
    for (size_t i = 0; i < s->nodes.len; i++)
        JS_SetPropertyUint32(ctx, list, (uint32_t)i, eq(ctx, this_val, (int64_t)i));
    return list;
}

static JSValue js_slice(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct html_nodes out = {0};
    int64_t from, to;
    if (!s || !arg_int(ctx, argc, argv, 0, &from) || !arg_int(ctx, argc, argv, 1, &to))
        return JS_EXCEPTION;
    int64_t len = (int64_t)s->nodes.len;
    if (argc < 2 || to > len)
        to = len;
    if (to < 0)
        to += len;
    if (from < 0)
        from = from + len < 0 ? 0 : from + len;
    for (; from < to; from++)
        html_nodes_add(&out, s->nodes.ptr[from]);
    return html_new_selection(ctx, this_val, &out);
}

static int64_t index_among_siblings(const struct html_node *n) {
    int64_t i = 0;
    for (n = n->prev; n; n = n->prev)
        i += n->type == HTML_ELEMENT;
    return i;
}

static JSValue js_index(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct criterion c;
    if (!s)
        return JS_EXCEPTION;
    if (argc == 0)
        return JS_NewInt64(ctx, s->nodes.len ? index_among_siblings(s->nodes.ptr[0]) : -1);
    int rc = criterion_read(ctx, argv[0], true, &c);
    if (rc)
        return rc == KE_JS ? JS_EXCEPTION : JS_NewInt32(ctx, -1);
    int64_t i = -1;
    if (c.is_text && s->nodes.len) {
        struct html_nodes root = {0}, all = {0};
        html_nodes_add(&root, &s->doc->root);
        html_find(&all, &root, c.selector, false);
        i = html_nodes_index(&all, s->nodes.ptr[0]);
        html_nodes_release(&root);
        html_nodes_release(&all);
    } else if (c.nodes.len) {
        i = html_nodes_index(&s->nodes, c.nodes.ptr[0]);
    }
    criterion_release(&c);
    return JS_NewInt64(ctx, i);
}

static JSValue js_end(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct html_set *s = html_this_selection(ctx, this_val);
    struct html_nodes none = {0};
    if (!s)
        return JS_EXCEPTION;
    if (s->has_end)
        return html_new_alias(ctx, s->source);
    JSValue v = html_new_selection(ctx, this_val, &none);
    html_set_of(v)->has_end = false;
    return v;
}

/* ---- content ---- */

static JSValue js_text(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct html_set *s = html_this_selection(ctx, this_val);
    return s ? html_set_text(ctx, s) : JS_EXCEPTION;
}

static JSValue js_html(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct html_set *s = html_this_selection(ctx, this_val);
    return s ? html_set_inner(ctx, s) : JS_EXCEPTION;
}

static JSValue js_attr(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct js_text name;
    if (!s || !html_arg_text(ctx, argc, argv, 0, &name))
        return JS_EXCEPTION;
    const struct html_attr *a = s->nodes.len ? html_attr_find(s->nodes.ptr[0], name.s) : NULL;
    js_text_release(&name);
    return a ? html_text_value(ctx, a->value) : JS_DupValue(ctx, ARG(1));
}

static JSValue js_url(JSContext *ctx, JSValueConst this_val) {
    struct html_set *s = html_this_selection(ctx, this_val);
    return s ? JS_DupValue(ctx, s->url) : JS_EXCEPTION;
}

static JSValue js_set_url(JSContext *ctx, JSValueConst this_val, JSValueConst v) {
    struct html_set *s = html_this_selection(ctx, this_val);
    JSValue text = s ? JS_ToString(ctx, v) : JS_EXCEPTION;
    if (JS_IsException(text))
        return text;
    JS_FreeValue(ctx, s->url);
    s->url = text;
    return JS_UNDEFINED;
}

/* ---- goquery's own methods, where they differ ---- */

/* Go's two results. */
static JSValue js_raw_attr(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    JSValue v = js_attr(ctx, this_val, argc > 1 ? 1 : argc, argv);
    if (JS_IsException(v))
        return v;
    bool exists = !JS_IsUndefined(v);
    JSValue pair = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, pair, 0, exists ? v : JS_NewStringLen(ctx, "", 0));
    JS_SetPropertyUint32(ctx, pair, 1, JS_NewBool(ctx, exists));
    return pair;
}

static JSValue js_has_class(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct js_text name;
    if (!s || !html_arg_text(ctx, argc, argv, 0, &name))
        return JS_EXCEPTION;
    bool has = false;
    for (size_t i = 0; i < s->nodes.len && !has; i++) {
        struct slice rest = html_attr_value(s->nodes.ptr[i], SLICE("class"));
        size_t n;
        for (; rest.len && !has; rest = slice_from(rest.ptr + n, rest.len - n)) {
            n = strcspn(rest.ptr, " \t\r\n");
            has = slice_eq(slice_from(rest.ptr, n), name.s);
            n += n < rest.len;
        }
    }
    js_text_release(&name);
    return JS_NewBool(ctx, has);
}

static const JSCFunctionListEntry methods[] = {
    JS_CFUNC_MAGIC_DEF("find", 1, js_by_argument, FIND),
    JS_CFUNC_MAGIC_DEF("add", 1, js_by_argument, ADD),
    JS_CFUNC_MAGIC_DEF("closest", 1, js_by_argument, CLOSEST),
    JS_CFUNC_MAGIC_DEF("has", 1, js_by_argument, HAS),
    JS_CFUNC_DEF("not", 1, js_not),
    JS_CFUNC_MAGIC_DEF("next", 0, js_neighbours, NEXT),
    JS_CFUNC_MAGIC_DEF("nextAll", 0, js_neighbours, NEXT_ALL),
    JS_CFUNC_MAGIC_DEF("prev", 0, js_neighbours, PREV),
    JS_CFUNC_MAGIC_DEF("prevAll", 0, js_neighbours, PREV_ALL),
    JS_CFUNC_MAGIC_DEF("parent", 0, js_neighbours, PARENT),
    JS_CFUNC_MAGIC_DEF("parents", 0, js_neighbours, PARENTS),
    JS_CFUNC_MAGIC_DEF("siblings", 0, js_neighbours, SIBLINGS),
    JS_CFUNC_MAGIC_DEF("children", 0, js_neighbours, CHILDREN),
    JS_CFUNC_MAGIC_DEF("contents", 0, js_neighbours, CONTENTS),
    JS_CFUNC_MAGIC_DEF("nextUntil", 0, js_until, NEXT_ALL),
    JS_CFUNC_MAGIC_DEF("prevUntil", 0, js_until, PREV_ALL),
    JS_CFUNC_MAGIC_DEF("parentsUntil", 0, js_until, PARENTS),
    JS_CFUNC_DEF("filter", 1, js_filter),
    JS_CFUNC_DEF("is", 1, js_is),
    JS_CFUNC_DEF("each", 1, js_each),
    JS_CFUNC_DEF("map", 1, js_map),
    JS_CFUNC_DEF("size", 0, js_size),
    JS_CFUNC_DEF("eq", 1, js_eq),
    JS_CFUNC_MAGIC_DEF("first", 0, js_first_or_last, 0),
    JS_CFUNC_MAGIC_DEF("last", 0, js_first_or_last, -1),
    JS_CFUNC_DEF("get", 0, js_get),
    JS_CFUNC_DEF("toArray", 0, js_to_array),
    JS_CFUNC_DEF("slice", 1, js_slice),
    JS_CFUNC_DEF("index", 0, js_index),
    JS_CFUNC_DEF("end", 0, js_end),
    JS_CFUNC_DEF("text", 0, js_text),
    JS_CFUNC_DEF("html", 0, js_html),
    JS_CFUNC_DEF("attr", 1, js_attr),
    JS_CGETSET_DEF("url", js_url, js_set_url),
};

static const JSCFunctionListEntry single_method[] = {JS_CFUNC_DEF("single", 1, js_single)};

static const JSCFunctionListEntry raw_methods[] = {
    JS_CFUNC_DEF("attr", 1, js_raw_attr),
    JS_CFUNC_DEF("attrOr", 2, js_attr),
    JS_CFUNC_DEF("hasClass", 1, js_has_class),
    JS_CFUNC_DEF("length", 0, js_size),
};

void html_selection_methods(JSContext *ctx, JSValueConst proto) {
    JS_SetPropertyFunctionList(ctx, proto, methods, countof(methods));
    if (compat_on(COMPAT_HTML_SINGLE))
        JS_SetPropertyFunctionList(ctx, proto, single_method, countof(single_method));
}

void html_raw_methods(JSContext *ctx, JSValueConst proto) {
    JS_SetPropertyFunctionList(ctx, proto, raw_methods, countof(raw_methods));
}
