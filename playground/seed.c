#include "seed.h"

#include "base/check.h"

const struct seed_dough seed_doughs[] = {{"Thin", 100}, {"Thick", 200}, {"Stuffed", 300}};
const size_t seed_dough_count = countof(seed_doughs);

const char *const seed_tools[] = {"Knife", "Pizza cutter", "Scissors"};
const size_t seed_tool_count = countof(seed_tools);

const struct seed_ingredient seed_ingredients[] = {
    {"olive_oil", "Extra virgin olive oil", 50, true},
    {"olive_oil", "Olive oil", 100, true},
    {"tomato", "San Marzano tomatoes", 50, true},
    {"tomato", "Bianco di Nizza tomatoes", 50, true},
    {"tomato", "Roma tomatoes", 50, true},
    {"mozzarella", "Mozzarella", 100, true},
    {"mozzarella", "Mozzarella di bufala", 150, true},
    {"mozzarella", "Mozzarella fior di latte", 150, true},
    {"topping", "Pepperoni", 100, false},
    {"topping", "Mushrooms", 50, true},
    {"topping", "Onions", 50, true},
    {"topping", "Sausage", 200, false},
    {"topping", "Bacon", 250, false},
    {"topping", "Extra cheese", 100, true},
    {"topping", "Black olives", 50, true},
    {"topping", "Green peppers", 50, true},
    {"topping", "Pineapple", 75, true},
    {"topping", "Spinach", 25, true},
    {"topping", "Garlic", 25, true},
    {"topping", "Jalapenos", 50, true},
    {"topping", "Roasted red peppers", 50, true},
    {"topping", "Feta cheese", 100, true},
    {"topping", "Prosciutto", 100, false},
    {"topping", "Ricotta cheese", 100, true},
    {"topping", "Salami", 100, false},
    {"topping", "Zucchini", 50, true},
    {"topping", "Buffalo mozzarella", 150, true},
    {"topping", "Eggplant", 50, true},
    {"topping", "Kalamata olives", 50, true},
    {"topping", "Parmesan cheese", 100, true},
    {"topping", "Shrimp", 100, false},
    {"topping", "Chicken", 100, false},
    {"topping", "Beef", 100, false},
    {"topping", "Ham", 100, false},
    {"topping", "Artichoke hearts", 50, true},
    {"topping", "Sun-dried tomatoes", 50, true},
    {"topping", "Caramelized onions", 50, true},
    {"topping", "Red onions", 50, true},
    {"topping", "Oregano", 25, true},
    {"topping", "Basil", 25, true},
};
const size_t seed_ingredient_count = countof(seed_ingredients);

const struct seed_pizza seed_pizzas[] = {
    {"A Funny Capricciosa", 1, "Scissors", "[1,3,6,10]"},
    {"The Database Special", 2, "Knife", "[2,4,7,9]"},
    {"The Deep Bolognese", 3, "Knife", "[1,5,8,33]"},
};
const size_t seed_pizza_count = countof(seed_pizzas);

const struct seed_user seed_users[] = {
    {"default", "", "abcdef0123456789"},
    {"synthetics_multihttp_example", "synthetics_multihttp_example", "woSyhhrE3pQVUxMU"},
    {"studio-user", "k6studiorocks", "oBGOPc5tVtk9WAgf"},
};
const size_t seed_user_count = countof(seed_users);

const struct seed_rating seed_ratings[] = {{5, 1}, {1, 2}, {1, 3}};
const size_t seed_rating_count = countof(seed_ratings);

const char *const seed_quotes[] = {
    "A round answer to a square meal.",
    "Measure twice, slice once.",
    "The oven does not care about your deadline. It has its own.",
    "Every pizza is a personal pizza if you are quick.",
    "In theory, leftovers exist.",
    "Good dough needs what good software needs: time, and somebody watching the heat.",
};
const size_t seed_quote_count = countof(seed_quotes);

const char *const seed_classical_names[] = {
    "Americana",        "Bolognese",      "Calzone",    "Capricciosa", "Carbonara",
    "Diavola",          "Frutti di Mare", "Funghi",     "Hawaii",      "Margherita",
    "Marinara",         "Napoletana",     "Prosciutto", "Pugliese",    "Quattro Formaggi",
    "Quattro Stagioni", "Romana",         "Siciliana",
};
const size_t seed_classical_name_count = countof(seed_classical_names);

const char *const seed_adjectives[] = {
    "Absent",     "Adventurous", "Agile",     "Amber",       "Ancient",    "Anonymous",
    "Balanced",   "Bashful",     "Blazing",   "Blue",        "Bold",       "Bouncy",
    "Breezy",     "Bright",      "Bubbling",  "Buttery",     "Calm",       "Candid",
    "Careful",    "Charming",    "Cheerful",  "Chilly",      "Clever",     "Cloudy",
    "Concurrent", "Cosmic",      "Cosy",      "Crimson",     "Crispy",     "Crooked",
    "Curious",    "Dapper",      "Daring",    "Distant",     "Dizzy",      "Dreamy",
    "Eager",      "Earnest",     "Eccentric", "Elastic",     "Electric",   "Elegant",
    "Emerald",    "Endless",     "Famous",    "Fancy",       "Fearless",   "Festive",
    "Flaky",      "Floating",    "Fluffy",    "Forgotten",   "Fortunate",  "Fragrant",
    "Frosty",     "Gentle",      "Giant",     "Gleaming",    "Golden",     "Grateful",
    "Green",      "Happy",       "Hasty",     "Hidden",      "Honest",     "Humble",
    "Hungry",     "Idle",        "Impatient", "Infinite",    "Jolly",      "Keen",
    "Lazy",       "Legendary",   "Lively",    "Lonely",      "Loud",       "Lucky",
    "Lunar",      "Magnetic",    "Mellow",    "Mighty",      "Misty",      "Modest",
    "Mysterious", "Nimble",      "Nocturnal", "Odd",         "Optimistic", "Orange",
    "Parallel",   "Patient",     "Peculiar",  "Playful",     "Polite",     "Proud",
    "Purple",     "Quick",       "Quiet",     "Radiant",     "Rapid",      "Restless",
    "Rustic",     "Scarlet",     "Secret",    "Shiny",       "Silent",     "Silver",
    "Sleepy",     "Smoky",       "Solar",     "Spontaneous", "Stubborn",   "Thankful",
    "Twisted",    "Velvet",      "Wandering", "Whimsical",   "Zesty",
};
const size_t seed_adjective_count = countof(seed_adjectives);

_Static_assert(countof(seed_ingredients) == 40, "the catalog has 40 ingredients");
_Static_assert(countof(seed_quotes) == 6, "there are 6 quotes");
_Static_assert(countof(seed_classical_names) == 18, "there are 18 classical names");
_Static_assert(countof(seed_adjectives) == 119, "there are 119 adjectives");
