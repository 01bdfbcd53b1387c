#include "output/otel_config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/compat.h"
#include "base/log.h"
#include "base/percent.h"
#include "output/output_config.h"

#define TIMEOUT_NS (10 * NS_PER_S)
#define GRPC_METHOD "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
#define RESOURCE_ATTRIBUTES 1

static const char prefix[] = "parse environment variables options failed: ";

static bool is_set(const char *text) {
    return text && text[0];
}

static void set(char **at, const char *text) {
    free(*at);
    *at = xstrdup(text);
}

/* ---------------------------------------------------------------- K6_OTEL_… */

static int read_texts(struct otel_config *c, const struct output *o) {
    const struct {
        const char *name;
        char **at;
    } texts[] = {{"OTEL_SERVICE_NAME", &c->service_name},
                 {"K6_OTEL_SERVICE_NAME", &c->service_name},
                 {"K6_OTEL_SERVICE_VERSION", &c->service_version},
                 {"K6_OTEL_METRIC_PREFIX", &c->prefix},
                 {"K6_OTEL_EXPORTER_TYPE", &c->protocol},
                 {"K6_OTEL_EXPORTER_PROTOCOL", &c->protocol},
                 {"K6_OTEL_HEADERS", &c->headers},
                 {"K6_OTEL_TLS_CERTIFICATE", &c->ca},
                 {"K6_OTEL_TLS_CLIENT_CERTIFICATE", &c->cert},
                 {"K6_OTEL_TLS_CLIENT_KEY", &c->key},
                 {"K6_OTEL_GRPC_EXPORTER_ENDPOINT", &c->grpc_endpoint},
                 {"K6_OTEL_HTTP_EXPORTER_ENDPOINT", &c->http_endpoint},
                 {"K6_OTEL_HTTP_EXPORTER_URL_PATH", &c->http_path},
                 {"K6_OTEL_HTTP_EXPORTER_USERNAME", &c->username},
                 {"K6_OTEL_HTTP_EXPORTER_PASSWORD", &c->password}};
    for (size_t i = 0; i < countof(texts); i++)
        variable_string(&(struct output_variable){o, texts[i].name, "", prefix}, texts[i].at);
    return 0;
}

static int read_k6(struct otel_config *c, const struct output *o, struct error *err) {
    bool is_single = true;
#define V(name, field) (&(struct output_variable){o, "K6_OTEL_" name, field, prefix})
    if (read_texts(c, o) ||
        variable_duration(V("FLUSH_INTERVAL", "FlushInterval"), &c->flush_interval_ns, err) ||
        variable_duration(V("EXPORT_INTERVAL", "ExportInterval"), &c->export_interval_ns, err) ||
        variable_bool(V("TLS_INSECURE_SKIP_VERIFY", "TLSInsecureSkipVerify"), &c->skips_verify,
                      err) ||
        variable_bool(V("HTTP_EXPORTER_INSECURE", "HTTPExporterInsecure"), &c->is_http_insecure,
                      err) ||
        variable_bool(V("GRPC_EXPORTER_INSECURE", "GRPCExporterInsecure"), &c->is_grpc_insecure,
                      err) ||
        variable_bool(V("SINGLE_COUNTER_FOR_RATE", "SingleCounterForRate"), &is_single, err))
        return KE_CONFIG;
#undef V
    c->has_rate_pair = !is_single;
    return 0;
}

/* ---------------------------------------------------------------- OTEL_… */

/* OTEL_EXPORTER_OTLP_METRICS_name before OTEL_EXPORTER_OTLP_name, as the specification has it. */
static const char *sdk_variable(const struct output *o, const char *name) {
    char *of_metrics = xasprintf("OTEL_EXPORTER_OTLP_METRICS_%s", name);
    char *of_all = xasprintf("OTEL_EXPORTER_OTLP_%s", name);
    const char *text = output_getenv(o, of_metrics);
    if (!is_set(text))
        text = output_getenv(o, of_all);
    free(of_metrics);
    free(of_all);
    return is_set(text) ? text : NULL;
}

static void read_sdk_text(const struct output *o, const char *name, char **at) {
    const char *text = sdk_variable(o, name);
    if (text && !*at)
        *at = xstrdup(text);
}

