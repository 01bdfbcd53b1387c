/* The configuration of the output opentelemetry: K6_OTEL_…, with the names and values of every k6
 * that has it, and those OTEL_… variables which the OpenTelemetry SDK reads beneath k6. */
#pragma once

#include "base/vec.h"
#include "output/http_push.h"
#include "output/otlp_encode.h"
#include "output/output_type.h"

struct otel_config {
    char *service_name, *service_version, *prefix;
    char *protocol; /* "grpc", "http/protobuf"; K6_OTEL_EXPORTER_TYPE also has "http" */
    char *headers, *ca, *cert, *key;
    char *grpc_endpoint, *http_endpoint, *http_path, *username, *password;
    bool is_grpc, is_grpc_insecure, is_http_insecure, skips_verify;
    bool has_rate_pair, has_exponential, is_gzip;
    int64_t flush_interval_ns, export_interval_ns, timeout_ns;
    VEC(char *) header_lines; /* "Name: value" */
    struct buf resource;      /* encoded */
    char *url;
};

/* KE_CONFIG with k6's words; otel_config_release in any case. */
int otel_config_read(struct otel_config *c, const struct output *o, struct error *err);
void otel_config_release(struct otel_config *c);
/* For the run header: "grpc (insecure), localhost:4317". */
char *otel_config_describe(const struct otel_config *c);
/* A client with its headers. */
struct http_push *otel_config_open(const struct otel_config *c, struct error *err);
