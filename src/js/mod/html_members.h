/* Members of elements that are more than an attribute: the functions that html_kinds.def names.
 * Each answers for the element el, whose nodes are s. */
#pragma once

#include "js/mod/html_internal.h"

typedef JSValue html_member_fn(JSContext *ctx, JSValueConst el, const struct html_set *s);

#define KIND(kind, tag, type, family)
#define TEXT(kind, member, attribute)
#define LINK(kind, member, attribute)
#define FLAG(kind, member, attribute)
#define NUMBER(kind, member, attribute, otherwise)
#define CHOICE(kind, member, attribute, values)
#define OPTIONAL(kind, member, attribute, values)
#define CONSTANT(kind, member, text)
#define PART(kind, member, part, prefix)
#define CALL(kind, member, function) html_member_fn function;
#include "js/mod/html_kinds.def"
#undef KIND
#undef TEXT
#undef LINK
#undef FLAG
#undef NUMBER
#undef CHOICE
#undef OPTIONAL
#undef CONSTANT
#undef PART
#undef CALL

/* The attribute of the first node, "" when it is absent. */
struct slice html_member_attr(const struct html_set *s, const char *name);
int64_t html_member_int(const struct html_set *s, const char *name, int64_t otherwise);
/* A URL of the page resolved against the page's own: an attribute's, or text. False when there is
 * none or it is no URL. */
struct url;
bool html_resolve_attr(JSContext *ctx, const struct html_set *s, const char *name, struct url *out);
bool html_resolve(JSContext *ctx, const struct html_set *s, struct slice text, struct url *out);
bool html_has_url(JSContext *ctx, const struct html_set *s);
/* A part of the URL in href, resolved, with prefix before it when it is there; "" without. */
enum html_url_part {
    HTML_URL_HASH,
    HTML_URL_HOST,
    HTML_URL_HOSTNAME,
    HTML_URL_PASSWORD,
    HTML_URL_PATHNAME,
    HTML_URL_PORT,
    HTML_URL_PROTOCOL,
    HTML_URL_SEARCH,
    HTML_URL_USERNAME
};
JSValue html_href_part(JSContext *ctx, const struct html_set *s, enum html_url_part part,
                       const char *prefix);
