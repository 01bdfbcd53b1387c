/* Responses as pages: html(), submitForm() and clickLink(). */
#include <stdlib.h>

#include "base/check.h"
#include "http/url_escape.h"
#include "js/go_args.h"
#include "js/js_util.h"
#include "js/mod/html_internal.h"
#include "js/mod/http_internal.h"

/* A response with its page. */
struct page {
    JSContext *ctx;
    JSValue url_value;
    struct js_text url_text;
    JSValue root; /* Selection of the document */
};

static void page_release(struct page *p) {
    JS_FreeValue(p->ctx, p->root);
    if (p->url_text.ctx)
        js_text_release(&p->url_text);
    JS_FreeValue(p->ctx, p->url_value);
}

/* False with an exception pending; released in each case. */
static bool page_init(struct page *p, JSContext *ctx, JSValueConst response) {
    struct html_doc *doc;
    *p = (struct page){.ctx = ctx, .url_value = JS_UNDEFINED, .root = JS_UNDEFINED};
    if (!http_response_page(ctx, response, &doc, &p->url_value) ||
        !js_text_get(ctx, p->url_value, &p->url_text))
        return false;
    p->root = html_new_document(ctx, doc, p->url_value);
    return true;
}

static struct html_nodes page_find(const struct page *p, struct slice selector) {
    return html_set_find(html_set_of(p->root), selector);
}

JSValue http_js_html(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct page p;
    struct js_text selector;
    JSValue v = JS_EXCEPTION;
    if (page_init(&p, ctx, this_val)) {
        if (argc == 0) {
            v = JS_DupValue(ctx, p.root);
        } else if (go_string_arg(ctx, argc, argv, 0, &selector)) {
            struct html_nodes found = page_find(&p, selector.s);
            js_text_release(&selector);
            v = html_new_selection(ctx, p.root, &found);
        }
    }
    page_release(&p);
    return v;
}

/* ---- options of submitForm and clickLink ---- */

struct page_options {
    char *selector, *submit; /* heap */
    JSValue fields, params;
};

static void options_release(JSContext *ctx, struct page_options *o) {
    free(o->selector);
    free(o->submit);
    JS_FreeValue(ctx, o->fields);
    JS_FreeValue(ctx, o->params);
}

/* The text of an option when the object has it, otherwise as *text is. */
static bool read_text(JSContext *ctx, JSValueConst object, const char *name, char **text) {
    JSAtom atom = JS_NewAtom(ctx, name);
    JSPropertyDescriptor d;
    int has = JS_GetOwnProperty(ctx, &d, object, atom);
    JS_FreeAtom(ctx, atom);
    if (has <= 0)
        return has == 0;
    JS_FreeValue(ctx, d.value);
    JS_FreeValue(ctx, d.getter);
    JS_FreeValue(ctx, d.setter);
    struct js_text s;
    JSValue v = JS_GetPropertyStr(ctx, object, name);
    bool ok = !JS_IsException(v) && js_text_get(ctx, v, &s);
    if (ok) {
        free(*text);
        *text = slice_dup(s.s);
        js_text_release(&s);
    }
    JS_FreeValue(ctx, v);
    return ok;
}

/* False with an exception pending; released in each case. */
static bool options_read(JSContext *ctx, int argc, JSValueConst *argv, const char *selector_name,
                         const char *selector, struct page_options *o) {
    *o = (struct page_options){xstrdup(selector), xstrdup("[type=\"submit\"]"), JS_UNDEFINED,
                               JS_NULL};
    if (argc == 0)
        return true;
    if (JS_IsUndefined(argv[0]) || JS_IsNull(argv[0])) {
        JS_ThrowTypeError(ctx, "Cannot convert undefined or null to object");
        return false;
    }
    if (!JS_IsObject(argv[0]))
        return true;
    if (!read_text(ctx, argv[0], selector_name, &o->selector) ||
        !read_text(ctx, argv[0], "submitSelector", &o->submit))
        return false;
    o->fields = JS_GetPropertyStr(ctx, argv[0], "fields");
    JS_FreeValue(ctx, o->params);
    o->params = JS_GetPropertyStr(ctx, argv[0], "params");
    return !JS_IsException(o->fields) && !JS_IsException(o->params);
}

/* ---- requests ---- */

