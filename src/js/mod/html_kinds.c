#include <stdlib.h>

#include "base/check.h"
#include "http/url.h"
#include "js/mod/html_members.h"

/* ---- values that some attributes are limited to ---- */

typedef const char *const values[];

static values on_off = {"on", "off", NULL};
static values referrer_policies = {
    "",           "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin",
    "unsafe-url", NULL};
static values preloads = {"auto", "metadata", "none", NULL};
static values button_types = {"submit", "button", "menu", "reset", NULL};
static values encodings = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain",
                           NULL};
static values input_types = {"text",     "button", "checkbox", "color", "date",   "datetime-local",
                             "email",    "file",   "hidden",   "image", "month",  "number",
                             "password", "radio",  "range",    "reset", "search", "submit",
                             "tel",      "time",   "url",      "week",  NULL};
static values key_types = {"RSA", "DSA", "EC", NULL};
static values item_types = {"", "1", "a", "A", "i", "I", "disc", "square", "circle", NULL};
static values http_equivs = {"content-type", "default-style", "refresh", NULL};
static values list_types = {"1", "a", "A", "i", "I", NULL};
static values scopes = {"", "row", "col", "colgroup", "rowgroup", NULL};
static values capitalizations = {"sentences", "none", "off", "characters", "words", NULL};
static values wraps = {"soft", "hard", "off", NULL};
static values track_kinds = {"subtitle", "captions", "descriptions", "chapters", "metadata", NULL};
static values cross_origins = {"anonymous", "use-credentials", NULL};

/* ---- the tables ---- */

enum kind {
#define KIND(kind, tag, type, family) KIND_##kind,
#define TEXT(kind, member, attribute)
#define LINK(kind, member, attribute)
#define FLAG(kind, member, attribute)
#define NUMBER(kind, member, attribute, otherwise)
#define CHOICE(kind, member, attribute, values)
#define OPTIONAL(kind, member, attribute, values)
#define CONSTANT(kind, member, text)
#define PART(kind, member, part, prefix)
#define CALL(kind, member, function)
#include "js/mod/html_kinds.def"
    KINDS,
    /* families */
    KIND_HREF = KINDS,
    KIND_MEDIA,
    KIND_FIELD,
    KIND_MOD,
    KIND_SECTION,
    KIND_CELL,
    KIND_NONE
};
#undef KIND

static const struct {
    struct slice tag;
    const char *type;
    enum kind family;
} kinds[] = {
#define KIND(kind, tag, type, family) {SLICE(tag), type, KIND_##family},
#include "js/mod/html_kinds.def"
};
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

/* A row's number is its line in the table: rows of a kind are in one block, one a line. */
enum how {
    HOW_NONE,
    HOW_TEXT,
    HOW_LINK,
    HOW_FLAG,
    HOW_NUMBER,
    HOW_CHOICE,
    HOW_OPTIONAL,
    HOW_CONSTANT,
    HOW_PART,
    HOW_CALL
};

