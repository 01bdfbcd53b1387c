/* Saved runs: files that hold what a run measured so that it can be compared and merged later. The
 * format is in docs/internals/results.md.
 *
 *     w = result_writer_open(path, meta, NS_PER_S, &err);     as soon as the run starts
 *     result_writer_window(w, aggregate, from_ns, to_ns);     every second or so
 *     result_writer_checkpoint(w, so_far);                    every few seconds
 *     result_writer_finish(w, aggregate, result, &err);       also when it was stopped early
 *
 *     if (result_read(path, &visit, &result, &err) == 0) …
 *     result_release(&result);
 *
 * A file gets its name when it is complete. Of a process that was killed, NAME.PID.part remains,
 * with everything until the last checkpoint; who reads that after it got its name
 * gets what has the name. */
#pragma once

#include "base/arena.h"
#include "base/atomic_file.h"
#include "base/buf.h"
#include "base/vec.h"
#include "metrics/aggregate.h"

#define RESULT_VERSION 1u

struct result_writer;

/* meta: JSON. period_ns: windows are put together to this length. NULL with KE_IO. */
struct result_writer *result_writer_open(const char *path, struct slice meta, int64_t period_ns,
                                         struct error *err);
/* The aggregate's windows, which the caller resets afterwards. Times are monotonic. */
void result_writer_window(struct result_writer *w, const struct aggregate *a, int64_t from_ns,
                          int64_t to_ns);
/* The archive of the script, for who needs the script itself later. At most once. */
void result_writer_archive(struct result_writer *w, struct slice tar);
/* What a reader gets should the process end without result_writer_finish. so_far: as `result`. */
void result_writer_checkpoint(struct result_writer *w, struct slice so_far);
/* Adds the totals (with those of the series, where shards keep them) and `result`, JSON. Frees w.
 * KE_IO. */
int result_writer_finish(struct result_writer *w, struct aggregate *a, struct slice result,
                         struct error *err);

/* Appends a whole saved run of one window, for who follows a run that goes on. */
void result_write_window(const struct aggregate *a, int64_t from_ns, int64_t to_ns,
                         struct slice meta, struct slice so_far, struct buf *out);

/* No file comes to be. NULL is fine. */
void result_writer_abandon(struct result_writer *w);

/* ---------------------------------------------------------------- reading */

enum result_kind {
    RESULT_METRIC, /* a metric or a submetric */
    RESULT_PART,   /* of a metric, by one tag */
    RESULT_SERIES, /* of a metric, by all tags */
    RESULT_KINDS
};

struct result_series {
    enum result_kind kind;
    struct metric metric; /* not of the registry; name, type, contains and is_builtin are set */
    struct tag *tags;     /* sorted */
    size_t n_tags;
    struct sink total; /* has_samples: it is in the file; times are wall-clock milliseconds */
};

struct result {
    struct arena *arena;
    VEC(struct result_series *) series;
    struct slice meta, outcome; /* JSON, NUL-terminated */
    struct slice archive;       /* tar; ptr NULL = none */
    size_t n_windows;
    bool is_complete;
};

/* Of files that have no end:
 * WHOLE: refused. PARTIAL: read as far as they are whole; totals are the sums of the windows, of
 * kinds METRIC and PART, and outcome is that of the last checkpoint (ptr NULL before the first).
 * FACTS: likewise, but only meta, outcome and is_complete are read, of whole files too. */
enum result_reading { RESULT_WHOLE, RESULT_PARTIAL, RESULT_FACTS };

/* Called for each series of each window; the sink is valid during the call. */
typedef void result_window_fn(void *arg, int64_t from_ms, int64_t length_ms, size_t series,
                              const struct sink *sink);

/* KE_IO; KE_INVALID with words for a file that is none, is cut off or damaged. fn may be NULL.
 * Release in each case. */
int result_read(const char *path, enum result_reading how, result_window_fn *fn, void *arg,
                struct result *out, struct error *err);
/* The same on bytes; name is for messages. */
int result_parse(struct slice bytes, const char *name, enum result_reading how,
                 result_window_fn *fn, void *arg, struct result *out, struct error *err);
void result_release(struct result *r);
/* By kind METRIC and full name; NULL. */
const struct result_series *result_find(const struct result *r, const char *name);
/* Puts the total of a metric into *out, which is to be released with sink_release: of one that the
 * file has by this name, or, of "metric{tag:value,other:value}", of all series with these tags.
 * False when there is nothing; *out needs no release then. */
bool result_total(const struct result *r, const char *name, struct sink *out);