static JSValue run(JSContext *ctx, JSValueConst method, JSValueConst url, JSValueConst body,
                   JSValueConst params) {
    struct http_call call;
    struct error err;
    int rc = http_call_init_method(&call, http_module_of(ctx), method, url, body, params, &err);
    if (!rc)
        rc = http_call_run(&call);
    JSValue v = http_call_finish(&call, rc, &err);
    http_call_release(&call);
    return v;
}

/* The page's URL with a reference resolved against it; without one (ptr NULL) itself. False with
 * an exception pending. */
static bool resolve(const struct page *p, struct slice reference, struct url *out) {
    struct url base;
    struct error err;
    if (url_parse(p->url_text.s, &base, &err)) {
        js_throw_go_error(p->ctx, "%s", err.text);
        return false;
    }
    if (!reference.ptr) {
        *out = base;
        return true;
    }
    int rc = url_resolve(&base, reference, out, &err);
    url_release(&base);
    if (rc)
        js_throw_go_error(p->ctx, "%s", err.text);
    return rc == 0;
}

JSValue http_js_click_link(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct page p = {.ctx = ctx, .url_value = JS_UNDEFINED, .root = JS_UNDEFINED};
    struct page_options o;
    struct html_nodes links = {0};
    struct url url = {0};
    JSValue v = JS_EXCEPTION;
    if (!options_read(ctx, argc, argv, "selector", "a[href]", &o) || !page_init(&p, ctx, this_val))
        goto out;
    links = page_find(&p, slice_cstr(o.selector));
    const struct html_attr *href = links.len ? html_attr_find(links.ptr[0], SLICE("href")) : NULL;
    if (!links.len) {
        js_throw_go_error(ctx, "no element found for selector '%s' in response '%.*s'", o.selector,
                          SLICE_FMT(p.url_text.s));
    } else if (!href) {
        js_throw_go_error(ctx,
                          "no valid href attribute value found on element '%s' in response '%.*s'",
                          o.selector, SLICE_FMT(p.url_text.s));
    } else if (resolve(&p, href->value, &url)) {
        JSValue text = JS_NewStringLen(ctx, url.text, url.text_len);
        v = run(ctx, JS_UNDEFINED, text, JS_UNDEFINED, o.params);
        JS_FreeValue(ctx, text);
    }
out:
    url_release(&url);
    html_nodes_release(&links);
    page_release(&p);
    options_release(ctx, &o);
    return v;
}

/* ---- forms ---- */

/* Name and value of the button that submits. */
static void add_submit(JSContext *ctx, JSValueConst values, const struct html_nodes *form,
                       const char *selector, enum html_list_form lists) {
    struct html_nodes found = {0};
    struct html_selector *s = html_selector_new(slice_cstr(selector));
    html_find(&found, form, s, false);
    html_selector_free(s);
    const struct html_attr *name = found.len ? html_attr_find(found.ptr[0], SLICE("name")) : NULL;
    JSValue v = name ? html_node_value(ctx, found.ptr[0], lists) : JS_UNDEFINED;
    if (JS_IsUndefined(v))
        goto out;
    JSAtom atom = JS_NewAtomLen(ctx, name->value.ptr, name->value.len);
    JS_DefinePropertyValue(ctx, values, atom, v, JS_PROP_C_W_E);
    JS_FreeAtom(ctx, atom);
out:
    html_nodes_release(&found);
}

