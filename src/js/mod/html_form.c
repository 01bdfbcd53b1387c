#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/go_text.h"
#include "base/json_write.h"
#include "html/form.h"
#include "http/url_escape.h"
#include "js/go_args.h"
#include "js/mod/html_internal.h"

/* ---- values ---- */

static JSValue option_list(JSContext *ctx, const struct html_nodes *options) {
    JSValue list = JS_NewArray(ctx);
    for (size_t i = 0; i < options->len; i++) {
        struct buf b;
        buf_init(&b, BUF_NO_CAP);
        html_option_value(&b, options->ptr[i]);
        JS_SetPropertyUint32(ctx, list, (uint32_t)i, html_buf_value(ctx, &b));
    }
    return list;
}

static JSValue option_text(JSContext *ctx, const struct html_nodes *options,
                           enum html_list_form form) {
    struct buf b;
    bool is_body = form == HTML_LIST_BODY;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, is_body ? "[" : "");
    for (size_t i = 0; i < options->len; i++) {
        if (i)
            buf_append_char(&b, is_body ? ' ' : ',');
        html_option_value(&b, options->ptr[i]);
    }
    buf_append_str(&b, is_body ? "]" : "");
    return html_buf_value(ctx, &b);
}

JSValue html_node_value(JSContext *ctx, const struct html_node *n, enum html_list_form lists) {
    struct html_value v;
    html_value_init(&v, n);
    JSValue js = JS_UNDEFINED;
    if (v.kind == HTML_ONE_VALUE)
        js = html_text_value(ctx, buf_slice(&v.text));
    else if (v.kind == HTML_VALUES)
        js = lists == HTML_LIST_ARRAY ? option_list(ctx, &v.options)
                                      : option_text(ctx, &v.options, lists);
    html_value_release(&v);
    return js;
}

static JSValue js_val(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct html_set *s = html_this_selection(ctx, this_val);
    if (!s)
        return JS_EXCEPTION;
    return s->nodes.len ? html_node_value(ctx, s->nodes.ptr[0], HTML_LIST_ARRAY) : JS_UNDEFINED;
}

/* ---- forms ---- */

static struct slice name_of(const struct html_node *n) {
    return html_attr_value(n, SLICE("name"));
}

JSValue html_form_object(JSContext *ctx, const struct html_nodes *nodes,
                         enum html_list_form lists) {
    struct html_nodes controls = {0};
    JSValue o = JS_NewObject(ctx);
    html_form_controls(&controls, nodes);
    for (size_t i = 0; i < controls.len; i++) {
        struct slice name = name_of(controls.ptr[i]);
        JSAtom atom = JS_NewAtomLen(ctx, name.ptr, name.len);
        JS_DefinePropertyValue(ctx, o, atom, html_node_value(ctx, controls.ptr[i], lists),
                               JS_PROP_C_W_E);
        JS_FreeAtom(ctx, atom);
    }
    html_nodes_release(&controls);
    return o;
}

static JSValue js_serialize_object(JSContext *ctx, JSValueConst this_val, int argc,
                                   JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct html_set *s = html_this_selection(ctx, this_val);
    return s ? html_form_object(ctx, &s->nodes, HTML_LIST_ARRAY) : JS_EXCEPTION;
}

static JSValue js_serialize_array(JSContext *ctx, JSValueConst this_val, int argc,
                                  JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct html_set *s = html_this_selection(ctx, this_val);
    struct html_nodes controls = {0};
    if (!s)
        return JS_EXCEPTION;
    html_form_controls(&controls, &s->nodes);
    JSValue list = JS_NewArray(ctx);
    for (size_t i = 0; i < controls.len; i++) {
        const struct html_node *n = controls.ptr[i];
        JSValue o = JS_NewObject(ctx);
        JS_SetPropertyStr(ctx, o, "name", html_text_value(ctx, name_of(n)));
        JS_SetPropertyStr(ctx, o, "value", html_node_value(ctx, n, HTML_LIST_ARRAY));
        JS_SetPropertyUint32(ctx, list, (uint32_t)i, o);
    }
    html_nodes_release(&controls);
    return list;
}

static int compare_names(const void *a, const void *b) {
    struct slice x = name_of(*(const struct html_node *const *)a);
    struct slice y = name_of(*(const struct html_node *const *)b);
    int c = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);
    return c ? c : (x.len > y.len) - (x.len < y.len);
}

static void append_pair(struct buf *out, struct slice name, struct slice value) {
    if (out->len)
        buf_append_char(out, '&');
    url_escape(out, name, URL_QUERY_COMPONENT);
    buf_append_char(out, '=');
    url_escape(out, value, URL_QUERY_COMPONENT);
}

