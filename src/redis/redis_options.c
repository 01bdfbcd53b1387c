#include "redis/redis_options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"

#define MS NS_PER_MS

void redis_options_init(struct redis_options *o) {
    *o = (struct redis_options){.username = xstrdup(""),
                                .password = xstrdup(""),
                                .client_name = xstrdup(""),
                                .sentinel_username = xstrdup(""),
                                .sentinel_password = xstrdup("")};
}

void redis_options_release(struct redis_options *o) {
    for (size_t i = 0; i < o->n_addresses; i++)
        free(o->addresses[i].host);
    for (size_t i = 0; i < o->n_ca; i++)
        free(o->ca[i]);
    free(o->addresses);
    free(o->ca);
    free(o->unix_path);
    free(o->username);
    free(o->password);
    free(o->client_name);
    free(o->master_name);
    free(o->sentinel_username);
    free(o->sentinel_password);
    free(o->cert);
    free(o->key);
    *o = (struct redis_options){0};
}

void redis_options_add_address(struct redis_options *o, struct slice host, uint16_t port) {
    o->addresses = xrealloc(o->addresses, (o->n_addresses + 1) * sizeof *o->addresses);
    o->addresses[o->n_addresses++] = (struct redis_address){.host = slice_dup(host), .port = port};
}

/* ---------------------------------------------------------------- merging */

static int merge_text(char **all, char **node, const char *name, struct error *err) {
    bool differs = **all && **node && strcmp(*all, *node) != 0;
    if (differs && name)
        return error_set(err, KE_INVALID, "inconsistent %s option: %s != %s", name, *all, *node);
    if (differs)
        return error_set(err, KE_INVALID, "inconsistent password option");
    free(*all);
    *all = *node;
    *node = xstrdup("");
    return 0;
}

/* Times are shown as Go prints them. */
static int merge_number(int64_t *all, int64_t node, const char *name, bool is_time,
                        struct error *err) {
    if (*all != 0 && node != 0 && *all != node) {
        const char *unit = is_time ? "ms" : "";
        int64_t scale = is_time ? MS : 1;
        return error_set(err, KE_INVALID, "inconsistent %s option: %" PRId64 "%s != %" PRId64 "%s",
                         name, *all / scale, unit, node / scale, unit);
    }
    *all = node;
    return 0;
}

static void take_tls(struct redis_options *all, struct redis_options *node) {
    if (all->has_tls || !node->has_tls)
        return;
    all->has_tls = true;
    all->skips_verify = node->skips_verify;
    all->ca = node->ca;
    all->n_ca = node->n_ca;
    all->cert = node->cert;
    all->key = node->key;
    node->ca = NULL;
    node->n_ca = 0;
    node->cert = node->key = NULL;
}

int redis_options_merge(struct redis_options *all, struct redis_options *node, struct error *err) {
    for (size_t i = 0; i < node->n_addresses; i++)
        redis_options_add_address(all, slice_cstr(node->addresses[i].host),
                                  node->addresses[i].port);
    if (node->unix_path && !all->unix_path)
        all->unix_path = xstrdup(node->unix_path);
    take_tls(all, node);
    int rc = merge_number(&all->database, node->database, "db", false, err);
    rc = rc ? rc : merge_text(&all->username, &node->username, "username", err);
    rc = rc ? rc : merge_text(&all->password, &node->password, NULL, err);
    rc = rc ? rc : merge_text(&all->client_name, &node->client_name, "clientName", err);
#define NUMBER(field, name, is_time) \
    rc = rc ? rc : merge_number(&all->field, node->field, name, is_time, err)
    NUMBER(max_retries, "maxRetries", false);
    NUMBER(min_retry_backoff_ns, "minRetryBackoff", true);
    NUMBER(max_retry_backoff_ns, "maxRetryBackoff", true);
    NUMBER(dial_timeout_ns, "dialTimeout", true);
    NUMBER(read_timeout_ns, "readTimeout", true);
    NUMBER(write_timeout_ns, "writeTimeout", true);
    NUMBER(pool_size, "poolSize", false);
    NUMBER(min_idle_conns, "minIdleConns", false);
    NUMBER(max_age_ns, "maxConnAge", true);
    NUMBER(pool_timeout_ns, "poolTimeout", true);
    NUMBER(idle_timeout_ns, "idleTimeout", true);
#undef NUMBER
    return rc;
}

/* ---------------------------------------------------------------- defaults */

/* A time: the default for 0. Negative ones are none. */
static void time_default(int64_t *ns, int64_t by_default_ns) {
    if (*ns == 0)
        *ns = by_default_ns;
    if (*ns < 0)
        *ns = 0;
}

static void count_default(int64_t *n, int64_t by_default) {
    if (*n == 0)
        *n = by_default;
    if (*n < 0)
        *n = 0;
}

void redis_options_finish(struct redis_options *o) {
    count_default(&o->max_retries, 3);
    count_default(&o->max_redirects, 3);
    time_default(&o->min_retry_backoff_ns, 8 * MS);
    time_default(&o->max_retry_backoff_ns, 512 * MS);
    time_default(&o->dial_timeout_ns, 5 * NS_PER_S);
    time_default(&o->read_timeout_ns, 3 * NS_PER_S);
    time_default(&o->write_timeout_ns, o->read_timeout_ns ? o->read_timeout_ns : -1);
    time_default(&o->pool_timeout_ns,
                 o->read_timeout_ns ? o->read_timeout_ns + NS_PER_S : 30 * NS_PER_S);
    time_default(&o->idle_timeout_ns, 30 * 60 * NS_PER_S);
    time_default(&o->max_age_ns, -1);
    count_default(&o->pool_size, (o->is_cluster ? 5 : 10) * sysconf(_SC_NPROCESSORS_ONLN));
    if (o->route_by_latency || o->route_randomly)
        o->read_only = true;
}
