/* --out influxdb: InfluxDB 1's line protocol over HTTP or UDP. With K6_INFLUXDB_TOKEN it speaks the
 * API of InfluxDB 2 and 3 (which k6 needs an extension for): same lines, other address. */
#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/percent.h"
#include "output/http_push.h"
#include "output/line_protocol.h"
#include "output/output_config.h"
#include "output/push_queue.h"
#include "output/udp.h"

/* Lines are cut into requests of this size: beyond it a server may refuse them. */
#define BODY_BYTES ((size_t)4 << 20)
#define HTTP_TIMEOUT_NS (30 * NS_PER_S)
#define THREADS_MAX 64
#define UDP_PAYLOAD 512

struct influxdb_output {
    struct output base;
    char *addr, *proxy, *username, *password, *db, *precision, *retention, *consistency;
    char *token, *organization, *bucket; /* InfluxDB 2 */
    bool is_insecure;
    int64_t payload_size, concurrent_writes;
    struct line_fields fields;
    struct line_writer lines;
    struct buf body;
    uint64_t n_in_body;
    char *write_url;
    struct push_queue *queue; /* over HTTP */
    int udp;                  /* over UDP, -1 = none */
    bool is_value_told, is_udp_told;
};

/* ---------------------------------------------------------------- configuration */

static void set(char **at, struct slice s) {
    free(*at);
    *at = slice_dup(s);
}

static int set_fields(struct influxdb_output *o, struct slice list, struct error *err) {
    line_fields_release(&o->fields);
    while (list.ptr) {
        struct slice item = slice_cut(&list, ',');
        if (line_fields_add(&o->fields, item, err))
            return KE_CONFIG;
    }
    return 0;
}

static int read_environment(struct influxdb_output *o, struct error *err) {
    const struct output *base = &o->base;
    const char *fields = output_getenv(base, "K6_INFLUXDB_TAGS_AS_FIELDS");
    int64_t payload = 0;
#define V(name, field) (&(struct output_variable){base, "K6_INFLUXDB_" name, field, NULL})
    variable_string(V("ADDR", "Addr"), &o->addr);
    variable_string(V("PROXY", "Proxy"), &o->proxy);
    variable_string(V("USERNAME", "Username"), &o->username);
    variable_string(V("PASSWORD", "Password"), &o->password);
    variable_string(V("DB", "DB"), &o->db);
    variable_string(V("PRECISION", "Precision"), &o->precision);
    variable_string(V("RETENTION", "Retention"), &o->retention);
    variable_string(V("CONSISTENCY", "Consistency"), &o->consistency);
    variable_string(V("TOKEN", "Token"), &o->token);
    variable_string(V("ORGANIZATION", "Organization"), &o->organization);
    variable_string(V("BUCKET", "Bucket"), &o->bucket);
    if (variable_bool(V("INSECURE", "Insecure"), &o->is_insecure, err) ||
        variable_int(V("PAYLOAD_SIZE", "PayloadSize"), &payload, err) ||
        variable_duration(V("PUSH_INTERVAL", "PushInterval"), &o->base.flush_ns, err) ||
        variable_int(V("CONCURRENT_WRITES", "ConcurrentWrites"), &o->concurrent_writes, err))
        return KE_CONFIG;
#undef V
    if (payload > 0)
        o->payload_size = payload;
    return fields && fields[0] ? set_fields(o, slice_cstr(fields), err) : 0;
}

static int bad_int(struct slice value, struct error *err) {
    return error_set(err, KE_CONFIG, "strconv.Atoi: parsing \"%.*s\": invalid syntax",
                     SLICE_FMT(value));
}

static int read_query_pair(struct influxdb_output *o, struct slice key, struct slice value,
                           bool *has_fields, struct error *err) {
    int64_t n;
    if (slice_eq(key, SLICE("insecure"))) {
        if (!slice_eq(value, SLICE("")) && !slice_eq(value, SLICE("true")) &&
            !slice_eq(value, SLICE("false")))
            return error_set(err, KE_CONFIG, "insecure must be true or false, not %.*s",
                             SLICE_FMT(value));
        o->is_insecure = value.len ? slice_eq(value, SLICE("true")) : o->is_insecure;
    } else if (slice_eq(key, SLICE("payload_size"))) {
        if (!parse_int_go(value, &n))
            return bad_int(value, err);
        o->payload_size = n > 0 ? n : o->payload_size;
    } else if (slice_eq(key, SLICE("precision"))) {
        set(&o->precision, value);
    } else if (slice_eq(key, SLICE("retention"))) {
        set(&o->retention, value);
    } else if (slice_eq(key, SLICE("consistency"))) {
        set(&o->consistency, value);
    } else if (slice_eq(key, SLICE("pushInterval"))) {
        return value.len ? config_duration(value, &o->base.flush_ns, err) : 0;
    } else if (slice_eq(key, SLICE("concurrentWrites"))) {
        if (!parse_int_go(value, &o->concurrent_writes))
            return bad_int(value, err);
    } else if (slice_eq(key, SLICE("tagsAsFields"))) {
        if (!*has_fields)
            line_fields_release(&o->fields);
        *has_fields = true;
        return line_fields_add(&o->fields, value, err);
    } else {
        return error_set(err, KE_CONFIG, "unknown query parameter: %.*s", SLICE_FMT(key));
    }
    return 0;
}