static const struct member {
    uint8_t kind, how;
    int16_t otherwise;     /* or the part of a URL */
    const char *attribute; /* or the constant, or what stands before a part */
    const char *const *values;
    html_member_fn *call;
} members[] = {
#define KIND(kind, tag, type, family)
#define ROW(...) [__LINE__] = {__VA_ARGS__},
#define TEXT(kind, member, attribute) ROW(KIND_##kind, HOW_TEXT, 0, attribute, NULL, NULL)
#define LINK(kind, member, attribute) ROW(KIND_##kind, HOW_LINK, 0, attribute, NULL, NULL)
#define FLAG(kind, member, attribute) ROW(KIND_##kind, HOW_FLAG, 0, attribute, NULL, NULL)
#define NUMBER(kind, member, attribute, otherwise) \
    ROW(KIND_##kind, HOW_NUMBER, otherwise, attribute, NULL, NULL)
#define CHOICE(kind, member, attribute, values) \
    ROW(KIND_##kind, HOW_CHOICE, 0, attribute, values, NULL)
#define OPTIONAL(kind, member, attribute, values) \
    ROW(KIND_##kind, HOW_OPTIONAL, 0, attribute, values, NULL)
#define CONSTANT(kind, member, text) ROW(KIND_##kind, HOW_CONSTANT, 0, text, NULL, NULL)
#define PART(kind, member, part, prefix) \
    ROW(KIND_##kind, HOW_PART, HTML_URL_##part, prefix, NULL, NULL)
#define CALL(kind, member, function) ROW(KIND_##kind, HOW_CALL, 0, NULL, NULL, function)
#include "js/mod/html_kinds.def"
};
#undef TEXT
#undef LINK
#undef FLAG
#undef NUMBER
#undef CHOICE
#undef OPTIONAL
#undef CONSTANT
#undef PART
#undef CALL

static JSValue js_member(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                         int row);

static const JSCFunctionListEntry functions[] = {
#define METHOD(member) [__LINE__] = JS_CFUNC_MAGIC_DEF(member, 0, js_member, __LINE__),
#define TEXT(kind, member, attribute) METHOD(member)
#define LINK(kind, member, attribute) METHOD(member)
#define FLAG(kind, member, attribute) METHOD(member)
#define NUMBER(kind, member, attribute, otherwise) METHOD(member)
#define CHOICE(kind, member, attribute, values) METHOD(member)
#define OPTIONAL(kind, member, attribute, values) METHOD(member)
#define CONSTANT(kind, member, text) METHOD(member)
#define PART(kind, member, part, prefix) METHOD(member)
#define CALL(kind, member, function) METHOD(member)
#include "js/mod/html_kinds.def"
};

_Static_assert(KINDS <= HTML_KINDS_MAX, "room for a prototype of each kind");

int html_kind_of(const struct html_node *n) {
    for (size_t i = 0; i < countof(kinds) && n->type == HTML_ELEMENT; i++) {
        if (slice_eq(kinds[i].tag, n->data))
            return (int)i;
    }
    return -1;
}

const char *html_kind_type(int kind) {
    return kinds[kind].type;
}

/* ---- attributes ---- */

struct slice html_member_attr(const struct html_set *s, const char *name) {
    const struct html_attr *a = html_set_attr(s, name);
    return a ? a->value : slice_from("", 0);
}

/* Go's Atoi: sign and digits, nothing else. */
int64_t html_member_int(const struct html_set *s, const char *name, int64_t otherwise) {
    struct slice text = html_member_attr(s, name);
    bool is_negative = slice_starts(text, SLICE("-"));
    uint64_t v;
    if (is_negative || slice_starts(text, SLICE("+")))
        text = slice_from(text.ptr + 1, text.len - 1);
    if (!slice_to_u64(text, &v) || v > INT64_MAX)
        return otherwise;
    return is_negative ? -(int64_t)v : (int64_t)v;
}

bool html_has_url(JSContext *ctx, const struct html_set *s) {
    struct js_text url;
    if (!js_text_get(ctx, s->url, &url))
        return false;
    bool has = url.s.len > 0;
    js_text_release(&url);
    return has;
}

bool html_resolve(JSContext *ctx, const struct html_set *s, struct slice text, struct url *out) {
    struct js_text page;
    struct url base;
    if (!js_text_get(ctx, s->url, &page))
        return false;
    int rc = url_parse(page.s, &base, NULL);
    js_text_release(&page);
    if (rc)
        return false;
    rc = url_resolve(&base, text, out, NULL);
    url_release(&base);
    return rc == 0;
}

bool html_resolve_attr(JSContext *ctx, const struct html_set *s, const char *name,
                       struct url *out) {
    const struct html_attr *a = html_set_attr(s, name);
    return a && html_resolve(ctx, s, a->value, out);
}

/* Without a page, the attribute as it is. */
static JSValue get_link(JSContext *ctx, const struct html_set *s, const char *name,
                        JSValueConst otherwise) {
    struct url url;
    if (!html_has_url(ctx, s))
        return html_text_value(ctx, html_member_attr(s, name));
    if (!html_resolve_attr(ctx, s, name, &url))
        return JS_DupValue(ctx, otherwise);
    JSValue v = JS_NewStringLen(ctx, url.text, url.text_len);
    url_release(&url);
    return v;
}

JSValue html_base_href(JSContext *ctx, JSValueConst el, const struct html_set *s) {
    (void)el;
    return get_link(ctx, s, "href", s->url);
}

static JSValue link_or_empty(JSContext *ctx, const struct html_set *s, const char *name) {
    JSValue empty = JS_NewStringLen(ctx, "", 0), v = get_link(ctx, s, name, empty);
    JS_FreeValue(ctx, empty);
    return v;
}

static const char *choose(const char *const *list, struct slice value, const char *otherwise) {
    for (; *list; list++) {
        if (slice_eq(value, slice_cstr(*list)))
            return *list;
    }
    return otherwise;
}

static JSValue get_optional(JSContext *ctx, const struct html_set *s, const struct member *m) {
    const struct html_attr *a = html_set_attr(s, m->attribute);
    const char *v = a ? choose(m->values, a->value, NULL) : NULL;
    return v ? JS_NewString(ctx, v) : JS_UNDEFINED;
}

static JSValue js_member(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                         int row) {
    (void)argc;
    (void)argv;
    const struct member *m = &members[row];
    struct html_set *s = html_this_element(ctx, this_val);
    if (!s)
        return JS_EXCEPTION;
    switch ((enum how)m->how) {
    case HOW_TEXT:
        return html_text_value(ctx, html_member_attr(s, m->attribute));
    case HOW_LINK:
        return link_or_empty(ctx, s, m->attribute);
    case HOW_FLAG:
        return JS_NewBool(ctx, html_set_attr(s, m->attribute) != NULL);
    case HOW_NUMBER:
        return JS_NewInt64(ctx, html_member_int(s, m->attribute, m->otherwise));
    case HOW_CHOICE:
        return JS_NewString(ctx,
                            choose(m->values, html_member_attr(s, m->attribute), m->values[0]));
    case HOW_OPTIONAL:
        return get_optional(ctx, s, m);
    case HOW_CONSTANT:
        return JS_NewString(ctx, m->attribute);
    case HOW_PART:
        return html_href_part(ctx, s, (enum html_url_part)m->otherwise, m->attribute);
    case HOW_CALL:
    case HOW_NONE:
        break;
    }
    return m->call(ctx, this_val, s);
}

static void add_members(JSContext *ctx, JSValueConst proto, enum kind kind) {
    size_t first = 0, n = 0;
    for (size_t i = 0; i < countof(members); i++) {
        if (members[i].how == HOW_NONE || members[i].kind != kind)
            continue;
        first = n ? first : i;
        n++;
    }
    CHECK(!n || members[first + n - 1].kind == kind);
    JS_SetPropertyFunctionList(ctx, proto, functions + first, (int)n);
}

void html_kind_methods(JSContext *ctx, JSValueConst proto, int kind) {
    add_members(ctx, proto, kinds[kind].family);
    add_members(ctx, proto, (enum kind)kind);
}
