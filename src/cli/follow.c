#include "cli/follow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/client.h"
#include "base/check.h"
#include "base/log.h"
#include "base/wire.h"
#include "cli/save_path.h"
#include "load/jansson_read.h"
#include "report/result_file.h"

#define ASK_EVERY_NS (500 * NS_PER_MS)
/* Answers that nobody took yet; more than that is thrown away, oldest first. */
#define ANSWERS_MAX 64
/* Times without an answer before it is said. */
#define SILENCE_TOLD 10

/* The thread is left alone at the end, as it may wait for an answer: the last of both frees it. */
struct followed {
    char *address;
    pthread_mutex_t lock;
    int n_owners; /* under the lock, like the next three */
    VEC(struct buf) answers;
    int silence;
    bool is_told;
    /* The main thread's. */
    uint64_t last;
    double vus, vus_max;
    int64_t iterations, interrupted;
};

struct added {
    uint64_t passes, fails;
};

/* ---- the thread */

static void leave(struct followed *x) {
    pthread_mutex_lock(&x->lock);
    bool is_last = --x->n_owners == 0;
    pthread_mutex_unlock(&x->lock);
    if (!is_last)
        return;
    for (size_t i = 0; i < x->answers.len; i++)
        buf_release(&x->answers.ptr[i]);
    vec_release(&x->answers);
    pthread_mutex_destroy(&x->lock);
    free(x->address);
    free(x);
}

/* The number of the last window of an answer, `last` when there is none. */
static uint64_t last_number(const struct buf *answer, uint64_t last) {
    struct wire_reader r = {.rest = buf_slice(answer)};
    while (!wire_at_end(&r)) {
        uint64_t number = wire_u32(&r);
        number |= (uint64_t)wire_u32(&r) << 32;
        wire_bytes(&r, wire_u32(&r));
        last = r.is_bad ? last : number;
    }
    return last;
}

/* Takes the answer over. False: nobody listens any more. */
static bool keep(struct followed *x, struct buf *answer, int rc) {
    pthread_mutex_lock(&x->lock);
    x->silence = rc == 0 ? 0 : x->silence + 1;
    if (x->answers.len >= ANSWERS_MAX) {
        buf_release(&x->answers.ptr[0]);
        memmove(x->answers.ptr, x->answers.ptr + 1, --x->answers.len * sizeof *x->answers.ptr);
    }
    if (rc == 0 && answer->len > 0)
        vec_push(&x->answers, *answer);
    else
        buf_release(answer);
    bool is_heard = x->n_owners == 2;
    pthread_mutex_unlock(&x->lock);
    return is_heard;
}

static void *follower_main(void *arg) {
    const struct timespec pause = {.tv_nsec = ASK_EVERY_NS};
    struct followed *x = arg;
    uint64_t last = 0;
    for (;;) {
        char path[48];
        struct buf answer;
        struct error why = {0};
        buf_init(&answer, BUF_NO_CAP);
        snprintf(path, sizeof path, "/v1/windows/%llu", (unsigned long long)last);
        int rc = api_request(x->address, "GET", path, SLICE(""), &answer, &why);
        last = rc == 0 ? last_number(&answer, last) : last;
        if (!keep(x, &answer, rc))
            break;
        nanosleep(&pause, NULL);
    }
    leave(x);
    return NULL;
}

/* ---- start and end */

static void add_one(struct follow *f, struct slice address) {
    struct followed *x = xcalloc(1, sizeof *x);
    pthread_t thread;
    x->address = slice_dup(address);
    x->n_owners = 2;
    pthread_mutex_init(&x->lock, NULL);
    vec_push(&f->others, x);
    CHECK(pthread_create(&thread, NULL, follower_main, x) == 0);
    pthread_detach(thread);
}

