/* The worker's loop: mail, timers, descriptors, libuv, stacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/check.h"
#include "base/error.h"
#include "fiber/fiber.h"
#include "fiber/worker.h"

/* ---------------------------------------------------------------- mail */

#define SENDERS 3
#define MAIL_EACH 2000

struct letter {
    struct worker_msg msg;
    int sender, number;
    struct inbox *inbox;
};

struct inbox {
    struct worker *w;
    int next[SENDERS];
    int disorder, wrong_thread, count;
};

static void letter_run(struct worker_msg *msg) {
    struct letter *l = container_of(msg, struct letter, msg);
    struct inbox *in = l->inbox;
    in->disorder += l->number != in->next[l->sender];
    in->wrong_thread += worker_self() != in->w;
    in->next[l->sender] = l->number + 1;
    if (++in->count == SENDERS * MAIL_EACH)
        worker_stop(in->w);
    free(l);
}

struct sender {
    pthread_t thread;
    struct inbox *inbox;
    int number;
};

static void *sender_main(void *arg) {
    struct sender *s = arg;
    for (int i = 0; i < MAIL_EACH; i++) {
        struct letter *l = xmalloc(sizeof *l);
        *l = (struct letter){{.run = letter_run}, s->number, i, s->inbox};
        worker_post(s->inbox->w, &l->msg);
    }
    return NULL;
}

static void mail_of_each_sender_arrives_in_order_on_the_workers_thread(void **state) {
    (void)state;
    struct inbox in = {.w = worker_new(0)};
    struct sender senders[SENDERS];
    worker_start(in.w, -1);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.inbox = &in, .number = i};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, sender_main, &senders[i]), 0);
    }
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i].thread, NULL);
    worker_free(in.w);
    assert_int_equal(in.count, SENDERS * MAIL_EACH);
    assert_int_equal(in.disorder, 0);
    assert_int_equal(in.wrong_thread, 0);
}

static void mail_count(struct worker_msg *msg) {
    container_of(msg, struct letter, msg)->number++;
}

static void mail_posted_before_a_stop_is_delivered(void **state) {
    (void)state;
    struct worker *w = worker_new(3);
    struct letter l = {.msg.run = mail_count};
    worker_stop(w);
    worker_post(w, &l.msg);
    worker_run(w);
    assert_int_equal(worker_index(w), 3);
    worker_free(w);
    assert_int_equal(l.number, 1);
}

/* ---------------------------------------------------------------- timers */

struct tick {
    struct worker_timer timer;
    char name;
};

static char trace[64];

static void tick(struct worker_timer *t) {
    size_t len = strlen(trace);
    trace[len] = container_of(t, struct tick, timer)->name;
    trace[len + 1] = 0;
}

static void stop_timer(struct worker_timer *t) {
    (void)t;
    worker_stop(worker_self());
}

static void timers_fire_by_deadline_then_by_order_of_start(void **state) {
    (void)state;
    trace[0] = 0;
    struct worker *w = worker_new(0);
    int64_t t0 = clock_now_ns();
    struct tick t[6] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'},
                        {.name = 'd'}, {.name = 'e'}, {.name = 'f'}};
    worker_timer_start(w, &t[3].timer, t0 + 3 * NS_PER_MS, tick);
    for (int i = 0; i < 3; i++)
        worker_timer_start(w, &t[i].timer, t0 + 2 * NS_PER_MS, tick);
    worker_timer_start(w, &t[4].timer, t0 + 1 * NS_PER_MS, tick);
    worker_timer_start(w, &t[5].timer, t0 + 1 * NS_PER_MS, tick);
    worker_timer_stop(w, &t[1].timer);
    worker_timer_start(w, &t[4].timer, t0 + 4 * NS_PER_MS, tick); /* moves it */
    struct worker_timer end = {0};
    worker_timer_start(w, &end, t0 + 5 * NS_PER_MS, stop_timer);
    worker_run(w);
    assert_true(clock_now_ns() - t0 >= 5 * NS_PER_MS);
    worker_free(w);
    assert_string_equal(trace, "facde");
}

#define MANY_TIMERS 3000

struct numbered {
    struct worker_timer timer;
    int64_t want_ns;
};

static int64_t last_ns;
static int fired, out_of_order;

