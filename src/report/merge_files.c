#include "report/merge_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/clock.h"
#include "report/merge_internal.h"

/* Clocks of machines differ. */
#define SKEW_MS 2000
#define SEGMENTS_MAX 1000000

/* What may differ between the parts of one run. */
static const char *const own_options[] = {
    "executionSegment",
    "executionSegmentSequence",
    "tags",
    "paused",
    "noSetup",
    "noTeardown",
    "localIPs",
    "hosts",
    "dns",
    "linger",
    "noUsageReport",
    "consoleOutput",
    "tlsAuth",
    "cloud",
    "ext",
};

static void release_file(struct merge_file *f) {
    char *const texts[] = {f->path, f->reason,   f->label,    f->script,  f->digest, f->options,
                           f->host, f->instance, f->run_name, f->failure, f->tags};
    for (size_t i = 0; i < countof(texts); i++)
        free(texts[i]);
    free(f);
}

void merge_files_release(struct merge_files *set) {
    for (size_t i = 0; i < set->all.len; i++)
        release_file(set->all.ptr[i]);
    vec_release(&set->all);
    *set = (struct merge_files){0};
}

/* ---------------------------------------------------------------- one file */

static char *copy_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && *text ? xstrdup(text) : NULL;
}

static char *dump(const json_t *value) {
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    char *copy = text != NULL ? xstrdup(text) : NULL;
    free(text);
    return copy;
}

static void take_meta(struct merge_file *f, json_t *meta) {
    json_t *options = json_object_get(meta, "options"), *tags = json_object_get(options, "tags");
    const json_t *segment = json_object_get(meta, "segment");
    f->script = copy_text(meta, "script");
    f->digest = copy_text(meta, "digest");
    f->host = copy_text(meta, "host");
    f->instance = copy_text(tags, "instance_id");
    f->run_name = copy_text(tags, "testid");
    if (f->run_name == NULL)
        f->run_name = copy_text(tags, "testrun_name");
    f->has_summary = json_is_true(json_object_get(meta, "handle_summary"));
    f->tags = json_is_object(tags) ? dump(tags) : NULL;
    f->pid = merge_number(meta, "pid", INT32_MAX);
    f->saved_ms = f->start_ms = merge_number(meta, "saved_ms", MERGE_MS_MAX);
    f->index = merge_number(segment, "index", SEGMENTS_MAX);
    f->of = merge_number(segment, "of", SEGMENTS_MAX);
    f->of = f->of > 0 ? f->of : 1;
    for (size_t i = 0; i < countof(own_options); i++)
        json_object_del(options, own_options[i]);
    f->options = dump(options);
}

static void take_outcome(struct merge_file *f, const json_t *outcome) {
    int64_t start_ms = merge_number(outcome, "start_ms", MERGE_MS_MAX);
    f->start_ms = start_ms != 0 ? start_ms : f->start_ms;
    f->elapsed_ns = merge_number(outcome, "elapsed_ns", INT64_MAX / 4);
    f->exit_code = (int)merge_number(outcome, "exit_code", 255);
    f->failure = copy_text(outcome, "failure");
    f->is_aborted = json_is_true(json_object_get(outcome, "aborted"));
}

static void make_label(struct merge_file *f) {
    const char *host = f->host != NULL ? f->host : "?";
    if (f->of > 1)
        f->label = xasprintf("instance %lld of %lld (%s)", (long long)f->index + 1,
                             (long long)f->of, host);
    else if (f->instance != NULL)
        f->label = xasprintf("instance %s (%s)", f->instance, host);
    else
        f->label = xasprintf("%s, process %lld", host, (long long)f->pid);
}

