#include "cli/loki.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/json_write.h"
#include "base/map.h"
#include "base/vec.h"
#include "cli/log_setup.h"
#include "base/go_parse.h"
#include "output/http_push.h"

#define LIMIT_MAX 1000000

struct pair {
    char *key, *value;
};
typedef VEC(struct pair) pairs;

struct message {
    char *labels; /* a JSON object, by names: equal sets are equal texts */
    char *text;
    int64_t wall_ns;
    uint64_t number;
};
typedef VEC(struct message) messages;

static struct loki {
    char *url;
    int64_t limit, msg_max_chars, push_period_ns;
    enum log_level level;
    bool has_allowed, profile;
    pairs allowed, labels, headers; /* allowed: keys alone */
    struct http_push *push;
    bool is_running;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping;
    messages waiting;
    uint64_t n_dropped, next_number;
} g = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- configuration */

static void add_pair(pairs *list, struct slice key, struct slice value) {
    vec_push(list, (struct pair){slice_dup(key), slice_dup(value)});
}

static void read_allowed(struct slice list) {
    g.has_allowed = true;
    while (list.ptr != NULL)
        add_pair(&g.allowed, slice_trim(slice_cut(&list, ',')), SLICE(""));
}

static int read_positive(struct slice value, const char *key, int64_t max, int64_t *out,
                         struct error *err) {
    struct error why;
    if (go_parse_int(value, 10, out, &why) != 0)
        return error_set(err, KE_CONFIG, "couldn't parse the loki %s as a number %s", key,
                         why.text);
    if (*out < 1)
        return error_set(err, KE_CONFIG, "loki %s needs to be a positive number, is %lld", key,
                         (long long)*out);
    if (*out > max)
        *out = max;
    return 0;
}

static int read_period(struct slice value, struct error *err) {
    struct error why;
    if (go_parse_duration(value, &g.push_period_ns, &why) != 0)
        return error_set(err, KE_CONFIG, "couldn't parse the loki pushPeriod %s", why.text);
    if (g.push_period_ns <= 0)
        g.push_period_ns = NS_PER_S;
    return 0;
}

static struct slice after(struct slice s, size_t n) {
    return slice_from(s.ptr + n, s.len - n);
}

static int read_option(struct slice key, struct slice value, struct error *err) {
    if (slice_eq(key, SLICE("loki"))) {
        free(g.url);
        g.url = slice_dup(value);
    } else if (slice_eq(key, SLICE("pushPeriod"))) {
        return read_period(value, err);
    } else if (slice_eq(key, SLICE("limit"))) {
        return read_positive(value, "limit", LIMIT_MAX, &g.limit, err);
    } else if (slice_eq(key, SLICE("msgMaxSize"))) {
        return read_positive(value, "msgMaxSize", INT32_MAX, &g.msg_max_chars, err);
    } else if (slice_eq(key, SLICE("level"))) {
        return log_level_parse(value, &g.level, err);
    } else if (slice_eq(key, SLICE("allowedLabels"))) {
        read_allowed(value);
    } else if (slice_eq(key, SLICE("profile"))) {
        g.profile = true;
    } else if (slice_starts(key, SLICE("label."))) {
        add_pair(&g.labels, after(key, 6), value);
    } else if (slice_starts(key, SLICE("header."))) {
        add_pair(&g.headers, after(key, 7), value);
    } else {
        return error_set(err, KE_CONFIG, "unknown loki config key %.*s", SLICE_FMT(key));
    }
    return 0;
}

