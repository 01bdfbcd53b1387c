/* Chooses a pizza under restrictions: the heart of POST /api/pizza. Pure computation: the pauses
 * that finding a good name takes are returned, not slept. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "catalog.h"
#include "json_go.h"
#include "pizza.h"

#define RECOMMEND_ATTEMPTS 10
#define RECOMMEND_CUSTOM_NAME_MAX 64 /* bytes */

/* Zero stands for "not said": 1000 calories, 5 and 3 toppings. */
struct restrictions {
    int64_t max_calories_per_slice;
    bool must_be_vegetarian;
    struct json_go_list excluded_ingredients; /* exact names, letter case counts */
    struct json_go_list excluded_tools;
    int64_t max_number_of_toppings;
    int64_t min_number_of_toppings;
    struct slice custom_name; /* empty: one is invented */
};

struct recommendation {
    struct pizza pizza; /* without an id */
    int64_t calories;   /* of the ingredients; the dough does not count */
    bool is_vegetarian;
    int64_t pause_ns; /* for how long the chooser thought: the answer is to wait that long */
};

/* Up to RECOMMEND_ATTEMPTS pizzas are put together; the first within the calorie limit is taken, or
 * else the last. Returns 0, or KE_NOT_FOUND when the restrictions leave no dough, tool or
 * ingredient of some kind (only pause_ns is set then). Each invented name adds 0 to max_pause_ns.
 */
int recommend(const struct catalog *c, const struct restrictions *r, int64_t max_pause_ns,
              struct recommendation *out);
