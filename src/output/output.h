/* Outputs (`-o TYPE[=ARG]`): where samples stream to while the test runs. Each output has a thread
 * of its own and a bounded queue of raw chunks, so a slow one never slows a VU: what finds the
 * queue full is dropped, counted and told.
 *
 *     struct outputs *o = outputs_new(&params);
 *     outputs_add(o, SLICE("json=points.json"), &err);   for each -o
 *     outputs_start(o, &err);
 *     outputs_attach(o, shard);                          each worker's, before it records
 *     …                                                  shard_flush_raw and outputs_tick each
 * second outputs_stop(o);                                   the shards still live: chunks point
 * there outputs_free(o);
 *
 * Main thread, except where said. */
#pragma once

#include "base/error.h"
#include "base/slice.h"
#include "metrics/shard.h"

struct outputs;
struct aggregate;

/* A threshold as the options have it, for the Metric lines of json: shown also when --no-thresholds
 * keeps it from being evaluated. */
struct output_threshold {
    const char *metric; /* as written: "http_reqs{status:200}" */
    const char *source;
    bool abort_on_fail;
    int64_t delay_abort_ns; /* -1 = not set */
};

struct output_params {
    uint32_t system_tags; /* bits of metrics/tags.h: csv's columns */
    const struct output_threshold *thresholds;
    size_t n_thresholds;
    const char *(*getenv)(void *arg,
                          const char *name); /* NULL = none is set; NULL result = absent */
    void *getenv_arg;
    int stdout_fd; /* "-" writes here */
};

/* params is copied, what it points to must live as long as the outputs. */
struct outputs *outputs_new(const struct output_params *params);
/* Creates one by "TYPE[=ARG]". KE_CONFIG with k6's words: "invalid output type 'X', available types
 * are: …", "could not create the 'X' output: …". */
int outputs_add(struct outputs *o, struct slice spec, struct error *err);
size_t outputs_count(const struct outputs *o);
/* For the run header: "json (FILE)". */
const char *outputs_description(const struct outputs *o, size_t i);
/* Opens files and starts the threads. On an error (KE_IO with the words of k6: "open X: no such
 * file or directory") those that were started are stopped again. */
int outputs_start(struct outputs *o, struct error *err);
/* Makes a shard stream to the outputs, if any wants raw samples or per-series values. The shard's
 * worker, or before it runs. */
void outputs_attach(struct outputs *o, struct shard *s);
/* Hands a chunk over; what shard_stream_raw calls. Any thread; never waits for an output. */
void outputs_give(void *outputs, struct raw_chunk *chunk);
/* Lets outputs that work on aggregates take the new values; after each merge of the shards. The
 * aggregate lives until outputs_stop, which flushes what the last tick saw. */
void outputs_tick(struct outputs *o, struct aggregate *a);
/* Writes all that was given, closes, joins the threads; logs how many samples were dropped. No give
 * may come later. Blocks for as long as a server that is away gets another chance. */
void outputs_stop(struct outputs *o);
/* The same in two steps, for who must not block: outputs_start has succeeded; stopped is called on
 * another thread when all is done, and outputs_stop then returns at once. */
void outputs_stop_begin(struct outputs *o, void (*stopped)(void *arg), void *arg);
/* The outputs shall not wait for their servers any longer. Any thread. */
void outputs_hurry(struct outputs *o);
void outputs_free(struct outputs *o);
/* Samples dropped so far, of all outputs. Any thread. */
uint64_t outputs_dropped(const struct outputs *o);
