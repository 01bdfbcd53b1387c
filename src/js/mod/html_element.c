#include <stdlib.h>

#include "base/check.h"
#include "js/mod/html_internal.h"

#define ARG(i) (argc > (i) ? argv[i] : JS_UNDEFINED)

/* ---- attributes ---- */

/* Its opaque is the prefix, a static string. */
static JSClassID attribute_class;
static const JSClassDef attribute_class_def = {"Attribute", .finalizer = NULL};

int html_attribute_register(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&attribute_class);
    return JS_IsRegisteredClass(rt, attribute_class)
               ? 0
               : JS_NewClass(rt, attribute_class, &attribute_class_def);
}

static const char *namespace_uri(const char *prefix) {
    if (strcmp(prefix, "svg") == 0)
        return "http://www.w3.org/2000/svg";
    return strcmp(prefix, "math") == 0 ? "http://www.w3.org/1998/Math/MathML"
                                       : "http://www.w3.org/1999/xhtml";
}

enum attribute_member { PREFIX, NAMESPACE_URI, LOCAL_NAME };

static JSValue js_attribute(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                            int member) {
    (void)argc;
    (void)argv;
    const char *prefix = JS_GetOpaque2(ctx, this_val, attribute_class);
    if (!prefix)
        return JS_EXCEPTION;
    if (member == LOCAL_NAME)
        return JS_GetPropertyStr(ctx, this_val, "name");
    return JS_NewString(ctx, member == PREFIX ? prefix : namespace_uri(prefix));
}

static const JSCFunctionListEntry attribute_methods[] = {
    JS_CFUNC_MAGIC_DEF("prefix", 0, js_attribute, PREFIX),
    JS_CFUNC_MAGIC_DEF("namespaceURI", 0, js_attribute, NAMESPACE_URI),
    JS_CFUNC_MAGIC_DEF("localName", 0, js_attribute, LOCAL_NAME),
};

static JSValue new_attribute(JSContext *ctx, JSValueConst element, const struct html_attr *a) {
    JSValue *proto = &html_module_of(ctx)->attribute_proto;
    if (JS_IsUndefined(*proto)) {
        *proto = JS_NewObject(ctx);
        JS_SetPropertyFunctionList(ctx, *proto, attribute_methods, countof(attribute_methods));
    }
    JSValue o = JS_NewObjectProtoClass(ctx, *proto, attribute_class);
    JS_SetOpaque(o, (void *)(uintptr_t)a->prefix);
    JS_DefinePropertyValueStr(ctx, o, "owner_element", JS_DupValue(ctx, element), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, o, "name", html_text_value(ctx, a->name), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, o, "value", html_text_value(ctx, a->value), JS_PROP_C_W_E);
    return o;
}

enum by_name { GET_ATTRIBUTE, GET_ATTRIBUTE_NODE, HAS_ATTRIBUTE };

static JSValue js_by_name(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                          int member) {
    struct html_set *s = html_this_element(ctx, this_val);
    struct js_text name;
    if (!s || !html_arg_text(ctx, argc, argv, 0, &name))
        return JS_EXCEPTION;
    const struct html_attr *a = html_attr_find(s->nodes.ptr[0], name.s);
    js_text_release(&name);
    if (member == HAS_ATTRIBUTE)
        return JS_NewBool(ctx, a != NULL);
    if (!a)
        return JS_UNDEFINED;
    return member == GET_ATTRIBUTE ? html_text_value(ctx, a->value)
                                   : new_attribute(ctx, this_val, a);
}

static JSValue all_attributes(JSContext *ctx, JSValueConst this_val, const struct html_node *n) {
    JSValue o = JS_NewObject(ctx);
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        JSAtom atom = JS_NewAtomLen(ctx, n->attrs[i].name.ptr, n->attrs[i].name.len);
        JS_DefinePropertyValue(ctx, o, atom, new_attribute(ctx, this_val, &n->attrs[i]),
                               JS_PROP_C_W_E);
        JS_FreeAtom(ctx, atom);
    }
    return o;
}

static JSValue attr_or_undefined(JSContext *ctx, const struct html_attr *a) {
    return a ? html_text_value(ctx, a->value) : JS_UNDEFINED;
}

static JSValue class_list(JSContext *ctx, const struct html_node *n) {
    struct slice rest = html_attr_value(n, SLICE("class"));
    JSValue list = JS_NewArray(ctx);
    uint32_t count = 0;
    while (rest.len) {
        size_t space = strspn(rest.ptr, " \t\r\n\f\v");
        rest = slice_from(rest.ptr + space, rest.len - space);
        size_t len = strcspn(rest.ptr, " \t\r\n\f\v");
        if (len)
            JS_SetPropertyUint32(ctx, list, count++, JS_NewStringLen(ctx, rest.ptr, len));
        rest = slice_from(rest.ptr + len, rest.len - len);
    }
    return list;
}