int follow_start(struct follow *f, const char *patterns, const struct test *t, const char *self,
                 struct error *err) {
    struct error why = {0};
    char *text = save_path_expand(patterns, t, &why);
    if (text == NULL)
        return error_set(err, KE_INVALID, "invalid --follow '%s': %s", patterns, why.text);
    int rc = 0;
    struct slice rest = slice_cstr(text);
    f->self = self;
    f->all = aggregate_new();
    aggregate_keep_windows(f->all);
    map_init(&f->checks);
    while (rest.ptr != NULL && rc == 0) {
        struct slice one = slice_trim(slice_cut(&rest, ','));
        if (slice_starts(one, SLICE("http://")))
            one = slice_from(one.ptr + 7, one.len - 7);
        while (one.len > 0 && one.ptr[one.len - 1] == '/')
            one.len--;
        if (one.len == 0)
            continue;
        if (memchr(one.ptr, '/', one.len) != NULL)
            rc = error_set(err, KE_INVALID,
                           "invalid --follow '%.*s', expected addresses of REST APIs, as "
                           "http://host:6565",
                           SLICE_FMT(one));
        else
            add_one(f, one);
    }
    free(text);
    return rc;
}

void follow_stop(struct follow *f) {
    struct map_entry *e;
    if (f->all == NULL)
        return;
    for (size_t i = 0; i < f->others.len; i++)
        leave(f->others.ptr[i]);
    vec_release(&f->others);
    for (size_t i = 0; (e = map_next(&f->checks, &i));)
        free(e->value);
    map_release(&f->checks);
    aggregate_free(f->all);
    f->all = NULL;
}

void follow_reset(struct follow *f) {
    aggregate_reset_windows(f->all);
}

/* ---- checks: counts since the start come again and again */

static void add_check(struct follow *f, const void *source, struct slice group, struct slice name,
                      uint64_t passes, uint64_t fails, int64_t first_ns) {
    struct buf key;
    buf_init(&key, BUF_NO_CAP);
    buf_printf(&key, "%p %.*s", source, SLICE_FMT(group));
    buf_append_char(&key, '\0');
    buf_append_slice(&key, name);
    struct added *added = map_get(&f->checks, buf_slice(&key));
    if (added == NULL) {
        added = xcalloc(1, sizeof *added);
        map_set(&f->checks, buf_slice(&key), added);
    }
    if (passes >= added->passes && fails >= added->fails) {
        aggregate_add_check(f->all, group, name, passes - added->passes, fails - added->fails,
                            first_ns);
        *added = (struct added){passes, fails};
    }
    buf_release(&key);
}

static void add_own_checks(struct follow *f, const struct group_stats *g) {
    for (size_t i = 0; i < g->n_checks; i++)
        add_check(f, f, slice_cstr(g->path), slice_cstr(g->checks[i].name), g->checks[i].passes,
                  g->checks[i].fails, g->checks[i].first_ns);
    for (size_t i = 0; i < g->n_groups; i++)
        add_own_checks(f, g->groups[i]);
}

static uint64_t count_of(const json_t *object, const char *key) {
    int64_t n = json_integer_value(json_object_get(object, key));
    return n > 0 ? (uint64_t)n : 0;
}

static void add_their_checks(struct follow *f, const struct followed *x, const json_t *group) {
    size_t i;
    const json_t *item;
    const char *path = json_string_value(json_object_get(group, "path"));
    struct slice at = slice_cstr(path != NULL ? path : "");
    json_array_foreach(json_object_get(group, "checks"), i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        if (name != NULL)
            add_check(f, x, at, slice_cstr(name), count_of(item, "passes"), count_of(item, "fails"),
                      clock_now_ns());
    }
    json_array_foreach(json_object_get(group, "groups"), i, item) {
        add_their_checks(f, x, item);
    }
}

/* ---- windows */

static bool is_vus(const struct metric *m) {
    return m->id == M_VUS || m->id == M_VUS_MAX;
}

static void add_window(struct follow *f, struct metric *m, const struct tag *part,
                       const struct sink *window) {
    if (part != NULL)
        aggregate_add_window(f->all, m, part, window);
    else if (!is_vus(m))
        aggregate_add(f->all, m, window);
}

static void add_own(struct follow *f, const struct aggregate *own) {
    for (size_t i = 0; i < aggregate_window_count(own); i++) {
        const struct aggregate_window *w = aggregate_window_at(own, i);
        struct tag part = {w->key, w->value};
        if (w->window.has_samples)
            add_window(f, w->metric, w->key.ptr != NULL ? &part : NULL, &w->window);
    }
    add_own_checks(f, aggregate_root_group(own));
}

