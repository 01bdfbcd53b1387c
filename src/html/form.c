#include "html/form.h"

static struct slice attr(const struct html_node *n, const char *name) {
    return html_attr_value(n, slice_cstr(name));
}

void html_option_value(struct buf *out, const struct html_node *n) {
    const struct html_attr *value = html_attr_find(n, SLICE("value"));
    if (value)
        buf_append_slice(out, value->value);
    else if (html_render_children(out, n))
        buf_reset(out);
}

static void input_value(struct buf *out, const struct html_node *n) {
    struct slice type = attr(n, "type");
    if (html_attr_find(n, SLICE("value")))
        buf_append_slice(out, attr(n, "value"));
    else if (slice_eq(type, SLICE("radio")) || slice_eq(type, SLICE("checkbox")))
        buf_append_str(out, "on");
}

static void find_below(struct html_nodes *out, const struct html_nodes *in, const char *selector) {
    struct html_selector *s = html_selector_new(slice_cstr(selector));
    html_find(out, in, s, false);
    html_selector_free(s);
}

static void select_value(struct html_value *v, const struct html_node *n) {
    struct html_nodes self = {0};
    html_nodes_add(&self, n);
    find_below(&v->options, &self, "option[selected]");
    html_nodes_release(&self);
    if (html_attr_find(n, SLICE("multiple")))
        v->kind = HTML_VALUES;
    else if (v->options.len)
        html_option_value(&v->text, v->options.ptr[0]);
}

void html_value_init(struct html_value *v, const struct html_node *n) {
    *v = (struct html_value){.kind = HTML_ONE_VALUE};
    buf_init(&v->text, BUF_NO_CAP);
    struct slice name = html_node_name(n);
    if (slice_eq(name, SLICE("input")))
        input_value(&v->text, n);
    else if (slice_eq(name, SLICE("button")))
        buf_append_slice(&v->text, attr(n, "value"));
    else if (slice_eq(name, SLICE("textarea")))
        html_render_children(&v->text, n);
    else if (slice_eq(name, SLICE("option")))
        html_option_value(&v->text, n);
    else if (slice_eq(name, SLICE("select")))
        select_value(v, n);
    else
        v->kind = HTML_NO_VALUE;
}

void html_value_release(struct html_value *v) {
    buf_release(&v->text);
    html_nodes_release(&v->options);
}

static bool is_control(const struct html_node *n) {
    static const struct slice buttons[] = {SLICE("submit"), SLICE("button"), SLICE("reset"),
                                           SLICE("image"), SLICE("file")};
    struct slice type = attr(n, "type");
    if (!attr(n, "name").len || slice_eq(attr(n, "disabled"), SLICE("disabled")))
        return false;
    for (size_t i = 0; i < countof(buttons); i++) {
        if (slice_eq(type, buttons[i]))
            return false;
    }
    return (!slice_eq(type, SLICE("checkbox")) && !slice_eq(type, SLICE("radio"))) ||
           slice_eq(attr(n, "checked"), SLICE("checked"));
}

static const char control_selector[] = "input,select,textarea,keygen";

void html_form_controls(struct html_nodes *out, const struct html_nodes *in) {
    struct html_nodes all = {0};
    bool has_form = false;
    for (size_t i = 0; i < in->len; i++)
        has_form = has_form || html_is_element(in->ptr[i], SLICE("form"));
    if (has_form) {
        find_below(&all, in, control_selector);
    } else {
        struct html_selector *s = html_selector_new(slice_cstr(control_selector));
        html_filter(&all, in, s, true);
        html_selector_free(s);
    }
    for (size_t i = 0; i < all.len; i++) {
        if (is_control(all.ptr[i]))
            html_nodes_add(out, all.ptr[i]);
    }
    html_nodes_release(&all);
}
