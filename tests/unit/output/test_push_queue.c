#include "unit.h"

#include <pthread.h>

#include "base/clock.h"
#include "output/push_queue.h"

/* A server of the test's: what it answers is set by the test, and it keeps what it was sent. */
struct server {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum push_result answer;
    struct buf got; /* bodies, each with a comma */
    int n_sends, n_failed, n_sent, n_open;
    bool is_held; /* sends wait */
    char failure[64];
};

static void *open_sender(void *arg, struct error *err) {
    struct server *s = arg;
    (void)err;
    s->n_open++;
    return s;
}

static void *fail_to_open(void *arg, struct error *err) {
    struct server *s = arg;
    if (++s->n_open < 3)
        return s;
    error_set(err, KE_CONFIG, "no third sender");
    return NULL;
}

static void close_sender(void *arg, void *sender) {
    assert_ptr_equal(arg, sender);
    ((struct server *)arg)->n_open--;
}

static enum push_result send_body(void *arg, void *sender, struct slice body, struct error *err) {
    struct server *s = arg;
    (void)sender;
    pthread_mutex_lock(&s->lock);
    s->n_sends++;
    pthread_cond_broadcast(&s->changed);
    while (s->is_held)
        pthread_cond_wait(&s->changed, &s->lock);
    enum push_result answer = s->answer;
    if (answer == PUSH_DONE) {
        buf_append_slice(&s->got, body);
        buf_append_char(&s->got, ',');
    } else {
        error_set(err, KE_IO, "answer %d", (int)answer);
    }
    pthread_mutex_unlock(&s->lock);
    return answer;
}

static void on_failed(void *arg, const struct error *err) {
    struct server *s = arg;
    pthread_mutex_lock(&s->lock);
    s->n_failed++;
    snprintf(s->failure, sizeof s->failure, "%.60s", err->text);
    pthread_mutex_unlock(&s->lock);
}

static void on_sent(void *arg, int64_t took_ns) {
    struct server *s = arg;
    assert_true(took_ns >= 0);
    pthread_mutex_lock(&s->lock);
    s->n_sent++;
    pthread_mutex_unlock(&s->lock);
}

static int setup(void **state) {
    struct server *s = calloc(1, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    buf_init(&s->got, BUF_NO_CAP);
    *state = s;
    return 0;
}

static int teardown(void **state) {
    struct server *s = *state;
    assert_int_equal(s->n_open, 0);
    buf_release(&s->got);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s);
    return 0;
}

static struct push_queue *new_queue(struct server *s, int64_t patience_ns) {
    struct error err;
    struct push_config config = {.name = "test",
                                 .unit = "things",
                                 .n_threads = 1,
                                 .arg = s,
                                 .send = send_body,
                                 .failed = on_failed,
                                 .sent = on_sent,
                                 .open = open_sender,
                                 .close = close_sender,
                                 .patience_ns = patience_ns};
    struct push_queue *q = push_queue_new(&config, &err);
    assert_non_null(q);
    return q;
}

static bool give(struct push_queue *q, const char *text, uint64_t n_units) {
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    buf_append_str(&body, text);
    bool is_kept = push_queue_give(q, &body, n_units);
    assert_int_equal(body.len, 0);
    return is_kept;
}