/* ---- members without arguments ---- */

enum member {
    ATTRIBUTES,
    HAS_ATTRIBUTES,
    CLASS_LIST,
    CLASS_NAME,
    ID,
    LANG,
    CHILD_ELEMENT_COUNT,
    CHILD_NODES,
    CHILDREN,
    FIRST_CHILD,
    LAST_CHILD,
    FIRST_ELEMENT_CHILD,
    LAST_ELEMENT_CHILD,
    NEXT_SIBLING,
    PREVIOUS_SIBLING,
    NEXT_ELEMENT_SIBLING,
    PREVIOUS_ELEMENT_SIBLING,
    PARENT_NODE,
    PARENT_ELEMENT,
    OWNER_DOCUMENT,
    HAS_CHILD_NODES,
    INNER_HTML,
    TEXT_CONTENT,
    NODE_NAME,
    NODE_TYPE,
    NODE_VALUE,
    ELEMENT_NAMESPACE_URI,
    IS_DEFAULT_NAMESPACE,
    SELECTION,
    TO_STRING
};

static JSValue node_type(JSContext *ctx, const struct html_node *n) {
    static const uint8_t types[] = {[HTML_ELEMENT] = 1,
                                    [HTML_TEXT] = 3,
                                    [HTML_COMMENT] = 8,
                                    [HTML_DOCUMENT] = 9,
                                    [HTML_DOCTYPE] = 10};
    return JS_NewInt32(ctx, types[n->type]);
}

static JSValue to_string(JSContext *ctx, const struct html_node *n) {
    if (n->type == HTML_ELEMENT)
        return JS_NewString(ctx, "[object html.Node]");
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_printf(&b, "[object %.*s]", SLICE_FMT(html_node_name(n)));
    return html_buf_value(ctx, &b);
}

static const char *node_namespace(const struct html_node *n) {
    return n->ns == HTML_NS_SVG ? "svg" : n->ns == HTML_NS_MATH ? "math" : "";
}

/* Members that are about the first node alone. */
static JSValue node_member(JSContext *ctx, JSValueConst this_val, const struct html_node *n,
                           enum member member) {
    switch (member) {
    case ATTRIBUTES:
        return all_attributes(ctx, this_val, n);
    case HAS_ATTRIBUTES:
        return JS_NewBool(ctx, n->n_attrs > 0);
    case CLASS_LIST:
        return class_list(ctx, n);
    case CLASS_NAME:
        return attr_or_undefined(ctx, html_attr_find(n, SLICE("class")));
    case ID:
        return html_text_value(ctx, html_attr_value(n, SLICE("id")));
    case LANG: {
        const struct html_attr *a = html_attr_find(n, SLICE("lang"));
        return attr_or_undefined(ctx, a && !*a->prefix ? a : NULL);
    }
    case FIRST_CHILD:
        return html_new_element_of(ctx, this_val, n->first);
    case LAST_CHILD:
        return html_new_element_of(ctx, this_val, n->last);
    case NEXT_SIBLING:
        return html_new_element_of(ctx, this_val, n->next);
    case PREVIOUS_SIBLING:
        return html_new_element_of(ctx, this_val, n->prev);
    case PARENT_NODE:
        return html_new_element_of(ctx, this_val, n->parent);
    case OWNER_DOCUMENT:
        return html_new_element_of(ctx, this_val, &html_doc_of(n)->root);
    case HAS_CHILD_NODES:
        return JS_NewBool(ctx, n->first != NULL);
    case NODE_NAME:
        return html_text_value(ctx, html_node_name(n));
    case NODE_TYPE:
        return node_type(ctx, n);
    case ELEMENT_NAMESPACE_URI:
        return JS_NewString(ctx, namespace_uri(node_namespace(n)));
    case IS_DEFAULT_NAMESPACE:
        return JS_NewBool(ctx, n->ns == HTML_NS_HTML);
    default:
        return to_string(ctx, n);
    }
}

/* The only one of nodes that is left: the first or the last. */
static JSValue one_of(JSContext *ctx, JSValueConst this_val, struct html_nodes *nodes,
                      bool is_last) {
    if (nodes->len > 1) {
        nodes->ptr[0] = nodes->ptr[is_last ? nodes->len - 1 : 0];
        nodes->len = 1;
    }
    return html_new_element(ctx, this_val, nodes);
}

