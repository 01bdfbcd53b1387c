/* Which of many saved runs are the parts of one run: `kiln merge` is given a folder, where there
 * may also be those of yesterday and those of somebody else.
 *
 *     merge_files_look(&set, paths, n, &options);     again and again while waiting
 *     set.n_whole, set.expected …
 *     merge_files_describe(&set, &text);              what is wrong, a line each
 *     merge_files_release(&set);
 *
 * The newest file says which run it is: same script and files, same options but for what differs
 * from machine to machine, same number of segments, same testrun_name and testid. Of one instance
 * the newest file counts. A run that ended before the newest began is an older one, unless gaps are
 * allowed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "report/result_file.h"

enum merge_state {
    MERGE_TAKEN,
    MERGE_INCOMPLETE, /* taken: what was measured until its process ended, or ends some day */
    MERGE_STALE,
    MERGE_FOREIGN,
    MERGE_SET_ASIDE, /* by a tag that was asked for */
    MERGE_UNREADABLE,
};

struct merge_file {
    char *path;
    int64_t bytes, modified_ns; /* of the file, to see whether to look again */
    enum merge_state state;
    char *reason; /* why it is stale, foreign or unreadable */
    char *label;  /* "instance 3 of 4 (pod-3)" */
    /* From its description; NULL = none. */
    char *script, *digest, *options, *host, *instance, *run_name, *failure;
    char *tags; /* JSON object */
    int64_t index, of, pid;
    int64_t saved_ms, start_ms, elapsed_ns;
    int exit_code;
    bool is_complete, is_aborted, has_summary; /* the script has handleSummary() */
};

struct merge_options {
    int64_t expected; /* 0 = as many as the segments */
    bool allow_gaps;
    int64_t since_ms;        /* wall clock: a run that began earlier is an old one; 0 = any time */
    const char *const *only; /* "tag=value" */
    size_t n_only;
};

struct merge_files {
    VEC(struct merge_file *) all;    /* in order of instances */
    const struct merge_file *newest; /* the reference; NULL = none can be read */
    int64_t expected;
    int64_t n_whole, n_incomplete;
};

/* Paths are files, or folders whose files with names *.kiln, *.kres and *.part are meant; what
 * comes and goes meanwhile is fine. A file that has not changed is not read again. False when one
 * of the paths does not exist. */
bool merge_files_look(struct merge_files *set, const char *const *paths, size_t n,
                      const struct merge_options *o, struct error *err);
/* All expected instances are there, whole. */
bool merge_files_are_all(const struct merge_files *set);
/* The "options" of a file's description as JSON, in the arena; NULL = it has none. */
const char *merge_files_read_options(const struct result *r, struct arena *a);
/* Every line begins with the path or the instance. */
void merge_files_describe(const struct merge_files *set, struct buf *out);
void merge_files_release(struct merge_files *set);