static void serialize_control(struct buf *out, const struct html_node *n) {
    struct html_value v;
    html_value_init(&v, n);
    if (v.kind == HTML_ONE_VALUE)
        append_pair(out, name_of(n), buf_slice(&v.text));
    for (size_t i = 0; v.kind == HTML_VALUES && i < v.options.len; i++) {
        buf_reset(&v.text);
        html_option_value(&v.text, v.options.ptr[i]);
        append_pair(out, name_of(n), buf_slice(&v.text));
    }
    html_value_release(&v);
}

/* The last control of a name with a value is the one that counts; names are sorted. */
static void serialize(struct buf *out, const struct html_nodes *in) {
    struct html_nodes controls = {0}, last = {0};
    html_form_controls(&controls, in);
    for (size_t i = controls.len; i-- > 0;) {
        bool is_known = html_is_element(controls.ptr[i], SLICE("keygen"));
        for (size_t j = 0; j < last.len && !is_known; j++)
            is_known = slice_eq(name_of(last.ptr[j]), name_of(controls.ptr[i]));
        if (!is_known)
            html_nodes_add(&last, controls.ptr[i]);
    }
    if (last.len)
        qsort(last.ptr, last.len, sizeof *last.ptr, compare_names);
    for (size_t i = 0; i < last.len; i++)
        serialize_control(out, last.ptr[i]);
    html_nodes_release(&controls);
    html_nodes_release(&last);
}

static JSValue js_serialize(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct html_set *s = html_this_selection(ctx, this_val);
    struct buf b;
    if (!s)
        return JS_EXCEPTION;
    buf_init(&b, BUF_NO_CAP);
    serialize(&b, &s->nodes);
    return html_buf_value(ctx, &b);
}

/* ---- data() ---- */

/* Words that k6's conversion of names keeps together and in capitals. */
static const char *const initialisms[] = {
    "ACL",  "API",   "ASCII", "CPU", "CSS",  "DNS",  "EOF",  "ETA", "GPU",   "GUID", "HTML",
    "HTTP", "HTTPS", "ID",    "IP",  "JSON", "LHS",  "OS",   "QPS", "RAM",   "RHS",  "RPC",
    "SLA",  "SMTP",  "SQL",   "SSH", "TCP",  "TLS",  "TTL",  "UDP", "UI",    "UID",  "UUID",
    "URI",  "URL",   "UTF8",  "VM",  "XML",  "XMPP", "XSRF", "XSS", "OAuth",
};

static const char *initialism(struct slice word, bool any_case) {
    for (size_t i = 0; i < countof(initialisms); i++) {
        struct slice known = slice_cstr(initialisms[i]);
        if (any_case ? slice_ieq(word, known) : slice_eq(word, known))
            return initialisms[i];
    }
    return NULL;
}

/* The longest one (of two to five letters) that s begins with: its length or 0. */
static size_t leading_initialism(struct slice s) {
    for (size_t n = s.len < 5 ? s.len : 5; n > 1; n--) {
        if (initialism(slice_from(s.ptr, n), false))
            return n;
    }
    return 0;
}

static void append_lower(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        buf_append_char(out, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c == '_' ? '-' : c);
    }
}

/* "userID" → "data-user-id" */
static void property_to_attr(struct buf *out, struct slice s) {
    size_t from = 0;
    bool is_first = true;
    buf_append_str(out, "data-");
    for (size_t i = 1; i <= s.len; i++) {
        bool is_upper = i < s.len && s.ptr[i] >= 'A' && s.ptr[i] <= 'Z';
        if (i < s.len && !is_upper)
            continue;
        size_t known = i < s.len ? leading_initialism(slice_from(s.ptr + from, s.len - from)) : 0;
        size_t to = known ? from + known : i;
        if (to > from || i < s.len) {
            buf_append_str(out, is_first ? "" : "-");
            append_lower(out, slice_from(s.ptr + from, to - from));
            is_first = false;
        }
        from = to;
        if (known)
            i += known - 1;
    }
}

/* "user-id" → "userID" */
static void attr_to_property(struct buf *out, struct slice rest) {
    buf_append_slice(out, slice_cut(&rest, '-'));
    while (rest.ptr && rest.len) {
        struct slice word = slice_from(rest.ptr, 0);
        while (word.len < rest.len && rest.ptr[word.len] != '-' && rest.ptr[word.len] != '_')
            word.len++;
        size_t used = word.len + (word.len < rest.len);
        rest = slice_from(rest.ptr + used, rest.len - used);
        const char *known = initialism(word, true);
        if (known) {
            buf_append_str(out, known);
        } else if (word.len) {
            char c = word.ptr[0];
            buf_append_char(out, c >= 'a' && c <= 'z' ? (char)(c - 32) : c);
            buf_append(out, word.ptr + 1, word.len - 1);
        }
    }
}

