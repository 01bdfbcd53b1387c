/* Settings of the playground, from the command line and the environment. The environment variables
 * are QuickPizza's own, so that what is known of it holds here too; where both a flag and a
 * variable exist, the flag wins. Read once at start, constant afterwards. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CONFIG_LISTEN_DEFAULT "127.0.0.1:3333"
#define CONFIG_NAME_PAUSE_MS 99

enum log_threshold {
    LOG_THRESHOLD_DEBUG,
    LOG_THRESHOLD_INFO,
    LOG_THRESHOLD_WARN,
    LOG_THRESHOLD_ERROR
};

/* One QUICKPIZZA_CONF_<NAME>=value: what GET /api/config shows. */
struct config_public {
    char *name; /* lower case */
    char *value;
};

/* How long an answer is held back, per service and per route of it. */
struct config_delays {
    int64_t copy_ns;
    int64_t copy_quotes_ns;
    int64_t copy_names_ns;
    int64_t copy_adjectives_ns;
    int64_t recommendations_ns;
    int64_t pizza_get_ns;
    int64_t pizza_post_ns;
    int64_t name_ns; /* at most this long, at random, for each name that is invented */
    int64_t css_assets_ns;
    int64_t png_assets_ns;
};

/* How many rows of a table stay: the newest `max` ids, and those up to `fixed` for ever. */
struct config_limit {
    int64_t fixed;
    int64_t max;
};

/* Groups of routes that can be switched off. */
enum service {
    SERVICE_HTTP_TESTING = 1 << 0,
    SERVICE_TEST_K6_IO = 1 << 1,
    SERVICE_CONFIG = 1 << 2,
    SERVICE_PUBLIC_API = 1 << 3, /* the page */
    SERVICE_WS = 1 << 4,
    SERVICE_CATALOG = 1 << 5, /* users, ratings and the history too */
    SERVICE_COPY = 1 << 6,
    SERVICE_RECOMMENDATIONS = 1 << 7,
    SERVICE_GRPC = 1 << 8,
};
#define SERVICE_ALL 0x1ffu

struct config {
    const char *listen;      /* "ADDR:PORT", "[::1]:PORT", ":PORT" for every address */
    const char *grpc_listen; /* see grpc_listen(); NULL = the usual */
    const char *db;          /* see db_open() */
    const char *log_file;    /* NULL: stderr */
    bool is_quiet;           /* no request lines */
    enum log_threshold log_threshold;
    unsigned threads;
    struct config_delays delays;
    struct config_limit pizzas;
    struct config_limit users;
    struct config_limit ratings;
    unsigned services;         /* sum of enum service */
    double pizza_fail_percent; /* share of POST /api/pizza that answers 503 */
    int64_t step_timeout_ns;   /* limit of one step (ingredients, names…) of a recommendation */
    struct config_public *publics; /* sorted by name */
    size_t public_count;
};

enum config_action { CONFIG_RUN, CONFIG_HELP, CONFIG_VERSION };

/* Fills *out from `environ` (of the form of environ(7)) and argv. Returns 0 and what to do, or
 * KE_CONFIG with a message in *err. Strings point into argv and the environment, which must outlive
 * the config. */
int config_load(struct config *out, int argc, char *const argv[], char *const environment[],
                enum config_action *out_action, struct error *err);

void config_release(struct config *c);

/* The text of --help. */
const char *config_usage(void);
