#include <gumbo.h>
#include <setjmp.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/vec.h"
#include "html/dom.h"

/* gumbo builds its own tree in an arena of ours (its way of freeing one recurses, and it does not
 * look at what its allocator returns); that tree is then copied into the compact one. A page can
 * make the algorithm of HTML5 clone nodes without end: both memory and time have a limit, and the
 * way out is a longjmp. */
#define GUMBO_BYTES_MIN ((size_t)64 << 20)
#define GUMBO_BYTES_PER_BYTE 100
#define GUMBO_TIME_MAX_NS (10 * NS_PER_S)
#define GUMBO_PADDING 16
#define GO_DEPTH_MAX 512

/* Go parses as a browser that runs scripts does: what is in noscript is text. gumbo parses as one
 * that does not. For it, noscript is spelled as the element that browsers treat like that, in
 * letters by which it is known again; both names have the same length. */
#define NOSCRIPT_ALIAS "nOfRaMeS"
#define NOSCRIPT_LEN 8

struct gumbo_memory {
    struct arena arena;
    size_t used, max;
    int64_t deadline_ns;
    unsigned calls;
    jmp_buf out;
};

static void *gumbo_alloc(void *arg, size_t bytes) {
    struct gumbo_memory *m = arg;
    m->used += bytes;
    if (m->used > m->max || (++m->calls % 4096 == 0 && clock_now_ns() > m->deadline_ns))
        longjmp(m->out, 1);
    return arena_alloc(&m->arena, bytes ? bytes : 1);
}

static void gumbo_dealloc(void *arg, void *ptr) {
    (void)arg;
    (void)ptr;
}

/* Position of the next "<noscript" or "</noscript" (any case): of the name. NULL = none. */
static char *find_noscript(char *at, const char *end) {
    while ((at = memchr(at, '<', (size_t)(end - at)))) {
        at++;
        if (at < end && *at == '/')
            at++;
        if (end - at < NOSCRIPT_LEN)
            return NULL;
        if (slice_ieq(slice_from(at, NOSCRIPT_LEN), SLICE("noscript")))
            return at;
    }
    return NULL;
}

struct builder {
    struct html_doc *doc;
    bool has_noscript; /* the source given to gumbo is a changed copy */
    bool sorts_formatting;
    struct slice source; /* as gumbo saw it */
    size_t depth_max;
};

/* A copy in the arena, with noscript spelled as it was. */
static struct slice copy_text(struct builder *b, const char *s) {
    size_t len = strlen(s);
    if (len == 0)
        return SLICE("");
    char *copy = arena_strndup(&b->doc->arena, s, len), *at = copy;
    while (b->has_noscript && (at = strstr(at, NOSCRIPT_ALIAS))) {
        memcpy(at, "noscript", NOSCRIPT_LEN);
        at += NOSCRIPT_LEN;
    }
    return slice_from(copy, len);
}

/* Text nodes that follow each other are one. */
static struct html_node *append(struct builder *b, struct html_node *parent,
                                enum html_node_type type, struct slice data) {
    struct html_node *last = parent->last;
    if (type == HTML_TEXT && last && last->type == HTML_TEXT) {
        char *both = arena_alloc(&b->doc->arena, last->data.len + data.len + 1);
        memcpy(both, last->data.ptr, last->data.len);
        memcpy(both + last->data.len, data.ptr, data.len);
        last->data = slice_from(both, last->data.len + data.len);
        return last;
    }
    struct html_node *n = arena_alloc(&b->doc->arena, sizeof *n);
    *n = (struct html_node){.parent = parent, .prev = last, .data = data, .type = (uint8_t)type};
    if (last)
        last->next = n;
    else
        parent->first = n;
    parent->last = n;
    return n;
}

static struct slice lower_copy(struct builder *b, const GumboStringPiece *s) {
    char *copy = arena_strndup(&b->doc->arena, s->data, s->length);
    for (size_t i = 0; i < s->length; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + 32);
    }
    return slice_from(copy, s->length);
}

static struct slice tag_name(struct builder *b, const GumboElement *e) {
    GumboStringPiece name = e->original_tag;
    if (name.length)
        gumbo_tag_from_original_text(&name);
    if (b->has_noscript && e->tag == GUMBO_TAG_NOFRAMES && name.length == NOSCRIPT_LEN &&
        memcmp(name.data, NOSCRIPT_ALIAS, NOSCRIPT_LEN) == 0)
        return SLICE("noscript");
    if (e->tag_namespace == GUMBO_NAMESPACE_SVG && name.length) {
        const char *svg = gumbo_normalize_svg_tagname(&name);
        if (svg)
            return slice_cstr(svg);
    }
    if (e->tag != GUMBO_TAG_UNKNOWN)
        return slice_cstr(gumbo_normalized_tagname(e->tag));
    return name.length ? lower_copy(b, &name) : SLICE("");
}

