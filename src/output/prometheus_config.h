/* The configuration of the output experimental-prometheus-rw: K6_PROMETHEUS_RW_… and key=value
 * pairs after the `=`. */
#pragma once

#include "base/vec.h"
#include "output/http_push.h"
#include "output/output_type.h"
#include "output/prometheus_encode.h"

struct prom_config {
    char *url, *username, *password, *bearer_token;
    char *client_certificate, *client_key, *tls_min;
    char *sigv4_region, *sigv4_access_key, *sigv4_secret_key;
    bool is_insecure, has_stale_markers;
    int64_t push_interval_ns;
    struct prom_mapping mapping;
    VEC(char *) headers; /* "Name: value" */
};

/* KE_CONFIG with k6's words; prom_config_release in any case. */
int prom_config_read(struct prom_config *c, const struct output *o, struct slice arg,
                     struct error *err);
void prom_config_release(struct prom_config *c);
/* A client with its headers. */
struct http_push *prom_config_open(const struct prom_config *c, struct error *err);
