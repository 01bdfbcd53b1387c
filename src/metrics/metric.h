/* Metrics and their registry. A metric has a name, a type and what it contains; a submetric is a
 * metric that sees only the samples whose tags contain a given set (thresholds create them). The
 * registry is process-wide: registered under a lock while scripts initialise, read without one
 * afterwards (entries never move or go). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_RATE, METRIC_TREND };
enum metric_contains { METRIC_DEFAULT, METRIC_TIME, METRIC_DATA };

struct metric {
    const char *name;
    enum metric_type type;
    enum metric_contains contains;
    uint32_t id;             /* index in the registry */
    struct metric *parent;   /* submetric: its metric */
    const char *suffix;      /* submetric: "expected_response:true" as written */
    struct tag_match *match; /* submetric: the pairs to contain, sorted by key */
    size_t n_match;
    struct metric *submetrics; /* first submetric, in order of creation; linked by next_sub */
    struct metric *next_sub;
    bool is_builtin;
    bool is_shown; /* in reports even without samples: it, or a submetric of it, has a threshold */
};

struct tag_match {
    struct slice key, value;
};

/* Built-in metrics, registered by metrics_init in this order so that ids are constants. */
enum builtin_metric {
    M_VUS,
    M_VUS_MAX,
    M_ITERATIONS,
    M_ITERATION_DURATION,
    M_DROPPED_ITERATIONS,
    M_CHECKS,
    M_GROUP_DURATION,
    M_DATA_SENT,
    M_DATA_RECEIVED,
    M_HTTP_REQS,
    M_HTTP_REQ_FAILED,
    M_HTTP_REQ_DURATION,
    M_HTTP_REQ_BLOCKED,
    M_HTTP_REQ_CONNECTING,
    M_HTTP_REQ_TLS_HANDSHAKING,
    M_HTTP_REQ_SENDING,
    M_HTTP_REQ_WAITING,
    M_HTTP_REQ_RECEIVING,
    M_WS_SESSIONS,
    M_WS_MSGS_SENT,
    M_WS_MSGS_RECEIVED,
    M_WS_PING,
    M_WS_SESSION_DURATION,
    M_WS_CONNECTING,
    M_GRPC_REQ_DURATION,
    M_BUILTIN_COUNT
};

/* More metrics than this (submetrics included) cannot be registered: KE_TOO_LARGE. */
#define METRICS_MAX 65536

void metrics_init(void);
/* Frees the registry; nothing may record afterwards. Tests may init again. */
void metrics_shutdown(void);
/* Any thread. NULL beyond the last one. */
struct metric *metric_by_id(uint32_t id);
/* By its full name; a submetric by "name{suffix}". */
struct metric *metric_find(struct slice name);
uint32_t metric_count(void);
/* Gives the existing metric when name and type agree (contains too); otherwise NULL and *err with
 * k6's words: "metric 'X' already exists but with type A, instead of B". Name validity is checked
 * (k6's regex). Any thread. */
struct metric *metric_register(struct slice name, enum metric_type type,
                               enum metric_contains contains, struct error *err);
/* "http_req_duration{status:200}" -> submetric, created when new (one whose pairs are the same
 * counts as it); its parent must exist. A name without braces gives the metric itself. Before the
 * run starts only. NULL with k6's words: KE_INVALID on a malformed expression, KE_NOT_FOUND on an
 * unknown metric. */
struct metric *metric_submetric(struct slice expression, struct error *err);
const char *metric_type_name(enum metric_type t);         /* "counter" … */
const char *metric_contains_name(enum metric_contains c); /* "default", "time", "data" */
bool metric_name_is_valid(struct slice name);