static const char *prefix_of(const GumboAttribute *a) {
    switch (a->attr_namespace) {
    case GUMBO_ATTR_NAMESPACE_XLINK:
        return "xlink";
    case GUMBO_ATTR_NAMESPACE_XML:
        return "xml";
    case GUMBO_ATTR_NAMESPACE_XMLNS:
        return strcmp(a->name, "xmlns") == 0 ? "" : "xmlns";
    case GUMBO_ATTR_NAMESPACE_NONE:
        break;
    }
    return "";
}

static int compare_slices(struct slice a, struct slice b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static int compare_attrs(const void *a, const void *b) {
    const struct html_attr *x = a, *y = b;
    int c = strcmp(x->prefix, y->prefix);
    if (!c)
        c = compare_slices(x->name, y->name);
    return c ? c : compare_slices(x->value, y->value);
}

/* Go's parser keeps a list of these and sorts their attributes on the way. */
static bool is_formatting(GumboTag tag) {
    switch ((int)tag) {
    case GUMBO_TAG_A:
    case GUMBO_TAG_B:
    case GUMBO_TAG_BIG:
    case GUMBO_TAG_CODE:
    case GUMBO_TAG_EM:
    case GUMBO_TAG_FONT:
    case GUMBO_TAG_I:
    case GUMBO_TAG_NOBR:
    case GUMBO_TAG_S:
    case GUMBO_TAG_SMALL:
    case GUMBO_TAG_STRIKE:
    case GUMBO_TAG_STRONG:
    case GUMBO_TAG_TT:
    case GUMBO_TAG_U:
        return true;
    }
    return false;
}

static void copy_attrs(struct builder *b, struct html_node *n, const GumboElement *e) {
    n->n_attrs = e->attributes.length;
    if (!n->n_attrs)
        return;
    n->attrs = arena_alloc(&b->doc->arena, n->n_attrs * sizeof *n->attrs);
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        const GumboAttribute *a = e->attributes.data[i];
        n->attrs[i] =
            (struct html_attr){copy_text(b, a->name), copy_text(b, a->value), prefix_of(a)};
    }
    if (b->sorts_formatting && n->ns == HTML_NS_HTML && is_formatting(e->tag))
        qsort(n->attrs, n->n_attrs, sizeof *n->attrs, compare_attrs);
}

/* NULL when it is no node of Go's tree. */
static struct html_node *copy_node(struct builder *b, struct html_node *parent,
                                   const GumboNode *g) {
    switch (g->type) {
    case GUMBO_NODE_TEXT:
    case GUMBO_NODE_CDATA:
    case GUMBO_NODE_WHITESPACE:
        return append(b, parent, HTML_TEXT, copy_text(b, g->v.text.text));
    case GUMBO_NODE_COMMENT:
        return append(b, parent, HTML_COMMENT, copy_text(b, g->v.text.text));
    case GUMBO_NODE_ELEMENT:
    case GUMBO_NODE_TEMPLATE:
        break;
    case GUMBO_NODE_DOCUMENT:
        return NULL;
    }
    const GumboElement *e = &g->v.element;
    struct html_node *n = append(b, parent, HTML_ELEMENT, tag_name(b, e));
    n->ns = e->tag_namespace == GUMBO_NAMESPACE_SVG      ? HTML_NS_SVG
            : e->tag_namespace == GUMBO_NAMESPACE_MATHML ? HTML_NS_MATH
                                                         : HTML_NS_HTML;
    copy_attrs(b, n, e);
    return n;
}

static const GumboVector *children_of(const GumboNode *g) {
    if (g->type == GUMBO_NODE_ELEMENT || g->type == GUMBO_NODE_TEMPLATE)
        return &g->v.element.children;
    return g->type == GUMBO_NODE_DOCUMENT ? &g->v.document.children : NULL;
}

static void append_doctype(struct builder *b, const GumboDocument *d) {
    struct html_node *n = append(b, &b->doc->root, HTML_DOCTYPE, copy_text(b, d->name));
    const struct {
        struct slice name;
        const char *value;
    } ids[] = {{SLICE("public"), d->public_identifier}, {SLICE("system"), d->system_identifier}};
    n->attrs = arena_alloc(&b->doc->arena, countof(ids) * sizeof *n->attrs);
    for (size_t i = 0; i < countof(ids); i++) {
        if (ids[i].value && *ids[i].value)
            n->attrs[n->n_attrs++] =
                (struct html_attr){ids[i].name, copy_text(b, ids[i].value), ""};
    }
}

