/* What the handlers of requests stand on. Made by main(), constant while the server runs. */
#pragma once

struct access_log;
struct catalog;
struct config;
struct db;
struct metrics;
struct pizza_store;
struct rating_store;
struct user_store;

struct app {
    const struct config *config;
    const struct catalog *catalog;
    struct db *db;
    struct pizza_store *pizzas;
    struct user_store *users;
    struct rating_store *ratings;
    struct metrics *metrics;
    struct access_log *log;
};
