/* A parsed selector, between its parser and its matcher. */
#pragma once

#include "base/arena.h"
#include "html/regex.h"
#include "html/selector.h"

enum sel_kind {
    SEL_TAG,
    SEL_ID,
    SEL_CLASS,
    SEL_ATTR,
    SEL_NOT,
    SEL_HAS,
    SEL_HAS_CHILD,
    SEL_CONTAINS,
    SEL_CONTAINS_OWN,
    SEL_MATCHES,
    SEL_MATCHES_OWN,
    SEL_NTH,
    SEL_ONLY,
    SEL_INPUT,
    SEL_EMPTY,
    SEL_ROOT,
    SEL_LINK,
    SEL_LANG,
    SEL_ENABLED,
    SEL_DISABLED,
    SEL_CHECKED,
    SEL_NEVER
};

struct sel_group;

/* One test. */
struct sel_simple {
    enum sel_kind kind;
    char op;           /* SEL_ATTR: 0 presence, '=', or the character before '=' */
    bool ignores_case; /* SEL_ATTR */
    bool is_last, is_of_type;
    struct slice name;  /* tag, attribute */
    struct slice value; /* id, class, attribute value, text, language */
    int64_t a, b;       /* SEL_NTH: an+b */
    struct sel_group *group;
    struct html_regex *regex;
    /* SEL_NTH remembers the sibling that it counted last: a search goes in document order. */
    struct {
        const struct html_node *node, *parent;
        int64_t index, total;
        struct slice name; /* of the siblings counted for total */
    } memo;
};

/* Tests of one element; without any, every element passes. */
struct sel_compound {
    struct sel_simple *tests;
    size_t n_tests;
    char combinator; /* to the compound before it; 0 = it is the first */
};

struct sel_complex {
    struct sel_compound *compounds;
    size_t n_compounds;
};

struct sel_group {
    struct sel_complex *items;
    size_t n_items;
};

struct html_selector {
    struct arena arena;
    struct sel_group group;
    struct html_regex **regexes;
    size_t n_regexes;
};

/* Matching recurses over these, possibly with little stack left (js/stack_guard.h). */
#define SEL_NESTING_MAX 6
#define SEL_COMPOUNDS_MAX 48
