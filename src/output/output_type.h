/* What an output implements. One file an output; output_types.c has the table. */
#pragma once

#include "base/buf.h"
#include "output/output.h"

struct output;

struct output_type {
    const char *name;
    /* Fills description (heap), flush_ns and its own members; only validates, or opens what k6
     * opens this early. arg is "" without "=". NULL: removed, unsupported, or the web dashboard,
     * which the command sets up itself. */
    int (*create)(struct output *o, struct slice arg, struct error *err);
    size_t bytes;        /* of the struct that begins with struct output; zeroed before create */
    const char *removed; /* why this version has it no more, NULL when it has */
    const char *unsupported; /* why kiln will never have it */
    bool is_unlisted;        /* not among the "available types" */
};

enum output_wants { OUTPUT_WANTS_RAW = 1, OUTPUT_WANTS_SERIES = 2 };

struct output_queue;

struct output {
    const struct output_type *type;
    const struct output_params *params;
    char *description;
    int64_t flush_ns; /* how often what is queued is consumed */
    unsigned wants;   /* enum output_wants */
    const _Atomic bool *is_hurried;

    /* Each may be NULL. start on the main thread, before the output's thread; stop on some thread
     * after it. */
    int (*start)(struct output *o, struct error *err);
    /* The output's thread: some chunks, then a flush. */
    void (*consume)(struct output *o, const struct raw_chunk *chunk);
    void (*flush)(struct output *o);
    /* Main thread, with OUTPUT_WANTS_SERIES: copies what changed; must not wait. */
    void (*collect)(struct output *o, struct aggregate *a);
    void (*finish)(struct output *o); /* main thread, before stop: the last of the aggregate */
    void (*stop)(struct output *o);
    void (*release)(struct output *o);

    struct output_queue *queue; /* outputs.c */
};

/* NULL when k6 of this version knows no such type. */
const struct output_type *output_type_find(struct slice name);
/* type->removed, if that is so in this version. */
const char *output_type_removed(const struct output_type *type);
/* "cloud, csv, …" */
void output_type_list(struct buf *out);

extern const struct output_type output_json, output_csv, output_influxdb, output_prometheus,
    output_statsd, output_opentelemetry, output_experimental_opentelemetry;

/* params->getenv with its absence handled. */
const char *output_getenv(const struct output *o, const char *name);

/* Whether a tick comes when something is due that is done every interval_ns; moves *next_ns on, so
 * that a late tick does not make the next one too early. A tick a little early counts. */
bool output_is_due(int64_t *next_ns, int64_t interval_ns);