/* Go's 'f' form of a number: all digits, no exponent. */
static void format_plain(struct buf *out, double v) {
    char text[32];
    if (isinf(v)) {
        buf_append_str(out, v > 0 ? "+Inf" : "-Inf");
        return;
    }
    double_format_js(v, text);
    char *e = strchr(text, 'e');
    if (!e) {
        buf_append_str(out, v == 0 && signbit(v) ? "-0" : text);
        return;
    }
    long exponent = strtol(e + 1, NULL, 10);
    bool is_negative = text[0] == '-';
    char digits[32];
    size_t n = 0;
    for (char *c = text + is_negative; c < e; c++) {
        if (*c != '.')
            digits[n++] = *c;
    }
    buf_append_str(out, is_negative ? "-" : "");
    if (exponent < 0) {
        buf_append_str(out, "0.");
        for (long i = -1; i > exponent; i--)
            buf_append_char(out, '0');
        buf_append(out, digits, n);
        return;
    }
    buf_append(out, digits, n);
    for (long i = (long)n - 1; i < exponent; i++)
        buf_append_char(out, '0');
}

/* A number only when it is written as Go would write it. */
static bool to_number(struct slice s, double *out) {
    struct buf b;
    if (go_parse_float(s, out, NULL))
        return false;
    buf_init(&b, BUF_NO_CAP);
    if (isnan(*out))
        buf_append_str(&b, "NaN");
    else
        format_plain(&b, *out);
    bool is_same = slice_eq(buf_slice(&b), s);
    buf_release(&b);
    return is_same;
}

static JSValue data_value(JSContext *ctx, struct slice s) {
    double number;
    if (s.len == 0 || slice_eq(s, SLICE("null")) || slice_eq(s, SLICE("undefined")))
        return JS_UNDEFINED;
    if (s.ptr[0] == '{' || s.ptr[0] == '[') {
        JSValue v = JS_ParseJSON(ctx, s.ptr, s.len, "<data>");
        if (!JS_IsException(v))
            return v;
        JS_FreeValue(ctx, JS_GetException(ctx));
        return html_text_value(ctx, s);
    }
    if (slice_eq(s, SLICE("true")) || slice_eq(s, SLICE("false")))
        return JS_NewBool(ctx, s.ptr[0] == 't');
    return to_number(s, &number) ? JS_NewFloat64(ctx, number) : html_text_value(ctx, s);
}

static JSValue all_data(JSContext *ctx, const struct html_node *n) {
    JSValue o = JS_NewObject(ctx);
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        struct slice name = n->attrs[i].name;
        struct buf b;
        if (name.len <= 5 || !slice_starts(name, SLICE("data-")))
            continue;
        buf_init(&b, BUF_NO_CAP);
        attr_to_property(&b, slice_from(name.ptr + 5, name.len - 5));
        JSAtom atom = JS_NewAtomLen(ctx, b.ptr, b.len);
        JS_DefinePropertyValue(ctx, o, atom, data_value(ctx, n->attrs[i].value), JS_PROP_C_W_E);
        JS_FreeAtom(ctx, atom);
        buf_release(&b);
    }
    return o;
}

static JSValue js_data(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct html_set *s = html_this_selection(ctx, this_val);
    struct js_text name;
    if (!s)
        return JS_EXCEPTION;
    if (!s->nodes.len || !s->nodes.ptr[0]->n_attrs)
        return JS_UNDEFINED;
    if (argc == 0)
        return all_data(ctx, s->nodes.ptr[0]);
    if (!go_string_arg(ctx, argc, argv, 0, &name))
        return JS_EXCEPTION;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    property_to_attr(&b, name.s);
    js_text_release(&name);
    const struct html_attr *a = html_set_attr(s, buf_cstr(&b));
    buf_release(&b);
    return a ? data_value(ctx, a->value) : JS_UNDEFINED;
}

static const JSCFunctionListEntry methods[] = {
    JS_CFUNC_DEF("val", 0, js_val),
    JS_CFUNC_DEF("data", 0, js_data),
    JS_CFUNC_DEF("serialize", 0, js_serialize),
    JS_CFUNC_DEF("serializeArray", 0, js_serialize_array),
    JS_CFUNC_DEF("serializeObject", 0, js_serialize_object),
};

void html_form_methods(JSContext *ctx, JSValueConst proto) {
    JS_SetPropertyFunctionList(ctx, proto, methods, countof(methods));
}
