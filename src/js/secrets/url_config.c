#include "js/secrets/url_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "http/url.h"
#include "js/script_internal.h"

extern char **environ;

static void set_text(char **field, struct slice value) {
    free(*field);
    *field = slice_dup(value);
}

static void clear_headers(struct url_config *c) {
    for (size_t i = 0; i < c->headers.len; i++) {
        free((char *)c->headers.ptr[i].name.ptr);
        free((char *)c->headers.ptr[i].value.ptr);
    }
    vec_release(&c->headers);
}

static void add_header(struct url_config *c, struct slice name, struct slice value) {
    struct http_header h = {slice_from(slice_dup(name), name.len),
                            slice_from(slice_dup(value), value.len)};
    vec_push(&c->headers, h);
}

void url_config_release(struct url_config *c) {
    clear_headers(c);
    free(c->url_template);
    free(c->method);
    free(c->response_path);
    *c = (struct url_config){0};
}

/* ---- one setting ---- */

static int set_int(int64_t *out, const char *name, struct slice value, struct error *err) {
    char *text = slice_dup(value), *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    int rc = 0;
    if (end == text)
        rc = error_set(err, KE_CONFIG, "invalid %s: expected integer", name);
    else if (errno)
        rc = error_set(err, KE_CONFIG, "invalid %s: integer overflow on token %s", name, text);
    *out = n;
    free(text);
    return rc;
}

static int set_duration(int64_t *out, const char *name, struct slice value, struct error *err) {
    if (duration_parse_go(value, out) == 0)
        return 0;
    char *text = slice_dup(value), *q = quoted(text);
    int rc = error_set(err, KE_CONFIG, "invalid %s: time: invalid duration %s", name, q);
    free(q);
    free(text);
    return rc;
}

/* KE_NOT_FOUND: no such setting. */
static int set(struct url_config *c, struct slice key, struct slice value, struct error *err) {
    if (slice_eq(key, SLICE("urlTemplate")))
        set_text(&c->url_template, value);
    else if (slice_eq(key, SLICE("method")))
        set_text(&c->method, value);
    else if (slice_eq(key, SLICE("responsePath")))
        set_text(&c->response_path, value);
    else if (slice_eq(key, SLICE("timeout")))
        return set_duration(&c->timeout_ns, "timeout", value, err);
    else if (slice_eq(key, SLICE("retryBackoff")))
        return set_duration(&c->backoff_ns, "retryBackoff", value, err);
    else if (slice_eq(key, SLICE("requestsPerMinuteLimit")))
        return set_int(&c->per_minute, "requestsPerMinuteLimit", value, err);
    else if (slice_eq(key, SLICE("requestsBurst")))
        return set_int(&c->burst, "requestsBurst", value, err);
    else if (slice_eq(key, SLICE("maxRetries")))
        return set_int(&c->max_retries, "maxRetries", value, err);
    else
        return KE_NOT_FOUND;
    return 0;
}

/* ---- environment ---- */

static int read_environment(struct url_config *c, struct error *err) {
    static const struct {
        const char *variable, *key;
    } names[] = {{"URL_TEMPLATE", "urlTemplate"},
                 {"METHOD", "method"},
                 {"RESPONSE_PATH", "responsePath"},
                 {"TIMEOUT", "timeout"},
                 {"MAX_RETRIES", "maxRetries"},
                 {"RETRY_BACKOFF", "retryBackoff"},
                 {"REQUESTS_PER_MINUTE_LIMIT", "requestsPerMinuteLimit"},
                 {"REQUESTS_BURST", "requestsBurst"}};
    static const struct slice prefix = {"K6_SECRET_SOURCE_URL_HEADER_", 28};
    int rc = 0;
    for (size_t i = 0; i < countof(names) && rc == 0; i++) {
        char variable[80];
        snprintf(variable, sizeof variable, "K6_SECRET_SOURCE_URL_%s", names[i].variable);
        const char *value = getenv(variable);
        if (value && *value)
            rc = set(c, slice_cstr(names[i].key), slice_cstr(value), err);
    }
    for (char **e = environ; *e && rc == 0; e++) {
        struct slice value = slice_cstr(*e), name = slice_cut(&value, '=');
        if (slice_starts(name, prefix) && value.ptr)
            add_header(c, slice_from(name.ptr + prefix.len, name.len - prefix.len), value);
    }
    return rc;
}

/* ---- file ---- */

static int set_json(struct url_config *c, const char *key, const json_t *v, struct error *err) {
    char number[32];
    if (json_is_string(v)) {
        int rc = set(c, slice_cstr(key), slice_cstr(json_string_value(v)), err);
        return rc == KE_NOT_FOUND ? 0 : rc;
    }
    if (json_is_integer(v)) {
        /* A bare number is milliseconds where a duration is meant. */
        bool is_duration = strcmp(key, "timeout") == 0 || strcmp(key, "retryBackoff") == 0;
        snprintf(number, sizeof number, "%lld%s", (long long)json_integer_value(v),
                 is_duration ? "ms" : "");
        int rc = set(c, slice_cstr(key), slice_cstr(number), err);
        return rc == KE_NOT_FOUND ? 0 : rc;
    }
    return 0;
}

