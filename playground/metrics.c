#include "metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "histogram.h"
#include "recommend.h"
#include "request.h"
#include "router.h"

#define PREFIX "quickpizza_server_"
/* A power of two. Of further series, which only somebody who tries every status with every method
 * can make, nothing is counted. */
#define SERIES_SLOTS 4096
#define SERIES_MAX (SERIES_SLOTS / 2)
#define MAX_TOOLS 64
#define PAGE_PATTERN "/*"

static const struct histogram_shape seconds_shape = {
    .bounds = {5 * NS_PER_MS, 10 * NS_PER_MS, 25 * NS_PER_MS, 50 * NS_PER_MS, 100 * NS_PER_MS,
               250 * NS_PER_MS, 500 * NS_PER_MS, 1 * NS_PER_S, 2500 * NS_PER_MS, 5 * NS_PER_S,
               10 * NS_PER_S},
    .bound_count = 11,
    .scale = 1e9,
};

static const struct histogram_shape ingredients_shape = {
    .bounds = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20},
    .bound_count = 20,
    .scale = 1,
};

static const struct histogram_shape calories_shape = {
    .bounds = {100,  200,  300,  400,  500,  600,  700,  800,  900,  1000,
               1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900, 2000},
    .bound_count = 20,
    .scale = 1,
};

/* The requests of one method and route with one status. */
struct series {
    const char *pattern;
    enum http_method method;
    int status;
    struct histogram durations;
    atomic_int_fast64_t last_ns;
};

struct metrics {
    const struct catalog *catalog;
    _Atomic(struct series *) series[SERIES_SLOTS]; /* hash table; what is in stays */
    pthread_mutex_t series_lock;                   /* of whoever puts one in */
    size_t series_count;
    atomic_uint_fast64_t pizzas[2][MAX_TOOLS]; /* by vegetarian, by tool */
    struct histogram ingredients;
    struct histogram calories;
    atomic_int_fast64_t ws_active;
    struct histogram ws_connections;
    struct histogram ws_messages;
    atomic_uint_fast64_t scrapes;
};

struct metrics *metrics_new(const struct catalog *catalog) {
    struct metrics *m = xcalloc(1, sizeof *m);
    m->catalog = catalog;
    pthread_mutex_init(&m->series_lock, NULL);
    return m;
}

void metrics_free(struct metrics *m) {
    if (m == NULL)
        return;
    for (size_t i = 0; i < SERIES_SLOTS; i++)
        free(atomic_load(&m->series[i]));
    pthread_mutex_destroy(&m->series_lock);
    free(m);
}

/* ---------------------------------------------------------------- counting */

/* The slot of a series, or the free one where it belongs. */
static size_t find_slot(struct metrics *m, const char *pattern, enum http_method method,
                        int status) {
    size_t slot = ((uintptr_t)pattern >> 3) * 31 + (size_t)method * 131 + (size_t)status * 7;
    for (;; slot++) {
        const struct series *s =
            atomic_load_explicit(&m->series[slot % SERIES_SLOTS], memory_order_acquire);
        if (s == NULL || (s->pattern == pattern && s->method == method && s->status == status))
            return slot % SERIES_SLOTS;
    }
}

static struct series *add_series(struct metrics *m, const char *pattern, enum http_method method,
                                 int status) {
    pthread_mutex_lock(&m->series_lock);
    const size_t slot = find_slot(m, pattern, method, status);
    struct series *s = atomic_load(&m->series[slot]);
    if (s == NULL && m->series_count < SERIES_MAX) {
        s = xcalloc(1, sizeof *s);
        s->pattern = pattern;
        s->method = method;
        s->status = status;
        m->series_count++;
        atomic_store_explicit(&m->series[slot], s, memory_order_release);
    }
    pthread_mutex_unlock(&m->series_lock);
    return s;
}

void metrics_request(struct metrics *m, const struct request *r) {
    const char *pattern = r->route != NULL ? r->route->pattern : PAGE_PATTERN;
    if (r->route != NULL && (r->route->flags & ROUTE_NO_METRICS) != 0)
        return;
    const int status = r->response.status;
    struct series *s = atomic_load_explicit(&m->series[find_slot(m, pattern, r->method, status)],
                                            memory_order_acquire);
    if (s == NULL)
        s = add_series(m, pattern, r->method, status);
    if (s == NULL)
        return;
    const int64_t duration_ns = clock_now_ns() - r->start_ns;
    histogram_add(&s->durations, &seconds_shape, duration_ns);
    atomic_store_explicit(&s->last_ns, duration_ns, memory_order_relaxed);
}

