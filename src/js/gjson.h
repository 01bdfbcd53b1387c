/* The path language of Response.json(selector): https://github.com/tidwall/gjson (SYNTAX.md),
 * evaluated on JSON text without building values. Dotted paths, escapes, wildcards, indexes, `#`,
 * queries, modifiers, multipaths, literals, pipes and the `..` prefix. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Appends to *out the JSON text of what path selects in json, and returns true; false (and *out as
 * it was) when nothing is selected. As in k6, nothing is selected in a document that is not valid
 * JSON. What is appended is always valid JSON. A path that asks for more than a fixed amount of
 * work or nesting selects nothing. */
bool gjson_get(struct slice json, struct slice path, struct buf *out);