static int read_file(struct url_config *c, struct slice path, struct error *err) {
    char *name = slice_dup(path);
    json_error_t why;
    const char *key;
    json_t *v;
    int rc = 0;
    if (access(name, R_OK) != 0) {
        rc = error_set(err, KE_CONFIG, "failed to open config file: open %s: %s", name,
                       errno == ENOENT ? "no such file or directory" : "permission denied");
        free(name);
        return rc;
    }
    json_t *root = json_load_file(name, 0, &why);
    free(name);
    if (!json_is_object(root)) {
        json_decref(root);
        return error_set(err, KE_CONFIG, "failed to parse JSON config: %s",
                         root ? "not an object" : why.text);
    }
    json_object_foreach(root, key, v) {
        if (rc == 0)
            rc = set_json(c, key, v, err);
    }
    json_t *headers = json_object_get(root, "headers");
    if (json_is_object(headers)) {
        clear_headers(c);
        json_object_foreach(headers, key, v) {
            if (json_is_string(v))
                add_header(c, slice_cstr(key), slice_cstr(json_string_value(v)));
        }
    }
    json_decref(root);
    return rc;
}

int url_json_string(const char *json, struct buf *out) {
    json_t *v = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    int rc = KE_INVALID;
    if (json_is_string(v))
        rc = buf_append(out, json_string_value(v), json_string_length(v));
    json_decref(v);
    buf_cstr(out);
    return rc;
}

/* ---- all of it ---- */

static int read_list(struct url_config *c, struct slice list, struct error *err) {
    static const struct slice prefix = {"headers.", 8};
    bool has_headers = false;
    int rc = 0;
    /* What the file says stands below the rest of the list, wherever it is named. */
    for (struct slice rest = list; rest.ptr && rc == 0;) {
        struct slice value = slice_cut(&rest, ','), item = value, key = slice_cut(&value, '=');
        if (!value.ptr) {
            char *text = slice_dup(item), *q = quoted(text);
            rc = error_set(err, KE_CONFIG, "invalid config format %s, expected key=value", q);
            free(q);
            free(text);
        } else if (slice_eq(key, SLICE("config"))) {
            rc = read_file(c, value, err);
        }
    }
    while (list.ptr && rc == 0) {
        struct slice value = slice_cut(&list, ','), key = slice_cut(&value, '=');
        if (slice_eq(key, SLICE("config")))
            continue;
        rc = set(c, key, value, err);
        if (rc == KE_NOT_FOUND && slice_starts(key, prefix)) {
            if (!has_headers)
                clear_headers(c);
            has_headers = true;
            add_header(c, slice_from(key.ptr + prefix.len, key.len - prefix.len), value);
            rc = 0;
        } else if (rc == KE_NOT_FOUND) {
            char *text = slice_dup(key), *q = quoted(text);
            rc = error_set(err, KE_CONFIG, "unknown configuration key: %s", q);
            free(q);
            free(text);
        }
    }
    return rc;
}

static int check_template(const struct url_config *c, struct error *err) {
    struct url url;
    struct error why;
    if (!c->url_template || !*c->url_template)
        return error_set(err, KE_CONFIG, "urlTemplate is required");
    if (!strstr(c->url_template, "{key}"))
        return error_set(err, KE_CONFIG, "urlTemplate must contain {key} placeholder");
    if (url_parse(slice_cstr(c->url_template), &url, &why))
        return error_set(err, KE_CONFIG, "urlTemplate is not a valid URL: %s", why.text);
    bool has_scheme = url.scheme.len > 0;
    url_release(&url);
    if (!has_scheme)
        return error_set(err, KE_CONFIG,
                         "urlTemplate must be an absolute URL with a scheme (e.g., https://...)");
    return 0;
}

static int check(const struct url_config *c, struct error *err) {
    int rc = check_template(c, err);
    if (rc)
        return rc;
    if (c->timeout_ns <= 0)
        return error_set(err, KE_CONFIG, "timeout must be greater than 0");
    if (c->per_minute <= 0)
        return error_set(err, KE_CONFIG, "requestsPerMinuteLimit must be greater than 0");
    if (c->burst <= 0)
        return error_set(err, KE_CONFIG, "requestsBurst must be greater than 0");
    if (c->max_retries < 0)
        return error_set(err, KE_CONFIG, "maxRetries must be non-negative");
    if (c->backoff_ns <= 0)
        return error_set(err, KE_CONFIG, "retryBackoff must be greater than 0");
    return 0;
}

int url_config_read(struct url_config *c, struct slice list, struct error *err) {
    *c = (struct url_config){.method = xstrdup("GET"),
                             .response_path = xstrdup(""),
                             .timeout_ns = 30 * NS_PER_S,
                             .backoff_ns = NS_PER_S,
                             .per_minute = 300,
                             .burst = 10,
                             .max_retries = 3};
    int rc = read_environment(c, err);
    if (rc == 0 && list.len > 0)
        rc = read_list(c, list, err);
    return rc ? rc : check(c, err);
}