static void numbered_fire(struct worker_timer *t) {
    struct numbered *n = container_of(t, struct numbered, timer);
    out_of_order += n->want_ns < last_ns || clock_now_ns() < n->want_ns;
    last_ns = n->want_ns;
    fired++;
}

static void many_timers_fire_in_order_when_a_third_is_stopped_and_a_third_moved(void **state) {
    (void)state;
    fired = out_of_order = 0;
    last_ns = 0;
    struct worker *w = worker_new(0);
    struct numbered *n = xcalloc(MANY_TIMERS, sizeof *n);
    int64_t t0 = clock_now_ns();
    uint32_t seed = 7;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < MANY_TIMERS; i++) {
            seed = seed * 1664525 + 1013904223;
            if (pass == 1 && i % 3 == 0)
                worker_timer_stop(w, &n[i].timer);
            else if (pass == 0 || i % 3 == 1) {
                n[i].want_ns = t0 + (int64_t)(seed >> 8) % (20 * NS_PER_MS);
                worker_timer_start(w, &n[i].timer, n[i].want_ns, numbered_fire);
            }
        }
    }
    struct worker_timer end = {0};
    worker_timer_start(w, &end, t0 + 21 * NS_PER_MS, stop_timer);
    worker_run(w);
    worker_free(w);
    free(n);
    assert_int_equal(fired, MANY_TIMERS * 2 / 3);
    assert_int_equal(out_of_order, 0);
}

static void restart_at_once(struct worker_timer *t) {
    if (++fired == 5)
        worker_stop(worker_self());
    else
        worker_timer_start(worker_self(), t, 1, restart_at_once);
}

static void other_fiber(void *arg) {
    *(int *)arg = fired;
}

static void a_timer_that_restarts_itself_lets_fibers_run(void **state) {
    (void)state;
    fired = 0;
    int seen = -1;
    struct worker *w = worker_new(0);
    struct worker_timer t = {0};
    worker_timer_start(w, &t, 1, restart_at_once);
    fiber_detach(fiber_start(w, FIBER_STACK_DEFAULT, other_fiber, &seen));
    worker_run(w);
    worker_free(w);
    assert_in_range(seen, 0, 1);
    assert_int_equal(fired, 5);
}

/* ---------------------------------------------------------------- descriptors */

struct pair {
    struct worker *w;
    struct worker_io *io;
    int fd[2];
    int rc[4];
    bool is_dirty[4];
    struct fiber *other;
};

static void in_fiber(fiber_fn *fn, struct pair *p) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p->fd), 0);
    p->w = worker_new(0);
    p->io = worker_io_new(p->w, p->fd[0]);
    fiber_detach(fiber_start(p->w, FIBER_STACK_DEFAULT, fn, p));
    worker_run(p->w);
    worker_io_close(p->io);
    close(p->fd[1]);
    worker_free(p->w);
}

static void write_one(void *arg) {
    struct pair *p = arg;
    CHECK(write(p->fd[1], "x", 1) == 1);
}

static void read_one(struct pair *p) {
    char c;
    CHECK(read(p->fd[0], &c, 1) == 1);
}

static void wait_for_data(void *arg) {
    struct pair *p = arg;
    p->rc[0] = worker_io_wait(p->io, IO_READ, clock_now_ns() + 2 * NS_PER_MS);
    fiber_detach(fiber_start(p->w, FIBER_STACK_DEFAULT, write_one, p));
    p->rc[1] = worker_io_wait(p->io, IO_READ, NEVER_NS);
    p->is_dirty[0] = worker_io_is_dirty(p->io);
    p->rc[2] = worker_io_wait(p->io, IO_READ, NEVER_NS); /* still there: a level */
    read_one(p);
    p->rc[3] = worker_io_wait(p->io, IO_READ, clock_now_ns() + 2 * NS_PER_MS);
    worker_stop(p->w);
}

static void a_wait_for_data_ends_with_the_data_or_the_deadline(void **state) {
    (void)state;
    struct pair p = {0};
    in_fiber(wait_for_data, &p);
    assert_int_equal(p.rc[0], KE_TIMEOUT);
    assert_int_equal(p.rc[1], 0);
    assert_false(p.is_dirty[0]);
    assert_int_equal(p.rc[2], 0);
    assert_int_equal(p.rc[3], KE_TIMEOUT);
}

