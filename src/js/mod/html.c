#include <stdlib.h>

#include "base/check.h"
#include "js/go_args.h"
#include "js/go_types.h"
#include "js/mod.h"
#include "js/mod/html_internal.h"

static JSClassID selection_class, element_class;

/* ---- sets ---- */

static void set_finalizer(JSRuntime *rt, JSValue v) {
    JSClassID id;
    struct html_set *s = JS_GetAnyOpaque(v, &id);
    if (!s)
        return;
    if (s->nodes.ptr != &s->one)
        html_nodes_release(&s->nodes);
    html_doc_unref(s->doc);
    JS_FreeValueRT(rt, s->url);
    JS_FreeValueRT(rt, s->source);
    JS_FreeValueRT(rt, s->other);
    free(s);
}

static void set_mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *mark) {
    JSClassID id;
    struct html_set *s = JS_GetAnyOpaque(v, &id);
    if (!s)
        return;
    JS_MarkValue(rt, s->source, mark);
    JS_MarkValue(rt, s->other, mark);
}

static const JSClassDef selection_class_def = {"Selection", .finalizer = set_finalizer,
                                               .gc_mark = set_mark};
static const JSClassDef element_class_def = {"Element", .finalizer = set_finalizer,
                                             .gc_mark = set_mark};

struct html_set *html_set_of(JSValueConst v) {
    JSClassID id = 0;
    void *opaque = JS_IsObject(v) ? JS_GetAnyOpaque(v, &id) : NULL;
    return id != 0 && (id == selection_class || id == element_class) ? opaque : NULL;
}

struct html_set *html_this_selection(JSContext *ctx, JSValueConst this_val) {
    return JS_GetOpaque2(ctx, this_val, selection_class);
}

struct html_set *html_this_element(JSContext *ctx, JSValueConst this_val) {
    return JS_GetOpaque2(ctx, this_val, element_class);
}

/* Nodes are taken. */
static struct html_set *set_new(JSContext *ctx, struct html_doc *doc, JSValueConst url,
                                struct html_nodes *nodes) {
    struct html_set *s = xcalloc(1, sizeof *s);
    s->doc = html_doc_ref(doc);
    s->url = JS_DupValue(ctx, url);
    s->source = s->other = JS_UNDEFINED;
    s->nodes = *nodes;
    *nodes = (struct html_nodes){0};
    if (s->nodes.len <= 1) {
        s->one = s->nodes.len ? s->nodes.ptr[0] : NULL;
        free(s->nodes.ptr);
        s->nodes.ptr = &s->one;
    }
    return s;
}

static JSValue element_proto(JSContext *ctx, const struct html_node *n) {
    struct html_module *mod = html_module_of(ctx);
    int kind = html_kind_of(n);
    if (JS_IsUndefined(mod->element_proto)) {
        mod->element_proto = JS_NewObject(ctx);
        html_element_methods(ctx, mod->element_proto);
    }
    if (kind < 0)
        return mod->element_proto;
    CHECK(kind < HTML_KINDS_MAX);
    if (JS_IsUndefined(mod->kind_protos[kind])) {
        JSValue proto = JS_NewObjectProto(ctx, mod->element_proto);
        html_kind_methods(ctx, proto, kind);
        mod->kind_protos[kind] = proto;
    }
    return mod->kind_protos[kind];
}

static JSValue selection_proto(JSContext *ctx, enum html_set_kind kind) {
    struct html_module *mod = html_module_of(ctx);
    if (kind != HTML_SELECTION_RAW)
        return mod->selection_proto;
    if (JS_IsUndefined(mod->raw_proto)) {
        mod->raw_proto = JS_NewObjectProto(ctx, mod->selection_proto);
        html_raw_methods(ctx, mod->raw_proto);
    }
    return mod->raw_proto;
}

static JSValue wrap(JSContext *ctx, struct html_set *s) {
    bool is_element = s->kind == HTML_ELEMENT_SET;
    JSValue proto =
        is_element ? element_proto(ctx, s->nodes.ptr[0]) : selection_proto(ctx, s->kind);
    JSValue v = JS_NewObjectProtoClass(ctx, proto, is_element ? element_class : selection_class);
    CHECK(!JS_IsException(v));
    JS_SetOpaque(v, s);
    return v;
}