static void say_ignored(const char *name, const char *value, const char *why) {
    log_printf(LOG_WARN, "opentelemetry: %s=%s is ignored: %s", name, value, why);
}

static void read_sdk(struct otel_config *c, const struct output *o) {
    const char *timeout = sdk_variable(o, "TIMEOUT"), *text;
    int64_t ms;
    read_sdk_text(o, "HEADERS", &c->headers);
    read_sdk_text(o, "CERTIFICATE", &c->ca);
    read_sdk_text(o, "CLIENT_CERTIFICATE", &c->cert);
    read_sdk_text(o, "CLIENT_KEY", &c->key);
    if (timeout && parse_int_go(slice_cstr(timeout), &ms) && ms > 0 && ms < INT64_MAX / NS_PER_MS)
        c->timeout_ns = ms * NS_PER_MS;
    text = sdk_variable(o, "COMPRESSION");
    c->is_gzip = text && strcmp(text, "gzip") == 0;
    text = output_getenv(o, "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION");
    c->has_exponential = text && strcmp(text, "base2_exponential_bucket_histogram") == 0;
    text = output_getenv(o, "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE");
    if (is_set(text) && strcmp(text, "cumulative") != 0)
        say_ignored("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", text,
                    "values are always cumulative");
}

/* ---------------------------------------------------------------- resource */

static void put_unescaped(struct buf *out, struct slice key, struct slice value) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    percent_decode(&text, value, false);
    buf_cstr(&text);
    otlp_put_attribute(out, RESOURCE_ATTRIBUTES, key, buf_slice(&text));
    buf_release(&text);
}

/* "k=v,k2=v2", values percent-encoded; the service's name and version are those of k6's variables.
 */
static void make_resource(struct otel_config *c, const struct output *o) {
    const char *text = output_getenv(o, "OTEL_RESOURCE_ATTRIBUTES");
    struct slice rest = slice_cstr(text ? text : "");
    buf_init(&c->resource, BUF_NO_CAP);
    while (rest.len) {
        struct slice pair = slice_cut(&rest, ','), value = pair, key = slice_cut(&value, '=');
        key = slice_trim(key);
        if (!value.ptr || key.len == 0 || slice_eq(key, SLICE("service.name")) ||
            slice_eq(key, SLICE("service.version")))
            continue;
        put_unescaped(&c->resource, key, slice_trim(value));
    }
    otlp_put_attribute(&c->resource, RESOURCE_ATTRIBUTES, SLICE("service.name"),
                       slice_cstr(c->service_name));
    otlp_put_attribute(&c->resource, RESOURCE_ATTRIBUTES, SLICE("service.version"),
                       slice_cstr(c->service_version));
}

/* ---------------------------------------------------------------- checks */

static int invalid(struct error *err, const char *words) {
    return error_set(err, KE_CONFIG, "error validating OpenTelemetry output config: %s", words);
}

static int check_protocol(struct otel_config *c, const char *type, struct error *err) {
    bool is_http =
        strcmp(c->protocol, "http/protobuf") == 0 || (type && strcmp(c->protocol, "http") == 0);
    c->is_grpc = strcmp(c->protocol, "grpc") == 0;
    if (c->is_grpc)
        return is_set(c->grpc_endpoint) ? 0 : invalid(err, "gRPC exporter endpoint is required");
    if (!is_http)
        return error_set(err, KE_CONFIG,
                         "error validating OpenTelemetry output config: unsupported exporter "
                         "protocol \"%s\", only \"grpc\" and \"http/protobuf\" are supported",
                         c->protocol);
    struct slice endpoint = slice_cstr(c->http_endpoint);
    if (slice_starts(endpoint, SLICE("http://")) || slice_starts(endpoint, SLICE("https://")))
        return invalid(err, "HTTP exporter endpoint must only be host and port, no scheme");
    return 0;
}

static void make_url(struct otel_config *c) {
    const char *slash = c->http_path[0] == '/' ? "" : "/";
    if (c->is_grpc)
        c->url = xasprintf("http%s://%s%s", c->is_grpc_insecure ? "" : "s", c->grpc_endpoint,
                           GRPC_METHOD);
    else
        c->url = xasprintf("http%s://%s%s%s", c->is_http_insecure ? "" : "s", c->http_endpoint,
                           slash, c->http_path);
}

