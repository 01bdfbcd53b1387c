/* The routes, on a run that stands still: what is answered, and how what is wrong is refused. Runs
 * that move are tests/scenario/test_rest_api.py's. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "api/api_internal.h"
#include "api/client.h"
#include "base/check.h"
#include "base/compat.h"

/* The test's body runs on a thread of its own, so that it may block; the main worker answers. */
struct world {
    struct worker *worker;
    struct api *api;
    struct run *run;
    struct options options;
    uint16_t port;
    char address[32];
    void (*body)(struct world *w);
    struct worker_msg done_msg;
    struct fiber *fiber;
    bool is_done;
};

static uint16_t free_port(void) {
    uint16_t port;
    close(listen_anywhere(&port));
    return port;
}

static void on_done(struct worker_msg *msg) {
    struct world *w = container_of(msg, struct world, done_msg);
    w->is_done = true;
    fiber_wake(w->fiber);
}

static void *body_main(void *arg) {
    struct world *w = arg;
    w->body(w);
    worker_post(w->worker, &w->done_msg);
    return NULL;
}

static void fiber_main(void *arg) {
    struct world *w = arg;
    struct error err = {0};
    struct api_config cfg = {
        .address = w->address, .program = "kiln", .version = "1.2.3", .main_worker = w->worker};
    w->api = api_start(&cfg, &err);
    CHECK(w->api != NULL);
    if (w->run != NULL)
        api_set_run(w->api, w->run);
    pthread_t thread;
    pthread_create(&thread, NULL, body_main, w);
    while (!w->is_done)
        fiber_park(NEVER_NS);
    pthread_join(thread, NULL);
    api_stop(w->api);
    worker_stop(w->worker);
}

static void with_api(struct run *run, void (*body)(struct world *w)) {
    struct world w = {.run = run, .body = body, .port = free_port()};
    snprintf(w.address, sizeof w.address, "127.0.0.1:%u", w.port);
    w.done_msg.run = on_done;
    w.worker = worker_new(-1);
    w.fiber = fiber_start(w.worker, FIBER_STACK_DEFAULT, fiber_main, &w);
    fiber_detach(w.fiber);
    worker_run(w.worker);
    worker_free(w.worker);
}

/* A run that waits, paused, with one scenario that cannot be paused once it runs. */
static struct {
    struct run run;
    struct options options;
    struct scenario config;
    struct scenario_run scenario;
    struct tag_table *tags;
    struct shard *shard;
} f;

static int setup(void **state) {
    (void)state;
    memset(&f, 0, sizeof f);
    metrics_init();
    compat_set(COMPAT_V2_2);
    f.config.type = EXECUTOR_CONSTANT_VUS;
    f.scenario.config = &f.config;
    f.scenario.info.name = "default";
    f.scenario.info.executor = "constant-vus";
    f.scenario.run = &f.run;
    f.run.config.options = &f.options;
    f.run.scenarios = &f.scenario;
    f.run.n_scenarios = 1;
    f.run.aggregate = aggregate_new();
    f.run.is_paused = true;
    f.run.status = RUN_PAUSED;
    f.run.instance.vus_initialized = 2;
    f.tags = tag_table_new();
    f.shard = shard_new(f.tags);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    aggregate_free(f.run.aggregate);
    shard_free(f.shard);
    tag_table_free(f.tags);
    failure_release(&f.run.failure);
    free(atomic_load(&f.run.setup_data));
    for (size_t i = 0; i < f.run.old_setup_data.len; i++)
        free(f.run.old_setup_data.ptr[i]);
    vec_release(&f.run.old_setup_data);
    metrics_shutdown();
    compat_set(COMPAT_V2_2);
    return 0;
}

static void start_run(void) {
    f.run.is_paused = false;
    f.run.status = RUN_RUNNING;
    f.run.instance.start_ns = clock_now_ns();
}

/* On the body's thread, where cmocka cannot fail a test: the first difference is kept. */
static char *problem;

