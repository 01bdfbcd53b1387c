/* Reading the configuration of outputs: environment variables, with the words of k6's envconfig,
 * and URLs. Nothing is changed when a variable is absent or empty. The errors are KE_CONFIG. */
#pragma once

#include "output/output_type.h"

/* One variable: "K6_STATSD_ADDR" and the name of its field in k6's configuration, "Addr". */
struct output_variable {
    const struct output *output;
    const char *name, *field;
    const char *prefix; /* of an error, "" or "parse environment variables options failed: " */
};

/* NULL when it is absent or empty. */
const char *variable_get(const struct output_variable *v);
/* *out is heap memory, replaced. */
void variable_string(const struct output_variable *v, char **out);
int variable_duration(const struct output_variable *v, int64_t *out_ns, struct error *err);
int variable_int(const struct output_variable *v, int64_t *out, struct error *err);
int variable_bool(const struct output_variable *v, bool *out, struct error *err);

/* Go's strconv.ParseBool: 1, t, T, TRUE, true, True and their opposites. */
bool parse_bool_go(struct slice s, bool *out);
/* A decimal integer with a sign. */
bool parse_int_go(struct slice s, int64_t *out);
/* A duration in k6's form; the words of a failure as Go has them. */
int config_duration(struct slice s, int64_t *out_ns, struct error *err);
/* Flushing every 0 s or less cannot be: KE_CONFIG. */
int config_check_flush(int64_t flush_ns, struct error *err);

/* Appends s as a value of a query. */
void query_escape(struct buf *out, struct slice s);

/* The parts of an absolute URL, or of one that is a path only. Heap memory. */
struct output_url {
    char *base;                /* "http://host:8086", without the path; NULL = no host */
    char *username, *password; /* NULL = none */
    char *path;                /* unescaped */
    struct slice query;        /* raw, into the text given; ptr NULL = none */
};
int output_url_parse(struct slice text, struct output_url *out, struct error *err);
void output_url_release(struct output_url *u);
