/* v0.51 sent scripts through Babel: some of today's syntax was an error there, and errors had
 * Babel's form. */
#pragma once

#include "js/script_internal.h"

/* Where the source of an ES module has syntax that v0.51 refuses: object rest and spread, "?.",
 * "??". False: nowhere. */
bool babel_refuses(struct slice source, size_t *out_at);
/* "SyntaxError: file:///x.js: Unexpected token (4:14)" with the lines around it. Heap string. */
char *babel_error(const struct script_file *file, size_t at);
