/* What is wrong with a script, in the words of k6's parser. QuickJS decides whether a script is
 * valid; when it is not, this reads the source again with a recogniser that goes on after an error
 * where k6's parser goes on, so that the first error, its place and the number of further ones are
 * the same. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

/* Whose words: those of the parser, or of the bundler that k6 hands TypeScript and standard input
 * to. */
enum syntax_style { SYNTAX_PARSER, SYNTAX_BUNDLER };

/* "Line 3:13 Unexpected token ; (and 1 more errors)", heap string; NULL when the recogniser finds
 * nothing wrong. Recursion stops when the stack has grown down to stack_limit. */
char *syntax_words(struct slice source, enum syntax_style style, const char *stack_limit);
/* Offset of the first error; false when nothing is found wrong. */
bool syntax_error_place(struct slice source, const char *stack_limit, size_t *out_at);
