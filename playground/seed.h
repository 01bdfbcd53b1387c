/* What the playground knows on its first day. Ids, calories, kinds and the vegetarian flags of
 * ingredients, doughs and tools are part of the interface (scripts name them); quotes, adjectives
 * and the names of pizzas are decoration. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct seed_dough {
    const char *name;
    int calories;
};

struct seed_ingredient {
    const char *kind; /* olive_oil, tomato, mozzarella or topping */
    const char *name;
    int calories;
    bool is_vegetarian;
};

struct seed_pizza {
    const char *name;
    int dough_id;
    const char *tool;
    const char *ingredients; /* JSON array of ids */
};

struct seed_user {
    const char *username;
    const char *password;
    const char *token;
};

struct seed_rating {
    int stars;
    int pizza_id;
};

/* Ids count from 1 in the order of each table. */
extern const struct seed_dough seed_doughs[];
extern const size_t seed_dough_count;
extern const char *const seed_tools[];
extern const size_t seed_tool_count;
extern const struct seed_ingredient seed_ingredients[];
extern const size_t seed_ingredient_count;
extern const struct seed_pizza seed_pizzas[];
extern const size_t seed_pizza_count;
extern const struct seed_user seed_users[];
extern const size_t seed_user_count;
extern const struct seed_rating seed_ratings[]; /* all by user 1 */
extern const size_t seed_rating_count;
extern const char *const seed_quotes[];
extern const size_t seed_quote_count;
extern const char *const seed_classical_names[];
extern const size_t seed_classical_name_count;
extern const char *const seed_adjectives[];
extern const size_t seed_adjective_count;