/* Members that k6 answers for all nodes behind the element. */
static JSValue set_member(JSContext *ctx, JSValueConst this_val, const struct html_set *s,
                          enum member member) {
    struct html_nodes out = {0};
    switch (member) {
    case CHILD_NODES:
    case CHILDREN:
        html_children(&out, &s->nodes, member == CHILD_NODES);
        return html_new_elements(ctx, this_val, &out);
    case CHILD_ELEMENT_COUNT: {
        html_children(&out, &s->nodes, false);
        JSValue n = JS_NewInt64(ctx, (int64_t)out.len);
        html_nodes_release(&out);
        return n;
    }
    case FIRST_ELEMENT_CHILD:
    case LAST_ELEMENT_CHILD:
        html_children(&out, &s->nodes, false);
        return one_of(ctx, this_val, &out, member == LAST_ELEMENT_CHILD);
    case NEXT_ELEMENT_SIBLING:
    case PREVIOUS_ELEMENT_SIBLING:
        html_adjacent(&out, &s->nodes, member == NEXT_ELEMENT_SIBLING ? HTML_NEXT : HTML_PREV);
        return html_new_element(ctx, this_val, &out);
    case PARENT_ELEMENT:
        html_parent(&out, &s->nodes);
        return html_new_element(ctx, this_val, &out);
    case INNER_HTML:
        return html_set_inner(ctx, s);
    case TEXT_CONTENT:
        return html_set_text(ctx, s);
    case NODE_VALUE:
        if (s->nodes.ptr[0]->type != HTML_TEXT && s->nodes.ptr[0]->type != HTML_COMMENT)
            return JS_UNDEFINED;
        return html_set_text(ctx, s);
    case SELECTION:
        return html_new_alias(ctx, this_val);
    default:
        return node_member(ctx, this_val, s->nodes.ptr[0], member);
    }
}

static JSValue js_member(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                         int member) {
    (void)argc;
    (void)argv;
    struct html_set *s = html_this_element(ctx, this_val);
    return s ? set_member(ctx, this_val, s, (enum member)member) : JS_EXCEPTION;
}

/* ---- searching, comparing ---- */

enum search { BY_CLASS, BY_TAG, QUERY, QUERY_ALL };

static JSValue js_search(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                         int how) {
    struct html_set *s = html_this_element(ctx, this_val);
    struct js_text text;
    if (!s || !html_arg_text(ctx, argc, argv, 0, &text))
        return JS_EXCEPTION;
    struct buf selector;
    buf_init(&selector, BUF_NO_CAP);
    if (how == BY_CLASS)
        buf_append_char(&selector, '.');
    buf_append_slice(&selector, text.s);
    js_text_release(&text);
    struct html_nodes out = html_set_find(s, buf_slice(&selector));
    buf_release(&selector);
    return how == QUERY ? html_new_element(ctx, this_val, &out)
                        : html_new_elements(ctx, this_val, &out);
}

static JSValue js_matches(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_element(ctx, this_val);
    struct js_text text;
    if (!s || !html_arg_text(ctx, argc, argv, 0, &text))
        return JS_EXCEPTION;
    struct html_selector *selector = html_selector_new(text.s);
    bool is_match = false;
    for (size_t i = 0; i < s->nodes.len && !is_match; i++)
        is_match = html_selector_match(selector, s->nodes.ptr[i]);
    html_selector_free(selector);
    js_text_release(&text);
    return JS_NewBool(ctx, is_match);
}

static bool has_same_content(const struct html_node *a, const struct html_node *b) {
    struct buf x, y;
    buf_init(&x, BUF_NO_CAP);
    buf_init(&y, BUF_NO_CAP);
    bool is_same = html_render_children(&x, a) == 0 && html_render_children(&y, b) == 0 &&
                   slice_eq(buf_slice(&x), buf_slice(&y));
    buf_release(&x);
    buf_release(&y);
    return is_same;
}

static bool contains(const struct html_set *s, const struct html_node *n) {
    for (size_t i = 0; i < s->nodes.len && n != s->nodes.ptr[0]; i++) {
        if (html_contains(s->nodes.ptr[i], n))
            return true;
    }
    return false;
}

enum comparison { CONTAINS, IS_EQUAL_NODE, IS_SAME_NODE };

/* An argument with accessors of its own is another type in k6, and never the one looked for. */
static JSValue js_compare(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                          int how) {
    struct html_set *s = html_this_element(ctx, this_val), *other = html_set_of(ARG(0));
    if (!s)
        return JS_EXCEPTION;
    if (!other || other->kind != HTML_ELEMENT_SET || html_kind_of(other->nodes.ptr[0]) >= 0)
        return JS_FALSE;
    const struct html_node *a = s->nodes.ptr[0], *b = other->nodes.ptr[0];
    if (how == CONTAINS)
        return JS_NewBool(ctx, contains(s, b));
    return JS_NewBool(ctx, how == IS_SAME_NODE ? a == b : has_same_content(a, b));
}

