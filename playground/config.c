#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/slice.h"

#define MAX_THREADS 64

static const char usage[] =
    "quickpizza: a pizza recommender to point load tests at\n"
    "\n"
    "Usage: quickpizza [flags]\n"
    "\n"
    "Flags:\n"
    "      --listen ADDR:PORT  where to listen (default " CONFIG_LISTEN_DEFAULT ";\n"
    "                          :PORT listens on every address of the machine)\n"
    "      --grpc-listen ADDR:PORT\n"
    "                          where gRPC is served (default: port 3334 when --listen has 3333,\n"
    "                          otherwise nowhere), /grpchealthz on the port after it; or off\n"
    "      --threads N         server threads (default: one a core)\n"
    "      --log-file FILE     append the log to FILE instead of stderr\n"
    "  -q, --quiet             no line per request in the log\n"
    "  -h, --help              this text\n"
    "      --version           the version\n"
    "\n"
    "Environment:\n"
    "  QUICKPIZZA_LISTEN             like --listen\n"
    "  QUICKPIZZA_GRPC_LISTEN        like --grpc-listen\n"
    "  QUICKPIZZA_DB                 where pizzas, users and ratings are kept: a SQLite file, or\n"
    "                                a PostgreSQL server as postgres://... (default: memory)\n"
    "  QUICKPIZZA_DB_FIXED_<WHAT>    ids up to this one are never removed; <WHAT> is\n"
    "                                PIZZAS (100), USERS (10) or RATINGS (10)\n"
    "  QUICKPIZZA_DB_MAX_<WHAT>      of the others the newest this many stay (5000, 5000, 10000)\n"
    "  QUICKPIZZA_ENABLE_ALL_SERVICES\n"
    "                                false: only the routes of QUICKPIZZA_ENABLE_<WHAT>_SERVICE=1,\n"
    "                                <WHAT> one of HTTP_TESTING, TEST_K6_IO, CONFIG, PUBLIC_API,\n"
    "                                WS, CATALOG, COPY, RECOMMENDATIONS, GRPC\n"
    "  QUICKPIZZA_LOG_LEVEL          debug, info, warn or error\n"
    "  QUICKPIZZA_CONF_<NAME>        value that GET /api/config shows as <name>\n"
    "  QUICKPIZZA_TIMEOUT            limit of each step of a recommendation (1s)\n"
    "  QUICKPIZZA_NAME_PAUSE         a pizza's name takes up to this many milliseconds to come to\n"
    "                                mind (99); 0 switches the waits of POST /api/pizza off\n"
    "  QUICKPIZZA_DELAY_<WHAT>       milliseconds added to answers; <WHAT> is one of\n"
    "      COPY, COPY_API_QUOTES, COPY_API_NAMES, COPY_API_ADJECTIVES,\n"
    "      RECOMMENDATIONS, RECOMMENDATIONS_API_PIZZA_GET, RECOMMENDATIONS_API_PIZZA_POST,\n"
    "      FRONTEND_CSS_ASSETS, FRONTEND_PNG_ASSETS\n"
    "  QUICKPIZZA_FAIL_RATE_RECOMMENDATIONS_API_PIZZA_POST\n"
    "                                percentage of POST /api/pizza that answers 503\n";

const char *config_usage(void) {
    return usage;
}

/* The value of QUICKPIZZA_<name>; NULL when unset or empty. */
static const char *variable(char *const environment[], const char *name) {
    static const char prefix[] = "QUICKPIZZA_";
    size_t size = strlen(name);
    for (; *environment != NULL; environment++) {
        const char *entry = *environment;
        if (strncmp(entry, prefix, sizeof prefix - 1) != 0)
            continue;
        entry += sizeof prefix - 1;
        if (strncmp(entry, name, size) == 0 && entry[size] == '=')
            return entry[size + 1] != '\0' ? entry + size + 1 : NULL;
    }
    return NULL;
}

/* A whole number; `otherwise` when the variable is unset or is none. */
static int64_t variable_int(char *const environment[], const char *name, int64_t otherwise) {
    const char *text = variable(environment, name);
    if (text == NULL)
        return otherwise;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' ? value : otherwise;
}

static int64_t delay_or_ns(char *const environment[], const char *name, int64_t otherwise_ms) {
    int64_t ms = variable_int(environment, name, otherwise_ms);
    const int64_t day_ms = INT64_C(24) * 3600 * 1000;
    return ms <= 0 ? 0 : (ms > day_ms ? day_ms : ms) * NS_PER_MS;
}

static int64_t delay_ns(char *const environment[], const char *name) {
    return delay_or_ns(environment, name, 0);
}