static void expect(struct world *w, const char *line, const char *body, const char *answer) {
    char *got = call(w->port, line, body);
    if (strcmp(got, answer) != 0 && problem == NULL)
        problem = xasprintf("%s %s: %s instead of %s", line, body, got, answer);
    free(got);
}

static void expect_part(struct world *w, const char *line, const char *body, const char *part) {
    char *got = call(w->port, line, body);
    if (strstr(got, part) == NULL && problem == NULL)
        problem = xasprintf("%s %s: no %s in %s", line, body, part, got);
    free(got);
}

static void check(struct run *run, void (*body)(struct world *w)) {
    problem = NULL;
    with_api(run, body);
    if (problem != NULL)
        fail_msg("%s", problem);
}

#define STATUS(number, attributes)                                                              \
    "200 {\"data\":{\"type\":\"status\",\"id\":\"default\",\"attributes\":{\"status\":" #number \
    "," attributes "}}}"
#define ERROR(status, title, detail)                                                               \
    status " {\"errors\":[{\"status\":\"" status "\",\"title\":\"" title "\",\"detail\":\"" detail \
           "\"}]}"

static void ask_status(struct world *w) {
    expect(w, "GET /v1/status", "",
           STATUS(4, "\"paused\":true,\"vus\":0,\"vus-max\":2,\"stopped\":false,\"running\":false,"
                     "\"tainted\":false"));
}

static void the_status_is_told(void **state) {
    (void)state;
    check(&f.run, ask_status);
}

static void resume_twice(struct world *w) {
    static const char body[] = "{\"data\":{\"attributes\":{\"paused\":false,\"stopped\":false},"
                               "\"id\":\"default\",\"type\":\"status\"}}";
    expect(w, "PATCH /v1/status", "{\"data\":{\"attributes\":{\"paused\":true}}}",
           ERROR("500", "Pause error", "execution is already paused"));
    expect_part(w, "PATCH /v1/status", body, "\"status\":4,\"paused\":false");
    expect_part(w, "PATCH /v1/status", body,
                compat_is_v051() ? "500 {\"errors\"" : "\"paused\":false");
}

static void a_paused_run_is_resumed(void **state) {
    (void)state;
    check(&f.run, resume_twice);
    assert_false(f.run.is_paused);
}

static void resuming_twice_fails_in_v051(void **state) {
    (void)state;
    compat_set(COMPAT_V0_51);
    check(&f.run, resume_twice);
}

static void change_running(struct world *w) {
    expect(w, "PATCH /v1/status", "{\"data\":{\"attributes\":{\"paused\":true}}}",
           ERROR("500", "Pause error",
                 "constant-vus executor 'default' doesn't support pause and resume operations "
                 "after its start"));
    expect(w, "PATCH /v1/status", "{\"data\":{\"attributes\":{\"vus\":3}}}",
           ERROR("500", "Execution config error",
                 "an externally-controlled executor needs to be configured for live configuration "
                 "updates"));
}

static void a_running_test_is_not_changed_in_v051(void **state) {
    (void)state;
    start_run();
    compat_set(COMPAT_V0_51);
    check(&f.run, change_running);
}

static void pause_and_go_on(struct world *w) {
    expect_part(w, "PATCH /v1/status", "{\"data\":{\"attributes\":{\"paused\":true}}}",
                "\"paused\":true");
    expect_part(w, "PATCH /v1/status", "{\"data\":{\"attributes\":{\"paused\":false}}}",
                "\"paused\":false");
}

static void a_running_test_is_paused(void **state) {
    (void)state;
    start_run();
    check(&f.run, pause_and_go_on);
    assert_false(f.run.is_paused);
}

static void stop_it(struct world *w) {
    /* stopping counts, whatever else is asked for */
    expect_part(w, "PATCH /v1/status",
                "{\"data\":{\"attributes\":{\"stopped\":true,\"vus\":7,\"paused\":true}}}",
                "\"stopped\":true");
}

