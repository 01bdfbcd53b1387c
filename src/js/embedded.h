/* Modules that scripts import by URL and that kiln brings along, so that a script runs without a
 * network: equivalents of https://jslib.k6.io/… written in src/js/jslib/, and the packages of npm
 * which jslib only repeats (third_party/jslib). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool js_embedded_has(const char *url);
/* The source when the URL is one of them, heap, NUL-terminated; otherwise NULL. Any version counts
 * that has the same functions. */
char *js_embedded_find(const char *url, size_t *out_len);
