/* What a client connects to and how: the options of xk6-redis, by URL or by object, with go-redis's
 * rules and defaults. */
#pragma once

#include "base/error.h"
#include "base/slice.h"

struct redis_address {
    char *host; /* without brackets */
    uint16_t port;
};

/* Numbers and times: 0 is the default, -1 switches off what can be switched off. */
struct redis_options {
    bool is_cluster;
    struct redis_address *addresses;
    size_t n_addresses;
    char *unix_path; /* of a unix:// URL, to which k6 cannot connect either; NULL */
    char *username, *password, *client_name; /* "" = none */
    int64_t database;
    char *master_name; /* non-NULL: the addresses are of sentinels */
    char *sentinel_username, *sentinel_password;

    bool has_tls, skips_verify;
    char **ca; /* PEM */
    size_t n_ca;
    char *cert, *key; /* PEM; NULL = none */

    int64_t max_retries, min_retry_backoff_ns, max_retry_backoff_ns;
    int64_t dial_timeout_ns, read_timeout_ns, write_timeout_ns;
    int64_t pool_size, pool_timeout_ns, min_idle_conns;
    int64_t max_age_ns, idle_timeout_ns;

    int64_t max_redirects;
    bool read_only, route_by_latency, route_randomly;
};

void redis_options_init(struct redis_options *o);
void redis_options_release(struct redis_options *o);

/* redis://user:password@host:port/db?option=value, rediss:// with TLS, unix://. Fills an
 * initialised o. 0, or KE_INVALID with go-redis's words ("redis: invalid URL scheme: https"). */
int redis_options_parse_url(struct slice url, struct redis_options *o, struct error *err);
/* Adds one node's address and options to those of all: what two nodes say differently is an error
 * ("inconsistent db option: 1 != 2"). The addresses and TLS settings of `node` move over. 0 or
 * KE_INVALID. */
int redis_options_merge(struct redis_options *all, struct redis_options *node, struct error *err);
void redis_options_add_address(struct redis_options *o, struct slice host, uint16_t port);
/* Puts the defaults in: afterwards a time of 0 or less is none, and counts are what they say. */
void redis_options_finish(struct redis_options *o);