static const JSCFunctionListEntry methods[] = {
    JS_CFUNC_MAGIC_DEF("attributes", 0, js_member, ATTRIBUTES),
    JS_CFUNC_MAGIC_DEF("childElementCount", 0, js_member, CHILD_ELEMENT_COUNT),
    JS_CFUNC_MAGIC_DEF("childNodes", 0, js_member, CHILD_NODES),
    JS_CFUNC_MAGIC_DEF("children", 0, js_member, CHILDREN),
    JS_CFUNC_MAGIC_DEF("classList", 0, js_member, CLASS_LIST),
    JS_CFUNC_MAGIC_DEF("className", 0, js_member, CLASS_NAME),
    JS_CFUNC_MAGIC_DEF("contains", 1, js_compare, CONTAINS),
    JS_CFUNC_MAGIC_DEF("firstChild", 0, js_member, FIRST_CHILD),
    JS_CFUNC_MAGIC_DEF("firstElementChild", 0, js_member, FIRST_ELEMENT_CHILD),
    JS_CFUNC_MAGIC_DEF("getAttribute", 1, js_by_name, GET_ATTRIBUTE),
    JS_CFUNC_MAGIC_DEF("getAttributeNode", 1, js_by_name, GET_ATTRIBUTE_NODE),
    JS_CFUNC_MAGIC_DEF("getElementsByClassName", 1, js_search, BY_CLASS),
    JS_CFUNC_MAGIC_DEF("getElementsByTagName", 1, js_search, BY_TAG),
    JS_CFUNC_MAGIC_DEF("hasAttribute", 1, js_by_name, HAS_ATTRIBUTE),
    JS_CFUNC_MAGIC_DEF("hasAttributes", 0, js_member, HAS_ATTRIBUTES),
    JS_CFUNC_MAGIC_DEF("hasChildNodes", 0, js_member, HAS_CHILD_NODES),
    JS_CFUNC_MAGIC_DEF("id", 0, js_member, ID),
    JS_CFUNC_MAGIC_DEF("innerHTML", 0, js_member, INNER_HTML),
    JS_CFUNC_MAGIC_DEF("isDefaultNamespace", 0, js_member, IS_DEFAULT_NAMESPACE),
    JS_CFUNC_MAGIC_DEF("isEqualNode", 1, js_compare, IS_EQUAL_NODE),
    JS_CFUNC_MAGIC_DEF("isSameNode", 1, js_compare, IS_SAME_NODE),
    JS_CFUNC_MAGIC_DEF("lang", 0, js_member, LANG),
    JS_CFUNC_MAGIC_DEF("lastChild", 0, js_member, LAST_CHILD),
    JS_CFUNC_MAGIC_DEF("lastElementChild", 0, js_member, LAST_ELEMENT_CHILD),
    JS_CFUNC_DEF("matches", 1, js_matches),
    JS_CFUNC_MAGIC_DEF("namespaceURI", 0, js_member, ELEMENT_NAMESPACE_URI),
    JS_CFUNC_MAGIC_DEF("nextElementSibling", 0, js_member, NEXT_ELEMENT_SIBLING),
    JS_CFUNC_MAGIC_DEF("nextSibling", 0, js_member, NEXT_SIBLING),
    JS_CFUNC_MAGIC_DEF("nodeName", 0, js_member, NODE_NAME),
    JS_CFUNC_MAGIC_DEF("nodeType", 0, js_member, NODE_TYPE),
    JS_CFUNC_MAGIC_DEF("nodeValue", 0, js_member, NODE_VALUE),
    JS_CFUNC_MAGIC_DEF("ownerDocument", 0, js_member, OWNER_DOCUMENT),
    JS_CFUNC_MAGIC_DEF("parentElement", 0, js_member, PARENT_ELEMENT),
    JS_CFUNC_MAGIC_DEF("parentNode", 0, js_member, PARENT_NODE),
    JS_CFUNC_MAGIC_DEF("previousElementSibling", 0, js_member, PREVIOUS_ELEMENT_SIBLING),
    JS_CFUNC_MAGIC_DEF("previousSibling", 0, js_member, PREVIOUS_SIBLING),
    JS_CFUNC_MAGIC_DEF("querySelector", 1, js_search, QUERY),
    JS_CFUNC_MAGIC_DEF("querySelectorAll", 1, js_search, QUERY_ALL),
    JS_CFUNC_MAGIC_DEF("selection", 0, js_member, SELECTION),
    JS_CFUNC_MAGIC_DEF("textContent", 0, js_member, TEXT_CONTENT),
    JS_CFUNC_MAGIC_DEF("toString", 0, js_member, TO_STRING),
};

void html_element_methods(JSContext *ctx, JSValueConst proto) {
    JS_SetPropertyFunctionList(ctx, proto, methods, countof(methods));
}