static int check_file(const char *what, const char *path, struct error *err) {
    if (!path || access(path, R_OK) == 0)
        return 0;
    return error_set(err, KE_CONFIG,
                     "failed to create OpenTelemetry exporter: failed to %s: open %s: %s", what,
                     path, errno == ENOENT ? "no such file or directory" : strerror(errno));
}

static int read_headers(struct otel_config *c, struct error *err) {
    struct slice rest = slice_cstr(c->headers ? c->headers : "");
    while (rest.len) {
        struct slice pair = slice_cut(&rest, ','), value = pair, key = slice_cut(&value, '=');
        struct buf line;
        if (!value.ptr)
            return error_set(err, KE_CONFIG,
                             "failed to create OpenTelemetry exporter: failed to parse headers: "
                             "invalid header \"%.*s\", expected format key=value",
                             SLICE_FMT(pair));
        buf_init(&line, BUF_NO_CAP);
        percent_decode(&line, slice_trim(key), false);
        buf_append_str(&line, ": ");
        percent_decode(&line, slice_trim(value), false);
        vec_push(&c->header_lines, buf_detach(&line, NULL));
    }
    return 0;
}

int otel_config_read(struct otel_config *c, const struct output *o, struct error *err) {
    set(&c->service_name, "k6");
    set(&c->service_version, compat_text(COMPAT_K6_VERSION));
    set(&c->prefix, "");
    set(&c->protocol, "grpc");
    set(&c->grpc_endpoint, "localhost:4317");
    set(&c->http_endpoint, "localhost:4318");
    set(&c->http_path, "/v1/metrics");
    c->flush_interval_ns = NS_PER_S;
    c->export_interval_ns = 10 * NS_PER_S;
    c->timeout_ns = TIMEOUT_NS;
    if (read_k6(c, o, err))
        return KE_CONFIG;
    read_sdk(c, o);
    make_resource(c, o);
    if (check_protocol(c, output_getenv(o, "K6_OTEL_EXPORTER_TYPE"), err) ||
        check_file("read root certificate", c->ca, err) ||
        check_file("load client certificate", c->cert, err) ||
        check_file("load client certificate", c->key, err) || read_headers(c, err))
        return KE_CONFIG;
    make_url(c);
    return 0;
}

void otel_config_release(struct otel_config *c) {
    char *texts[] = {c->service_name,  c->service_version,
                     c->prefix,        c->protocol,
                     c->headers,       c->ca,
                     c->cert,          c->key,
                     c->grpc_endpoint, c->http_endpoint,
                     c->http_path,     c->username,
                     c->password,      c->url};
    for (size_t i = 0; i < countof(texts); i++)
        free(texts[i]);
    for (size_t i = 0; i < c->header_lines.len; i++)
        free(c->header_lines.ptr[i]);
    vec_release(&c->header_lines);
    buf_release(&c->resource);
}

char *otel_config_describe(const struct otel_config *c) {
    if (c->is_grpc)
        return xasprintf("grpc%s, %s", c->is_grpc_insecure ? " (insecure)" : "", c->grpc_endpoint);
    return xasprintf("%s, %s", c->protocol, c->url);
}

struct http_push *otel_config_open(const struct otel_config *c, struct error *err) {
    struct http_push_config config = {.user_agent = "kiln-otlp",
                                      .timeout_ns = c->timeout_ns,
                                      .username = c->username,
                                      .password = c->password,
                                      .is_insecure = c->skips_verify,
                                      .ca = c->ca,
                                      .cert = c->cert,
                                      .key = c->key,
                                      .is_http2 = c->is_grpc};
    struct http_push *h = http_push_new(&config, err);
    if (!h)
        return NULL;
    for (size_t i = 0; i < c->header_lines.len; i++)
        http_push_header(h, c->header_lines.ptr[i]);
    http_push_header(h, c->is_grpc ? "Content-Type: application/grpc"
                                   : "Content-Type: application/x-protobuf");
    if (c->is_grpc)
        http_push_header(h, "TE: trailers");
    if (c->is_gzip)
        http_push_header(h, c->is_grpc ? "grpc-encoding: gzip" : "Content-Encoding: gzip");
    return h;
}
