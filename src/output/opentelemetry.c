/* --out opentelemetry: OTLP over gRPC or HTTP. The values are read from the run's aggregate on the
 * main thread, packed and sent on a thread of the queue. */
#include <stdlib.h>
#include <zlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/percent.h"
#include "output/otel_config.h"
#include "output/output_config.h"
#include "output/push_queue.h"

#define GRPC_PREFIX 5
#define GZIP_WINDOW (15 + 16) /* 16 asks for a gzip header */

struct otel_output {
    struct output base;
    struct otel_config config;
    struct otlp_encoder encoder;
    struct push_queue *queue;
    struct aggregate *aggregate; /* of the last tick */
    int64_t next_export_ns;
};

/* ---------------------------------------------------------------- sending */

static void *open_sender(void *arg, struct error *err) {
    return otel_config_open(&((struct otel_output *)arg)->config, err);
}

static void close_sender(void *arg, void *sender) {
    (void)arg;
    http_push_free(sender);
}

static void gzip_pack(struct buf *out, struct slice in) {
    z_stream z = {0};
    CHECK(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) ==
          Z_OK);
    size_t room = deflateBound(&z, (uLong)in.len);
    buf_reserve(out, room);
    z.next_in = (unsigned char *)in.ptr;
    z.avail_in = (unsigned)in.len;
    z.next_out = (unsigned char *)out->ptr + out->len;
    z.avail_out = (unsigned)room;
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out->len += room - z.avail_out;
    deflateEnd(&z);
}

/* The body as it goes over the wire: gRPC puts a flag and the length before the message. */
static void frame(const struct otel_config *c, struct buf *out, struct slice body) {
    char head[GRPC_PREFIX] = {c->is_gzip};
    if (c->is_grpc)
        buf_append(out, head, sizeof head);
    if (c->is_gzip)
        gzip_pack(out, body);
    else
        buf_append_slice(out, body);
    if (!c->is_grpc)
        return;
    size_t len = out->len - GRPC_PREFIX;
    for (int i = 0; i < 4; i++)
        out->ptr[1 + i] = (char)(len >> (8 * (3 - i)));
}

static void tell_partial(const struct otel_config *c, const struct http_push_answer *answer) {
    struct slice body = buf_slice(&answer->body);
    struct otlp_partial partial;
    char *text;
    if (c->is_grpc)
        body = body.len > GRPC_PREFIX && body.ptr[0] == 0
                   ? slice_from(body.ptr + GRPC_PREFIX, body.len - GRPC_PREFIX)
                   : SLICE("");
    if (!otlp_read_partial(body, &partial))
        return;
    text = xasprintf("%.*s (%llu data points rejected)", SLICE_FMT(partial.message),
                     (unsigned long long)partial.rejected);
    log_fields(LOG_WARN, SLICE("The OTLP endpoint took the metrics only in part"),
               LOG_STR("error", text), LOG_STR("output", "opentelemetry"));
    free(text);
}

/* Those that the specification lets one try again: CANCELLED, DEADLINE_EXCEEDED,
 * RESOURCE_EXHAUSTED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS. */
static bool may_pass(int grpc_status) {
    static const int statuses[] = {1, 4, 8, 10, 11, 14, 15};
    for (size_t i = 0; i < countof(statuses); i++)
        if (statuses[i] == grpc_status)
            return true;
    return false;
}

static enum push_result judge_http(const struct http_push_answer *a, struct error *err) {
    struct slice text = slice_trim(buf_slice(&a->body));
    if (a->status / 100 == 2)
        return PUSH_DONE;
    if (text.len && memchr(text.ptr, '\0', text.len))
        text.len = 0; /* an encoded google.rpc.Status */
    error_set(err, KE_IO, "the OTLP endpoint answered with status %d%s%.*s", a->status,
              text.len ? ": " : "", SLICE_FMT(text));
    return a->status == 429 || (a->status >= 502 && a->status <= 504) ? PUSH_AGAIN : PUSH_FAILED;
}

static enum push_result judge_grpc(const struct http_push_answer *a, struct error *err) {
    struct buf message;
    uint64_t code;
    if (a->status != 200)
        return judge_http(a, err);
    if (!slice_to_u64(slice_cstr(a->grpc_status), &code)) {
        error_set(err, KE_IO, "the OTLP endpoint does not speak gRPC");
        return PUSH_FAILED;
    }
    if (code == 0)
        return PUSH_DONE;
    buf_init(&message, BUF_NO_CAP);
    percent_decode(&message, slice_cstr(a->grpc_message), false);
    error_set(err, KE_IO, "rpc error: code = %llu desc = %s", (unsigned long long)code,
              buf_cstr(&message));
    buf_release(&message);
    return may_pass((int)code) ? PUSH_AGAIN : PUSH_FAILED;
}

