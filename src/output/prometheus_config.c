#include "output/prometheus_config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/go_text.h"
#include "base/log.h"
#include "output/output_config.h"

#define TIMEOUT_NS (5 * NS_PER_S)
#define HEADER_VARIABLE "K6_PROMETHEUS_RW_HEADERS_"

/* ---------------------------------------------------------------- headers */

/* What sets a header again replaces it. */
static void set_header(struct prom_config *c, struct slice name, struct slice value) {
    char *line = xasprintf("%.*s: %.*s", SLICE_FMT(name), SLICE_FMT(value));
    for (size_t i = 0; i < c->headers.len; i++) {
        struct slice old = slice_cstr(c->headers.ptr[i]), old_name = slice_cut(&old, ':');
        if (!slice_ieq(old_name, name))
            continue;
        free(c->headers.ptr[i]);
        c->headers.ptr[i] = line;
        return;
    }
    vec_push(&c->headers, line);
}

static int bad_header(struct slice pair, struct error *err) {
    return error_set(err, KE_CONFIG,
                     "parse environment variables options failed: the provided header (%.*s) does "
                     "not respect the expected format <header key>:<value>",
                     SLICE_FMT(pair));
}

static int read_header_list(struct prom_config *c, const struct output *o, struct error *err) {
    const char *text = output_getenv(o, "K6_PROMETHEUS_RW_HTTP_HEADERS");
    struct slice rest = slice_cstr(text ? text : "");
    while (text && rest.ptr) {
        struct slice pair = slice_cut(&rest, ','), value = pair, name = slice_cut(&value, ':');
        if (!value.ptr || memchr(value.ptr, ':', value.len))
            return bad_header(pair, err);
        set_header(c, slice_trim(name), slice_trim(value));
    }
    return 0;
}

/* Names come from the process, values by the way that all variables take. */
static void read_header_variables(struct prom_config *c, const struct output *o) {
    for (char **at = environ; at && *at; at++) {
        struct slice value = slice_cstr(*at), name = slice_cut(&value, '=');
        if (!slice_starts(name, SLICE(HEADER_VARIABLE)))
            continue;
        char *variable = slice_dup(name);
        const char *text = output_getenv(o, variable);
        const char *header = variable + sizeof HEADER_VARIABLE - 1;
        if (text && header[0])
            set_header(c, slice_cstr(header), slice_cstr(text));
        free(variable);
    }
}

/* ---------------------------------------------------------------- environment */

static bool has_native_feature(const struct output *o) {
    const char *text = output_getenv(o, "K6_FEATURES");
    struct slice rest = slice_cstr(text ? text : "");
    while (rest.ptr)
        if (slice_eq(slice_trim(slice_cut(&rest, ',')), SLICE("native-histograms")))
            return true;
    return false;
}

static int read_stats(struct prom_config *c, const char *text, struct error *err) {
    struct slice rest = slice_cstr(text);
    c->mapping.stats.len = 0;
    while (rest.ptr)
        if (prom_stats_add(&c->mapping.stats, slice_trim(slice_cut(&rest, ',')), err))
            return KE_CONFIG;
    return 0;
}