void metrics_pizza(struct metrics *m, const struct recommendation *found) {
    if (found->pizza.tool < MAX_TOOLS)
        atomic_fetch_add_explicit(&m->pizzas[found->is_vegetarian][found->pizza.tool], 1,
                                  memory_order_relaxed);
    histogram_add(&m->ingredients, &ingredients_shape, found->pizza.ingredient_count);
    histogram_add(&m->calories, &calories_shape, found->calories);
}

void metrics_ws_opened(struct metrics *m) {
    atomic_fetch_add_explicit(&m->ws_active, 1, memory_order_relaxed);
}

void metrics_ws_closed(struct metrics *m, int64_t duration_ns) {
    atomic_fetch_sub_explicit(&m->ws_active, 1, memory_order_relaxed);
    histogram_add(&m->ws_connections, &seconds_shape, duration_ns);
}

void metrics_ws_message(struct metrics *m, int64_t duration_ns) {
    histogram_add(&m->ws_messages, &seconds_shape, duration_ns);
}

/* ---------------------------------------------------------------- the text */

static void write_head(struct buf *out, const char *name, const char *type, const char *help) {
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line feed escaped. */
static void write_label(struct buf *out, const char *name, const char *value) {
    buf_printf(out, "%s%s=\"", out->len > 0 ? "," : "", name);
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            buf_append_char(out, '\\');
        if (*value == '\n')
            buf_append_str(out, "\\n");
        else
            buf_append_char(out, *value);
    }
    buf_append_char(out, '"');
}

/* {id:int} is QuickPizza's {id:\d+}. */
static void write_pattern(struct buf *out, const char *pattern) {
    static const char is_int[] = ":int}";
    char text[128];
    const char *found = strstr(pattern, is_int);
    if (found == NULL)
        snprintf(text, sizeof text, "%s", pattern);
    else
        snprintf(text, sizeof text, "%.*s:\\d+}%s", (int)(found - pattern), pattern,
                 found + sizeof is_int - 1);
    write_label(out, "path", text);
}

static const char *labels_of(const struct series *s, struct buf *out) {
    char status[16];
    snprintf(status, sizeof status, "%d", s->status);
    buf_reset(out);
    write_label(out, "method", http_method_name(s->method));
    write_pattern(out, s->pattern);
    write_label(out, "status", status);
    return buf_cstr(out);
}

enum request_family { FAMILY_SECONDS, FAMILY_GAUGE, FAMILY_NATIVE, FAMILY_COUNT };

static const struct {
    const char *name;
    const char *type;
    const char *help;
} request_families[] = {
    [FAMILY_SECONDS] = {PREFIX "http_request_duration_seconds", "histogram",
                        "The duration of HTTP requests"},
    [FAMILY_GAUGE] = {PREFIX "http_request_duration_seconds_gauge", "gauge",
                      "The duration of HTTP requests (Gauge)"},
    [FAMILY_NATIVE] = {PREFIX "http_request_duration_seconds_native", "histogram",
                       "The duration of HTTP requests (Native Histogram)"},
    [FAMILY_COUNT] = {PREFIX "http_requests_total", "counter", "The total number of HTTP requests"},
};

static uint64_t count_of(struct histogram *h) {
    uint64_t count = 0;
    for (size_t i = 0; i <= HISTOGRAM_MAX_BOUNDS; i++)
        count += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
    return count;
}

static void write_series(struct series *s, enum request_family family, struct buf *labels,
                         struct buf *out) {
    const char *name = request_families[family].name;
    const char *text = labels_of(s, labels);
    char number[32];
    switch (family) {
    case FAMILY_SECONDS:
        histogram_write(&s->durations, &seconds_shape, name, text, out);
        break;
    case FAMILY_NATIVE:
        histogram_write_native(&s->durations, &seconds_shape, name, text, out);
        break;
    case FAMILY_GAUGE:
        buf_printf(out, "%s{%s} %s\n", name, text,
                   double_format_json((double)atomic_load(&s->last_ns) / 1e9, number));
        break;
    case FAMILY_COUNT:
        buf_printf(out, "%s{%s} %llu\n", name, text, (unsigned long long)count_of(&s->durations));
        break;
    }
}

