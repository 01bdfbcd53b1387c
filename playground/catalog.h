/* Everything a pizza is made of, in memory: doughs, tools, ingredients, and the words of its name.
 * Read from the database once at start, constant afterwards, so every thread reads it without a
 * lock. Items are referred to by their position in the arrays here ("index"), which is not their
 * id. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

#define CATALOG_MAX_INGREDIENTS 256

enum ingredient_kind { KIND_OLIVE_OIL, KIND_TOMATO, KIND_MOZZARELLA, KIND_TOPPING, KIND_COUNT };

struct dough {
    int64_t id;
    struct slice name;
    int64_t calories;
    struct slice json; /* as it stands in answers */
};

struct ingredient {
    int64_t id;
    enum ingredient_kind kind;
    struct slice name;
    int64_t calories;
    bool is_vegetarian;
    struct slice json;
};

struct word_list {
    struct slice *words;
    size_t count;
};

struct catalog {
    struct dough *doughs;
    size_t dough_count;
    struct ingredient *ingredients;
    size_t ingredient_count; /* at most CATALOG_MAX_INGREDIENTS */
    struct word_list tools;
    struct word_list quotes;
    struct word_list classical_names;
    struct word_list adjectives;
    struct arena arena; /* holds all of the above */
};

struct db;

/* Reads it all. Returns 0, or KE_IO with a message. */
int catalog_load(struct catalog *c, struct db *db, struct error *err);

void catalog_release(struct catalog *c);

/* "olive_oil" and the like; KIND_COUNT for a word that is no kind. */
enum ingredient_kind catalog_kind(const char *name);

/* Index of the dough or ingredient with this id, of the tool with this name; -1 when there is none.
 */
int catalog_dough_index(const struct catalog *c, int64_t id);
int catalog_ingredient_index(const struct catalog *c, int64_t id);
int catalog_tool_index(const struct catalog *c, struct slice name);

/* Appends {"<key>":["word",...]} and a line feed. */
void catalog_write_words(struct buf *out, const char *key, const struct word_list *list);