static void turn(int n) {
    while (n--)
        fiber_yield();
}

static void get_dirty(void *arg) {
    struct pair *p = arg;
    write_one(p);
    p->rc[0] = worker_io_wait(p->io, IO_READ, NEVER_NS);
    read_one(p);
    turn(3);
    p->is_dirty[0] = worker_io_is_dirty(p->io);
    write_one(p);
    turn(3);
    p->is_dirty[1] = worker_io_is_dirty(p->io);
    p->rc[1] = worker_io_wait(p->io, IO_READ, NEVER_NS);
    p->is_dirty[2] = worker_io_is_dirty(p->io);
    read_one(p);
    shutdown(p->fd[1], SHUT_WR);
    turn(3);
    p->is_dirty[3] = worker_io_is_dirty(p->io);
    p->rc[2] = worker_io_wait(p->io, IO_READ, NEVER_NS);
    worker_stop(p->w);
}

static void what_arrives_on_an_idle_descriptor_makes_it_dirty(void **state) {
    (void)state;
    struct pair p = {0};
    in_fiber(get_dirty, &p);
    assert_false(p.is_dirty[0]);
    assert_true(p.is_dirty[1]);
    assert_false(p.is_dirty[2]);
    assert_true(p.is_dirty[3]);
    assert_int_equal(p.rc[0] | p.rc[1] | p.rc[2], 0);
}

static void wait_for_room(void *arg) {
    struct pair *p = arg;
    static char full[1 << 16];
    while (write(p->fd[0], full, sizeof full) > 0)
        ;
    write_one(p); /* readable, which a wait for room must not see */
    p->rc[0] = worker_io_wait(p->io, IO_WRITE, clock_now_ns() + 2 * NS_PER_MS);
    while (read(p->fd[1], full, sizeof full) > 0)
        ;
    p->rc[1] = worker_io_wait(p->io, IO_WRITE, NEVER_NS);
    turn(3);
    p->rc[2] = worker_io_wait(p->io, IO_READ | IO_WRITE, NEVER_NS);
    p->rc[3] = worker_io_wait(p->io, IO_READ, NEVER_NS);
    worker_stop(p->w);
}

static void a_wait_for_room_does_not_end_with_data(void **state) {
    (void)state;
    struct pair p = {0};
    in_fiber(wait_for_room, &p);
    assert_int_equal(p.rc[0], KE_TIMEOUT);
    assert_int_equal(p.rc[1] | p.rc[2] | p.rc[3], 0);
}

static void wait_forever(void *arg) {
    struct pair *p = arg;
    p->rc[0] = worker_io_wait(p->io, IO_READ, NEVER_NS);
}

static void cancel_as_data_comes(void *arg) {
    struct pair *p = arg;
    p->other = fiber_start(p->w, FIBER_STACK_DEFAULT, wait_forever, p);
    turn(2);
    fiber_cancel(p->other);
    write_one(p);
    fiber_join(p->other);
    worker_stop(p->w);
}

static void a_cancelled_wait_stays_cancelled_when_data_comes_too(void **state) {
    (void)state;
    struct pair p = {0};
    in_fiber(cancel_as_data_comes, &p);
    assert_int_equal(p.rc[0], KE_CANCELED);
}

static void free_and_reuse(void *arg) {
    struct pair *p = arg;
    int other[2];
    for (int i = 0; i < 3; i++) {
        write_one(p);
        p->rc[i] = worker_io_wait(p->io, IO_READ, NEVER_NS);
        worker_io_close(p->io);
        close(p->fd[1]);
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, other) == 0);
        p->fd[0] = other[0];
        p->fd[1] = other[1];
        p->io = worker_io_new(p->w, other[0]);
    }
    worker_io_free(p->io);
    p->io = worker_io_new(p->w, p->fd[0]);
    write_one(p);
    p->rc[3] = worker_io_wait(p->io, IO_READ, NEVER_NS);
    worker_stop(p->w);
}

static void a_number_that_comes_back_is_a_new_descriptor(void **state) {
    (void)state;
    struct pair p = {0};
    in_fiber(free_and_reuse, &p);
    assert_int_equal(p.rc[0] | p.rc[1] | p.rc[2] | p.rc[3], 0);
}