static JSValue derive(JSContext *ctx, JSValueConst from, struct html_nodes *nodes,
                      enum html_set_kind kind, bool has_end) {
    struct html_set *f = html_set_of(from);
    struct html_set *s = set_new(ctx, f->doc, f->url, nodes);
    s->source = JS_DupValue(ctx, from);
    s->kind = kind;
    s->has_end = has_end;
    return wrap(ctx, s);
}

JSValue html_new_selection(JSContext *ctx, JSValueConst from, struct html_nodes *nodes) {
    struct html_set *f = html_set_of(from);
    bool is_raw = f->kind == HTML_SELECTION_RAW;
    return derive(ctx, from, nodes, is_raw ? HTML_SELECTION_RAW : HTML_SELECTION, true);
}

JSValue html_new_element(JSContext *ctx, JSValueConst from, struct html_nodes *nodes) {
    if (nodes->len == 0) {
        html_nodes_release(nodes);
        return JS_UNDEFINED;
    }
    return derive(ctx, from, nodes, HTML_ELEMENT_SET, true);
}

JSValue html_new_element_of(JSContext *ctx, JSValueConst from, const struct html_node *n) {
    return n ? html_new_single(ctx, from, n, HTML_ELEMENT_SET) : JS_UNDEFINED;
}

JSValue html_new_elements(JSContext *ctx, JSValueConst from, struct html_nodes *nodes) {
    JSValue list = JS_NewArray(ctx);
    for (size_t i = 0; i < nodes->len; i++)
        JS_SetPropertyUint32(ctx, list, (uint32_t)i, html_new_element_of(ctx, from, nodes->ptr[i]));
    html_nodes_release(nodes);
    return list;
}

JSValue html_new_single(JSContext *ctx, JSValueConst from, const struct html_node *n,
                        enum html_set_kind kind) {
    struct html_nodes nodes = {0};
    html_nodes_add(&nodes, n);
    return derive(ctx, from, &nodes, kind, false);
}

JSValue html_new_alias(JSContext *ctx, JSValueConst v) {
    struct html_set *f = html_set_of(v);
    struct html_nodes nodes = {0};
    for (size_t i = 0; i < f->nodes.len; i++)
        html_nodes_add(&nodes, f->nodes.ptr[i]);
    struct html_set *s = set_new(ctx, f->doc, f->url, &nodes);
    s->source = JS_DupValue(ctx, f->source);
    s->other = JS_DupValue(ctx, f->other);
    s->has_end = f->has_end;
    s->kind = f->kind == HTML_ELEMENT_SET ? HTML_SELECTION : f->kind;
    return wrap(ctx, s);
}

JSValue html_new_document(JSContext *ctx, struct html_doc *doc, JSValueConst url) {
    struct html_nodes nodes = {0};
    html_nodes_add(&nodes, &doc->root);
    return wrap(ctx, set_new(ctx, doc, url, &nodes));
}

/* ---- helpers ---- */

bool html_arg_text(JSContext *ctx, int argc, JSValueConst *argv, int i, struct js_text *out) {
    return go_string_arg(ctx, argc, argv, i, out);
}

const char *html_type_name(JSContext *ctx, JSValueConst v) {
    static const char *const names[] = {"html.Selection", "*html.Selection", "*goquery.Selection"};
    struct html_set *s = html_set_of(v);
    if (!s)
        return go_type_name(ctx, v);
    if (s->kind != HTML_ELEMENT_SET)
        return names[s->kind];
    int kind = html_kind_of(s->nodes.ptr[0]);
    return kind < 0 ? "html.Element" : html_kind_type(kind);
}

JSValue html_text_value(JSContext *ctx, struct slice s) {
    return JS_NewStringLen(ctx, s.ptr ? s.ptr : "", s.len);
}

JSValue html_buf_value(JSContext *ctx, struct buf *b) {
    JSValue v = html_text_value(ctx, buf_slice(b));
    buf_release(b);
    return v;
}