static void load_delays(struct config_delays *d, char *const environment[]) {
    d->copy_ns = delay_ns(environment, "DELAY_COPY");
    d->copy_quotes_ns = delay_ns(environment, "DELAY_COPY_API_QUOTES");
    d->copy_names_ns = delay_ns(environment, "DELAY_COPY_API_NAMES");
    d->copy_adjectives_ns = delay_ns(environment, "DELAY_COPY_API_ADJECTIVES");
    d->recommendations_ns = delay_ns(environment, "DELAY_RECOMMENDATIONS");
    d->pizza_get_ns = delay_ns(environment, "DELAY_RECOMMENDATIONS_API_PIZZA_GET");
    d->pizza_post_ns = delay_ns(environment, "DELAY_RECOMMENDATIONS_API_PIZZA_POST");
    d->name_ns = delay_or_ns(environment, "NAME_PAUSE", CONFIG_NAME_PAUSE_MS);
    d->css_assets_ns = delay_ns(environment, "DELAY_FRONTEND_CSS_ASSETS");
    d->png_assets_ns = delay_ns(environment, "DELAY_FRONTEND_PNG_ASSETS");
}

static void load_limit(struct config_limit *limit, char *const environment[], const char *table,
                       int64_t fixed, int64_t max) {
    char name[64];
    snprintf(name, sizeof name, "DB_FIXED_%s", table);
    limit->fixed = variable_int(environment, name, fixed);
    snprintf(name, sizeof name, "DB_MAX_%s", table);
    limit->max = variable_int(environment, name, max);
}

/* Go's words for a boolean; false for any other. */
static bool is_true(const char *text) {
    static const char *const words[] = {"1", "t", "T", "true", "TRUE", "True"};
    for (size_t i = 0; text != NULL && i < countof(words); i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

/* Each name has a short form too, of earlier versions: ALL_SERVICES, CATALOG and so on. */
static unsigned load_services(char *const environment[]) {
    static const struct {
        const char *name;
        enum service service;
    } all[] = {
        {"ENABLE_HTTP_TESTING_SERVICE", SERVICE_HTTP_TESTING},
        {"ENABLE_TEST_K6_IO_SERVICE", SERVICE_TEST_K6_IO},
        {"ENABLE_CONFIG_SERVICE", SERVICE_CONFIG},
        {"ENABLE_PUBLIC_API_SERVICE", SERVICE_PUBLIC_API},
        {"ENABLE_WS_SERVICE", SERVICE_WS},
        {"ENABLE_CATALOG_SERVICE", SERVICE_CATALOG},
        {"ENABLE_COPY_SERVICE", SERVICE_COPY},
        {"ENABLE_RECOMMENDATIONS_SERVICE", SERVICE_RECOMMENDATIONS},
        {"ENABLE_GRPC_SERVICE", SERVICE_GRPC},
        {"PUBLIC_API", SERVICE_PUBLIC_API},
        {"WS", SERVICE_WS},
        {"CATALOG", SERVICE_CATALOG},
        {"COPY", SERVICE_COPY},
        {"RECOMMENDATIONS", SERVICE_RECOMMENDATIONS},
    };
    const char *all_services = variable(environment, "ENABLE_ALL_SERVICES");
    if (all_services == NULL)
        all_services = variable(environment, "ALL_SERVICES");
    if (all_services == NULL || is_true(all_services))
        return SERVICE_ALL;
    unsigned services = 0;
    for (size_t i = 0; i < countof(all); i++) {
        if (is_true(variable(environment, all[i].name)))
            services |= all[i].service;
    }
    return services;
}

static int compare_publics(const void *a, const void *b) {
    return strcmp(((const struct config_public *)a)->name, ((const struct config_public *)b)->name);
}

static void load_publics(struct config *c, char *const environment[]) {
    static const char prefix[] = "QUICKPIZZA_CONF_";
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, prefix, sizeof prefix - 1) != 0)
            continue;
        struct slice value = slice_cstr(*environment + sizeof prefix - 1);
        struct slice name = slice_cut(&value, '=');
        if (value.ptr == NULL)
            continue;
        value = slice_cut(&value, '=');
        c->publics = xrealloc(c->publics, (c->public_count + 1) * sizeof *c->publics);
        struct config_public *p = &c->publics[c->public_count++];
        p->name = slice_dup(name);
        p->value = slice_dup(value);
        for (char *s = p->name; *s != '\0'; s++) {
            if (*s >= 'A' && *s <= 'Z')
                *s = (char)(*s + 32);
        }
    }
    if (c->public_count > 0)
        qsort(c->publics, c->public_count, sizeof *c->publics, compare_publics);
}

