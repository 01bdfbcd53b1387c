/* Members of forms, their controls, and tables. */
#include "js/mod/html_members.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/go_text.h"
#include "html/form.h"
#include "http/url.h"

/* ---- finding ---- */

static struct html_nodes ancestors(const struct html_set *s, const char *selector) {
    struct html_nodes out = {0};
    html_parents(&out, &s->nodes, NULL);
    if (selector)
        html_keep_matching(&out, slice_cstr(selector));
    return out;
}

static struct html_nodes closest(const struct html_set *s, const char *selector) {
    struct html_nodes out = {0};
    struct html_selector *sel = html_selector_new(slice_cstr(selector));
    html_closest(&out, &s->nodes, sel);
    html_selector_free(sel);
    return out;
}

static struct html_nodes find_in(const struct html_nodes *in, struct slice selector) {
    struct html_nodes out = {0};
    struct html_selector *sel = html_selector_new(selector);
    html_find(&out, in, sel, false);
    html_selector_free(sel);
    return out;
}

/* Below the outermost ancestor; before + value + after is the selector. */
static struct html_nodes find_in_root(const struct html_nodes *parents, const char *before,
                                      struct slice value, const char *after) {
    struct html_nodes root = {0};
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, before);
    buf_append_slice(&b, value);
    buf_append_str(&b, after);
    if (parents->len)
        html_nodes_add(&root, parents->ptr[parents->len - 1]);
    struct html_nodes out = find_in(&root, buf_slice(&b));
    html_nodes_release(&root);
    buf_release(&b);
    return out;
}

static struct html_nodes find_by(const struct html_set *s, const char *before, struct slice value,
                                 const char *after) {
    struct html_nodes parents = ancestors(s, NULL);
    struct html_nodes out = find_in_root(&parents, before, value, after);
    html_nodes_release(&parents);
    return out;
}

static void keep_first(struct html_nodes *nodes) {
    if (nodes->len > 1)
        nodes->len = 1;
}

static JSValue all_below(JSContext *ctx, JSValueConst el, const struct html_set *s,
                         const char *selector) {
    struct html_nodes out = html_set_find(s, slice_cstr(selector));
    return html_new_elements(ctx, el, &out);
}

static JSValue count_below(JSContext *ctx, const struct html_set *s, const char *selector) {
    struct html_nodes out = html_set_find(s, slice_cstr(selector));
    JSValue n = JS_NewInt64(ctx, (int64_t)out.len);
    html_nodes_release(&out);
    return n;
}

/* Position of the element among what a selector finds below its ancestors of a kind. */
static JSValue position(JSContext *ctx, const struct html_set *s, const char *holder,
                        const char *selector, int64_t otherwise) {
    struct html_nodes holders = ancestors(s, holder);
    int64_t i = otherwise;
    if (holders.len) {
        struct html_nodes all = find_in(&holders, slice_cstr(selector));
        i = html_nodes_index(&all, s->nodes.ptr[0]);
        html_nodes_release(&all);
    }
    html_nodes_release(&holders);
    return JS_NewInt64(ctx, i);
}

/* ---- what several kinds have ---- */

JSValue html_element_text(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return html_set_text(ctx, s);
}

JSValue html_undefined(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)ctx;
    (void)el;
    (void)s;
    return JS_UNDEFINED;
}

JSValue html_option_value_of(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    html_option_value(&b, s->nodes.ptr[0]);
    return html_buf_value(ctx, &b);
}

JSValue html_options(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return all_below(ctx, el, s, "option");
}

/* The form around a control, or the one that it names. */
static struct html_nodes owner_form(const struct html_set *s) {
    struct html_nodes form = closest(s, "form");
    struct slice id = html_member_attr(s, "form");
    if (form.len || !id.len)
        return form;
    html_nodes_release(&form);
    return find_by(s, "#", id, "");
}

JSValue html_owner_form(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    struct html_nodes form = owner_form(s);
    keep_first(&form);
    return html_new_element(ctx, el, &form);
}

JSValue html_fieldset_form(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    struct html_nodes form = owner_form(s);
    return html_new_element(ctx, el, &form);
}

JSValue html_labels(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    struct html_nodes around = closest(s, "label"), all = {0};
    struct slice id = html_member_attr(s, "id");
    if (!id.len)
        return html_new_elements(ctx, el, &around);
    struct html_nodes named = find_by(s, "label[for=\"", id, "\"]");
    html_union(&all, &around, &named);
    html_nodes_release(&around);
    html_nodes_release(&named);
    return html_new_elements(ctx, el, &all);
}