struct taking {
    struct follow *follow;
    struct followed *from;
    const struct result *result;
};

/* Metrics that this instance does not have either are left out: its registry is closed. */
static void on_window(void *arg, int64_t from_ms, int64_t length_ms, size_t series,
                      const struct sink *sink) {
    const struct taking *t = arg;
    const struct result_series *s = t->result->series.ptr[series];
    struct metric *m = metric_find(slice_cstr(sink->metric->name));
    (void)from_ms;
    (void)length_ms;
    if (m == NULL || m->type != sink->metric->type || s->kind == RESULT_SERIES)
        return;
    if (m->id == M_VUS)
        t->from->vus = sink->gauge.last;
    else if (m->id == M_VUS_MAX)
        t->from->vus_max = sink->gauge.last;
    else
        add_window(t->follow, m, s->kind == RESULT_PART && s->n_tags == 1 ? s->tags : NULL, sink);
}

static void take_window(struct follow *f, struct followed *x, struct slice bytes) {
    struct result r;
    struct error err = {0};
    struct taking taking = {f, x, &r};
    if (result_parse(bytes, x->address, RESULT_FACTS, NULL, NULL, &r, &err) == 0 &&
        slice_eq(r.meta, slice_cstr(f->self))) {
        result_release(&r);
        return;
    }
    result_release(&r);
    if (result_parse(bytes, x->address, RESULT_WHOLE, on_window, &taking, &r, &err) == 0) {
        json_t *outcome = json_loadb(r.outcome.ptr, r.outcome.len, 0, NULL);
        x->iterations = json_integer_value(json_object_get(outcome, "iterations"));
        x->interrupted = json_integer_value(json_object_get(outcome, "interrupted"));
        add_their_checks(f, x, json_object_get(outcome, "group"));
        json_decref(outcome);
    } else {
        log_printf(LOG_WARN, "cannot follow %s", err.text);
    }
    result_release(&r);
}

/* A window comes once, even if it was asked for twice. */
static void take_answer(struct follow *f, struct followed *x, struct slice answer) {
    struct wire_reader r = {.rest = answer};
    while (!wire_at_end(&r)) {
        uint64_t number = wire_u32(&r);
        number |= (uint64_t)wire_u32(&r) << 32;
        struct slice bytes = wire_bytes(&r, wire_u32(&r));
        if (r.is_bad || number <= x->last)
            continue;
        x->last = number;
        take_window(f, x, bytes);
    }
}

static void take_all(struct follow *f, struct followed *x) {
    VEC(struct buf) mine = {0};
    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; i < x->answers.len; i++)
        vec_push(&mine, x->answers.ptr[i]);
    x->answers.len = 0;
    bool is_silent = x->silence >= SILENCE_TOLD;
    pthread_mutex_unlock(&x->lock);
    for (size_t i = 0; i < mine.len; i++) {
        take_answer(f, x, buf_slice(&mine.ptr[i]));
        buf_release(&mine.ptr[i]);
    }
    vec_release(&mine);
    if (is_silent) /* its VUs are not there any more */
        x->vus = x->vus_max = 0;
    if (is_silent && !x->is_told)
        log_printf(LOG_WARN, "%s does not answer: the web dashboard goes on without it",
                   x->address);
    x->is_told |= is_silent;
}

static void add_vus(struct follow *f, enum builtin_metric id, double value, int64_t now_ns) {
    struct sink now = {
        .metric = metric_by_id(id), .has_samples = true, .gauge = {value, value, value, now_ns}};
    aggregate_add(f->all, now.metric, &now);
}

void follow_tick(struct follow *f, const struct aggregate *own, struct recorder_state *state) {
    add_own(f, own);
    double vus = (double)state->vus, vus_max = (double)state->vus_max;
    for (size_t i = 0; i < f->others.len; i++) {
        struct followed *x = f->others.ptr[i];
        take_all(f, x);
        vus += x->vus;
        vus_max += x->vus_max;
        state->iterations += x->iterations;
        state->interrupted += x->interrupted;
    }
    state->vus = (int64_t)vus;
    state->vus_max = (int64_t)vus_max;
    add_vus(f, M_VUS, vus, state->now_ns);
    add_vus(f, M_VUS_MAX, vus_max, state->now_ns);
}
