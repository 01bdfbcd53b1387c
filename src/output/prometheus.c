/* --out experimental-prometheus-rw: remote write 1 of what changed since the last flush. The values
 * are read from the run's aggregate on the main thread, packed and sent on a thread of the queue.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "output/output_config.h"
#include "output/prometheus_config.h"
#include "output/push_queue.h"
#include "output/snappy_pack.h"

/* Receivers limit what a request may hold. */
#define SERIES_PER_REQUEST 10000u

#define OUTPUT_NAME "Prometheus remote write"

struct prom_output {
    struct output base;
    struct prom_config config;
    struct push_queue *queue;
    struct aggregate *aggregate; /* of the last tick */
    uint64_t *seen;              /* by series: what it had at the last flush */
    size_t seen_len;
    int64_t next_flush_ns, last_time_ms;
    struct buf body;
    size_t n_in_body;
};

/* ---------------------------------------------------------------- sending */

static void *open_sender(void *arg, struct error *err) {
    return prom_config_open(&((struct prom_output *)arg)->config, err);
}

static void close_sender(void *arg, void *sender) {
    (void)arg;
    http_push_free(sender);
}

static enum push_result send_body(void *arg, void *sender, struct slice body, struct error *err) {
    const struct prom_output *o = arg;
    struct http_push_answer answer;
    struct error reason;
    struct buf packed;
    enum push_result result = PUSH_DONE;
    buf_init(&answer.body, HTTP_PUSH_ANSWER_MAX);
    buf_init(&packed, BUF_NO_CAP);
    snappy_pack(&packed, body);
    if (http_push_post(sender, o->config.url, buf_slice(&packed), &answer, &reason)) {
        error_set(err, reason.code, "HTTP POST request failed: %s", reason.text);
        result = PUSH_AGAIN;
    } else if (answer.status / 100 != 2) {
        error_set(err, KE_IO, "got status code: %d instead expected a 2xx successful status code",
                  answer.status);
        result = answer.status == 429 || answer.status >= 500 ? PUSH_AGAIN : PUSH_FAILED;
        struct slice text = slice_trim(buf_slice(&answer.body));
        if (text.len)
            log_printf(LOG_DEBUG, "remote write: the server says: %.*s", SLICE_FMT(text));
    }
    buf_release(&packed);
    buf_release(&answer.body);
    return result;
}

static void on_failed(void *arg, const struct error *err) {
    (void)arg;
    log_fields(LOG_ERROR, SLICE("Failed to send the time series data to the endpoint"),
               LOG_STR("error", err->text), LOG_STR("output", OUTPUT_NAME));
}

static void on_sent(void *arg, int64_t took_ns) {
    const struct prom_output *o = arg;
    char took[DURATION_TEXT_MAX], interval[DURATION_TEXT_MAX];
    if (took_ns <= o->config.push_interval_ns)
        return;
    char *text = xasprintf("Successful flushed time series to remote write endpoint but it took %s "
                           "while flush period is %s. Some samples may be dropped.",
                           duration_format(took_ns, took),
                           duration_format(o->config.push_interval_ns, interval));
    log_fields(LOG_WARN, slice_cstr(text), LOG_STR("output", OUTPUT_NAME));
    free(text);
}

/* ---------------------------------------------------------------- flushing */

static void hand_over(struct prom_output *o) {
    if (o->n_in_body)
        push_queue_give(o->queue, &o->body, o->n_in_body);
    buf_reset(&o->body);
    o->n_in_body = 0;
}

/* Two samples of a series must not share a millisecond. */
static int64_t next_time_ms(struct prom_output *o) {
    int64_t now_ms = clock_mono_to_wall_ns(clock_now_ns()) / NS_PER_MS;
    o->last_time_ms = now_ms > o->last_time_ms ? now_ms : o->last_time_ms + 1;
    return o->last_time_ms;
}

static void flush(struct prom_output *o) {
    size_t n = aggregate_series_count(o->aggregate);
    int64_t time_ms = next_time_ms(o);
    if (n > o->seen_len) {
        o->seen = xrealloc(o->seen, n * sizeof *o->seen);
        memset(o->seen + o->seen_len, 0, (n - o->seen_len) * sizeof *o->seen);
        o->seen_len = n;
    }
    for (size_t i = 0; i < n; i++) {
        const struct aggregate_series *s = aggregate_series_at(o->aggregate, i);
        if (s->updates == o->seen[i])
            continue;
        o->seen[i] = s->updates;
        o->n_in_body += prom_put_series(&o->body, &o->config.mapping, s, time_ms);
        if (o->n_in_body >= SERIES_PER_REQUEST)
            hand_over(o);
    }
    hand_over(o);
}

static void mark_stale(struct prom_output *o) {
    int64_t time_ms = next_time_ms(o) + 1;
    for (size_t i = 0; i < o->seen_len; i++) {
        const struct aggregate_series *s = aggregate_series_at(o->aggregate, i);
        o->n_in_body += prom_put_stale(&o->body, &o->config.mapping, s, time_ms);
        if (o->n_in_body >= SERIES_PER_REQUEST)
            hand_over(o);
    }
    hand_over(o);
}

static void prom_collect(struct output *base, struct aggregate *a) {
    struct prom_output *o = (struct prom_output *)base;
    o->aggregate = a;
    if (output_is_due(&o->next_flush_ns, o->config.push_interval_ns))
        flush(o);
}

/* ---------------------------------------------------------------- life */

static int prom_start(struct output *base, struct error *err) {
    struct prom_output *o = (struct prom_output *)base;
    struct push_config config = {.name = "experimental-prometheus-rw",
                                 .unit = "values of time series",
                                 .n_threads = 1, /* a series' samples must come in order */
                                 .arg = o,
                                 .is_hurried = base->is_hurried,
                                 .send = send_body,
                                 .failed = on_failed,
                                 .sent = on_sent,
                                 .open = open_sender,
                                 .close = close_sender};
    if (config_check_flush(o->config.push_interval_ns, err) || snappy_load(err))
        return KE_CONFIG;
    o->queue = push_queue_new(&config, err);
    o->next_flush_ns = clock_now_ns() + o->config.push_interval_ns;
    return o->queue ? 0 : KE_CONFIG;
}

static void prom_finish(struct output *base) {
    struct prom_output *o = (struct prom_output *)base;
    if (!o->aggregate)
        return;
    flush(o);
    if (o->config.has_stale_markers)
        mark_stale(o);
}

static void prom_stop(struct output *base) {
    struct prom_output *o = (struct prom_output *)base;
    push_queue_free(o->queue);
    o->queue = NULL;
}

static void prom_release(struct output *base) {
    struct prom_output *o = (struct prom_output *)base;
    prom_config_release(&o->config);
    buf_release(&o->body);
    free(o->seen);
}

static int prom_create(struct output *base, struct slice arg, struct error *err) {
    struct prom_output *o = (struct prom_output *)base;
    buf_init(&o->body, BUF_NO_CAP);
    base->release = prom_release;
    if (prom_config_read(&o->config, base, arg, err))
        return KE_CONFIG;
    base->description = xasprintf("Prometheus remote write (%s)", o->config.url);
    base->wants = OUTPUT_WANTS_SERIES;
    base->start = prom_start;
    base->collect = prom_collect;
    base->finish = prom_finish;
    base->stop = prom_stop;
    return 0;
}

const struct output_type output_prometheus = {.name = "experimental-prometheus-rw",
                                              .create = prom_create,
                                              .bytes = sizeof(struct prom_output)};