static void reset_while_waiting(void *arg) {
    struct pair *p = arg;
    p->other = fiber_start(p->w, FIBER_STACK_DEFAULT, wait_forever, p);
    p->rc[0] = 1;
    turn(2);
    close(p->fd[1]);
    p->fd[1] = -1;
    fiber_join(p->other);
    turn(3); /* a hang-up that nobody waits for does not spin or crash */
    worker_stop(p->w);
}

static void a_hang_up_ends_a_wait(void **state) {
    (void)state;
    struct pair p = {0};
    in_fiber(reset_while_waiting, &p);
    assert_int_equal(p.rc[0], 0);
}

static void read_then_park(void *arg) {
    struct pair *p = arg;
    p->rc[0] = worker_io_wait(p->io, IO_READ, NEVER_NS);
    read_one(p);
    p->rc[1] = worker_io_wait(p->io, IO_READ, NEVER_NS);
}

static void write_beside_a_reader(void *arg) {
    struct pair *p = arg;
    static char full[1 << 16];
    while (write(p->fd[0], full, sizeof full) > 0)
        ;
    p->other = fiber_start(p->w, FIBER_STACK_DEFAULT, read_then_park, p);
    turn(2);
    p->rc[2] = worker_io_wait(p->io, IO_WRITE, clock_now_ns() + 2 * NS_PER_MS);
    write_one(p);
    turn(3);
    while (read(p->fd[1], full, sizeof full) > 0)
        ;
    p->rc[3] = worker_io_wait(p->io, IO_WRITE, NEVER_NS);
    write_one(p);
    fiber_join(p->other);
    worker_stop(p->w);
}

static void one_fiber_may_read_while_another_writes(void **state) {
    (void)state;
    struct pair p = {.rc = {1, 1, 1, 1}};
    in_fiber(write_beside_a_reader, &p);
    assert_int_equal(p.rc[0], 0);
    assert_int_equal(p.rc[1], 0);
    assert_int_equal(p.rc[2], KE_TIMEOUT);
    assert_int_equal(p.rc[3], 0);
}

static void events_seen(void *arg) {
    struct pair *p = arg;
    int64_t t0 = clock_now_ns();
    write_one(p);
    worker_io_wait(p->io, IO_READ, NEVER_NS);
    int64_t event_ns = fiber_event_ns(fiber_self()), resumed_ns = fiber_resumed_ns(fiber_self());
    p->rc[0] = event_ns >= t0 && resumed_ns >= event_ns && resumed_ns <= clock_now_ns();
    p->rc[1] = worker_slice_is_over();
    while (clock_now_ns() - resumed_ns < 2 * NS_PER_MS)
        ;
    p->rc[2] = worker_slice_is_over();
    fiber_yield();
    p->rc[3] = worker_now_ns(p->w) > event_ns;
    worker_stop(p->w);
}

static void a_fiber_knows_when_its_event_came_and_when_its_slice_is_over(void **state) {
    (void)state;
    struct pair p = {0};
    in_fiber(events_seen, &p);
    assert_true(p.rc[0]);
    assert_false(p.rc[1]);
    assert_true(p.rc[2]);
    assert_true(p.rc[3]);
}

/* ---------------------------------------------------------------- locals */

static int locals_freed;

static void local_free(void *value) {
    locals_freed += *(int *)value;
}

static void what_a_layer_keeps_in_a_worker_is_freed_with_it(void **state) {
    (void)state;
    static const int key_a, key_b;
    int a = 1, b = 2;
    locals_freed = 0;
    struct worker *w = worker_new(0);
    worker_local_set(w, &key_a, &a, local_free);
    worker_local_set(w, &key_b, &b, NULL);
    assert_ptr_equal(worker_local(w, &key_a), &a);
    assert_ptr_equal(worker_local(w, &key_b), &b);
    assert_null(worker_local(w, &a));
    worker_free(w);
    assert_int_equal(locals_freed, 1);
}

/* ---------------------------------------------------------------- libuv */

static int uv_ticks;

