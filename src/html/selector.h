/* CSS selectors as cascadia, the engine below k6/html, understands them: groups, the combinators
 * " ", ">", "+" and "~", all attribute operators (with != and #=, and the flag i), and its
 * pseudo-classes, jQuery's :contains(), :has(), :input and :matches() among them. */
#pragma once

#include "html/dom.h"

struct html_selector;

/* NULL when cascadia would refuse it: such a selector matches nothing, and the functions below take
 * NULL for it. */
struct html_selector *html_selector_new(struct slice text);
void html_selector_free(struct html_selector *s);
bool html_selector_match(const struct html_selector *s, const struct html_node *n);
