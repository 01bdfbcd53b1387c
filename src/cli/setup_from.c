#include "cli/setup_from.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/client.h"
#include "base/check.h"
#include "cli/save_path.h"
#include "fiber/worker.h"
#include "load/jansson_read.h"

#define ASK_EVERY_NS (50 * NS_PER_MS)
/* An instance that answered, and then so often not, is gone. */
#define SILENCE_MAX 20

/* Asking blocks: it is done by a thread. Whoever is the last to need this frees it. */
struct asking {
    struct worker_msg msg;
    pthread_mutex_t lock;
    /* Under the lock. is_abandoned: the fiber is gone, and perhaps its worker. */
    bool is_abandoned, is_posted;
    int n_owners;
    struct worker *worker;
    char *address;
    int64_t end_ns;
    bool is_seen;
    int silence; /* since the last answer */
    struct fiber *fiber;
    bool is_done; /* the worker's */
    /* results */
    int rc;
    char *json;
    struct error err;
};

/* ---- the flag */

static bool is_first(const struct test *t) {
    const char *id = save_path_tag(t, "instance_id");
    if (t->tuple.sequence.len > 1)
        return t->tuple.index == 0;
    return id != NULL && strcmp(id, "1") == 0;
}

int setup_from_init(struct setup_from *s, const struct flags *flags, const struct test *t,
                    struct worker *main_worker, struct failure *f) {
    const char *url = flags_text(flags, "setup-from");
    struct error err = {0};
    *s = (struct setup_from){.worker = main_worker};
    url = url != NULL ? url : getenv("KILN_SETUP_FROM");
    if (url == NULL || !*url || is_first(t))
        return 0;
    char *expanded = save_path_expand(url, t, &err);
    if (expanded == NULL)
        return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL, "%s", err.text);
    struct slice rest = slice_cstr(expanded);
    if (slice_starts(rest, SLICE("http://")))
        rest = slice_from(rest.ptr + 7, rest.len - 7);
    while (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    bool is_good = rest.len > 0 && memchr(rest.ptr, '/', rest.len) == NULL;
    if (is_good)
        s->address = slice_dup(rest);
    else
        failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL,
                    "invalid --setup-from '%s', expected the REST API of the first instance, as "
                    "http://host:6565",
                    expanded);
    free(expanded);
    return is_good ? 0 : f->exit_code;
}

void setup_from_release(struct setup_from *s) {
    free(s->address);
}

/* ---- the thread */

static int get(const struct asking *a, const char *path, json_t **out, struct error *err) {
    struct buf answer;
    buf_init(&answer, BUF_NO_CAP);
    int rc = api_request(a->address, "GET", path, SLICE(""), &answer, err);
    *out = rc == 0 && answer.len > 0 ? json_loadb(answer.ptr, answer.len, JSON_DECODE_ANY, NULL)
                                     : NULL;
    if (rc == 0 && *out == NULL)
        rc = error_set(err, KE_INVALID, "the answer is no JSON");
    buf_release(&answer);
    return rc;
}

static const json_t *attributes(const json_t *answer) {
    return json_object_get(json_object_get(answer, "data"), "attributes");
}

static int fetch_data(struct asking *a) {
    json_t *answer = NULL;
    int rc = get(a, "/v1/setup", &answer, &a->err);
    const json_t *data = json_object_get(attributes(answer), "data");
    char *text = data != NULL ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    a->json = xstrdup(text != NULL ? text : "");
    free(text);
    json_decref(answer);
    return rc;
}

/* 1: not yet. */
static int ask(struct asking *a) {
    json_t *answer = NULL;
    struct error why = {0};
    int rc = get(a, "/v1/status", &answer, &why);
    int64_t status = json_integer_value(json_object_get(attributes(answer), "status"));
    json_decref(answer);
    a->err = why;
    a->is_seen |= rc == 0;
    a->silence = rc == 0 ? 0 : a->silence + 1;
    if (rc != 0 && a->is_seen && a->silence > SILENCE_MAX)
        return rc;
    if (rc != 0 || status < RUN_RUNNING)
        return 1;
    if (status == RUN_INTERRUPTED)
        return error_set(&a->err, KE_FAILED, "the first instance was stopped");
    rc = fetch_data(a);
    /* A run whose setup() threw has ended, too. */
    if (rc == 0 && status >= RUN_ENDED && *a->json == '\0')
        return error_set(&a->err, KE_FAILED, "the first instance has ended");
    return rc;
}

static void on_done(struct worker_msg *msg) {
    struct asking *a = container_of(msg, struct asking, msg);
    a->is_done = true;
    fiber_wake(a->fiber);
}

static void leave(struct asking *a) {
    pthread_mutex_lock(&a->lock);
    bool is_last = --a->n_owners == 0;
    pthread_mutex_unlock(&a->lock);
    if (!is_last)
        return;
    pthread_mutex_destroy(&a->lock);
    free(a->address);
    free(a->json);
    free(a);
}

static bool is_wanted(struct asking *a) {
    pthread_mutex_lock(&a->lock);
    bool is = !a->is_abandoned;
    pthread_mutex_unlock(&a->lock);
    return is;
}

static void *asking_main(void *arg) {
    struct asking *a = arg;
    const struct timespec pause = {.tv_nsec = ASK_EVERY_NS};
    while (is_wanted(a) && (a->rc = ask(a)) == 1 && clock_now_ns() < a->end_ns)
        nanosleep(&pause, NULL);
    pthread_mutex_lock(&a->lock);
    a->is_posted = !a->is_abandoned;
    if (a->is_posted)
        worker_post(a->worker, &a->msg);
    pthread_mutex_unlock(&a->lock);
    leave(a);
    return NULL;
}

/* ---- the fiber */

/* False: the message that it is done is on its way. */
static bool abandon(struct asking *a) {
    pthread_mutex_lock(&a->lock);
    a->is_abandoned = !a->is_posted;
    bool is = a->is_abandoned;
    pthread_mutex_unlock(&a->lock);
    return is;
}

static int take(struct asking *a, char **out_json, struct failure *f) {
    if (a->rc == 0) {
        *out_json = a->json;
        a->json = NULL;
        return 0;
    }
    return failure_set(f, a->rc == 1 ? EXIT_CODE_SETUP_TIMEOUT : EXIT_CODE_GENERIC,
                       a->rc == 1 ? "You can increase the time limit via the setupTimeout option"
                                  : NULL,
                       "no set-up data came from %s: %s", a->address,
                       *a->err.text ? a->err.text : "setup() has not ended there");
}

int setup_from_fetch(void *arg, struct run *run, char **out_json, struct failure *f) {
    const struct setup_from *s = arg;
    struct asking *a = xcalloc(1, sizeof *a);
    pthread_t thread;
    int rc = EXIT_CODE_GENERIC;
    pthread_mutex_init(&a->lock, NULL);
    a->n_owners = 2;
    a->msg.run = on_done;
    a->address = xstrdup(s->address);
    a->end_ns = clock_now_ns() + run->config.options->setup_timeout.ns;
    a->fiber = fiber_self();
    a->worker = s->worker;
    CHECK(pthread_create(&thread, NULL, asking_main, a) == 0);
    pthread_detach(thread);
    while (!a->is_done && !(run->is_aborted && abandon(a)))
        fiber_park(NEVER_NS);
    if (a->is_done)
        rc = take(a, out_json, f);
    leave(a);
    return rc;
}