/* ---- input and button ---- */

/* "formaction" of the control, or else "action" of its form; ptr NULL when neither is there. */
static struct slice form_attr(const struct html_set *s, const char *own, const char *forms) {
    const struct html_attr *a = html_set_attr(s, own);
    struct slice value = {NULL, 0};
    if (a)
        return a->value;
    struct html_nodes form = owner_form(s);
    if (form.len)
        value = html_attr_value(form.ptr[0], slice_cstr(forms));
    html_nodes_release(&form);
    return value;
}

JSValue html_form_action(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    struct slice action = form_attr(s, "formaction", "action");
    struct url url;
    if (!html_has_url(ctx, s))
        return html_text_value(ctx, action);
    if (!action.len)
        return JS_DupValue(ctx, s->url);
    if (!html_resolve(ctx, s, action, &url))
        return html_text_value(ctx, action);
    JSValue v = JS_NewStringLen(ctx, url.text, url.text_len);
    url_release(&url);
    return v;
}

JSValue html_form_enctype(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    struct slice type = form_attr(s, "formenctype", "enctype");
    if (slice_eq(type, SLICE("multipart/form-data")) || slice_eq(type, SLICE("text/plain")))
        return html_text_value(ctx, type);
    return JS_NewString(ctx, "application/x-www-form-urlencoded");
}

JSValue html_form_method(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    bool is_post = slice_ieq(form_attr(s, "formmethod", "method"), SLICE("post"));
    return JS_NewString(ctx, is_post ? "post" : "get");
}

JSValue html_form_no_validate(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return JS_NewBool(ctx, form_attr(s, "formnovalidate", "novalidate").ptr != NULL);
}

JSValue html_form_target(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return html_text_value(ctx, form_attr(s, "formtarget", "target"));
}

JSValue html_input_list(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    static const struct slice without[] = {SLICE("hidden"), SLICE("checkbox"), SLICE("radio"),
                                           SLICE("file"), SLICE("button")};
    struct slice id = html_member_attr(s, "list"), type = html_member_attr(s, "type");
    for (size_t i = 0; i < countof(without); i++) {
        if (!id.len || slice_eq(type, without[i]))
            return JS_UNDEFINED;
    }
    struct html_nodes list = find_by(s, "datalist[id=\"", id, "\"]");
    keep_first(&list);
    return html_new_element(ctx, el, &list);
}

/* ---- form, fieldset, label ---- */

static const char form_elements[] = "input,select,button,textarea,fieldset";

JSValue html_form_elements(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return all_below(ctx, el, s, form_elements);
}

JSValue html_form_length(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return count_below(ctx, s, form_elements);
}

JSValue html_method(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    bool is_post = slice_eq(html_member_attr(s, "method"), SLICE("post"));
    return JS_NewString(ctx, is_post ? "post" : "get");
}

JSValue html_fieldset_elements(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return all_below(ctx, el, s, "input,select,button,textarea");
}

JSValue html_label_control(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    const struct html_attr *a = html_set_attr(s, "for");
    if (!a)
        return JS_UNDEFINED;
    struct html_nodes control = find_by(s, "#", a->value, "");
    keep_first(&control);
    return html_new_element(ctx, el, &control);
}

/* ---- option, select, textarea ---- */

JSValue html_option_disabled(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    bool is_disabled = html_set_attr(s, "disabled") != NULL;
    struct html_nodes groups = ancestors(s, "optgroup");
    if (!is_disabled && groups.len)
        is_disabled = html_attr_find(groups.ptr[0], SLICE("disabled")) != NULL;
    html_nodes_release(&groups);
    return JS_NewBool(ctx, is_disabled);
}

JSValue html_option_form(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    struct html_nodes form = ancestors(s, "form"), select = ancestors(s, "select"), above = {0};
    const struct html_attr *id = select.len ? html_attr_find(select.ptr[0], SLICE("form")) : NULL;
    if (!form.len && id) {
        html_nodes_release(&form);
        html_parents(&above, &select, NULL);
        form = find_in_root(&above, "form#", id->value, "");
    }
    html_nodes_release(&select);
    html_nodes_release(&above);
    keep_first(&form);
    return html_new_element(ctx, el, &form);
}

JSValue html_option_index(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return position(ctx, s, "select,datalist", "option", 0);
}