static int read_query(struct influxdb_output *o, struct slice query, struct error *err) {
    bool has_fields = false;
    int rc = 0;
    while (query.ptr && rc == 0) {
        struct slice raw_value = slice_cut(&query, '&'), raw_key = slice_cut(&raw_value, '=');
        struct buf key, value;
        if (raw_key.len == 0)
            continue;
        buf_init(&key, BUF_NO_CAP);
        buf_init(&value, BUF_NO_CAP);
        percent_decode(&key, raw_key, true);
        percent_decode(&value, raw_value, true);
        buf_cstr(&key);
        buf_cstr(&value);
        rc = read_query_pair(o, buf_slice(&key), buf_slice(&value), &has_fields, err);
        buf_release(&key);
        buf_release(&value);
    }
    return rc;
}

/* The last part of the path is the database; what is before it belongs to the address, as behind a
 * proxy that goes by paths. Without a host, all of it is the database. */
static void read_path(struct influxdb_output *o, const struct output_url *u) {
    const char *slash = strrchr(u->path, '/');
    const char *db = slash ? slash + 1 : u->path;
    if (u->base) {
        int prefix_len = slash ? (int)(slash - u->path) : 0;
        free(o->addr);
        o->addr = xasprintf("%s%.*s", u->base, prefix_len, u->path);
    } else {
        db = u->path + (u->path[0] == '/');
    }
    if (db[0])
        set(&o->db, slice_cstr(db));
}

static int read_argument(struct influxdb_output *o, struct slice arg, struct error *err) {
    struct output_url u;
    if (arg.len == 0)
        return 0;
    int rc = output_url_parse(arg, &u, err);
    if (rc == 0) {
        read_path(o, &u);
        if (u.username) {
            set(&o->username, slice_cstr(u.username));
            set(&o->password, slice_cstr(u.password));
        }
        rc = read_query(o, u.query, err);
    }
    output_url_release(&u);
    return rc;
}

/* InfluxDB's names for the units of time. 0 = no such unit. */
static int64_t unit_of(const char *precision) {
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ns", 1},         {"n", 1},        {"us", NS_PER_US},    {"u", NS_PER_US},
                 {"ms", NS_PER_MS}, {"s", NS_PER_S}, {"m", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S}};
    for (size_t i = 0; i < countof(units); i++)
        if (strcmp(precision, units[i].name) == 0)
            return units[i].ns;
    return 0;
}

static int configure(struct influxdb_output *o, struct slice arg, struct error *err) {
    o->addr = xstrdup("http://localhost:8086");
    o->db = xstrdup("k6");
    o->precision = xstrdup("ns");
    o->base.flush_ns = NS_PER_S;
    o->concurrent_writes = 4;
    o->payload_size = UDP_PAYLOAD;
    if (set_fields(o, SLICE("vu,iter,url"), err) || read_environment(o, err) ||
        read_argument(o, arg, err))
        return KE_CONFIG;
    if (!o->precision[0])
        set(&o->precision, SLICE("ns"));
    if (o->concurrent_writes <= 0)
        return error_set(err, KE_CONFIG, "influxdb's ConcurrentWrites must be a positive number");
    if (o->concurrent_writes > THREADS_MAX)
        o->concurrent_writes = THREADS_MAX;
    if (!unit_of(o->precision))
        return error_set(err, KE_CONFIG, "time: unknown unit \"%s\" in duration \"1%s\"",
                         o->precision, o->precision);
    return 0;
}

/* ---------------------------------------------------------------- HTTP */

static void put_query(struct buf *url, char separator, const char *key, const char *value) {
    buf_append_char(url, separator);
    buf_append_str(url, key);
    buf_append_char(url, '=');
    query_escape(url, slice_cstr(value ? value : ""));
}