static int read_environment(struct prom_config *c, const struct output *o, struct error *err) {
    static const char prefix[] = "parse environment variables options failed: ";
    const char *stats = output_getenv(o, "K6_PROMETHEUS_RW_TREND_STATS");
#define V(name, field) (&(struct output_variable){o, "K6_PROMETHEUS_RW_" name, field, prefix})
    variable_string(V("SERVER_URL", "ServerURL"), &c->url);
    variable_string(V("USERNAME", "Username"), &c->username);
    variable_string(V("PASSWORD", "Password"), &c->password);
    variable_string(V("BEARER_TOKEN", "BearerToken"), &c->bearer_token);
    variable_string(V("TLS_MINIMUM_VERSION", "TLSMinVersion"), &c->tls_min);
    variable_string(V("CLIENT_CERTIFICATE", "ClientCertificate"), &c->client_certificate);
    variable_string(V("CLIENT_CERTIFICATE_KEY", "ClientCertificateKey"), &c->client_key);
    variable_string(V("SIGV4_REGION", "SigV4Region"), &c->sigv4_region);
    variable_string(V("SIGV4_ACCESS_KEY", "SigV4AccessKey"), &c->sigv4_access_key);
    variable_string(V("SIGV4_SECRET_KEY", "SigV4SecretKey"), &c->sigv4_secret_key);
    if (variable_bool(V("INSECURE_SKIP_TLS_VERIFY", "InsecureSkipTLSVerify"), &c->is_insecure,
                      err) ||
        variable_bool(V("STALE_MARKERS", "StaleMarkers"), &c->has_stale_markers, err) ||
        variable_bool(V("TREND_AS_NATIVE_HISTOGRAM", "TrendAsNativeHistogram"),
                      &c->mapping.is_native, err) ||
        variable_duration(V("PUSH_INTERVAL", "PushInterval"), &c->push_interval_ns, err))
        return KE_CONFIG;
#undef V
    c->mapping.is_native |= has_native_feature(o);
    read_header_variables(c, o);
    if (read_header_list(c, o, err))
        return KE_CONFIG;
    return stats && stats[0] ? read_stats(c, stats, err) : 0;
}

/* ---------------------------------------------------------------- argument */

static void set(char **at, struct slice s) {
    free(*at);
    *at = slice_dup(s);
}

static int read_flag(struct slice key, struct slice value, bool *out, struct error *err) {
    if (slice_eq(value, SLICE("true")) || slice_eq(value, SLICE("false"))) {
        *out = value.ptr[0] == 't';
        return 0;
    }
    return error_set(err, KE_CONFIG, "%.*s value must be true or false, not \"%.*s\"",
                     SLICE_FMT(key), SLICE_FMT(value));
}

static int read_option(struct prom_config *c, struct slice key, struct slice value,
                       struct error *err) {
    const struct {
        const char *name;
        char **at;
    } texts[] = {{"url", &c->url},
                 {"username", &c->username},
                 {"password", &c->password},
                 {"bearerToken", &c->bearer_token},
                 {"tlsMinVersion", &c->tls_min},
                 {"clientCertificate", &c->client_certificate},
                 {"clientCertificateKey", &c->client_key}};
    for (size_t i = 0; i < countof(texts); i++) {
        if (slice_eq(key, slice_cstr(texts[i].name))) {
            set(texts[i].at, value);
            return 0;
        }
    }
    if (slice_eq(key, SLICE("insecureSkipTLSVerify")))
        return read_flag(key, value, &c->is_insecure, err);
    if (slice_eq(key, SLICE("trendAsNativeHistogram")))
        return read_flag(key, value, &c->mapping.is_native, err);
    if (slice_eq(key, SLICE("staleMarkers")))
        return read_flag(key, value, &c->has_stale_markers, err);
    if (slice_eq(key, SLICE("pushInterval")))
        return config_duration(value, &c->push_interval_ns, err);
    if (slice_starts(key, SLICE("headers."))) {
        set_header(c, slice_from(key.ptr + 8, key.len - 8), value);
        return 0;
    }
    return error_set(err, KE_CONFIG, "\"%.*s\" is an unknown option's key", SLICE_FMT(key));
}

/* k6 documents these pairs and then looks at none of them, so whatever stands there must not stop a
 * test that runs with k6. */
static void read_argument(struct prom_config *c, struct slice arg) {
    while (arg.len) {
        struct error reason;
        struct slice option = slice_cut(&arg, ','), value = option, key = slice_cut(&value, '=');
        int rc = value.ptr
                     ? read_option(c, key, value, &reason)
                     : error_set(&reason, KE_CONFIG, "couldn't parse argument \"%.*s\" as option",
                                 SLICE_FMT(option));
        if (rc)
            log_fields(LOG_WARN,
                       SLICE("An argument of the output experimental-prometheus-rw is ignored"),
                       LOG_STR("error", reason.text));
    }
}

