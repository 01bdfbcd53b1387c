/* What merge.c and merge_files.c share. Not for other layers. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#define MERGE_MS_MAX ((int64_t)1 << 42) /* the year 2109 */

/* A number of a description, 0 to max: files come from anywhere. */
static inline int64_t merge_number(const json_t *object, const char *key, int64_t max) {
    int64_t n = json_integer_value(json_object_get(object, key));
    return n < 0 ? 0 : n > max ? max : n;
}