static struct merge_file *read_file(const char *path, const struct stat *is) {
    struct merge_file *f = xcalloc(1, sizeof *f);
    struct result r;
    struct error err = {0};
    *f = (struct merge_file){.path = xstrdup(path),
                             .bytes = is->st_size,
                             .modified_ns = is->st_mtim.tv_sec * NS_PER_S + is->st_mtim.tv_nsec};
    if (result_read(path, RESULT_FACTS, NULL, NULL, &r, &err) != 0) {
        f->state = MERGE_UNREADABLE;
        f->reason = xstrdup(err.text);
    } else {
        json_t *meta = json_loadb(r.meta.ptr, r.meta.len, 0, NULL);
        json_t *outcome = r.outcome.ptr ? json_loadb(r.outcome.ptr, r.outcome.len, 0, NULL) : NULL;
        f->is_complete = r.is_complete;
        take_meta(f, meta);
        take_outcome(f, outcome);
        json_decref(meta);
        json_decref(outcome);
    }
    make_label(f);
    result_release(&r);
    return f;
}

const char *merge_files_read_options(const struct result *r, struct arena *a) {
    json_t *meta = json_loadb(r->meta.ptr, r->meta.len, 0, NULL);
    const json_t *options = json_object_get(meta, "options");
    char *text = json_is_object(options) ? json_dumps(options, JSON_COMPACT) : NULL;
    const char *copy = text != NULL ? arena_strndup(a, text, strlen(text)) : NULL;
    free(text);
    json_decref(meta);
    return copy;
}

/* ---------------------------------------------------------------- folders */

typedef VEC(struct merge_file *) file_vec;

/* Moves what is known of an unchanged file over. */
static void take_path(struct merge_files *old, file_vec *to, const char *path) {
    struct stat is;
    if (stat(path, &is) != 0 || !S_ISREG(is.st_mode))
        return;
    for (size_t i = 0; i < to->len; i++)
        if (strcmp(to->ptr[i]->path, path) == 0)
            return;
    for (size_t i = 0; i < old->all.len; i++) {
        struct merge_file *f = old->all.ptr[i];
        if (f == NULL || strcmp(f->path, path) != 0 || f->bytes != is.st_size ||
            f->modified_ns != is.st_mtim.tv_sec * NS_PER_S + is.st_mtim.tv_nsec)
            continue;
        vec_push(to, f);
        old->all.ptr[i] = NULL;
        return;
    }
    vec_push(to, read_file(path, &is));
}

static bool is_result_name(const char *name) {
    static const char *const ends[] = {".kiln", ".kres", ".part"};
    for (size_t i = 0; i < countof(ends); i++)
        if (slice_ends(slice_cstr(name), slice_cstr(ends[i])))
            return true;
    return false;
}

static void take_folder(struct merge_files *old, file_vec *to, const char *path) {
    DIR *folder = opendir(path);
    const struct dirent *e;
    while (folder != NULL && (e = readdir(folder)) != NULL) {
        if (!is_result_name(e->d_name))
            continue;
        char *full = xasprintf("%s/%s", path, e->d_name);
        take_path(old, to, full);
        free(full);
    }
    if (folder != NULL)
        closedir(folder);
}

/* ---------------------------------------------------------------- choice */

static void set_state(struct merge_file *f, enum merge_state state, char *reason) {
    f->state = state;
    free(f->reason);
    f->reason = reason;
}

static bool has_tag(const struct merge_file *f, struct slice pair) {
    struct slice key = slice_cut(&pair, '=');
    char *name = slice_dup(key);
    json_t *tags = f->tags != NULL ? json_loads(f->tags, 0, NULL) : NULL;
    const char *value = json_string_value(json_object_get(tags, name));
    bool is_same = value != NULL && pair.ptr != NULL && slice_eq(slice_cstr(value), pair);
    json_decref(tags);
    free(name);
    return is_same;
}

static void set_aside(struct merge_file *f, const struct merge_options *o) {
    f->state = f->is_complete ? MERGE_TAKEN : MERGE_INCOMPLETE;
    for (size_t i = 0; i < o->n_only; i++)
        if (!has_tag(f, slice_cstr(o->only[i]))) {
            set_state(f, MERGE_SET_ASIDE, NULL);
            return;
        }
}