static void set_answer(struct server *s, enum push_result answer, bool is_held) {
    pthread_mutex_lock(&s->lock);
    s->answer = answer;
    s->is_held = is_held;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void wait_for_sends(struct server *s, int n) {
    pthread_mutex_lock(&s->lock);
    while (s->n_sends < n)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static void bodies_are_sent_in_order(void **state) {
    struct server *s = *state;
    struct push_queue *q = new_queue(s, 0);
    for (int i = 0; i < 5; i++)
        assert_true(give(q, (const char *[]){"a", "b", "c", "d", "e"}[i], 1));
    push_queue_free(q);
    assert_string_equal(buf_cstr(&s->got), "a,b,c,d,e,");
    assert_int_equal(s->n_sent, 5);
    assert_int_equal(s->n_failed, 0);
}

static void an_outage_loses_nothing_and_keeps_the_order(void **state) {
    struct server *s = *state;
    struct push_queue *q = new_queue(s, 0);
    set_answer(s, PUSH_AGAIN, false);
    give(q, "a", 1);
    give(q, "b", 1);
    wait_for_sends(s, 3);
    assert_string_equal(buf_cstr(&s->got), "");
    set_answer(s, PUSH_DONE, false);
    push_queue_free(q);
    assert_string_equal(buf_cstr(&s->got), "a,b,");
    assert_int_equal(s->n_failed, 1); /* told once, not with each try */
    assert_string_equal(s->failure, "answer 1");
}

static void what_is_refused_is_told_and_counted(void **state) {
    struct server *s = *state;
    struct push_queue *q = new_queue(s, 0);
    set_answer(s, PUSH_FAILED, false);
    give(q, "a", 7);
    wait_for_sends(s, 1);
    set_answer(s, PUSH_DONE, false);
    give(q, "b", 1);
    wait_for_sends(s, 2);
    assert_int_equal(push_queue_lost(q), 7);
    push_queue_free(q);
    assert_string_equal(buf_cstr(&s->got), "b,");
    assert_int_equal(s->n_failed, 1);
}

static void a_full_queue_drops_the_oldest_and_counts_it(void **state) {
    struct server *s = *state;
    struct push_queue *q = new_queue(s, 0);
    char text[16];
    set_answer(s, PUSH_DONE, true);
    give(q, "first", 1);
    wait_for_sends(s, 1); /* on its way: it can no longer be dropped */
    for (int i = 0; i < PUSH_BODIES_MAX; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_true(give(q, text, 10));
    }
    assert_int_equal(push_queue_lost(q), 0);
    assert_false(give(q, "new", 10));
    assert_false(give(q, "newer", 10));
    assert_int_equal(push_queue_lost(q), 20);
    set_answer(s, PUSH_DONE, false);
    push_queue_free(q);
    assert_int_equal(s->n_sent, 1 + PUSH_BODIES_MAX);
    assert_true(slice_starts(buf_slice(&s->got), S("first,2,3,4,")));
    assert_true(slice_ends(buf_slice(&s->got), S("255,new,newer,")));
}

static void the_bound_in_bytes_holds_too(void **state) {
    struct server *s = *state;
    struct push_queue *q = new_queue(s, 0);
    set_answer(s, PUSH_DONE, true);
    give(q, "first", 1);
    wait_for_sends(s, 1);
    for (int i = 0; i < 3; i++) {
        struct buf body;
        buf_init(&body, BUF_NO_CAP);
        buf_reserve(&body, PUSH_BYTES_MAX / 2);
        memset(body.ptr, 'x', PUSH_BYTES_MAX / 2);
        body.len = PUSH_BYTES_MAX / 2;
        assert_int_equal(push_queue_give(q, &body, 5), i < 2);
    }
    assert_int_equal(push_queue_lost(q), 5);
    set_answer(s, PUSH_DONE, false);
    push_queue_free(q);
    assert_int_equal(s->n_sent, 3);
}

static void a_server_that_stays_away_does_not_hold_up_the_end(void **state) {
    struct server *s = *state;
    struct push_queue *q = new_queue(s, 50 * NS_PER_MS);
    set_answer(s, PUSH_AGAIN, false);
    give(q, "a", 1);
    give(q, "b", 1);
    wait_for_sends(s, 1);
    int64_t start_ns = clock_now_ns();
    push_queue_free(q);
    assert_true(clock_now_ns() - start_ns < 30 * NS_PER_S);
    assert_string_equal(buf_cstr(&s->got), "");
}

static void a_sender_that_cannot_be_opened_is_an_error(void **state) {
    struct server *s = *state;
    struct error err;
    struct push_config config = {.name = "test",
                                 .unit = "things",
                                 .n_threads = 4,
                                 .arg = s,
                                 .send = send_body,
                                 .failed = on_failed,
                                 .open = fail_to_open,
                                 .close = close_sender};
    assert_null(push_queue_new(&config, &err));
    assert_string_equal(err.text, "no third sender");
    s->n_open--; /* the third was counted, but not opened */
}

int main(void) {
#define queue_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        queue_test(bodies_are_sent_in_order),
        queue_test(an_outage_loses_nothing_and_keeps_the_order),
        queue_test(what_is_refused_is_told_and_counted),
        queue_test(a_full_queue_drops_the_oldest_and_counts_it),
        queue_test(the_bound_in_bytes_holds_too),
        queue_test(a_server_that_stays_away_does_not_hold_up_the_end),
        queue_test(a_sender_that_cannot_be_opened_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