/* "key", "key=value" or "key=[a,b]" from the front of *rest. */
static int read_token(struct slice *rest, struct slice *key, struct slice *value,
                      struct error *err) {
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != '=' && rest->ptr[n] != ',')
        n++;
    *key = slice_from(rest->ptr, n);
    *value = SLICE("");
    bool has_value = n < rest->len && rest->ptr[n] == '=';
    if (!has_value) {
        slice_cut(rest, ',');
        return 0;
    }
    *rest = after(*rest, n + 1);
    if (rest->len == 0 || rest->ptr[0] != '[') {
        *value = slice_cut(rest, ',');
        return 0;
    }
    const char *end = memchr(rest->ptr, ']', rest->len);
    if (end == NULL)
        return error_set(err, KE_CONFIG,
                         "error while parsing loki configuration array value for key \"%.*s\" "
                         "didn't end",
                         SLICE_FMT(*key));
    *value = slice_from(rest->ptr + 1, (size_t)(end - rest->ptr) - 1);
    *rest = after(*rest, (size_t)(end - rest->ptr) + 1);
    slice_cut(rest, ',');
    return 0;
}

static int read_config(struct slice line, struct error *err) {
    struct slice rest = line, start = line, name = slice_cut(&start, '=');
    g.url = xstrdup("http://127.0.0.1:3100/loki/api/v1/push");
    g.limit = 100;
    g.msg_max_chars = 1024 * 1024;
    g.push_period_ns = NS_PER_S;
    g.level = LOG_DEBUG;
    if (slice_eq(line, SLICE("loki")))
        return 0;
    if (!slice_eq(name, SLICE("loki")))
        return error_set(err, KE_CONFIG,
                         "loki configuration should be in the form `loki=url-to-push` but is "
                         "`%.*s`",
                         SLICE_FMT(line));
    while (rest.ptr != NULL && rest.len > 0) {
        struct slice key, value;
        int rc = read_token(&rest, &key, &value, err);
        if (rc == 0)
            rc = read_option(key, value, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- messages: on the threads that log */

static int by_key(const void *a, const void *b) {
    return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static bool is_allowed(const char *key) {
    for (size_t i = 0; i < g.allowed.len; i++)
        if (strcmp(g.allowed.ptr[i].key, key) == 0)
            return true;
    return !g.has_allowed;
}

static void set_label(pairs *labels, const char *key, struct slice value) {
    for (size_t i = 0; i < labels->len; i++) {
        if (strcmp(labels->ptr[i].key, key) == 0) {
            free(labels->ptr[i].value);
            labels->ptr[i].value = slice_dup(value);
            return;
        }
    }
    add_pair(labels, slice_cstr(key), value);
}

static void release_pairs(pairs *list) {
    for (size_t i = 0; i < list->len; i++) {
        free(list->ptr[i].key);
        free(list->ptr[i].value);
    }
    vec_release(list);
}

/* Labels that are not allowed become part of the text. */
static struct message make_message(pairs *labels, struct slice msg, int64_t wall_ns) {
    struct buf text, json;
    struct json_writer w;
    buf_init(&text, BUF_NO_CAP);
    buf_init(&json, BUF_NO_CAP);
    buf_append_slice(&text, msg);
    qsort(labels->ptr, labels->len, sizeof *labels->ptr, by_key);
    json_write_init(&w, &json, NULL, true);
    json_object_begin(&w);
    for (size_t i = 0; i < labels->len; i++) {
        const struct pair *p = &labels->ptr[i];
        if (is_allowed(p->key))
            json_pair_cstr(&w, p->key, p->value);
        else
            buf_printf(&text, " %s=%s", p->key, p->value);
    }
    json_object_end(&w);
    return (struct message){buf_detach(&json, NULL), buf_detach(&text, NULL), wall_ns, 0};
}

static struct message new_message(enum log_level level, struct slice msg,
                                  const struct log_field *fields, size_t n_fields,
                                  int64_t wall_ns) {
    pairs labels = {0};
    for (size_t i = 0; i < n_fields; i++)
        set_label(&labels, fields[i].key, fields[i].value);
    for (size_t i = 0; i < g.labels.len; i++)
        set_label(&labels, g.labels.ptr[i].key, slice_cstr(g.labels.ptr[i].value));
    set_label(&labels, "level", slice_cstr(log_level_name(level)));
    struct message m = make_message(&labels, msg, wall_ns);
    release_pairs(&labels);
    return m;
}

static void on_record(void *arg, enum log_level level, int64_t wall_ns, struct slice msg,
                      const struct log_field *fields, size_t n_fields) {
    (void)arg;
    if (level < g.level)
        return;
    pthread_mutex_lock(&g.lock);
    bool is_full = (int64_t)g.waiting.len >= g.limit;
    g.n_dropped += is_full;
    if (!is_full) {
        struct message m = new_message(level, msg, fields, n_fields, wall_ns);
        m.number = g.next_number++;
        vec_push(&g.waiting, m);
    }
    pthread_mutex_unlock(&g.lock);
}

/* ---- pushing */

/* Our own trouble cannot go where the log goes. */
static void complain(enum log_level level, const char *msg, const char *error) {
    struct buf line;
    struct log_field field = LOG_STR("error", error != NULL ? error : "");
    buf_init(&line, BUF_NO_CAP);
    log_format_record(&line, LOG_FORMAT_TEXT, false, false, level, clock_wall_ns(), 0,
                      slice_cstr(msg), &field, error != NULL);
    ssize_t written = write(STDERR_FILENO, line.ptr, line.len);
    (void)written;
    buf_release(&line);
}

static int by_time(const void *a, const void *b) {
    const struct message *x = a, *y = b;
    if (x->wall_ns != y->wall_ns)
        return x->wall_ns < y->wall_ns ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static bool starts_character(char c) {
    return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t count_characters(struct slice s) {
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += starts_character(s.ptr[i]);
    return n;
}

/* Bytes of the first n characters. */
static size_t bytes_of(struct slice s, size_t n) {
    size_t i = 0;
    for (; i < s.len; i++)
        if (starts_character(s.ptr[i]) && n-- == 0)
            break;
    return i;
}

/* The two ends of a text that is too long. */
static void write_text(struct json_writer *w, const char *text) {
    struct slice s = slice_cstr(text);
    size_t max = (size_t)g.msg_max_chars, n = s.len > max ? count_characters(s) : 0;
    struct buf cut;
    if (n <= max) {
        json_string(w, s);
        return;
    }
    buf_init(&cut, BUF_NO_CAP);
    buf_append(&cut, s.ptr, bytes_of(s, max / 2));
    buf_printf(&cut, "... omitting %zu characters ...", n - max);
    buf_append_str(&cut, text + bytes_of(s, n - max / 2));
    json_string(w, buf_slice(&cut));
    buf_release(&cut);
}

static void write_stream(struct json_writer *w, const messages *list, const char *labels) {
    char stamp[24];
    json_object_begin(w);
    json_key(w, "stream");
    json_raw(w, slice_cstr(labels));
    json_key(w, "values");
    json_array_begin(w);
    for (size_t i = 0; i < list->len; i++) {
        const struct message *m = &list->ptr[i];
        if (strcmp(m->labels, labels) != 0)
            continue;
        json_array_begin(w);
        snprintf(stamp, sizeof stamp, "%lld", (long long)m->wall_ns);
        json_cstr(w, stamp);
        write_text(w, m->text);
        json_array_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

static void write_body(struct buf *body, const messages *list) {
    struct json_writer w;
    struct map seen;
    map_init(&seen);
    json_write_init(&w, body, NULL, true);
    json_object_begin(&w);
    json_key(&w, "streams");
    json_array_begin(&w);
    for (size_t i = 0; i < list->len; i++) {
        const char *labels = list->ptr[i].labels;
        if (map_has(&seen, slice_cstr(labels)))
            continue;
        map_set(&seen, slice_cstr(labels), list->ptr[i].labels);
        write_stream(&w, list, labels);
    }
    json_array_end(&w);
    json_object_end(&w);
    map_release(&seen);
}

static void send_body(struct slice body) {
    struct http_push_answer answer = {0};
    struct error err;
    char text[512];
    buf_init(&answer.body, HTTP_PUSH_ANSWER_MAX);
    if (http_push_post(g.push, g.url, body, &answer, &err) != 0) {
        complain(LOG_ERROR, "Error while sending logs to loki", err.text);
    } else if (answer.status >= 400) {
        snprintf(text, sizeof text, "got %d from loki: %s", answer.status, buf_cstr(&answer.body));
        complain(LOG_ERROR, "Error while sending logs to loki", text);
    }
    buf_release(&answer.body);
}

static void add_drop_notice(messages *list, uint64_t n_dropped, int64_t wall_ns) {
    char text[160], period[DURATION_TEXT_MAX];
    snprintf(text, sizeof text,
             "k6 dropped %llu log messages because they were above the limit of %lld messages / %s",
             (unsigned long long)n_dropped, (long long)g.limit,
             duration_format(g.push_period_ns, period));
    vec_push(list, new_message(LOG_WARN, slice_cstr(text), NULL, 0, wall_ns));
}

static void push_messages(messages *list, uint64_t n_dropped) {
    struct buf body;
    char text[160];
    int64_t begin = clock_now_ns(), written;
    qsort(list->ptr, list->len, sizeof *list->ptr, by_time);
    if (n_dropped > 0)
        add_drop_notice(list, n_dropped, list->ptr[list->len - 1].wall_ns);
    buf_init(&body, BUF_NO_CAP);
    write_body(&body, list);
    written = clock_now_ns();
    send_body(buf_slice(&body));
    snprintf(text, sizeof text, "marshalling=%.3fms sending=%.3fms count=%zu final_size=%zu",
             (double)(written - begin) / 1e6, (double)(clock_now_ns() - written) / 1e6, list->len,
             body.len);
    if (g.profile)
        complain(LOG_INFO, text, NULL);
    buf_release(&body);
    for (size_t i = 0; i < list->len; i++) {
        free(list->ptr[i].labels);
        free(list->ptr[i].text);
    }
    vec_release(list);
}

static void wait_period(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t at_ns = (int64_t)until.tv_sec * NS_PER_S + until.tv_nsec + g.push_period_ns;
    until.tv_sec = (time_t)(at_ns / NS_PER_S);
    until.tv_nsec = (long)(at_ns % NS_PER_S);
    while (!g.is_stopping && pthread_cond_timedwait(&g.wake, &g.lock, &until) == 0)
        ;
}

static void *push_main(void *arg) {
    pthread_mutex_lock(&g.lock);
    for (bool is_last = false; !is_last;) {
        wait_period();
        is_last = g.is_stopping;
        messages list = g.waiting;
        uint64_t n_dropped = g.n_dropped;
        g.waiting = (messages){0};
        g.n_dropped = 0;
        pthread_mutex_unlock(&g.lock);
        if (list.len > 0)
            push_messages(&list, n_dropped);
        pthread_mutex_lock(&g.lock);
    }
    pthread_mutex_unlock(&g.lock);
    return arg;
}

/* ---- life */

int loki_start(struct slice line, struct error *err) {
    int rc = read_config(line, err);
    if (rc != 0)
        return rc;
    struct http_push_config config = {.user_agent = "Go-http-client/1.1",
                                      .timeout_ns = g.push_period_ns};
    g.push = http_push_new(&config, err);
    if (g.push == NULL)
        return KE_CONFIG;
    http_push_header(g.push, "Content-Type: application/json");
    for (size_t i = 0; i < g.headers.len; i++) {
        char *header = xasprintf("%s: %s", g.headers.ptr[i].key, g.headers.ptr[i].value);
        http_push_header(g.push, header);
        free(header);
    }
    pthread_cond_init(&g.wake, NULL);
    if (pthread_create(&g.thread, NULL, push_main, NULL) != 0)
        return error_set(err, KE_FAILED, "cannot start a thread for the log");
    g.is_running = true;
    log_add_sink(on_record, NULL);
    return 0;
}

void loki_stop(void) {
    if (!g.is_running)
        return;
    g.is_running = false;
    pthread_mutex_lock(&g.lock);
    g.is_stopping = true;
    pthread_cond_signal(&g.wake);
    pthread_mutex_unlock(&g.lock);
    pthread_join(g.thread, NULL);
    http_push_free(g.push);
    release_pairs(&g.allowed);
    release_pairs(&g.labels);
    release_pairs(&g.headers);
    free(g.url);
}