static void uv_tick(uv_timer_t *t) {
    uv_ticks++;
    uv_close((uv_handle_t *)t, NULL);
    worker_stop(worker_self());
}

static void start_uv_timer(void *arg) {
    uv_timer_t *t = arg;
    uv_timer_init(worker_uv(worker_self()), t);
    uv_timer_start(t, uv_tick, 3, 0);
    while (!uv_ticks)
        fiber_yield(); /* a busy loop does not hold it up */
}

static void timers_of_libuv_fire_in_a_busy_worker(void **state) {
    (void)state;
    uv_ticks = 0;
    uv_timer_t t;
    struct worker *w = worker_new(0);
    fiber_detach(fiber_start(w, FIBER_STACK_DEFAULT, start_uv_timer, &t));
    worker_run(w);
    worker_free(w);
    assert_int_equal(uv_ticks, 1);
}

static void uv_readable(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    uv_close((uv_handle_t *)poll, NULL);
    worker_stop(worker_self());
}

static uv_poll_t uv_polled;

static void start_uv_poll(void *arg) {
    int *fd = arg;
    uv_poll_init(worker_uv(worker_self()), &uv_polled, fd[0]);
    uv_poll_start(&uv_polled, UV_READABLE, uv_readable);
    CHECK(write(fd[1], "x", 1) == 1);
}

static void descriptors_of_libuv_are_watched(void **state) {
    (void)state;
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    struct worker *w = worker_new(0);
    fiber_detach(fiber_start(w, FIBER_STACK_DEFAULT, start_uv_poll, fd));
    worker_run(w);
    worker_free(w);
    close(fd[0]);
    close(fd[1]);
}

/* ---------------------------------------------------------------- stacks */

static int overflow(int depth) {
    volatile char frame[512];
    frame[0] = (char)depth;
    return depth < 1000000 ? overflow(depth + 1) + frame[0] : 0;
}

static void overflow_main(void *arg) {
    *(int *)arg = overflow(0);
}

static void an_overflow_of_a_stack_says_so(void **state) {
    (void)state;
#ifdef KILN_ASAN
    skip(); /* it has its own words for that */
#endif
    int fd[2], result = 0;
    assert_int_equal(pipe(fd), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(fd[1], STDERR_FILENO);
        signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
        signal(SIGBUS, SIG_DFL);
        struct worker *w = worker_new(0);
        fiber_detach(fiber_start(w, FIBER_STACK_DEFAULT, overflow_main, &result));
        worker_run(w);
        _exit(0);
    }
    close(fd[1]);
    char text[256] = "";
    ssize_t n = read(fd[0], text, sizeof text - 1);
    close(fd[0]);
    int status;
    waitpid(child, &status, 0);
    assert_true(n > 0);
    assert_non_null(strstr(text, "stack overflow"));
    assert_true(WIFSIGNALED(status));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_of_each_sender_arrives_in_order_on_the_workers_thread),
        cmocka_unit_test(mail_posted_before_a_stop_is_delivered),
        cmocka_unit_test(timers_fire_by_deadline_then_by_order_of_start),
        cmocka_unit_test(many_timers_fire_in_order_when_a_third_is_stopped_and_a_third_moved),
        cmocka_unit_test(a_timer_that_restarts_itself_lets_fibers_run),
        cmocka_unit_test(a_wait_for_data_ends_with_the_data_or_the_deadline),
        cmocka_unit_test(what_arrives_on_an_idle_descriptor_makes_it_dirty),
        cmocka_unit_test(a_wait_for_room_does_not_end_with_data),
        cmocka_unit_test(a_cancelled_wait_stays_cancelled_when_data_comes_too),
        cmocka_unit_test(a_number_that_comes_back_is_a_new_descriptor),
        cmocka_unit_test(a_hang_up_ends_a_wait),
        cmocka_unit_test(one_fiber_may_read_while_another_writes),
        cmocka_unit_test(what_a_layer_keeps_in_a_worker_is_freed_with_it),
        cmocka_unit_test(a_fiber_knows_when_its_event_came_and_when_its_slice_is_over),
        cmocka_unit_test(timers_of_libuv_fire_in_a_busy_worker),
        cmocka_unit_test(descriptors_of_libuv_are_watched),
        cmocka_unit_test(an_overflow_of_a_stack_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
