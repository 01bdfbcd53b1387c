#include "unit.h"

#include <math.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "output/udp.h"

static char address[32];
static const char *environment[] = {
    "K6_STATSD_ADDR", address, "K6_STATSD_ENABLE_TAGS", "true", "K6_STATSD_NAMESPACE", "t.", NULL};

static void record_all(struct world *w) {
    const struct tagset *tags =
        world_tags(w, (const char *const[]){"url", "http://a", "name", "x\ny", "empty", "", NULL});
    const struct tagset *check = world_tags(w, (const char *const[]){"check", "is ok", NULL});
    world_record(w, M_HTTP_REQS, tags, 1.9, NULL);
    world_record(w, M_HTTP_REQ_DURATION, tags, 12.3456789, NULL);
    world_record(w, M_VUS, tags, 7, NULL);
    world_record(w, M_HTTP_REQ_FAILED, tags, 1, NULL);
    world_record(w, M_CHECKS, check, 0, NULL);
    world_record(w, M_CHECKS, check, 1, NULL);
    world_record(w, M_VUS, tags, NAN, NULL);
    world_record(w, M_ITERATIONS, world_tags(w, (const char *const[]){NULL}), 1, NULL);
}

static void each_type_has_its_line(void **state) {
    struct world *w = *state;
    int fd = world_udp(address, sizeof address);
    compat_set(COMPAT_V0_51);
    world_environment(w, environment);
    world_add_spec(w, "statsd");
    world_start(w);
    record_all(w);
    world_stop(w);
    char *got = world_udp_read(fd, "t.iterations:1|c\n");
    assert_string_equal(got, "t.http_reqs:1|c|#name:x y\n"
                             "t.http_req_duration:12.345679|ms|#name:x y\n"
                             "t.vus:7|g|#name:x y\n"
                             "t.http_req_failed:1|c|#name:x y\n"
                             "t.check.is ok.fail:1|c|#check:is ok\n"
                             "t.check.is ok.pass:1|c|#check:is ok\n"
                             "t.iterations:1|c\n");
    free(got);
    close(fd);
}

static void a_server_that_is_away_costs_one_message(void **state) {
    struct world *w = *state;
    int fd = world_udp(address, sizeof address);
    close(fd);
    compat_set(COMPAT_V0_51);
    world_environment(w, environment);
    world_add_spec(w, "statsd");
    world_start(w);
    for (int i = 0; i < 100; i++)
        record_all(w);
    world_stop(w);
}

static void datagrams_end_at_lines(void **state) {
    struct error err;
    struct buf lines;
    char where[32], part[4096];
    (void)state;
    int server = world_udp(where, sizeof where);
    int fd = udp_open(slice_cstr(where), "1", &err);
    assert_true(fd >= 0);
    buf_init(&lines, BUF_NO_CAP);
    for (int i = 0; i < 40; i++)
        buf_printf(&lines, "line %d\n", i);
    for (int i = 0; i < 200; i++)
        buf_append_char(&lines, 'x'); /* longer than a datagram shall be, and without an end */
    assert_int_equal(udp_send_lines(fd, buf_slice(&lines), 100), 0);
    size_t n = 0;
    while (n < lines.len) {
        ssize_t len = recv(server, part, sizeof part, 0);
        assert_true(len > 0 && (len <= 100 || n + (size_t)len == lines.len));
        assert_memory_equal(part, lines.ptr + n, (size_t)len);
        n += (size_t)len;
        assert_true(n == lines.len || lines.ptr[n - 1] == '\n');
    }
    buf_release(&lines);
    udp_close(fd);
    close(server);
}

static void addresses_have_a_default_port(void **state) {
    struct error err;
    static const char *const addresses[] = {"127.0.0.1", "[::1]", "localhost:9", "[::1]:9", ":9"};
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        int fd = udp_open(slice_cstr(addresses[i]), "8125", &err);
        if (fd < 0 && strchr(addresses[i], '['))
            continue; /* a machine without IPv6 */
        assert_true(fd >= 0);
        udp_close(fd);
    }
    assert_true(udp_open(S("127.0.0.1:none"), "1", &err) < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        world_test(each_type_has_its_line),
        world_test(a_server_that_is_away_costs_one_message),
        cmocka_unit_test(datagrams_end_at_lines),
        cmocka_unit_test(addresses_have_a_default_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
