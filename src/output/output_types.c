#include "base/check.h"
#include "base/compat.h"
#include "output/output_type.h"

static const struct output_type cloud = {
    .name = "cloud",
    .unsupported = "kiln has no cloud to send to: it works without any service of others. Other "
                   "outputs keep results: json, csv, influxdb, experimental-prometheus-rw, "
                   "opentelemetry, web-dashboard"};
static const struct output_type datadog = {
    .name = "datadog",
    .removed = "it was removed in k6 v0.34.0: use opentelemetry instead",
    .is_unlisted = true};
static const struct output_type kafka = {
    .name = "kafka",
    .removed = "it was removed in k6 v0.34.0, where an extension took its place",
    .is_unlisted = true};
static const struct output_type web_dashboard = {.name = "web-dashboard"};

/* In order of names. */
static const struct output_type *const types[] = {
    &cloud,
    &output_csv,
    &datadog,
    &output_experimental_opentelemetry,
    &output_prometheus,
    &output_influxdb,
    &output_json,
    &kafka,
    &output_opentelemetry,
    &output_statsd,
    &web_dashboard,
};

static bool is_known(const struct output_type *t) {
    bool is_otel = t == &output_opentelemetry || t == &output_experimental_opentelemetry;
    return !is_otel || compat_on(COMPAT_OUTPUT_OPENTELEMETRY);
}

const struct output_type *output_type_find(struct slice name) {
    for (size_t i = 0; i < countof(types); i++)
        if (slice_eq(name, slice_cstr(types[i]->name)))
            return is_known(types[i]) ? types[i] : NULL;
    return NULL;
}

const char *output_type_removed(const struct output_type *type) {
    return type == &output_statsd && compat_on(COMPAT_OUTPUT_STATSD) ? NULL : type->removed;
}

void output_type_list(struct buf *out) {
    const char *separator = "";
    for (size_t i = 0; i < countof(types); i++) {
        if (types[i]->is_unlisted || !is_known(types[i]))
            continue;
        buf_append_str(out, separator);
        buf_append_str(out, types[i]->name);
        separator = ", ";
    }
}
