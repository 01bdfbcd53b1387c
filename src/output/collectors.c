#include "output/collectors.h"

#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"

static const struct {
    const char *output, *prefix;
} outputs[] = {{"csv", "K6_CSV_"},
               {"experimental-opentelemetry", "K6_OTEL_"},
               {"experimental-prometheus-rw", "K6_PROMETHEUS_RW_"},
               {"influxdb", "K6_INFLUXDB_"},
               {"opentelemetry", "K6_OTEL_"},
               {"statsd", "K6_STATSD_"}};

/* Keys that are not their variable's name in camel case. */
static const struct {
    const char *prefix, *key, *variable;
} exceptions[] = {{"K6_CSV_", "fileName", "FILENAME"},
                  {"K6_PROMETHEUS_RW_", "url", "SERVER_URL"},
                  {"K6_PROMETHEUS_RW_", "headers", "HTTP_HEADERS"},
                  {"K6_PROMETHEUS_RW_", "tlsMinVersion", "TLS_MINIMUM_VERSION"},
                  {"K6_OTEL_", "username", "HTTP_EXPORTER_USERNAME"},
                  {"K6_OTEL_", "password", "HTTP_EXPORTER_PASSWORD"}};

static bool is_upper(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "insecureSkipTLSVerify" -> "INSECURE_SKIP_TLS_VERIFY" */
static void put_upper_snake(struct buf *out, const char *key) {
    for (const char *at = key; *at; at++) {
        bool is_word =
            at > key && is_upper(at[0]) && (!is_upper(at[-1]) || (at[1] && !is_upper(at[1])));
        bool is_lower = *at >= 'a' && *at <= 'z';
        if (is_word)
            buf_append_char(out, '_');
        buf_append_char(out, is_lower ? (char)(*at - 'a' + 'A') : *at);
    }
}

static void put_variable(struct buf *out, const char *prefix, const char *key) {
    buf_append_str(out, prefix);
    for (size_t i = 0; i < countof(exceptions); i++)
        if (strcmp(exceptions[i].prefix, prefix) == 0 && strcmp(exceptions[i].key, key) == 0) {
            buf_append_str(out, exceptions[i].variable);
            return;
        }
    put_upper_snake(out, key);
}

/* As the variable would have it. A number that is a duration counts milliseconds, as in k6. */
static void put_value(struct buf *out, const char *key, const json_t *value) {
    bool is_duration = strstr(key, "Interval") != NULL;
    const char *name, *separator = "";
    const json_t *item;
    size_t i;
    if (json_is_string(value))
        buf_append_str(out, json_string_value(value));
    else if (json_is_boolean(value))
        buf_append_str(out, json_is_true(value) ? "true" : "false");
    else if (json_is_number(value))
        buf_printf(out, "%.17g%s", json_number_value(value), is_duration ? "ms" : "");
    else if (json_is_array(value))
        json_array_foreach(value, i, item) {
            buf_append_str(out, separator);
            put_value(out, "", item);
            separator = ",";
        }
    else if (json_is_object(value))
        json_object_foreach((json_t *)value, name, item) {
            buf_printf(out, "%s%s:", separator, name);
            put_value(out, "", item);
            separator = ",";
        }
}

static void read_output(struct collectors *c, struct arena *a, const char *prefix,
                        const json_t *object) {
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        struct buf variable, text;
        buf_init(&variable, BUF_NO_CAP);
        buf_init(&text, BUF_NO_CAP);
        put_variable(&variable, prefix, key);
        put_value(&text, key, value);
        if (text.len)
            c->items[c->len++] = (struct collector_setting){
                arena_strndup(a, variable.ptr, variable.len), arena_strndup(a, text.ptr, text.len)};
        buf_release(&variable);
        buf_release(&text);
    }
}

void collectors_read(struct collectors *c, struct arena *a, const json_t *object) {
    size_t n = 0;
    *c = (struct collectors){0};
    for (size_t i = 0; i < countof(outputs); i++)
        n += json_object_size(json_object_get(object, outputs[i].output));
    if (n == 0)
        return;
    c->items = arena_alloc(a, n * sizeof *c->items);
    for (size_t i = 0; i < countof(outputs); i++)
        read_output(c, a, outputs[i].prefix, json_object_get(object, outputs[i].output));
}

const char *collectors_get(const struct collectors *c, const char *variable) {
    for (size_t i = 0; i < c->len; i++)
        if (strcmp(c->items[i].variable, variable) == 0)
            return c->items[i].value;
    return NULL;
}
