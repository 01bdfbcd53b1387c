/* Names and values of a request (its headers, cookies or query), collected to be shown in an
 * answer: each name once, sorted. */
#pragma once

#include <stddef.h>

#include "request.h"

struct pair {
    struct slice name;
    struct slice value;
};

struct pairs {
    struct pair *items; /* in the request's arena */
    size_t count;
};

enum pairs_merge {
    PAIRS_FIRST, /* of equal names the first value counts */
    PAIRS_LAST,
    PAIRS_JOIN, /* all values, joined by commas */
};

/* Headers get their canonical names: "X-Foo-Bar". */
struct pairs pairs_collect(struct request *r, enum request_field field, enum pairs_merge merge);

/* Appends {"name":"value",...}. */
void pairs_write_json(const struct pairs *p, struct buf *out);
