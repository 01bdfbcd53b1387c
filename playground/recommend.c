#include "recommend.h"

#include "base/clock.h"
#include "base/random.h"
#include <stdio.h>

#define DEFAULT_MAX_CALORIES 1000
#define DEFAULT_MAX_TOPPINGS 5
#define DEFAULT_MIN_TOPPINGS 3

/* More draws than this change nothing: every topping has been drawn long before. */
#define MAX_DRAWS 10000

#define MAX_TOOLS 64

static bool random_coin(void) {
    return random_below(2) == 0;
}

/* What the restrictions leave to choose from. */
struct choice {
    uint16_t of_kind[KIND_COUNT][CATALOG_MAX_INGREDIENTS];
    size_t of_kind_count[KIND_COUNT];
    uint16_t tools[MAX_TOOLS];
    size_t tool_count;
};

static bool is_listed(const struct json_go_list *list, struct slice name) {
    for (size_t i = 0; i < list->count; i++) {
        if (slice_eq(list->items[i], name))
            return true;
    }
    return false;
}

static void collect(const struct catalog *c, const struct restrictions *r, struct choice *out) {
    for (int kind = 0; kind < KIND_COUNT; kind++)
        out->of_kind_count[kind] = 0;
    out->tool_count = 0;
    for (size_t i = 0; i < c->ingredient_count; i++) {
        const struct ingredient *item = &c->ingredients[i];
        if (item->kind == KIND_COUNT || (r->must_be_vegetarian && !item->is_vegetarian) ||
            is_listed(&r->excluded_ingredients, item->name))
            continue;
        out->of_kind[item->kind][out->of_kind_count[item->kind]++] = (uint16_t)i;
    }
    for (size_t i = 0; i < c->tools.count && out->tool_count < MAX_TOOLS; i++) {
        if (!is_listed(&r->excluded_tools, c->tools.words[i]))
            out->tools[out->tool_count++] = (uint16_t)i;
    }
}

static struct slice any_word(const struct word_list *list) {
    return list->count > 0 ? list->words[random_below(list->count)] : SLICE("");
}

/* Names come to mind one after another; half of them are dropped at once, and the one that stays
 * has taken up to max_pause_ns, in whole milliseconds. */
static void invent_name(const struct catalog *c, int64_t max_pause_ns, struct recommendation *out) {
    struct slice adjective;
    struct slice classic;
    struct slice article;
    do {
        adjective = any_word(&c->adjectives);
        classic = any_word(&c->classical_names);
        if (adjective.len > 0 && memchr("AEIOU", adjective.ptr[0], 5) != NULL)
            article = SLICE("An ");
        else
            article = random_coin() ? SLICE("The ") : SLICE("A ");
    } while (random_coin());
    out->pause_ns += (int64_t)random_below((uint64_t)(max_pause_ns / NS_PER_MS) + 1) * NS_PER_MS;

    char name[PIZZA_NAME_BYTES * 2];
    int size = snprintf(name, sizeof name, "%.*s%.*s %.*s", SLICE_FMT(article),
                        SLICE_FMT(adjective), SLICE_FMT(classic));
    pizza_set_name(&out->pizza,
                   slice_from(name, size < (int)sizeof name ? (size_t)size : sizeof name - 1));
}

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

static int64_t count_toppings(const struct restrictions *r) {
    int64_t max = clamp(r->max_number_of_toppings, -MAX_DRAWS, MAX_DRAWS);
    int64_t min = clamp(r->min_number_of_toppings, -MAX_DRAWS, MAX_DRAWS);
    if (max == 0)
        max = DEFAULT_MAX_TOPPINGS;
    if (min == 0)
        min = DEFAULT_MIN_TOPPINGS;
    if (max <= min)
        return max;
    return min + (int64_t)random_below((uint64_t)(max - min + 1));
}

static void add_ingredient(struct pizza *p, uint16_t index) {
    for (size_t i = 0; i < p->ingredient_count; i++) {
        if (p->ingredients[i] == index)
            return;
    }
    if (p->ingredient_count < PIZZA_MAX_INGREDIENTS)
        p->ingredients[p->ingredient_count++] = index;
}

static void shuffle(uint16_t *items, size_t count) {
    for (size_t i = count; i > 1; i--) {
        size_t other = random_below(i);
        uint16_t kept = items[i - 1];
        items[i - 1] = items[other];
        items[other] = kept;
    }
}

static void put_together(const struct catalog *c, const struct restrictions *r,
                         const struct choice *choice, struct recommendation *out) {
    struct pizza *p = &out->pizza;
    p->dough = (uint16_t)random_below(c->dough_count);
    p->tool = choice->tools[random_below(choice->tool_count)];
    p->ingredient_count = 0;
    for (int kind = 0; kind < KIND_TOPPING; kind++)
        add_ingredient(p, choice->of_kind[kind][random_below(choice->of_kind_count[kind])]);
    const size_t topping_count = choice->of_kind_count[KIND_TOPPING];
    for (int64_t left = count_toppings(r); left > 0; left--)
        add_ingredient(p, choice->of_kind[KIND_TOPPING][random_below(topping_count)]);
    shuffle(p->ingredients, p->ingredient_count);

    out->calories = 0;
    out->is_vegetarian = true;
    for (size_t i = 0; i < p->ingredient_count; i++) {
        const struct ingredient *item = &c->ingredients[p->ingredients[i]];
        out->calories += item->calories;
        out->is_vegetarian = out->is_vegetarian && item->is_vegetarian;
    }
}

static bool has_choice(const struct catalog *c, const struct choice *choice) {
    bool is_complete = c->dough_count > 0 && choice->tool_count > 0;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        is_complete = is_complete && choice->of_kind_count[kind] > 0;
    return is_complete;
}

int recommend(const struct catalog *c, const struct restrictions *r, int64_t max_pause_ns,
              struct recommendation *out) {
    struct choice choice;
    collect(c, r, &choice);
    const bool is_possible = has_choice(c, &choice);
    const int64_t max_calories =
        r->max_calories_per_slice != 0 ? r->max_calories_per_slice : DEFAULT_MAX_CALORIES;

    out->pause_ns = 0;
    for (int attempt = 0; attempt < RECOMMEND_ATTEMPTS; attempt++) {
        if (r->custom_name.len == 0) {
            invent_name(c, max_pause_ns, out);
        } else {
            struct slice name = r->custom_name;
            if (name.len > RECOMMEND_CUSTOM_NAME_MAX)
                name.len = RECOMMEND_CUSTOM_NAME_MAX;
            pizza_set_name(&out->pizza, name);
        }
        if (!is_possible)
            return KE_NOT_FOUND;
        put_together(c, r, &choice, out);
        if (out->calories <= max_calories)
            break;
    }
    return 0;
}