static bool add_fields(JSContext *ctx, JSValueConst values, JSValueConst fields) {
    JSPropertyEnum *names;
    uint32_t n;
    if (!JS_IsObject(fields))
        return true;
    if (JS_GetOwnPropertyNames(ctx, &names, &n, fields, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return false;
    bool ok = true;
    for (uint32_t i = 0; i < n && ok; i++) {
        JSValue v = JS_GetProperty(ctx, fields, names[i].atom);
        ok = !JS_IsException(v) &&
             JS_DefinePropertyValue(ctx, values, names[i].atom, v, JS_PROP_C_W_E) >= 0;
    }
    js_free_names(ctx, names, n);
    return ok;
}

struct pair {
    struct js_text name, value;
};

static int compare_pairs(const void *a, const void *b) {
    struct slice x = ((const struct pair *)a)->name.s, y = ((const struct pair *)b)->name.s;
    int c = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);
    return c ? c : (x.len > y.len) - (x.len < y.len);
}

static bool pair_read(JSContext *ctx, JSValueConst values, JSAtom atom, struct pair *out) {
    JSValue name = JS_AtomToString(ctx, atom), value = JS_GetProperty(ctx, values, atom);
    bool ok = !JS_IsException(value) && js_text_get(ctx, name, &out->name);
    if (ok && !js_text_get(ctx, value, &out->value)) {
        js_text_release(&out->name);
        ok = false;
    }
    JS_FreeValue(ctx, name);
    JS_FreeValue(ctx, value);
    return ok;
}

/* Appends the values as a query, sorted by name. False with an exception pending. */
static bool append_query(JSContext *ctx, struct buf *out, JSValueConst values) {
    JSPropertyEnum *names;
    uint32_t n, read = 0;
    if (JS_GetOwnPropertyNames(ctx, &names, &n, values, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return false;
    struct pair *pairs = xcalloc(n + 1, sizeof *pairs);
    while (read < n && pair_read(ctx, values, names[read].atom, &pairs[read]))
        read++;
    qsort(pairs, read, sizeof *pairs, compare_pairs);
    for (uint32_t i = 0; i < read; i++) {
        buf_append_char(out, i ? '&' : '?');
        url_escape(out, pairs[i].name.s, URL_QUERY_COMPONENT);
        buf_append_char(out, '=');
        url_escape(out, pairs[i].value.s, URL_QUERY_COMPONENT);
        js_text_release(&pairs[i].name);
        js_text_release(&pairs[i].value);
    }
    free(pairs);
    js_free_names(ctx, names, n);
    return read == n;
}

/* The values take the place of the URL's query. */
static JSValue run_get(JSContext *ctx, const struct url *url, JSValueConst values,
                       JSValueConst params) {
    struct buf b;
    size_t head = strcspn(url->text, "?#");
    const char *fragment = strchr(url->text + head, '#');
    JSValue v = JS_EXCEPTION;
    buf_init(&b, BUF_NO_CAP);
    buf_append(&b, url->text, head);
    if (append_query(ctx, &b, values)) {
        if (fragment)
            buf_append_str(&b, fragment);
        JSValue text = JS_NewStringLen(ctx, b.ptr, b.len);
        v = run(ctx, JS_UNDEFINED, text, JS_UNDEFINED, params);
        JS_FreeValue(ctx, text);
    }
    buf_release(&b);
    return v;
}

static JSValue run_with_body(JSContext *ctx, struct slice method, const struct url *url,
                             JSValueConst values, JSValueConst params) {
    char *upper = slice_dup(method);
    for (char *c = upper; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    JSValue name = JS_NewString(ctx, upper), text = JS_NewStringLen(ctx, url->text, url->text_len);
    JSValue v = run(ctx, name, text, values, params);
    JS_FreeValue(ctx, name);
    JS_FreeValue(ctx, text);
    free(upper);
    return v;
}

static JSValue submit(struct page *p, const struct page_options *o,
                      const struct html_nodes *forms) {
    JSContext *ctx = p->ctx;
    const struct html_attr *method = html_attr_find(forms->ptr[0], SLICE("method"));
    const struct html_attr *action = html_attr_find(forms->ptr[0], SLICE("action"));
    bool is_get = !method || slice_ieq(method->value, SLICE("get"));
    enum html_list_form lists = is_get ? HTML_LIST_QUERY : HTML_LIST_BODY;
    struct url url;
    if (!resolve(p, action ? action->value : slice_from(NULL, 0), &url))
        return JS_EXCEPTION;
    JSValue values = html_form_object(ctx, forms, lists), v = JS_EXCEPTION;
    add_submit(ctx, values, forms, o->submit, lists);
    if (add_fields(ctx, values, o->fields))
        v = is_get ? run_get(ctx, &url, values, o->params)
                   : run_with_body(ctx, method->value, &url, values, o->params);
    JS_FreeValue(ctx, values);
    url_release(&url);
    return v;
}

JSValue http_js_submit_form(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct page p = {.ctx = ctx, .url_value = JS_UNDEFINED, .root = JS_UNDEFINED};
    struct page_options o;
    struct html_nodes forms = {0};
    JSValue v = JS_EXCEPTION;
    if (!options_read(ctx, argc, argv, "formSelector", "form", &o) || !page_init(&p, ctx, this_val))
        goto out;
    forms = page_find(&p, slice_cstr(o.selector));
    if (forms.len)
        v = submit(&p, &o, &forms);
    else
        js_throw_go_error(ctx, "no form found for selector '%s' in response '%.*s'", o.selector,
                          SLICE_FMT(p.url_text.s));
out:
    html_nodes_release(&forms);
    page_release(&p);
    options_release(ctx, &o);
    return v;
}
