/* Source maps: bundlers and transpilers leave them behind, and errors then show places in the
 * files that people wrote. A script names its map in its last line, as a data URL or as a file
 * beside it. Read once, when the file is compiled, never changed; any thread may look things up. */
#pragma once

#include "js/script_internal.h"
#include "js/vu_internal.h"

struct source_map;

struct source_place {
    const char *url; /* of the map */
    int line, column;
};

/* The map of a file; NULL when it has none, or with *err filled when it cannot be used. */
struct source_map *source_map_load(struct vu *vu, const struct script_file *f, struct error *err);
void source_map_free(struct source_map *m); /* NULL: nothing */
/* Where a place in the compiled file comes from; lines and columns as stack traces have them. False
 * when the map does not say. */
bool source_map_find(const struct source_map *m, int line, int column, struct source_place *out);
