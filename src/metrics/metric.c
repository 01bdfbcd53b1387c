#include "metrics/metric.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/map.h"
#include "metrics/registry.h"

static const struct {
    const char *name;
    enum metric_type type;
    enum metric_contains contains;
} builtins[M_BUILTIN_COUNT] = {
    [M_VUS] = {"vus", METRIC_GAUGE, METRIC_DEFAULT},
    [M_VUS_MAX] = {"vus_max", METRIC_GAUGE, METRIC_DEFAULT},
    [M_ITERATIONS] = {"iterations", METRIC_COUNTER, METRIC_DEFAULT},
    [M_ITERATION_DURATION] = {"iteration_duration", METRIC_TREND, METRIC_TIME},
    [M_DROPPED_ITERATIONS] = {"dropped_iterations", METRIC_COUNTER, METRIC_DEFAULT},
    [M_CHECKS] = {"checks", METRIC_RATE, METRIC_DEFAULT},
    [M_GROUP_DURATION] = {"group_duration", METRIC_TREND, METRIC_TIME},
    [M_DATA_SENT] = {"data_sent", METRIC_COUNTER, METRIC_DATA},
    [M_DATA_RECEIVED] = {"data_received", METRIC_COUNTER, METRIC_DATA},
    [M_HTTP_REQS] = {"http_reqs", METRIC_COUNTER, METRIC_DEFAULT},
    [M_HTTP_REQ_FAILED] = {"http_req_failed", METRIC_RATE, METRIC_DEFAULT},
    [M_HTTP_REQ_DURATION] = {"http_req_duration", METRIC_TREND, METRIC_TIME},
    [M_HTTP_REQ_BLOCKED] = {"http_req_blocked", METRIC_TREND, METRIC_TIME},
    [M_HTTP_REQ_CONNECTING] = {"http_req_connecting", METRIC_TREND, METRIC_TIME},
    [M_HTTP_REQ_TLS_HANDSHAKING] = {"http_req_tls_handshaking", METRIC_TREND, METRIC_TIME},
    [M_HTTP_REQ_SENDING] = {"http_req_sending", METRIC_TREND, METRIC_TIME},
    [M_HTTP_REQ_WAITING] = {"http_req_waiting", METRIC_TREND, METRIC_TIME},
    [M_HTTP_REQ_RECEIVING] = {"http_req_receiving", METRIC_TREND, METRIC_TIME},
    [M_WS_SESSIONS] = {"ws_sessions", METRIC_COUNTER, METRIC_DEFAULT},
    [M_WS_MSGS_SENT] = {"ws_msgs_sent", METRIC_COUNTER, METRIC_DEFAULT},
    [M_WS_MSGS_RECEIVED] = {"ws_msgs_received", METRIC_COUNTER, METRIC_DEFAULT},
    [M_WS_PING] = {"ws_ping", METRIC_TREND, METRIC_TIME},
    [M_WS_SESSION_DURATION] = {"ws_session_duration", METRIC_TREND, METRIC_TIME},
    [M_WS_CONNECTING] = {"ws_connecting", METRIC_TREND, METRIC_TIME},
    [M_GRPC_REQ_DURATION] = {"grpc_req_duration", METRIC_TREND, METRIC_TIME},
};

/* Entries are published by the count, so that readers need no lock. */
static struct metric *all[METRICS_MAX];
static _Atomic uint32_t count;
static struct map by_name;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void registry_lock(void) {
    pthread_mutex_lock(&lock);
}

void registry_unlock(void) {
    pthread_mutex_unlock(&lock);
}

struct metric *registry_find(struct slice name) {
    return map_get(&by_name, name);
}

struct metric *registry_add(struct slice name, enum metric_type type, enum metric_contains contains,
                            struct error *err) {
    uint32_t id = atomic_load_explicit(&count, memory_order_relaxed);
    if (id == METRICS_MAX) {
        error_set(err, KE_TOO_LARGE, "cannot create metric '%.*s': there are %d metrics already",
                  SLICE_FMT(name), METRICS_MAX);
        return NULL;
    }
    struct metric *m = xcalloc(1, sizeof *m);
    m->name = slice_dup(name);
    m->type = type;
    m->contains = contains;
    m->id = id;
    all[id] = m;
    map_set(&by_name, name, m);
    atomic_store_explicit(&count, id + 1, memory_order_release);
    return m;
}

void metrics_init(void) {
    metrics_shutdown();
    map_init(&by_name);
    for (size_t i = 0; i < M_BUILTIN_COUNT; i++) {
        struct metric *m = registry_add(slice_cstr(builtins[i].name), builtins[i].type,
                                        builtins[i].contains, NULL);
        m->is_builtin = true;
    }
}

void metrics_shutdown(void) {
    uint32_t n = atomic_load(&count);
    if (n == 0)
        return;
    for (uint32_t i = 0; i < n; i++) {
        struct metric *m = all[i];
        free((char *)m->name);
        free((char *)m->suffix);
        for (size_t j = 0; j < m->n_match; j++) {
            free((char *)m->match[j].key.ptr);
            free((char *)m->match[j].value.ptr);
        }
        free(m->match);
        free(m);
        all[i] = NULL;
    }
    map_release(&by_name);
    atomic_store(&count, 0);
}

struct metric *metric_by_id(uint32_t id) {
    return id < metric_count() ? all[id] : NULL;
}

uint32_t metric_count(void) {
    return atomic_load_explicit(&count, memory_order_acquire);
}

struct metric *metric_find(struct slice name) {
    registry_lock();
    struct metric *m = registry_find(name);
    registry_unlock();
    return m;
}

static bool is_name_char(char c, bool is_first) {
    if (c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return !is_first && c >= '0' && c <= '9';
}

/* ^[a-zA-Z_][a-zA-Z0-9_]{1,128}$ */
bool metric_name_is_valid(struct slice name) {
    if (name.len < 2 || name.len > 129)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_char(name.ptr[i], i == 0))
            return false;
    return true;
}

static bool agrees(const struct metric *m, enum metric_type type, enum metric_contains contains,
                   struct error *err) {
    if (m->type != type) {
        error_set(err, KE_INVALID, "metric '%s' already exists but with type %s, instead of %s",
                  m->name, metric_type_name(m->type), metric_type_name(type));
        return false;
    }
    if (m->contains != contains) {
        error_set(err, KE_INVALID,
                  "metric '%s' already exists but with a value type %s, instead of %s", m->name,
                  metric_contains_name(m->contains), metric_contains_name(contains));
        return false;
    }
    return true;
}

struct metric *metric_register(struct slice name, enum metric_type type,
                               enum metric_contains contains, struct error *err) {
    if (!metric_name_is_valid(name)) {
        error_set(err, KE_INVALID,
                  "Invalid metric name: '%.*s'. Metric names must only include up to 128 ASCII "
                  "letters, numbers, or underscores and start with a letter or an underscore.",
                  (int)(name.len < 300 ? name.len : 300), name.ptr);
        return NULL;
    }
    registry_lock();
    struct metric *m = registry_find(name);
    if (!m)
        m = registry_add(name, type, contains, err);
    else if (!agrees(m, type, contains, err))
        m = NULL;
    registry_unlock();
    return m;
}

const char *metric_type_name(enum metric_type t) {
    static const char *const names[] = {"counter", "gauge", "rate", "trend"};
    CHECK((unsigned)t < countof(names));
    return names[t];
}

const char *metric_contains_name(enum metric_contains c) {
    static const char *const names[] = {"default", "time", "data"};
    CHECK((unsigned)c < countof(names));
    return names[c];
}