static void write_requests(struct metrics *m, struct buf *out) {
    struct buf labels;
    buf_init(&labels, BUF_NO_CAP);
    for (size_t family = 0; family < countof(request_families); family++) {
        bool has_head = false;
        for (size_t i = 0; i < SERIES_SLOTS; i++) {
            struct series *s = atomic_load_explicit(&m->series[i], memory_order_acquire);
            if (s == NULL)
                continue;
            if (!has_head)
                write_head(out, request_families[family].name, request_families[family].type,
                           request_families[family].help);
            has_head = true;
            write_series(s, (enum request_family)family, &labels, out);
        }
    }
    buf_release(&labels);
}

static void write_pizzas(struct metrics *m, struct buf *out) {
    static const char name[] = PREFIX "pizza_recommendations_total";
    struct buf labels;
    bool has_head = false;
    buf_init(&labels, BUF_NO_CAP);
    for (size_t i = 0; i < 2 * m->catalog->tools.count && i < 2 * MAX_TOOLS; i++) {
        const uint64_t count = atomic_load(&m->pizzas[i % 2][i / 2]);
        if (count == 0)
            continue;
        if (!has_head)
            write_head(out, name, "counter", "The total number of pizza recommendations");
        has_head = true;
        buf_reset(&labels);
        write_label(&labels, "tool", m->catalog->tools.words[i / 2].ptr);
        write_label(&labels, "vegetarian", i % 2 == 1 ? "true" : "false");
        buf_printf(out, "%s{%s} %llu\n", name, buf_cstr(&labels), (unsigned long long)count);
    }
    buf_release(&labels);
}

static void write_histogram(struct histogram *h, const struct histogram_shape *shape,
                            const char *name, const char *help, struct buf *out) {
    write_head(out, name, "histogram", help);
    histogram_write(h, shape, name, "", out);
}

/* A histogram and its native twin. */
static void write_pair(struct histogram *h, const struct histogram_shape *shape, const char *name,
                       const char *help, struct buf *out) {
    char twin[96];
    char twin_help[96];
    write_histogram(h, shape, name, help, out);
    snprintf(twin, sizeof twin, "%s_native", name);
    snprintf(twin_help, sizeof twin_help, "%s (Native Histogram)", help);
    write_head(out, twin, "histogram", twin_help);
    histogram_write_native(h, shape, twin, "", out);
}

static void write_ws(struct metrics *m, struct buf *out) {
    write_histogram(&m->ws_connections, &seconds_shape, PREFIX "ws_connection_duration_seconds",
                    "Duration of WebSocket connections", out);
    write_head(out, PREFIX "ws_connections_active", "gauge",
               "Number of active WebSocket connections");
    buf_printf(out, PREFIX "ws_connections_active %lld\n", (long long)atomic_load(&m->ws_active));
    write_histogram(&m->ws_messages, &seconds_shape,
                    PREFIX "ws_message_processing_duration_seconds",
                    "Time to process and broadcast incoming WebSocket messages", out);
    write_head(out, PREFIX "ws_messages_received_total", "counter",
               "Total number of messages received via WebSocket");
    buf_printf(out, PREFIX "ws_messages_received_total %llu\n",
               (unsigned long long)count_of(&m->ws_messages));
}

void metrics_write(struct metrics *m, struct buf *out) {
    metrics_write_process(out);
    write_head(out, "promhttp_metric_handler_requests_total", "counter",
               "Total number of scrapes by HTTP status code.");
    buf_printf(out, "promhttp_metric_handler_requests_total{code=\"200\"} %llu\n",
               (unsigned long long)atomic_fetch_add(&m->scrapes, 1));
    write_requests(m, out);
    write_pair(&m->ingredients, &ingredients_shape, PREFIX "number_of_ingredients_per_pizza",
               "The number of ingredients per pizza", out);
    write_pair(&m->calories, &calories_shape, PREFIX "pizza_calories_per_slice",
               "The number of calories per slice of pizza", out);
    write_pizzas(m, out);
    write_ws(m, out);
}