static bool is_same(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* NULL when both are of one run. */
static char *difference(const struct merge_file *f, const struct merge_file *newest) {
    if (!is_same(f->run_name, newest->run_name))
        return xasprintf("it is of the run '%s', not '%s'", f->run_name != NULL ? f->run_name : "",
                         newest->run_name != NULL ? newest->run_name : "");
    if (!is_same(f->digest, newest->digest))
        return xasprintf("its script is another one (%s)", f->script != NULL ? f->script : "?");
    if (f->of != newest->of)
        return xasprintf("its run is split in %lld, not %lld", (long long)f->of,
                         (long long)newest->of);
    if (!is_same(f->options, newest->options))
        return xstrdup("its options are others");
    return NULL;
}

static bool is_same_instance(const struct merge_file *a, const struct merge_file *b) {
    if (a->of > 1)
        return a->index == b->index;
    if (a->instance != NULL || b->instance != NULL)
        return is_same(a->instance, b->instance);
    return a->pid == b->pid && is_same(a->host, b->host) && a->saved_ms == b->saved_ms;
}

static bool is_candidate(const struct merge_file *f) {
    return f->state == MERGE_TAKEN || f->state == MERGE_INCOMPLETE;
}

static void check_start(struct merge_file *f, const struct merge_options *o) {
    if (is_candidate(f) && f->saved_ms < o->since_ms)
        set_state(f, MERGE_STALE, xstrdup("it began earlier than --since says"));
}

static void check_age(struct merge_file *f, const struct merge_file *newest) {
    int64_t end_ms = f->start_ms + f->elapsed_ns / NS_PER_MS;
    if (end_ms + SKEW_MS < newest->saved_ms)
        set_state(f, MERGE_STALE,
                  xasprintf("it ended %lld s before the newest run began (see --allow-gaps)",
                            (long long)(newest->saved_ms - end_ms) / 1000));
}

/* By instance; the newest of one instance first. */
static int by_instance(const void *a, const void *b) {
    const struct merge_file *x = *(struct merge_file *const *)a,
                            *y = *(struct merge_file *const *)b;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    bool have_both = x->instance != NULL && y->instance != NULL;
    int order = have_both ? strcmp(x->instance, y->instance) : 0;
    if (order != 0 && strlen(x->instance) != strlen(y->instance)) /* 2 before 10 */
        order = strlen(x->instance) < strlen(y->instance) ? -1 : 1;
    if (order == 0 && x->saved_ms != y->saved_ms)
        order = x->saved_ms > y->saved_ms ? -1 : 1;
    return order != 0 ? order : strcmp(x->path, y->path);
}

static void choose(struct merge_files *set, const struct merge_options *o) {
    struct merge_file *f;
    set->newest = NULL;
    for (size_t i = 0; i < set->all.len; i++) {
        f = set->all.ptr[i];
        if (f->state == MERGE_UNREADABLE)
            continue;
        set_aside(f, o);
        check_start(f, o);
        if (is_candidate(f) && (set->newest == NULL || f->saved_ms > set->newest->saved_ms))
            set->newest = f;
    }
    for (size_t i = 0; i < set->all.len; i++) {
        f = set->all.ptr[i];
        char *why = is_candidate(f) ? difference(f, set->newest) : NULL;
        if (why != NULL)
            set_state(f, MERGE_FOREIGN, why);
        else if (is_candidate(f) && !o->allow_gaps)
            check_age(f, set->newest);
    }
    for (size_t i = 0; i < set->all.len; i++)
        for (size_t k = 0; k < i && is_candidate(set->all.ptr[i]); k++)
            if (is_candidate(set->all.ptr[k]) && is_same_instance(set->all.ptr[i], set->all.ptr[k]))
                set_state(set->all.ptr[i], MERGE_STALE,
                          xasprintf("%s is newer and of the same instance", set->all.ptr[k]->path));
}

static void count(struct merge_files *set, const struct merge_options *o) {
    set->n_whole = set->n_incomplete = 0;
    for (size_t i = 0; i < set->all.len; i++) {
        set->n_whole += set->all.ptr[i]->state == MERGE_TAKEN;
        set->n_incomplete += set->all.ptr[i]->state == MERGE_INCOMPLETE;
    }
    set->expected = o->expected;
    if (set->expected == 0 && set->newest != NULL && set->newest->of > 1)
        set->expected = set->newest->of;
    if (set->expected == 0)
        set->expected = set->n_whole + set->n_incomplete;
}

bool merge_files_look(struct merge_files *set, const char *const *paths, size_t n,
                      const struct merge_options *o, struct error *err) {
    file_vec found = {0};
    bool are_there = true;
    for (size_t i = 0; i < n; i++) {
        struct stat is;
        if (stat(paths[i], &is) != 0) {
            error_set(err, KE_IO, "cannot open %s: %s", paths[i], strerror(errno));
            are_there = false;
        } else if (S_ISDIR(is.st_mode)) {
            take_folder(set, &found, paths[i]);
        } else {
            take_path(set, &found, paths[i]);
        }
    }
    for (size_t i = 0; i < set->all.len; i++)
        if (set->all.ptr[i] != NULL)
            release_file(set->all.ptr[i]);
    vec_release(&set->all);
    for (size_t i = 0; i < found.len; i++)
        vec_push(&set->all, found.ptr[i]);
    vec_release(&found);
    if (set->all.len > 1)
        qsort(set->all.ptr, set->all.len, sizeof *set->all.ptr, by_instance);
    choose(set, o);
    count(set, o);
    return are_there;
}

bool merge_files_are_all(const struct merge_files *set) {
    return set->n_whole > 0 && set->n_whole == set->expected && set->n_incomplete == 0;
}

/* ---------------------------------------------------------------- words */

static void describe_file(const struct merge_file *f, struct buf *out) {
    static const char *const words[] = {[MERGE_STALE] = "is stale", [MERGE_FOREIGN] = "is foreign"};
    switch (f->state) {
    case MERGE_TAKEN:
        if (f->exit_code != 0 && f->exit_code != 99)
            buf_printf(out, "%s ended with %d: %s\n", f->label, f->exit_code,
                       f->failure != NULL ? f->failure : "");
        break;
    case MERGE_INCOMPLETE:
        buf_printf(out,
                   "%s did not end properly: merged is what it had saved %lld s after its start "
                   "(%s)\n",
                   f->label, (long long)(f->elapsed_ns / NS_PER_S), f->path);
        break;
    case MERGE_STALE:
    case MERGE_FOREIGN:
        buf_printf(out, "%s %s and was left out: %s\n", f->path, words[f->state], f->reason);
        break;
    case MERGE_UNREADABLE:
        buf_printf(out, "%s was left out\n", f->reason);
        break;
    case MERGE_SET_ASIDE:
        break;
    }
}

static bool is_there(const struct merge_files *set, int64_t index) {
    for (size_t i = 0; i < set->all.len; i++)
        if (is_candidate(set->all.ptr[i]) && set->all.ptr[i]->index == index)
            return true;
    return false;
}

static void describe_missing(const struct merge_files *set, struct buf *out) {
    int64_t n = set->n_whole + set->n_incomplete, of = set->newest != NULL ? set->newest->of : 1;
    if (of > 1 && of == set->expected) {
        for (int64_t i = 0; i < of; i++)
            if (!is_there(set, i))
                buf_printf(out, "instance %lld of %lld is missing\n", (long long)i + 1,
                           (long long)of);
    } else if (n < set->expected) {
        buf_printf(out, "%lld of %lld instances are missing\n", (long long)(set->expected - n),
                   (long long)set->expected);
    } else if (n > set->expected) {
        buf_printf(out, "there are %lld instances, %lld were expected\n", (long long)n,
                   (long long)set->expected);
    }
}

void merge_files_describe(const struct merge_files *set, struct buf *out) {
    for (size_t i = 0; i < set->all.len; i++)
        describe_file(set->all.ptr[i], out);
    describe_missing(set, out);
}
