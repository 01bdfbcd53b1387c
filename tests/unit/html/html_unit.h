/* What every test of the HTML layer uses. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "html/query.h"

struct html_doc *parse(const char *source);
/* The document as Go renders it. Heap string. */
char *rendered(const struct html_doc *doc);
/* What a selector finds in the document, in a few letters: an element's id, or else its name. Heap
 * string, separated by spaces; "!" for a selector that is refused. */
char *found(const struct html_doc *doc, const char *selector);
char *names_of(const struct html_nodes *nodes);
/* The nodes that a selector finds. */
struct html_nodes find(const struct html_doc *doc, const char *selector);

/* Compares a heap string, and frees it. */
#define assert_text(heap, text)             \
    do {                                    \
        char *heap_ = (heap);               \
        assert_string_equal(heap_, (text)); \
        free(heap_);                        \
    } while (0)
