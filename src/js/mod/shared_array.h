/* SharedArray of k6/data, which k6/experimental/csv gives, too: built once per name and process,
 * the same memory for all VUs. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "js/script_internal.h"
#include "js/vu_internal.h"

/* Where elements come from that are not kept. Any thread. */
struct shared_array_source {
    /* Appends the JSON of element i. 0, or a code with *err. */
    int (*put)(const void *of_source, size_t i, struct buf *json, struct error *err);
    void (*free)(void *of_source);
};

/* The JSON of each element, NUL after each, in one block that never changes; or a source. */
struct shared_array {
    const struct shared_array_source *source; /* NULL: json */
    void *of_source;
    char *json;
    size_t *offsets; /* len + 1 of them */
    size_t len;
};

/* NULL when there is none of that name yet. Any thread. */
struct shared_array *shared_array_find(struct script *s, struct slice name);
/* Takes a (its memory is the script's from here on). Another VU may have built the same name
 * meanwhile: the first one stays and is returned. */
struct shared_array *shared_array_publish(struct script *s, struct slice name,
                                          struct shared_array *a);
/* The array as scripts see it. */
JSValue shared_array_object(JSContext *ctx, struct shared_array *a);
