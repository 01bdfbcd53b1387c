/* Options of a test: every option of k6, each knowing whether somebody set it. Options come in
 * tiers (defaults, config file, script, environment, command line); each tier is one struct
 * options, options_merge lays one over another, and options_derive turns the shortcuts (vus,
 * duration, iterations, stages) into scenarios.
 *
 * A struct options is plain data over memory of one arena that all tiers share: copies are shallow
 * and free, nothing is released alone. A field that is not set still holds its default value. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "load/segment.h"

struct opt_int {
    int64_t value;
    bool is_set;
};

struct opt_bool {
    bool value, is_set;
};

struct opt_duration {
    int64_t ns;
    bool is_set;
};

struct opt_text {
    const char *value; /* "" when not set and without default */
    bool is_set;
};

struct opt_list {
    const char **items;
    size_t len;
    bool is_set;
};

struct opt_pair {
    const char *key, *value;
};

struct opt_map { /* in order of keys */
    struct opt_pair *items;
    size_t len;
    bool is_set;
};

struct opt_segment {
    struct segment value;
    bool is_set;
};

struct opt_sequence {
    struct segment_sequence value;
    bool is_set;
};

struct stage {
    struct opt_duration duration;
    struct opt_int target;
};

struct opt_stages {
    struct stage *items;
    size_t len;
    bool is_set;
};

struct scenario;       /* load/scenario.h */
struct opt_scenarios { /* in order of names */
    struct scenario *items;
    size_t len;
    bool is_set;
};

struct threshold_def {
    const char *source;
    bool abort_on_fail;
    struct opt_duration delay_abort;
};

struct metric_thresholds {
    const char *metric; /* as written, "http_req_duration{status:200}" */
    struct threshold_def *items;
    size_t len;
};

struct opt_thresholds { /* in order of metrics */
    struct metric_thresholds *items;
    size_t len;
    bool is_set;
};

struct opt_tls_version {
    int min, max; /* 0x0301..0x0304, 0 = default */
    bool is_set;
};

struct tls_auth {
    const char *cert, *key;
    struct opt_text password;
    struct opt_list domains;
};

struct opt_tls_auth {
    struct tls_auth *items;
    size_t len;
    bool is_set;
};

struct opt_dns {
    struct opt_text ttl, select, policy; /* k6's words, validated */
};

struct opt_system_tags {
    uint32_t bits; /* metrics/tags.h */
    bool is_set;
};

struct options {
    struct opt_bool paused;
    struct opt_int vus;
    struct opt_duration duration;
    struct opt_int iterations;
    struct opt_stages stages;
    struct opt_scenarios scenarios;
    struct opt_segment execution_segment;
    struct opt_sequence execution_segment_sequence;
    struct opt_bool no_setup;
    struct opt_duration setup_timeout;
    struct opt_bool no_teardown;
    struct opt_duration teardown_timeout;
    struct opt_duration handle_summary_timeout;
    struct opt_int rps;
    struct opt_dns dns;
    struct opt_int max_redirects;
    struct opt_text user_agent;
    struct opt_int batch, batch_per_host;
    struct opt_text http_debug;
    struct opt_bool insecure_skip_tls_verify;
    struct opt_list tls_cipher_suites;
    struct opt_tls_version tls_version;
    struct opt_tls_auth tls_auth;
    struct opt_bool throw_errors;
    struct opt_thresholds thresholds;
    struct opt_list blacklist_ips;   /* CIDRs in canonical form */
    struct opt_list block_hostnames; /* as written */
    struct opt_map hosts;            /* lower-case pattern -> "ip" or "ip:port" */
    struct opt_bool no_connection_reuse, no_vu_connection_reuse;
    struct opt_duration min_iteration_duration;
    struct opt_text cloud; /* JSON text */
    struct opt_text ext;   /* JSON text of an object */
    struct opt_list summary_trend_stats;
    struct opt_text summary_time_unit;
    struct opt_system_tags system_tags;
    struct opt_map tags;
    struct opt_int metric_samples_buffer_size;
    struct opt_bool no_cookies_reset;
    struct opt_bool discard_response_bodies;
    struct opt_text console_output; /* not settable by scripts, like the next */
    struct opt_text local_ips;
    struct opt_list features;
};

/* Nothing set, every default in place (also the ones that k6 fills in only after merging). */
void options_init(struct options *o);
/* Lays `tier` over *o. A tier that sets any of duration, iterations, stages and scenarios clears
 * all four of *o first; *o's defaults stay behind what is not set. */
void options_merge(struct arena *a, struct options *o, const struct options *tier);
/* True when merging tier would drop scenarios of o (k6 warns then). */
bool options_drop_scenarios(const struct options *o, const struct options *tier);

/* ---- options_json.c: script options and config files */

/* Reads the text of a JSON object into *out (initialised with options_init here). With is_script
 * the errors are those of a script ("parsing options from script got error while parsing …"),
 * otherwise those of a config file. Keys that no option has: *out_unknown (may be NULL) gets the
 * first in order, "" when there is none. KE_CONFIG. */
int options_from_json(struct arena *a, struct slice json, bool is_script, struct options *out,
                      const char **out_unknown, struct error *err);

/* ---- options_env.c */

typedef const char *options_getenv_fn(void *arg, const char *name); /* NULL when absent */
/* The K6_* variables. KE_CONFIG with k6's words (`envconfig.Process: assigning K6_VUS to VUs: …`).
 */
int options_from_env(struct arena *a, options_getenv_fn *getenv_fn, void *arg, struct options *out,
                     struct error *err);

/* ---- options_derive.c */

/* What k6 warns of while deriving; text is whole. */
typedef void options_warn_fn(void *arg, const char *text);
/* Turns shortcuts into the scenario `default`. KE_CONFIG when shortcuts contradict each other. */
int options_derive(struct arena *a, struct options *o, options_warn_fn *warn, void *arg,
                   struct error *err);

/* ---- options_validate.c */

/* Appends one line a problem to *out ("\t- …", with newlines between); true when there is none.
 * is_exported tells whether the script exports a function of that name. */
bool options_validate(const struct options *o, bool (*is_exported)(void *arg, const char *name),
                      void *arg, struct buf *out);

/* ---- options_export.c */

enum options_export {
    OPTIONS_EXPORT_ALL, /* every key of a script's options, null when not set: inspect, archives */
    OPTIONS_EXPORT_EXECUTION, /* what exec.test.options shows: no shortcuts, consoleOutput and
                                 localIPs besides */
    OPTIONS_EXPORT_SPECIFIED, /* only what is set: written back over the script's exported `options`
                               */
};

struct json_writer;
/* Writes one JSON object. */
void options_export(struct json_writer *w, const struct options *o, enum options_export how);
/* The members alone, between json_object_begin and json_object_end of the caller. */
void options_export_members(struct json_writer *w, const struct options *o,
                            enum options_export how);
