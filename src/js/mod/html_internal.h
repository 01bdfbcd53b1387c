/* The inside of k6/html, shared by the html*.c files of this directory and by Response.html().
 *
 * A Selection and an Element are the same thing below: a set of nodes (an Element is about its
 * first node, but k6 keeps the whole set behind it, and so does what an Element answers). What is
 * derived from a Selection keeps it alive, and with it the documents of its nodes. */
#pragma once

#include "html/query.h"
#include "js/js_util.h"

/* How a Selection came to be: k6 hands out three Go types that scripts see as one. */
enum html_set_kind {
    HTML_SELECTION,
    HTML_SELECTION_POINTER, /* argument of map()'s function */
    HTML_SELECTION_RAW,     /* argument of filter()'s, is()'s, not()'s: goquery's own, without k6's
                               methods around it */
    HTML_ELEMENT_SET
};

struct html_set {
    struct html_doc *doc; /* the document that selectors are looked up in */
    struct html_nodes nodes;
    const struct html_node *one; /* room for a set of one */
    JSValue url;                 /* of the response; "" */
    JSValue source;              /* what it was made from: for end(), and for its documents */
    JSValue other;               /* argument of add(): the same */
    bool has_end;                /* end() gives source, otherwise nothing */
    enum html_set_kind kind;
};

#define HTML_KINDS_MAX 64

/* Per VU, made when it is needed first; and so is each prototype but the first one. */
struct html_module {
    JSValue selection_proto, raw_proto, element_proto, attribute_proto;
    JSValue kind_protos[HTML_KINDS_MAX]; /* per kind of element */
};

struct html_module *html_module_of(JSContext *ctx);

/* Selection of a document's root. */
JSValue html_new_document(JSContext *ctx, struct html_doc *doc, JSValueConst url);
/* A Selection or Element with the nodes (taken), derived from one. An Element of no nodes is
 * undefined. */
JSValue html_new_selection(JSContext *ctx, JSValueConst from, struct html_nodes *nodes);
JSValue html_new_element(JSContext *ctx, JSValueConst from, struct html_nodes *nodes);
JSValue html_new_element_of(JSContext *ctx, JSValueConst from, const struct html_node *n);
/* An array with an Element for each node (nodes are taken). */
JSValue html_new_elements(JSContext *ctx, JSValueConst from, struct html_nodes *nodes);
/* A set of another kind that end() of does not lead back from. */
JSValue html_new_single(JSContext *ctx, JSValueConst from, const struct html_node *n,
                        enum html_set_kind kind);

/* A Selection of the same nodes. */
JSValue html_new_alias(JSContext *ctx, JSValueConst v);

/* NULL when v is none; no exception. */
struct html_set *html_set_of(JSValueConst v);
/* Throws a TypeError when this is no Selection, or no Element. */
struct html_set *html_this_selection(JSContext *ctx, JSValueConst this_val);
struct html_set *html_this_element(JSContext *ctx, JSValueConst this_val);

/* Argument i as Go's conversion to string gives it: "" when there is none. */
bool html_arg_text(JSContext *ctx, int argc, JSValueConst *argv, int i, struct js_text *out);
/* The Go type in k6's words about arguments: "html.Selection", "html.AnchorElement", "int64". */
const char *html_type_name(JSContext *ctx, JSValueConst v);

JSValue html_text_value(JSContext *ctx, struct slice s);
JSValue html_buf_value(JSContext *ctx, struct buf *b); /* releases it */
/* Replaces the nodes by those among them that a selector matches. */
void html_keep_matching(struct html_nodes *nodes, struct slice selector);
/* What a selector finds below the nodes of a set. */
struct html_nodes html_set_find(const struct html_set *s, struct slice selector);
/* Text of a set, and the inner HTML of its first node (undefined where Go fails). */
JSValue html_set_text(JSContext *ctx, const struct html_set *s);
JSValue html_set_inner(JSContext *ctx, const struct html_set *s);
/* First attribute of that name of the first node; NULL when absent. */
const struct html_attr *html_set_attr(const struct html_set *s, const char *name);
/* An object with the values of the forms in nodes by name. For a request body as k6 sends it
 * (BODY), the values of a select with `multiple` are one text, "[a b]"; for a query, "a,b". */
enum html_list_form { HTML_LIST_ARRAY, HTML_LIST_BODY, HTML_LIST_QUERY };
JSValue html_form_object(JSContext *ctx, const struct html_nodes *nodes, enum html_list_form lists);
/* val() of a node. */
JSValue html_node_value(JSContext *ctx, const struct html_node *n, enum html_list_form lists);

/* html_selection.c, html_form.c, html_element.c */
void html_selection_methods(JSContext *ctx, JSValueConst proto);
void html_raw_methods(JSContext *ctx, JSValueConst proto); /* for HTML_SELECTION_RAW */
void html_form_methods(JSContext *ctx, JSValueConst proto);
void html_element_methods(JSContext *ctx, JSValueConst proto);
int html_attribute_register(JSContext *ctx);

/* html_kinds.c: which kind of element a node is (-1: an Element without accessors of its own), its
 * Go type's name, and its accessors. */
int html_kind_of(const struct html_node *n);
const char *html_kind_type(int kind);
void html_kind_methods(JSContext *ctx, JSValueConst proto, int kind);