/* ---------------------------------------------------------------- checks */

static int check_certificate(const struct prom_config *c, struct error *err) {
    const char *files[] = {c->client_certificate, c->client_key};
    if (!files[0] || !files[1])
        return 0;
    for (size_t i = 0; i < countof(files); i++)
        if (access(files[i], R_OK))
            return error_set(err, KE_CONFIG, "failed to load the TLS certificate: open %s: %s",
                             files[i],
                             errno == ENOENT ? "no such file or directory" : strerror(errno));
    return 0;
}

static bool is_set(const char *text) {
    return text && slice_trim(slice_cstr(text)).len > 0;
}

static int check_sigv4(const struct prom_config *c, struct error *err) {
    int n = is_set(c->sigv4_region) + is_set(c->sigv4_access_key) + is_set(c->sigv4_secret_key);
    if (n == 0 || n == 3)
        return 0;
    return error_set(
        err, KE_CONFIG,
        "sigv4 seems to be partially configured. All of "
        "K6_PROMETHEUS_RW_SIGV4_REGION, K6_PROMETHEUS_RW_SIGV4_ACCESS_KEY, "
        "K6_PROMETHEUS_RW_SIGV4_SECRET_KEY must all be set. Unset all to bypass sigv4");
}

int prom_config_read(struct prom_config *c, const struct output *o, struct slice arg,
                     struct error *err) {
    c->url = xstrdup("http://localhost:9090/api/v1/write");
    c->push_interval_ns = 5 * NS_PER_S;
    prom_stats_add(&c->mapping.stats, SLICE("p(99)"), NULL);
    if (read_environment(c, o, err))
        return KE_CONFIG;
    read_argument(c, arg);
    if (check_certificate(c, err) || check_sigv4(c, err))
        return KE_CONFIG;
    return 0;
}

void prom_config_release(struct prom_config *c) {
    char *texts[] = {c->url,
                     c->username,
                     c->password,
                     c->bearer_token,
                     c->tls_min,
                     c->client_certificate,
                     c->client_key,
                     c->sigv4_region,
                     c->sigv4_access_key,
                     c->sigv4_secret_key};
    for (size_t i = 0; i < countof(texts); i++)
        free(texts[i]);
    for (size_t i = 0; i < c->headers.len; i++)
        free(c->headers.ptr[i]);
    vec_release(&c->headers);
}

struct http_push *prom_config_open(const struct prom_config *c, struct error *err) {
    bool is_signed = is_set(c->sigv4_region), has_cert = c->client_certificate && c->client_key;
    struct http_push_config config = {.user_agent = "kiln-prometheus-rw-output",
                                      .timeout_ns = TIMEOUT_NS,
                                      .username = c->bearer_token ? NULL : c->username,
                                      .password = c->password,
                                      .is_insecure = c->is_insecure,
                                      .tls_min =
                                          c->tls_min && strcmp(c->tls_min, "1.2") == 0 ? 12 : 13,
                                      .cert = has_cert ? c->client_certificate : NULL,
                                      .key = has_cert ? c->client_key : NULL,
                                      .sigv4_region = is_signed ? c->sigv4_region : NULL,
                                      .sigv4_service = "aps",
                                      .sigv4_access_key = c->sigv4_access_key,
                                      .sigv4_secret_key = c->sigv4_secret_key};
    struct http_push *h = http_push_new(&config, err);
    if (!h)
        return NULL;
    for (size_t i = 0; i < c->headers.len; i++)
        http_push_header(h, c->headers.ptr[i]);
    if (c->bearer_token && !is_signed) {
        char *line = xasprintf("Authorization: Bearer %s", c->bearer_token);
        http_push_header(h, line);
        free(line);
    }
    http_push_header(h, "Content-Encoding: snappy");
    http_push_header(h, "Content-Type: application/x-protobuf");
    http_push_header(h, "X-Prometheus-Remote-Write-Version: 0.1.0");
    return h;
}