/* gumbo keeps the doctype apart from the document's children. Only comments can come before it. */
static unsigned doctype_position(const struct builder *b, const GumboDocument *d) {
    const char *at = b->source.ptr, *end = at + b->source.len;
    unsigned i = 0;
    for (; i < d->children.length; i++) {
        const GumboNode *g = d->children.data[i];
        if (g->type != GUMBO_NODE_COMMENT || g->v.text.original_text.length == 0)
            break;
        const GumboStringPiece *text = &g->v.text.original_text;
        for (; at < text->data && at + 9 <= end; at++) {
            if (slice_ieq(slice_from(at, 9), SLICE("<!doctype")))
                return i;
        }
        at = text->data + text->length;
    }
    return i;
}

struct level {
    const GumboVector *children;
    unsigned next;
    struct html_node *parent;
};

static int copy_tree(struct builder *b, const GumboOutput *g, struct error *err) {
    VEC(struct level) stack = {0};
    const GumboDocument *d = &g->document->v.document;
    unsigned doctype_at = d->has_doctype ? doctype_position(b, d) : UINT32_MAX;
    int rc = 0;
    vec_push(&stack, (struct level){children_of(g->document), 0, &b->doc->root});
    while (stack.len) {
        struct level *top = &stack.ptr[stack.len - 1];
        if (stack.len == 1 && top->next == doctype_at) {
            append_doctype(b, d);
            doctype_at = UINT32_MAX;
        }
        if (top->next == top->children->length) {
            stack.len--;
            continue;
        }
        const GumboNode *child = top->children->data[top->next++];
        struct html_node *n = copy_node(b, top->parent, child);
        const GumboVector *children = n ? children_of(child) : NULL;
        if (!children || n->type != HTML_ELEMENT)
            continue;
        if (stack.len > b->depth_max) {
            rc = error_set(err, KE_INVALID, "html: open stack of elements exceeds %d nodes",
                           GO_DEPTH_MAX);
            break;
        }
        vec_push(&stack, (struct level){children, 0, n});
    }
    vec_release(&stack);
    return rc;
}

/* NULL when gumbo was stopped. */
static const GumboOutput *run_gumbo(struct gumbo_memory *m, struct slice source) {
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = gumbo_alloc;
    options.deallocator = gumbo_dealloc;
    options.userdata = m;
    options.max_errors = 0;
    if (setjmp(m->out))
        return NULL;
    return gumbo_parse_with_options(&options, source.ptr, source.len);
}

static struct html_doc *doc_new(void) {
    struct html_doc *doc = xcalloc(1, sizeof *doc);
    doc->refs = 1;
    doc->root.type = HTML_DOCUMENT;
    arena_init(&doc->arena);
    return doc;
}

/* The source as gumbo is to see it. Its reader of entities looks beyond the end: zeros are there.
 */
static char *copy_source(struct slice source, bool *has_noscript) {
    char *copy = xmalloc(source.len + GUMBO_PADDING), *end = copy + source.len;
    if (source.len)
        memcpy(copy, source.ptr, source.len);
    memset(end, 0, GUMBO_PADDING);
    *has_noscript = false;
    for (char *at = copy; (at = find_noscript(at, end)); at += NOSCRIPT_LEN) {
        memcpy(at, NOSCRIPT_ALIAS, NOSCRIPT_LEN);
        *has_noscript = true;
    }
    return copy;
}

int html_parse(struct slice source, struct html_doc **out, struct error *err) {
    *out = NULL;
    if (source.len > HTML_SOURCE_MAX)
        return error_set(err, KE_TOO_LARGE, "html: the document is larger than %zu MiB",
                         HTML_SOURCE_MAX >> 20);
    bool has_noscript;
    char *copy = copy_source(source, &has_noscript);
    struct gumbo_memory *m = xcalloc(1, sizeof *m);
    arena_init(&m->arena);
    m->max = GUMBO_BYTES_MIN + GUMBO_BYTES_PER_BYTE * source.len;
    m->deadline_ns = clock_now_ns() + GUMBO_TIME_MAX_NS;
    struct builder b = {.doc = doc_new(),
                        .has_noscript = has_noscript,
                        .sorts_formatting = compat_on(COMPAT_HTML_SORTED_FORMATTING),
                        .depth_max = compat_on(COMPAT_HTML_DEPTH_LIMIT) ? GO_DEPTH_MAX : SIZE_MAX,
                        .source = slice_from(copy, source.len)};
    const GumboOutput *tree = run_gumbo(m, b.source);
    int rc = tree ? copy_tree(&b, tree, err)
                  : error_set(err, KE_TOO_LARGE,
                              "html: the document's tree is out of all proportion to its text");
    arena_release(&m->arena);
    free(m);
    free(copy);
    if (rc)
        html_doc_unref(b.doc);
    else
        *out = b.doc;
    return rc;
}