static enum log_threshold parse_threshold(const char *text) {
    if (text != NULL && strcasecmp(text, "debug") == 0)
        return LOG_THRESHOLD_DEBUG;
    if (text != NULL && strcasecmp(text, "warn") == 0)
        return LOG_THRESHOLD_WARN;
    if (text != NULL && strcasecmp(text, "error") == 0)
        return LOG_THRESHOLD_ERROR;
    return LOG_THRESHOLD_INFO;
}

static unsigned core_count(void) {
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) != 0)
        return 1;
    int count = CPU_COUNT(&cores);
    return count > MAX_THREADS ? MAX_THREADS : (unsigned)count;
}

static int load_environment(struct config *c, char *const environment[], struct error *err) {
    const char *text = variable(environment, "LISTEN");
    c->listen = text != NULL ? text : CONFIG_LISTEN_DEFAULT;
    c->grpc_listen = variable(environment, "GRPC_LISTEN");
    c->db = variable(environment, "DB");
    c->log_threshold = parse_threshold(variable(environment, "LOG_LEVEL"));
    c->threads = core_count();
    load_delays(&c->delays, environment);
    load_limit(&c->pizzas, environment, "PIZZAS", 100, 5000);
    load_limit(&c->users, environment, "USERS", 10, 5000);
    load_limit(&c->ratings, environment, "RATINGS", 10, 10000);
    c->services = load_services(environment);
    c->pizza_fail_percent =
        (double)variable_int(environment, "FAIL_RATE_RECOMMENDATIONS_API_PIZZA_POST", 0);

    c->step_timeout_ns = NS_PER_S;
    text = variable(environment, "TIMEOUT");
    if (text != NULL &&
        (duration_parse_go(slice_cstr(text), &c->step_timeout_ns) != 0 || c->step_timeout_ns <= 0))
        return error_set(err, KE_CONFIG,
                         "QUICKPIZZA_TIMEOUT is '%s': expected a duration such as 1s or 500ms",
                         text);
    load_publics(c, environment);
    return 0;
}

static int load_arguments(struct config *c, int argc, char *const argv[],
                          enum config_action *out_action, struct error *err) {
    enum { OPT_LISTEN = 256, OPT_GRPC_LISTEN, OPT_THREADS, OPT_LOG_FILE, OPT_VERSION };
    static const struct option options[] = {
        {"listen", required_argument, NULL, OPT_LISTEN},
        {"grpc-listen", required_argument, NULL, OPT_GRPC_LISTEN},
        {"threads", required_argument, NULL, OPT_THREADS},
        {"log-file", required_argument, NULL, OPT_LOG_FILE},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, OPT_VERSION},
        {0},
    };
    optind = 1;
    opterr = 0;
    int option;
    while ((option = getopt_long(argc, argv, ":qh", options, NULL)) != -1) {
        switch (option) {
        case OPT_LISTEN:
            c->listen = optarg;
            break;
        case OPT_GRPC_LISTEN:
            c->grpc_listen = optarg;
            break;
        case OPT_THREADS: {
            char *end;
            long threads = strtol(optarg, &end, 10);
            if (*end != '\0' || threads < 1 || threads > MAX_THREADS)
                return error_set(err, KE_CONFIG,
                                 "--threads is '%s': expected a number from 1 to %d", optarg,
                                 MAX_THREADS);
            c->threads = (unsigned)threads;
            break;
        }
        case OPT_LOG_FILE:
            c->log_file = optarg;
            break;
        case 'q':
            c->is_quiet = true;
            break;
        case 'h':
            *out_action = CONFIG_HELP;
            return 0;
        case OPT_VERSION:
            *out_action = CONFIG_VERSION;
            return 0;
        case ':':
            return error_set(err, KE_CONFIG, "flag '%s' needs a value", argv[optind - 1]);
        default:
            return error_set(err, KE_CONFIG, "unknown flag '%s', see quickpizza --help",
                             argv[optind - 1]);
        }
    }
    if (optind < argc)
        return error_set(err, KE_CONFIG, "unexpected argument '%s', see quickpizza --help",
                         argv[optind]);
    return 0;
}

int config_load(struct config *out, int argc, char *const argv[], char *const environment[],
                enum config_action *out_action, struct error *err) {
    *out = (struct config){0};
    *out_action = CONFIG_RUN;
    int rc = load_environment(out, environment, err);
    if (rc == 0)
        rc = load_arguments(out, argc, argv, out_action, err);
    return rc;
}

void config_release(struct config *c) {
    for (size_t i = 0; i < c->public_count; i++) {
        free(c->publics[i].name);
        free(c->publics[i].value);
    }
    free(c->publics);
    *c = (struct config){0};
}