JSValue html_option_label(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    const struct html_attr *a = html_set_attr(s, "label");
    return a ? html_text_value(ctx, a->value) : html_set_text(ctx, s);
}

JSValue html_select_length(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return count_below(ctx, s, "option");
}

JSValue html_selected_index(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    struct html_nodes selected = html_set_find(s, SLICE("option[selected]"));
    struct html_nodes all = html_set_find(s, SLICE("option"));
    int64_t i = selected.len ? html_nodes_index(&all, selected.ptr[0]) : -1;
    html_nodes_release(&selected);
    html_nodes_release(&all);
    return JS_NewInt64(ctx, i);
}

JSValue html_selected_options(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return all_below(ctx, el, s, "option[selected]");
}

JSValue html_select_size(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return JS_NewInt32(ctx, html_set_attr(s, "multiple") ? 4 : 1);
}

JSValue html_select_type(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return JS_NewString(ctx, html_set_attr(s, "multiple") ? "select-multiple" : "select");
}

JSValue html_select_value(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    struct html_nodes selected = html_set_find(s, SLICE("option[selected]"));
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    if (selected.len)
        html_option_value(&b, selected.ptr[0]);
    html_nodes_release(&selected);
    return html_buf_value(ctx, &b);
}

JSValue html_textarea_length(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return JS_NewInt64(ctx, (int64_t)html_member_attr(s, "value").len);
}

/* ---- progress ---- */

static double number_attr(const struct html_set *s, const char *name, double otherwise) {
    const struct html_attr *a = html_set_attr(s, name);
    double v;
    return !a || go_parse_float(a->value, &v, NULL) || v < 0 ? otherwise : v;
}

static JSValue progress(JSContext *ctx, const struct html_set *s, double otherwise) {
    double v = number_attr(s, "value", -1);
    return JS_NewFloat64(ctx, v < 0 ? otherwise : v / number_attr(s, "max", 1));
}

JSValue html_progress_max(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return JS_NewFloat64(ctx, number_attr(s, "max", 1));
}

JSValue html_progress_value(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return progress(ctx, s, 0);
}

JSValue html_progress_position(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return progress(ctx, s, -1);
}

/* ---- tables ---- */

static JSValue child_named(JSContext *ctx, JSValueConst el, const struct html_set *s,
                           const char *selector) {
    struct html_nodes out = {0};
    html_children(&out, &s->nodes, false);
    html_keep_matching(&out, slice_cstr(selector));
    return html_new_element(ctx, el, &out);
}

JSValue html_table_caption(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return child_named(ctx, el, s, "caption");
}

JSValue html_table_head(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return child_named(ctx, el, s, "thead");
}

JSValue html_table_foot(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return child_named(ctx, el, s, "tfoot");
}

JSValue html_table_bodies(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return all_below(ctx, el, s, "tbody");
}

JSValue html_rows(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return all_below(ctx, el, s, "tr");
}

JSValue html_row_cells(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return all_below(ctx, el, s, "th,td");
}

JSValue html_row_index(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return position(ctx, s, "table", "tr", -1);
}

JSValue html_section_row_index(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return position(ctx, s, "thead,tbody,tfoot", "tr", -1);
}

JSValue html_cell_index(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return position(ctx, s, "tr", "th,td", -1);
}

JSValue html_column_span(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    int64_t span = html_member_int(s, "span", 1);
    return JS_NewInt64(ctx, span < 1 ? 1 : span);
}

/* ---- map, media ---- */

JSValue html_map_areas(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return all_below(ctx, el, s, "area");
}

/* By the map's id; its name does not count in k6. */
JSValue html_map_images(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    const struct html_attr *id = html_set_attr(s, "id");
    struct html_nodes images = {0};
    if (id) {
        struct buf rest;
        buf_init(&rest, BUF_NO_CAP);
        buf_printf(&rest, "\"],object[usemap=\"#%.*s\"]", SLICE_FMT(id->value));
        images = find_by(s, "img[usemap=\"#", id->value, buf_cstr(&rest));
        buf_release(&rest);
    }
    return html_new_elements(ctx, el, &images);
}

JSValue html_text_tracks(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    return all_below(ctx, el, s, "track");
}

/* ---- style ---- */

JSValue html_style_type(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    struct slice type = html_member_attr(s, "type");
    return html_text_value(ctx, type.len ? type : SLICE("text/css"));
}
