/* Series as OTLP metrics (opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest),
 * mapped as k6 does: a counter is a monotonic sum, a gauge a gauge, a trend a histogram in ms or
 * By, a rate a sum NAME.total with the attribute condition = zero or nonzero; tags are attributes.
 * All values are cumulative since the start. */
#pragma once

#include "base/buf.h"
#include "metrics/aggregate.h"
#include "output/sample_text.h"

/* Receivers take 4 MiB unless told otherwise. */
#define OTLP_BODY_BYTES ((size_t)2 << 20)

struct otlp_mapping {
    const char *prefix;    /* of metric names, "" = none */
    bool has_rate_pair;    /* k6 before 1.4: a rate is NAME.occurred and NAME.total */
    bool has_exponential;  /* exponential histograms instead of the SDKs' default bounds */
    int64_t start_ns;      /* wall time */
    struct slice resource; /* an encoded opentelemetry.proto.resource.v1.Resource */
};

/* Appends a KeyValue with a string value as the given field. */
void otlp_put_attribute(struct buf *out, unsigned field, struct slice key, struct slice value);

struct otlp_encoder {
    struct otlp_mapping mapping;
    struct tags_text of_numbers, of_histograms; /* encoded attributes */
};
/* What mapping points to must live as long. */
void otlp_encoder_init(struct otlp_encoder *e, const struct otlp_mapping *mapping);
void otlp_encoder_release(struct otlp_encoder *e);
/* Every series of the aggregate. give gets each request, with its number of data points, and may
 * take the content of body away. */
void otlp_encode(struct otlp_encoder *e, struct aggregate *a, int64_t wall_ns,
                 void (*give)(void *arg, struct buf *body, uint64_t n_points), void *arg);

/* What a server says that it took only in part. False when it took everything. */
struct otlp_partial {
    uint64_t rejected;
    struct slice message; /* into answer */
};
bool otlp_read_partial(struct slice answer, struct otlp_partial *out);