static char *make_write_url(const struct influxdb_output *o) {
    struct buf url;
    buf_init(&url, BUF_NO_CAP);
    buf_append_str(&url, o->addr);
    if (o->token) {
        buf_append_str(&url, "/api/v2/write");
        put_query(&url, '?', "org", o->organization);
        put_query(&url, '&', "bucket", o->bucket ? o->bucket : o->db);
        put_query(&url, '&', "precision", o->precision);
    } else {
        buf_append_str(&url, "/write");
        put_query(&url, '?', "consistency", o->consistency);
        put_query(&url, '&', "db", o->db);
        put_query(&url, '&', "precision", o->precision);
        put_query(&url, '&', "rp", o->retention);
    }
    return buf_detach(&url, NULL);
}

static void *open_sender(void *arg, struct error *err) {
    const struct influxdb_output *o = arg;
    struct http_push_config config = {.user_agent = "kiln",
                                      .timeout_ns = HTTP_TIMEOUT_NS,
                                      .username = o->token ? NULL : o->username,
                                      .password = o->password,
                                      .proxy = o->proxy,
                                      .is_insecure = o->is_insecure};
    struct http_push *h = http_push_new(&config, err);
    if (!h)
        return NULL;
    http_push_header(h, "Content-Type: text/plain; charset=utf-8");
    if (o->token) {
        char *line = xasprintf("Authorization: Token %s", o->token);
        http_push_header(h, line);
        free(line);
    }
    return h;
}

static void close_sender(void *arg, void *sender) {
    (void)arg;
    http_push_free(sender);
}

static enum push_result send_body(void *arg, void *sender, struct slice body, struct error *err) {
    const struct influxdb_output *o = arg;
    struct http_push_answer answer;
    enum push_result result = PUSH_DONE;
    buf_init(&answer.body, HTTP_PUSH_ANSWER_MAX);
    if (http_push_post(sender, o->write_url, body, &answer, err)) {
        result = PUSH_AGAIN;
    } else if (answer.status / 100 != 2) {
        struct slice text = slice_trim(buf_slice(&answer.body));
        result = answer.status == 429 || answer.status >= 500 ? PUSH_AGAIN : PUSH_FAILED;
        if (text.len)
            error_set(err, KE_IO, "%.*s", SLICE_FMT(text));
        else
            error_set(err, KE_IO, "unexpected status %d of InfluxDB", answer.status);
    }
    buf_release(&answer.body);
    return result;
}

static void on_failed(void *arg, const struct error *err) {
    const struct influxdb_output *o = arg;
    bool is_v2 = !o->token && strstr(err->text, "unauthorized access");
    log_fields(LOG_ERROR,
               is_v2 ? SLICE("Couldn't write stats: for InfluxDB 2 set K6_INFLUXDB_TOKEN, "
                             "K6_INFLUXDB_ORGANIZATION and K6_INFLUXDB_BUCKET")
                     : SLICE("Couldn't write stats"),
               LOG_STR("error", err->text), LOG_STR("output", "InfluxDBv1"));
}

static void on_sent(void *arg, int64_t took_ns) {
    const struct influxdb_output *o = arg;
    char text[DURATION_TEXT_MAX];
    if (took_ns <= o->base.flush_ns)
        return;
    log_fields(LOG_WARN,
               SLICE("The flush operation took higher than the expected set push interval. If you "
                     "see this message multiple times then the setup or configuration need to be "
                     "adjusted to achieve a sustainable rate."),
               LOG_STR("output", "InfluxDBv1"), LOG_STR("t", duration_format(took_ns, text)));
}

/* A failure is usually harmless: no right to do so, and the database is there. */
static void create_database(struct influxdb_output *o, struct http_push *h) {
    struct http_push_answer answer;
    struct error reason = {0};
    struct buf url, query;
    buf_init(&url, BUF_NO_CAP);
    buf_init(&query, BUF_NO_CAP);
    buf_init(&answer.body, HTTP_PUSH_ANSWER_MAX);
    buf_printf(&query, "CREATE DATABASE %s", o->db);
    buf_append_str(&url, o->addr);
    buf_append_str(&url, "/query");
    put_query(&url, '?', "db", "");
    put_query(&url, '&', "q", buf_cstr(&query));
    if (http_push_post(h, buf_cstr(&url), SLICE(""), &answer, &reason) == 0 &&
        answer.status / 100 != 2)
        error_set(&reason, KE_IO, "status %d", answer.status);
    if (reason.code)
        log_fields(LOG_DEBUG, SLICE("Couldn't create database; most likely harmless"),
                   LOG_STR("error", reason.text), LOG_STR("output", "InfluxDBv1"));
    buf_release(&url);
    buf_release(&query);
    buf_release(&answer.body);
}