static enum push_result send_body(void *arg, void *sender, struct slice body, struct error *err) {
    const struct otel_output *o = arg;
    const struct otel_config *c = &o->config;
    struct http_push_answer answer;
    struct buf framed;
    enum push_result result = PUSH_AGAIN;
    buf_init(&answer.body, HTTP_PUSH_ANSWER_MAX);
    buf_init(&framed, BUF_NO_CAP);
    frame(c, &framed, body);
    if (http_push_post(sender, c->url, buf_slice(&framed), &answer, err) == 0)
        result = c->is_grpc ? judge_grpc(&answer, err) : judge_http(&answer, err);
    if (result == PUSH_DONE)
        tell_partial(c, &answer);
    buf_release(&framed);
    buf_release(&answer.body);
    return result;
}

static void on_failed(void *arg, const struct error *err) {
    const struct otel_config *c = &((struct otel_output *)arg)->config;
    bool is_plain = c->is_grpc ? c->is_grpc_insecure : c->is_http_insecure;
    bool is_tls = !is_plain && err->code == KE_IO && strstr(err->text, "SSL");
    const char *variable =
        c->is_grpc ? "K6_OTEL_GRPC_EXPORTER_INSECURE" : "K6_OTEL_HTTP_EXPORTER_INSECURE";
    char *text = xasprintf("failed to upload metrics%s%s%s",
                           is_tls ? "; if the endpoint has no TLS, set " : "",
                           is_tls ? variable : "", is_tls ? "=true" : "");
    log_fields(LOG_ERROR, slice_cstr(text), LOG_STR("error", err->text),
               LOG_STR("output", "opentelemetry"));
    free(text);
}

/* ---------------------------------------------------------------- exporting */

static void hand_over(void *arg, struct buf *body, uint64_t n_points) {
    push_queue_give(((struct otel_output *)arg)->queue, body, n_points);
}

static void export(struct otel_output *o) {
    otlp_encode(&o->encoder, o->aggregate, clock_mono_to_wall_ns(clock_now_ns()), hand_over, o);
}

static void otel_collect(struct output *base, struct aggregate *a) {
    struct otel_output *o = (struct otel_output *)base;
    o->aggregate = a;
    if (output_is_due(&o->next_export_ns, o->config.export_interval_ns))
        export(o);
}

/* ---------------------------------------------------------------- life */

static int otel_start(struct output *base, struct error *err) {
    struct otel_output *o = (struct otel_output *)base;
    struct push_config config = {.name = base->type->name,
                                 .unit = "data points",
                                 .n_threads = 1, /* a stream's points must come in order */
                                 .arg = o,
                                 .is_hurried = base->is_hurried,
                                 .send = send_body,
                                 .failed = on_failed,
                                 .open = open_sender,
                                 .close = close_sender};
    if (config_check_flush(o->config.flush_interval_ns, err) ||
        config_check_flush(o->config.export_interval_ns, err))
        return KE_CONFIG;
    o->encoder.mapping.start_ns = clock_mono_to_wall_ns(clock_now_ns());
    o->queue = push_queue_new(&config, err);
    o->next_export_ns = clock_now_ns() + o->config.export_interval_ns;
    return o->queue ? 0 : KE_CONFIG;
}

static void otel_finish(struct output *base) {
    struct otel_output *o = (struct otel_output *)base;
    if (o->aggregate)
        export(o);
}

static void otel_stop(struct output *base) {
    struct otel_output *o = (struct otel_output *)base;
    push_queue_free(o->queue);
    o->queue = NULL;
}

static void otel_release(struct output *base) {
    struct otel_output *o = (struct otel_output *)base;
    otel_config_release(&o->config);
    otlp_encoder_release(&o->encoder);
}

static int otel_create(struct output *base, struct slice arg, struct error *err) {
    struct otel_output *o = (struct otel_output *)base;
    (void)arg; /* k6 does not look at it either */
    base->release = otel_release;
    if (otel_config_read(&o->config, base, err))
        return KE_CONFIG;
    struct otlp_mapping mapping = {.prefix = o->config.prefix,
                                   .has_rate_pair = o->config.has_rate_pair,
                                   .has_exponential = o->config.has_exponential,
                                   .resource = buf_slice(&o->config.resource)};
    otlp_encoder_init(&o->encoder, &mapping);
    char *where = otel_config_describe(&o->config);
    base->description = xasprintf("opentelemetry (%s)", where);
    free(where);
    base->wants = OUTPUT_WANTS_SERIES;
    base->start = otel_start;
    base->collect = otel_collect;
    base->finish = otel_finish;
    base->stop = otel_stop;
    return 0;
}

static int experimental_create(struct output *base, struct slice arg, struct error *err) {
    log_printf(LOG_WARN,
               "OpenTelemetry output has been graduated as a stable output.You can now use just "
               "\"opentelemetry\" instead of \"experimental-opentelemetry\". The experimental "
               "version will be removed in future versions.");
    return otel_create(base, arg, err);
}

const struct output_type output_opentelemetry = {
    .name = "opentelemetry", .create = otel_create, .bytes = sizeof(struct otel_output)};
const struct output_type output_experimental_opentelemetry = {.name = "experimental-opentelemetry",
                                                              .create = experimental_create,
                                                              .bytes = sizeof(struct otel_output)};
