#include "base/check.h"
#include "html/dom.h"

static bool is_one_of(struct slice s, const struct slice *names, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (slice_eq(s, names[i]))
            return true;
    }
    return false;
}

static const struct slice void_elements[] = {
    SLICE("area"), SLICE("base"),  SLICE("br"),     SLICE("col"),    SLICE("embed"),
    SLICE("hr"),   SLICE("img"),   SLICE("input"),  SLICE("keygen"), SLICE("link"),
    SLICE("meta"), SLICE("param"), SLICE("source"), SLICE("track"),  SLICE("wbr"),
};

static const struct slice literal_elements[] = {
    SLICE("iframe"),    SLICE("noembed"), SLICE("noframes"), SLICE("noscript"),
    SLICE("plaintext"), SLICE("script"),  SLICE("style"),    SLICE("xmp"),
};

static const struct slice newline_elements[] = {SLICE("pre"), SLICE("listing"), SLICE("textarea")};

static void escape_text(struct buf *out, struct slice s) {
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        const char *word;
        switch (s.ptr[i]) {
        case '&':
            word = "&amp;";
            break;
        case '\'':
            word = "&#39;";
            break;
        case '<':
            word = "&lt;";
            break;
        case '>':
            word = "&gt;";
            break;
        case '"':
            word = "&#34;";
            break;
        case '\r':
            word = "&#13;";
            break;
        default:
            continue;
        }
        buf_append(out, s.ptr + from, i - from);
        buf_append_str(out, word);
        from = i + 1;
    }
    if (from < s.len)
        buf_append(out, s.ptr + from, s.len - from);
}

/* Only what could end the comment is escaped, and "&" with it. */
static void render_comment(struct buf *out, struct slice s) {
    buf_append_str(out, "<!--");
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '&')
            buf_append_str(out, "&amp;");
        else if (c == '>' && (i == 0 || s.ptr[i - 1] == '!' || s.ptr[i - 1] == '-'))
            buf_append_str(out, "&gt;");
        else
            buf_append_char(out, c);
    }
    buf_append_str(out, "-->");
}

static void render_identifier(struct buf *out, struct slice s) {
    char quote = memchr(s.ptr, '"', s.len) ? '\'' : '"';
    buf_append_char(out, quote);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '>')
            buf_append_str(out, "&gt;");
        else
            buf_append_char(out, s.ptr[i]);
    }
    buf_append_char(out, quote);
}

static void render_doctype(struct buf *out, const struct html_node *n) {
    struct slice public_id = html_attr_value(n, SLICE("public"));
    struct slice system_id = html_attr_value(n, SLICE("system"));
    buf_append_str(out, "<!DOCTYPE ");
    escape_text(out, n->data);
    if (public_id.len) {
        buf_append_str(out, " PUBLIC ");
        render_identifier(out, public_id);
    } else if (system_id.len) {
        buf_append_str(out, " SYSTEM");
    }
    if (system_id.len) {
        buf_append_char(out, ' ');
        render_identifier(out, system_id);
    }
    buf_append_char(out, '>');
}

/* Elements of SVG and MathML whose content is HTML again. */
static bool is_integration_point(const struct html_node *n) {
    if (n->ns == HTML_NS_SVG)
        return slice_eq(n->data, SLICE("desc")) || slice_eq(n->data, SLICE("foreignObject")) ||
               slice_eq(n->data, SLICE("title"));
    struct slice encoding = html_attr_value(n, SLICE("encoding"));
    return slice_eq(n->data, SLICE("annotation-xml")) &&
           (slice_ieq(encoding, SLICE("text/html")) ||
            slice_ieq(encoding, SLICE("application/xhtml+xml")));
}

static bool is_text_literal(const struct html_node *n) {
    if (n->type != HTML_ELEMENT || n->ns != HTML_NS_HTML ||
        !is_one_of(n->data, literal_elements, countof(literal_elements)))
        return false;
    for (const struct html_node *p = n->parent; p; p = p->parent) {
        if (p->ns != HTML_NS_HTML)
            return is_integration_point(p);
    }
    return true;
}

/* 1 when its children come next, 0 when it is complete. */
static int open_tag(struct buf *out, const struct html_node *n) {
    buf_append_char(out, '<');
    buf_append_slice(out, n->data);
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const struct html_attr *a = &n->attrs[i];
        buf_append_char(out, ' ');
        if (*a->prefix) {
            buf_append_str(out, a->prefix);
            buf_append_char(out, ':');
        }
        buf_append_slice(out, a->name);
        buf_append_str(out, "=\"");
        escape_text(out, a->value);
        buf_append_char(out, '"');
    }
    if (is_one_of(n->data, void_elements, countof(void_elements))) {
        buf_append_str(out, "/>");
        return n->first ? KE_INVALID : 0;
    }
    buf_append_char(out, '>');
    if (n->first && n->first->type == HTML_TEXT && slice_starts(n->first->data, SLICE("\n")) &&
        is_one_of(n->data, newline_elements, countof(newline_elements)))
        buf_append_char(out, '\n');
    return 1;
}

/* The beginning of a node: as open_tag. */
static int begin(struct buf *out, const struct html_node *n, const struct html_node *top) {
    switch ((enum html_node_type)n->type) {
    case HTML_DOCUMENT:
        return 1;
    case HTML_TEXT:
        if (n != top && is_text_literal(n->parent))
            buf_append_slice(out, n->data);
        else
            escape_text(out, n->data);
        return 0;
    case HTML_COMMENT:
        render_comment(out, n->data);
        return 0;
    case HTML_DOCTYPE:
        render_doctype(out, n);
        return 0;
    case HTML_ELEMENT:
        break;
    }
    return open_tag(out, n);
}

/* False when nothing may follow: plaintext has no end tag. */
static bool end(struct buf *out, const struct html_node *n) {
    if (n->type != HTML_ELEMENT)
        return true;
    if (is_text_literal(n) && slice_eq(n->data, SLICE("plaintext")))
        return false;
    buf_append_str(out, "</");
    buf_append_slice(out, n->data);
    buf_append_char(out, '>');
    return true;
}

int html_render(struct buf *out, const struct html_node *top) {
    const struct html_node *n = top;
    for (;;) {
        int rc = begin(out, n, top);
        if (rc < 0)
            return rc;
        if (rc && n->first) {
            n = n->first;
            continue;
        }
        if (rc && !end(out, n))
            return 0;
        while (n != top && !n->next) {
            n = n->parent;
            if (!end(out, n))
                return 0;
        }
        if (n == top)
            return 0;
        n = n->next;
    }
}

int html_render_children(struct buf *out, const struct html_node *n) {
    int rc = 0;
    for (const struct html_node *c = n->first; c && !rc; c = c->next)
        rc = html_render(out, c);
    return rc;
}