/* ---------------------------------------------------------------- lines */

static void send_datagrams(struct influxdb_output *o) {
    size_t limit = (size_t)o->payload_size;
    if (udp_send_lines(o->udp, buf_slice(&o->body), limit) == 0 || o->is_udp_told)
        return;
    o->is_udp_told = true;
    log_fields(LOG_ERROR, SLICE("Couldn't write stats"), LOG_STR("error", strerror(errno)),
               LOG_STR("output", "InfluxDBv1"));
}

static void hand_over(struct influxdb_output *o) {
    if (o->body.len == 0)
        return;
    if (o->udp >= 0)
        send_datagrams(o);
    else
        push_queue_give(o->queue, &o->body, o->n_in_body);
    buf_reset(&o->body);
    o->n_in_body = 0;
}

static void influxdb_consume(struct output *base, const struct raw_chunk *chunk) {
    struct influxdb_output *o = (struct influxdb_output *)base;
    for (uint32_t i = 0; i < chunk->len; i++) {
        bool is_written = line_write(&o->lines, &o->body, &chunk->samples[i]);
        o->n_in_body += is_written;
        if (!is_written && !o->is_value_told) {
            o->is_value_told = true;
            log_fields(LOG_WARN,
                       SLICE("InfluxDB has no NaN and no infinity: such samples are left out"),
                       LOG_STR("metric", chunk->samples[i].series->metric->name),
                       LOG_STR("output", "InfluxDBv1"));
        }
        if (o->body.len >= BODY_BYTES)
            hand_over(o);
    }
}

static void influxdb_flush(struct output *base) {
    hand_over((struct influxdb_output *)base);
}

/* ---------------------------------------------------------------- life */

static int influxdb_start(struct output *base, struct error *err) {
    struct influxdb_output *o = (struct influxdb_output *)base;
    struct push_config config = {.name = "influxdb",
                                 .unit = "samples",
                                 .n_threads = (int)o->concurrent_writes,
                                 .arg = o,
                                 .is_hurried = base->is_hurried,
                                 .send = send_body,
                                 .failed = on_failed,
                                 .sent = on_sent,
                                 .open = open_sender,
                                 .close = close_sender};
    if (config_check_flush(base->flush_ns, err))
        return KE_CONFIG;
    if (slice_starts(slice_cstr(o->addr), SLICE("udp://"))) {
        o->udp = udp_open(slice_cstr(o->addr + sizeof "udp://" - 1), "8089", err);
        return o->udp >= 0 ? 0 : KE_IO;
    }
    o->write_url = make_write_url(o);
    if (!o->token) {
        struct http_push *h = open_sender(o, err);
        if (!h)
            return KE_CONFIG;
        create_database(o, h);
        http_push_free(h);
    }
    o->queue = push_queue_new(&config, err);
    return o->queue ? 0 : KE_CONFIG;
}

static void influxdb_stop(struct output *base) {
    struct influxdb_output *o = (struct influxdb_output *)base;
    push_queue_free(o->queue);
    o->queue = NULL;
    udp_close(o->udp);
    o->udp = -1;
}

static void influxdb_release(struct output *base) {
    struct influxdb_output *o = (struct influxdb_output *)base;
    char *texts[] = {o->addr,         o->proxy,     o->username,  o->password,
                     o->db,           o->precision, o->retention, o->token,
                     o->organization, o->bucket,    o->write_url, o->consistency};
    for (size_t i = 0; i < countof(texts); i++)
        free(texts[i]);
    line_fields_release(&o->fields);
    line_writer_release(&o->lines);
    buf_release(&o->body);
}

static int influxdb_create(struct output *base, struct slice arg, struct error *err) {
    struct influxdb_output *o = (struct influxdb_output *)base;
    o->udp = -1;
    buf_init(&o->body, BUF_NO_CAP);
    line_writer_init(&o->lines, &o->fields, 1);
    base->release = influxdb_release;
    if (configure(o, arg, err))
        return KE_CONFIG;
    o->lines.unit_ns = unit_of(o->precision);
    base->description = xasprintf("InfluxDBv%d (%s)", o->token ? 2 : 1, o->addr);
    base->wants = OUTPUT_WANTS_RAW;
    base->start = influxdb_start;
    base->consume = influxdb_consume;
    base->flush = influxdb_flush;
    base->stop = influxdb_stop;
    return 0;
}

const struct output_type output_influxdb = {
    .name = "influxdb", .create = influxdb_create, .bytes = sizeof(struct influxdb_output)};