static void a_run_is_stopped_with_its_own_exit_code(void **state) {
    (void)state;
    check(&f.run, stop_it);
    assert_true(f.run.is_aborted);
    assert_int_equal(f.run.failure.exit_code, 103);
    assert_string_equal(f.run.failure.text, "test run stopped from REST API");
}

static void send_wrong_bodies(struct world *w) {
    static const struct {
        const char *body, *detail;
    } rows[] = {
        {"", "unexpected end of JSON input"},
        {"{\"data\":", "unexpected end of JSON input"},
        {"nonsense", "invalid character 'o' in literal null (expecting 'u')"},
        {"[]", "json: cannot unmarshal array into Go value of type v1.StatusJSONAPI"},
        {"{\"data\":7}",
         "json: cannot unmarshal number into Go struct field StatusJSONAPI.data of type "
         "v1.statusData"},
        {"{\"data\":{\"attributes\":{\"paused\":\"yes\"}}}",
         "json: cannot unmarshal string into Go value of type null.Bool"},
        {"{\"data\":{\"attributes\":{\"vus\":1.5}}}",
         "json: cannot unmarshal number 1.5 into Go value of type int64"},
        {"{\"data\":{\"attributes\":{\"vus\":\"x\"}}}",
         "strconv.ParseInt: parsing \\\"x\\\": invalid syntax"},
        {"{\"data\":{\"attributes\":{\"vus-max\":[]}}}",
         "json: cannot unmarshal  into Go value of type null.Int"},
        {"{\"data\":{\"attributes\":{\"stopped\":\"yes\"}}}",
         "json: cannot unmarshal string into Go struct field Status.data.attributes.stopped of "
         "type bool"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char *expected = xasprintf("400 {\"errors\":[{\"status\":\"400\",\"title\":\"Invalid "
                                   "data\",\"detail\":\"%s\"}]}",
                                   rows[i].detail);
        expect(w, "PATCH /v1/status", rows[i].body, expected);
        free(expected);
    }
    /* nothing asked for, nothing changed */
    expect_part(w, "PATCH /v1/status", "null", "\"status\":4,\"paused\":true");
    expect_part(w, "PATCH /v1/status", "{\"data\":{\"attributes\":{\"paused\":null,\"vus\":\"\"}}}",
                "\"status\":4,\"paused\":true");
}

static void wrong_bodies_are_refused_in_gos_words(void **state) {
    (void)state;
    compat_set(COMPAT_V0_51);
    check(&f.run, send_wrong_bodies);
}

static void use_wrong_methods(struct world *w) {
    static const char *const lines[] = {
        "DELETE /v1/status", "POST /v1/status", "POST /v1/metrics", "PUT /v1/metrics/vus",
        "HEAD /v1/groups",   "PATCH /v1/setup", "GET /v1/teardown", "DELETE /v1/groups/x"};
    for (size_t i = 0; i < countof(lines); i++)
        expect(w, lines[i], "", "405 ");
}

static void wrong_methods_are_refused(void **state) {
    (void)state;
    check(&f.run, use_wrong_methods);
}

static void ask_for_metrics(struct world *w) {
    expect(w, "GET /v1/metrics", "",
           "200 {\"data\":["
           "{\"type\":\"metrics\",\"id\":\"vus\",\"attributes\":{\"type\":\"gauge\",\"contains\":"
           "\"default\",\"tainted\":null,\"sample\":{\"value\":3}}},"
           "{\"type\":\"metrics\",\"id\":\"iteration_duration\",\"attributes\":{\"type\":\"trend\","
           "\"contains\":\"time\",\"tainted\":null,\"sample\":{\"avg\":2,\"max\":3,\"med\":2,"
           "\"min\":1,\"p(90)\":2.8,\"p(95)\":2.9}}},"
           "{\"type\":\"metrics\",\"id\":\"checks\",\"attributes\":{\"type\":\"rate\",\"contains\":"
           "\"default\",\"tainted\":null,\"sample\":{\"rate\":0.5}}},"
           "{\"type\":\"metrics\",\"id\":\"data_sent\",\"attributes\":{\"type\":\"counter\","
           "\"contains\":\"data\",\"tainted\":null,\"sample\":{\"count\":10,\"rate\":0}}}]}");
    expect_part(w, "GET /v1/metrics/data_sent", "",
                "200 {\"data\":{\"type\":\"metrics\",\"id\":\"data_sent\",");
    expect(w, "GET /v1/metrics/http_reqs", "",
           ERROR("404", "Not Found", "No metric with that ID was found"));
    expect(w, "GET /v1/metrics/", "",
           ERROR("404", "Not Found", "No metric with that ID was found"));
}

static void record(enum builtin_metric m, double value) {
    series_add(shard_series(f.shard, metric_by_id(m), tagset_empty(f.tags)), value, 1);
}

static void observed_metrics_are_listed(void **state) {
    (void)state;
    record(M_VUS, 3);
    record(M_DATA_SENT, 10);
    record(M_CHECKS, 1);
    record(M_CHECKS, 0);
    for (int i = 1; i <= 3; i++)
        record(M_ITERATION_DURATION, i);
    aggregate_merge(f.run.aggregate, shard_take(f.shard));
    check(&f.run, ask_for_metrics);
}

static void ask_for_tainted(struct world *w) {
    expect_part(w, "GET /v1/metrics/checks", "", "\"tainted\":true");
    expect_part(w, "GET /v1/metrics/vus", "", "\"tainted\":false");
    expect_part(w, "GET /v1/status", "", "\"tainted\":true");
}

static void failed_thresholds_taint(void **state) {
    struct threshold items[] = {
        {.metric = metric_by_id(M_CHECKS), .has_value = true, .has_failed = true},
        {.metric = metric_by_id(M_VUS), .has_value = true}};
    struct threshold_set set = {items, countof(items)};
    (void)state;
    record(M_VUS, 3);
    record(M_CHECKS, 0);
    aggregate_merge(f.run.aggregate, shard_take(f.shard));
    f.run.config.thresholds = &set;
    check(&f.run, ask_for_tainted);
}

/* MD5 of "" */
#define ROOT_ID "d41d8cd98f00b204e9800998ecf8427e"

static void ask_for_groups(struct world *w) {
    char *all = call(w->port, "GET /v1/groups", "");
    if (strncmp(all,
                "200 {\"data\":[{\"type\":\"groups\",\"id\":\"" ROOT_ID "\",\"attributes\":{"
                "\"path\":\"\",\"name\":\"\",\"checks\":null},\"relationships\":{\"groups\":{"
                "\"data\":[{\"type\":\"groups\",\"id\":\"",
                strlen("200 {\"data\":[{\"type\":\"groups\",\"id\":\"" ROOT_ID)) != 0 ||
        strstr(all, "\"path\":\"::a\",\"name\":\"a\",\"checks\":[{\"id\":\"") == NULL ||
        strstr(all,
               "\"path\":\"::a::c\\u003c\",\"name\":\"c\\u003c\",\"passes\":1,\"fails\":2}]") ==
            NULL ||
        strstr(all, "\"parent\":{\"data\":{\"type\":\"groups\",\"id\":\"" ROOT_ID "\"}}") == NULL)
        problem = xstrdup(all);
    free(all);
    expect_part(w, "GET /v1/groups/" ROOT_ID, "",
                "200 {\"data\":{\"type\":\"groups\",\"id\":\"" ROOT_ID "\"");
    expect(w, "GET /v1/groups/0", "", ERROR("404", "Not Found", "No group with that ID was found"));
}

static void groups_and_checks_are_listed(void **state) {
    (void)state;
    shard_note_group(f.shard, SLICE("::a"));
    shard_note_group(f.shard, SLICE("::a::b"));
    shard_note_check(f.shard, SLICE("::a"), SLICE("c<"), true);
    shard_note_check(f.shard, SLICE("::a"), SLICE("c<"), false);
    shard_note_check(f.shard, SLICE("::a"), SLICE("c<"), false);
    aggregate_merge(f.run.aggregate, shard_take(f.shard));
    check(&f.run, ask_for_groups);
}

#define SETUP(attributes) \
    "200 {\"data\":{\"type\":\"setupData\",\"id\":\"default\",\"attributes\":{" attributes "}}}"

static void change_setup_data(struct world *w) {
    expect(w, "GET /v1/setup", "", SETUP(""));
    expect(w, "PUT /v1/setup", " {\"a\" : [1, \"b <c> \\\" \xe2\x80\xa8\"]} ",
           SETUP("\"data\":{\"a\":[1,\"b \\u003cc\\u003e \\\" \\u2028\"]}"));
    expect(w, "GET /v1/setup", "",
           SETUP("\"data\":{\"a\":[1,\"b \\u003cc\\u003e \\\" \\u2028\"]}"));
    expect(w, "PUT /v1/setup", "null", SETUP("\"data\":null"));
    expect_part(w, "PUT /v1/setup", "{\"a\"",
                "400 {\"errors\":[{\"status\":\"400\",\"title\":\"Error parsing request body\"");
    expect(w, "GET /v1/setup", "", SETUP("\"data\":null"));
    expect(w, "PUT /v1/setup", "", SETUP(""));
}

static void setup_data_is_shown_and_replaced(void **state) {
    (void)state;
    check(&f.run, change_setup_data);
}

static void ask_the_rest(struct world *w) {
    expect(w, "GET /ping", "", "200 ok");
    expect(w, "GET /", "", "200 ok");
    expect(w, "GET /v1/unknown", "", "404 404 page not found\n");
    expect(w, "GET /debug/pprof/heap", "",
           "200 To enable profiling, please run kiln with the --profiling-enabled flag");
    expect_part(w, "GET /debug/vars/", "", "\"memstats\":{\"Alloc\":");
    expect_part(w, "GET /metrics", "",
                compat_is_v051() ? "200 ok" : "\nkiln_info{version=\"1.2.3\"} 1\n");
}

static void what_is_no_part_of_v1_is_answered_too(void **state) {
    (void)state;
    check(&f.run, ask_the_rest);
    compat_set(COMPAT_V0_51);
    check(&f.run, ask_the_rest);
}

static void ask_before_there_is_a_run(struct world *w) {
    expect(w, "GET /v1/status", "",
           STATUS(0, "\"paused\":false,\"vus\":0,\"vus-max\":0,\"stopped\":false,\"running\":false,"
                     "\"tainted\":false"));
    expect(w, "GET /v1/metrics", "", "200 {\"data\":[]}");
    expect_part(w, "GET /v1/groups", "", ROOT_ID);
    expect(w, "GET /v1/setup", "", SETUP(""));
    expect_part(w, "POST /v1/setup", "", "503 {\"errors\"");
    expect_part(w, "PUT /v1/setup", "1", "503 {\"errors\"");
    expect_part(w, "POST /v1/teardown", "", "503 {\"errors\"");
    expect_part(w, "PATCH /v1/status", "{\"data\":{\"attributes\":{\"paused\":true}}}",
                "503 {\"errors\"");
    expect_part(w, "PATCH /v1/status", "{\"data\":{\"attributes\":{\"vus\":1}}}",
                "503 {\"errors\"");
    expect_part(w, "PATCH /v1/status", "{\"data\":{\"attributes\":{\"paused\":false}}}",
                "\"status\":0");
}

static void it_answers_before_there_is_a_run(void **state) {
    (void)state;
    check(NULL, ask_before_there_is_a_run);
}

static void early_requests_are_remembered(void **state) {
    struct api api = {.is_resumed = true};
    (void)state;
    api_set_run(&api, &f.run);
    assert_false(f.run.is_paused);
    assert_false(f.run.is_aborted);
    api = (struct api){.is_stopped = true};
    api_set_run(&api, &f.run);
    assert_true(f.run.is_aborted);
}

/* ---- the client */

static struct error client_error;
static struct buf client_answer;

static void use_client(struct world *w) {
    buf_init(&client_answer, BUF_NO_CAP);
    if (api_request(w->address, "GET", "/v1/status", SLICE(""), &client_answer, &client_error) != 0)
        problem = xstrdup(client_error.text);
    api_request(w->address, "PATCH", "/v1/status",
                SLICE("{\"data\":{\"attributes\":{\"paused\":true}}}"), &client_answer,
                &client_error);
}

static void the_client_gets_answers_and_errors(void **state) {
    (void)state;
    check(&f.run, use_client);
    assert_contains(buf_cstr(&client_answer), "{\"data\":{\"type\":\"status\"");
    assert_string_equal(client_error.text, "Pause error: execution is already paused");
    buf_release(&client_answer);
}

static void the_client_says_that_nobody_answers(void **state) {
    char address[32], words[160];
    struct error err = {0};
    struct buf out;
    (void)state;
    buf_init(&out, BUF_NO_CAP);
    snprintf(address, sizeof address, "127.0.0.1:%u", free_port());
    snprintf(words, sizeof words,
             "Patch \"http://%s/v1/status\": dial tcp %s: connect: connection refused", address,
             address);
    assert_int_equal(api_request(address, "PATCH", "/v1/status", SLICE("{}"), &out, &err), KE_DIAL);
    assert_string_equal(err.text, words);
    buf_release(&out);
}

struct rude {
    int fd;
    const char *text;
};

static void *rude_main(void *arg) {
    const struct rude *r = arg;
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    char request[1024];
    struct pollfd wait = {r->fd, POLLIN, 0};
    poll(&wait, 1, 20000);
    int fd = accept(r->fd, (struct sockaddr *)&peer, &size);
    if (recv(fd, request, sizeof request, 0) > 0)
        say(fd, r->text);
    close(fd);
    return NULL;
}

static void the_client_survives_servers_that_are_none(void **state) {
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "EOF"},
        {"hello\r\n\r\n", "malformed HTTP response \"hello\""},
        {"HTTP/1.1 2\r\n\r\n", "malformed HTTP response"},
        {"HTTP/1.1 200 OK\r\nContent-", "malformed HTTP response"},
        {"HTTP/1.1 405 No\r\n\r\n", "unexpected end of JSON input"},
        {"HTTP/1.1 500 No\r\n\r\n[1]", ": "},
        {"HTTP/1.1 500 No\r\n\r\n{\"errors\":[{\"title\":7}]}", ": "},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        uint16_t port;
        struct rude rude = {listen_anywhere(&port), rows[i].text};
        char address[32];
        struct error err = {0};
        struct buf out;
        pthread_t thread;
        buf_init(&out, BUF_NO_CAP);
        snprintf(address, sizeof address, "127.0.0.1:%u", port);
        pthread_create(&thread, NULL, rude_main, &rude);
        assert_int_not_equal(api_request(address, "GET", "/", SLICE(""), &out, &err), 0);
        assert_contains(err.text, rows[i].words);
        pthread_join(thread, NULL);
        close(rude.fd);
        buf_release(&out);
    }
}

#define rest_test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        rest_test(the_status_is_told),
        rest_test(a_paused_run_is_resumed),
        rest_test(resuming_twice_fails_in_v051),
        rest_test(a_running_test_is_not_changed_in_v051),
        rest_test(a_running_test_is_paused),
        rest_test(a_run_is_stopped_with_its_own_exit_code),
        rest_test(wrong_bodies_are_refused_in_gos_words),
        rest_test(wrong_methods_are_refused),
        rest_test(observed_metrics_are_listed),
        rest_test(failed_thresholds_taint),
        rest_test(groups_and_checks_are_listed),
        rest_test(setup_data_is_shown_and_replaced),
        rest_test(what_is_no_part_of_v1_is_answered_too),
        rest_test(it_answers_before_there_is_a_run),
        rest_test(early_requests_are_remembered),
        rest_test(the_client_gets_answers_and_errors),
        rest_test(the_client_says_that_nobody_answers),
        rest_test(the_client_survives_servers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