JSValue html_set_text(JSContext *ctx, const struct html_set *s) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    for (size_t i = 0; i < s->nodes.len; i++)
        html_text(&b, s->nodes.ptr[i]);
    return html_buf_value(ctx, &b);
}

JSValue html_set_inner(JSContext *ctx, const struct html_set *s) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    if (s->nodes.len && html_render_children(&b, s->nodes.ptr[0])) {
        buf_release(&b);
        return JS_UNDEFINED;
    }
    return html_buf_value(ctx, &b);
}

const struct html_attr *html_set_attr(const struct html_set *s, const char *name) {
    return s->nodes.len ? html_attr_find(s->nodes.ptr[0], slice_cstr(name)) : NULL;
}

void html_keep_matching(struct html_nodes *nodes, struct slice selector) {
    struct html_nodes kept = {0};
    struct html_selector *s = html_selector_new(selector);
    html_filter(&kept, nodes, s, true);
    html_selector_free(s);
    html_nodes_release(nodes);
    *nodes = kept;
}

struct html_nodes html_set_find(const struct html_set *set, struct slice selector) {
    struct html_nodes out = {0};
    struct html_selector *s = html_selector_new(selector);
    html_find(&out, &set->nodes, s, false);
    html_selector_free(s);
    return out;
}

/* ---- the module ---- */

static JSValue js_parse_html(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct js_text source;
    struct html_doc *doc;
    struct error err;
    if (!html_arg_text(ctx, argc, argv, 0, &source))
        return JS_EXCEPTION;
    int rc = html_parse(source.s, &doc, &err);
    js_text_release(&source);
    if (rc)
        return js_throw_go_error(ctx, "%s", err.text);
    JSValue url = JS_NewStringLen(ctx, "", 0);
    JSValue v = html_new_document(ctx, doc, url);
    JS_FreeValue(ctx, url);
    html_doc_unref(doc);
    return v;
}

static int classes_register(JSContext *ctx) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&selection_class);
    JS_NewClassID(&element_class);
    if (!JS_IsRegisteredClass(rt, selection_class) &&
        JS_NewClass(rt, selection_class, &selection_class_def))
        return -1;
    if (!JS_IsRegisteredClass(rt, element_class) &&
        JS_NewClass(rt, element_class, &element_class_def))
        return -1;
    return html_attribute_register(ctx);
}

struct html_module *html_module_of(JSContext *ctx) {
    struct vu *vu = vu_from_ctx(ctx);
    struct html_module *mod = vu->module_state[JS_SLOT_HTML];
    if (mod)
        return mod;
    CHECK(classes_register(ctx) == 0);
    mod = xcalloc(1, sizeof *mod);
    vu->module_state[JS_SLOT_HTML] = mod;
    mod->selection_proto = JS_NewObject(ctx);
    mod->raw_proto = mod->element_proto = mod->attribute_proto = JS_UNDEFINED;
    for (size_t i = 0; i < countof(mod->kind_protos); i++)
        mod->kind_protos[i] = JS_UNDEFINED;
    html_selection_methods(ctx, mod->selection_proto);
    html_form_methods(ctx, mod->selection_proto);
    return mod;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("parseHTML", 1, js_parse_html),
};

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExportList(ctx, m, functions, countof(functions));
}

static int init(JSContext *ctx, JSModuleDef *m) {
    return js_module_set_functions(ctx, m, functions, countof(functions));
}

static void module_free(struct vu *vu) {
    struct html_module *mod = vu->module_state[JS_SLOT_HTML];
    if (!mod)
        return;
    JS_FreeValue(vu->ctx, mod->selection_proto);
    JS_FreeValue(vu->ctx, mod->raw_proto);
    JS_FreeValue(vu->ctx, mod->element_proto);
    JS_FreeValue(vu->ctx, mod->attribute_proto);
    for (size_t i = 0; i < countof(mod->kind_protos); i++)
        JS_FreeValue(vu->ctx, mod->kind_protos[i]);
    free(mod);
    vu->module_state[JS_SLOT_HTML] = NULL;
}

const struct js_module js_mod_html = {
    .specifier = "k6/html", .declare = declare, .init = init, .free = module_free};
