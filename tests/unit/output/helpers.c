#include "unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <sys/socket.h>
#include <zlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

int world_setup(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    setenv("TZ", "UTC", 1);
    compat_set(COMPAT_V2_2);
    log_init(&(struct log_config){.level = LOG_WARN, .fd = -1});
    metrics_init();
    snprintf(w->dir, sizeof w->dir, "/tmp/kiln_output_XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    w->tags = tag_table_new();
    w->shard = shard_new(w->tags);
    w->params.system_tags = SYSTEM_TAGS_DEFAULT;
    assert_int_equal(pipe(w->stdout_pipe), 0);
    w->params.stdout_fd = w->stdout_pipe[1];
    *state = w;
    return 0;
}

int world_teardown(void **state) {
    struct world *w = *state;
    struct dirent *entry;
    outputs_free(w->outputs);
    shard_free(w->shard);
    tag_table_free(w->tags);
    metrics_shutdown();
    compat_set(COMPAT_V2_2);
    close(w->stdout_pipe[0]);
    close(w->stdout_pipe[1]);
    DIR *d = opendir(w->dir);
    while ((entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(d), entry->d_name, 0);
    closedir(d);
    rmdir(w->dir);
    free(w);
    return 0;
}

void world_outputs(struct world *w) {
    if (!w->outputs)
        w->outputs = outputs_new(&w->params);
}

void world_add(struct world *w, const char *type, const char *name) {
    struct error err;
    world_outputs(w);
    char *spec = xasprintf("%s=%s/%s", type, w->dir, name);
    if (outputs_add(w->outputs, slice_cstr(spec), &err))
        fail_msg("%s", err.text);
    free(spec);
}

void world_start(struct world *w) {
    struct error err;
    if (outputs_start(w->outputs, &err))
        fail_msg("%s", err.text);
    outputs_attach(w->outputs, w->shard);
}

void world_stop(struct world *w) {
    shard_flush_raw(w->shard);
    outputs_stop(w->outputs);
}

const struct tagset *world_tags(struct world *w, const char *const *pairs) {
    const struct tagset *s = tagset_empty(w->tags);
    for (; pairs[0]; pairs += 2)
        s = tagset_with(w->tags, s, slice_cstr(pairs[0]), slice_cstr(pairs[1]));
    return s;
}

void world_record(struct world *w, enum builtin_metric m, const struct tagset *tags, double value,
                  const struct sample_meta *meta) {
    series_add_with(shard_series(w->shard, metric_by_id(m), tags), value, clock_now_ns(), meta);
}

char *world_read(struct world *w, const char *name) {
    struct buf b;
    char part[4096];
    int n;
    char *path = xasprintf("%s/%s", w->dir, name);
    gzFile f = gzopen(path, "rb"); /* reads plain files too */
    assert_non_null(f);
    if (slice_ends(slice_cstr(name), S(".gz")))
        assert_false(gzdirect(f));
    buf_init(&b, BUF_NO_CAP);
    while ((n = gzread(f, part, sizeof part)) > 0)
        buf_append(&b, part, (size_t)n);
    assert_int_equal(n, 0);
    gzclose(f);
    free(path);
    return buf_detach(&b, NULL);
}

static const char *lookup(void *arg, const char *name) {
    for (const char *const *pair = arg; pair[0]; pair += 2)
        if (strcmp(pair[0], name) == 0)
            return pair[1];
    return NULL;
}

void world_environment(struct world *w, const char *const *pairs) {
    w->params.getenv = lookup;
    w->params.getenv_arg = (void *)pairs;
}

const char *world_add_spec(struct world *w, const char *spec) {
    struct error err;
    world_outputs(w);
    if (outputs_add(w->outputs, slice_cstr(spec), &err))
        fail_msg("%s", err.text);
    return outputs_description(w->outputs, outputs_count(w->outputs) - 1);
}

void world_refuses(struct world *w, const char *spec, const char *words) {
    struct error err = {0};
    world_outputs(w);
    assert_int_equal(outputs_add(w->outputs, slice_cstr(spec), &err), KE_CONFIG);
    assert_string_equal(err.text, words);
}

struct aggregate *world_aggregate(struct world *w) {
    struct aggregate *a = aggregate_new();
    aggregate_merge(a, shard_take(w->shard));
    return a;
}

int world_udp(char *out, size_t size) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(out, size, "127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

char *world_udp_read(int fd, const char *end) {
    struct buf b;
    char part[65536];
    buf_init(&b, BUF_NO_CAP);
    while (!slice_ends(buf_slice(&b), slice_cstr(end))) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 20000) != 1)
            fail_msg("no datagram ends with '%s': %s", end, buf_cstr(&b));
        ssize_t n = recv(fd, part, sizeof part, 0);
        assert_true(n > 0);
        buf_append(&b, part, (size_t)n);
    }
    return buf_detach(&b, NULL);
}
