/* Options of a client from a script, with the words of xk6-redis, which sends the object through
 * Go's JSON: unknown properties and wrong types are errors, null is as good as nothing. */
#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "js/go_types.h"
#include "js/js_util.h"
#include "js/mod/redis.h"

struct node {
    struct redis_options o;
    bool has_socket;
    char *host;
    int64_t port;
};

static void node_init(struct node *n) {
    *n = (struct node){.host = xstrdup("")};
    redis_options_init(&n->o);
}

static void node_release(struct node *n) {
    redis_options_release(&n->o);
    free(n->host);
}

/* ---------------------------------------------------------------- fields */

enum kind { TEXT, INT, INT64, MILLISECONDS, BOOL, TEXTS, SOCKET, TLS, NODES };

struct field {
    const char *name;
    enum kind kind;
    size_t offset;
};

/* What is being read: a Go struct, its way from the outermost one, and where its fields go. */
struct reader {
    JSContext *ctx;
    struct error *err; /* the first thing that was wrong */
    const char *type, *path;
    void *out;
};

#define AT(field) offsetof(struct node, field)
static const struct field single_fields[] = {
    {"socket", SOCKET, 0},
    {"username", TEXT, AT(o.username)},
    {"password", TEXT, AT(o.password)},
    {"clientName", TEXT, AT(o.client_name)},
    {"database", INT, AT(o.database)},
    {"maxRetries", INT, AT(o.max_retries)},
    {"minRetryBackoff", MILLISECONDS, AT(o.min_retry_backoff_ns)},
    {"maxRetryBackoff", MILLISECONDS, AT(o.max_retry_backoff_ns)},
    /* Of sentinels only. */
    {"masterName", TEXT, AT(o.master_name)},
    {"sentinelUsername", TEXT, AT(o.sentinel_username)},
    {"sentinelPassword", TEXT, AT(o.sentinel_password)},
};
#define N_SINGLE_FIELDS (countof(single_fields) - 3)

static const struct field socket_fields[] = {
    {"host", TEXT, AT(host)},
    {"port", INT, AT(port)},
    {"tls", TLS, 0},
    {"dialTimeout", MILLISECONDS, AT(o.dial_timeout_ns)},
    {"readTimeout", MILLISECONDS, AT(o.read_timeout_ns)},
    {"writeTimeout", MILLISECONDS, AT(o.write_timeout_ns)},
    {"poolSize", INT, AT(o.pool_size)},
    {"minIdleConns", INT, AT(o.min_idle_conns)},
    {"maxConnAge", MILLISECONDS, AT(o.max_age_ns)},
    {"poolTimeout", MILLISECONDS, AT(o.pool_timeout_ns)},
    {"idleTimeout", MILLISECONDS, AT(o.idle_timeout_ns)},
    {"idleCheckFrequency", INT64, SIZE_MAX}, /* go-redis does nothing with it any more */
};

static const struct field tls_fields[] = {
    {"ca", TEXTS, AT(o.ca)},
    {"cert", TEXT, AT(o.cert)},
    {"key", TEXT, AT(o.key)},
};
#undef AT

#define AT(field) offsetof(struct redis_options, field)
static const struct field cluster_fields[] = {
    {"maxRedirects", INT, AT(max_redirects)},
    {"readOnly", BOOL, AT(read_only)},
    {"routeByLatency", BOOL, AT(route_by_latency)},
    {"routeRandomly", BOOL, AT(route_randomly)},
    {"nodes", NODES, 0}, /* read apart */
};
#undef AT

/* ---------------------------------------------------------------- values */

static bool is_null(JSValueConst v) {
    return JS_IsUndefined(v) || JS_IsNull(v);
}

/* JSON's name of a value, as encoding/json has it in its errors. */
static const char *json_kind(JSContext *ctx, JSValueConst v) {
    if (JS_IsString(v))
        return "string";
    if (JS_IsBool(v))
        return "bool";
    if (JS_IsNumber(v))
        return "number";
    return JS_IsArray(ctx, v) > 0 ? "array" : "object";
}

static void wrong(struct reader *r, const char *value, const char *field, const char *type) {
    if (r->err->code == 0)
        error_set(r->err, KE_INVALID,
                  "json: cannot unmarshal %s into Go struct field %s.%s%s of type %s", value,
                  r->type, r->path, field, type);
}

static void wrong_kind(struct reader *r, JSValueConst v, const char *field, const char *type) {
    wrong(r, json_kind(r->ctx, v), field, type);
}

static bool take_text(struct reader *r, JSValueConst v, const char *field, const char *type,
                      char **out) {
    struct js_text text;
    if (!JS_IsString(v)) {
        wrong_kind(r, v, field, type);
        return false;
    }
    if (!js_text_get(r->ctx, v, &text))
        return false;
    free(*out);
    *out = slice_dup(text.s);
    js_text_release(&text);
    return true;
}

static void read_int(struct reader *r, JSValueConst v, const struct field *f, int64_t *out) {
    const char *type = f->kind == INT ? "int" : "int64";
    double d = 0;
    if (!JS_IsNumber(v)) {
        wrong_kind(r, v, f->name, type);
        return;
    }
    JS_ToFloat64(r->ctx, &d, v);
    if (d != floor(d) || fabs(d) >= 9007199254740992.0) {
        char number[32], words[48];
        snprintf(words, sizeof words, "number %s", double_format_json(d, number));
        wrong(r, words, f->name, type);
        return;
    }
    *out = (int64_t)d;
    if (f->kind == MILLISECONDS)
        *out = fabs(d) < 9e12 ? *out * NS_PER_MS : d < 0 ? -1 : INT64_MAX;
}

static void read_texts(struct reader *r, JSValueConst v, const struct field *f, struct node *n) {
    int64_t len = 0;
    if (JS_IsArray(r->ctx, v) <= 0) {
        wrong_kind(r, v, f->name, "[]string");
        return;
    }
    JSValue length = JS_GetPropertyStr(r->ctx, v, "length");
    JS_ToInt64(r->ctx, &len, length);
    JS_FreeValue(r->ctx, length);
    for (int64_t i = 0; i < len && i < 1024; i++) {
        JSValue item = JS_GetPropertyUint32(r->ctx, v, (uint32_t)i);
        char *text = NULL;
        if (take_text(r, item, f->name, "string", &text)) {
            n->o.ca = xrealloc(n->o.ca, (n->o.n_ca + 1) * sizeof *n->o.ca);
            n->o.ca[n->o.n_ca++] = text;
        }
        JS_FreeValue(r->ctx, item);
    }
}

static bool read_object(struct reader *r, JSValueConst v, const struct field *fields, size_t n);

static bool read_inner(struct reader *r, JSValueConst v, const struct field *f) {
    struct node *node = r->out;
    bool is_socket = f->kind == SOCKET;
    char path[64];
    if (!JS_IsObject(v) || JS_IsArray(r->ctx, v) > 0) {
        wrong_kind(r, v, f->name, is_socket ? "redis.socketOptions" : "redis.tlsOptions");
        return true;
    }
    snprintf(path, sizeof path, "%s%s.", r->path, f->name);
    struct reader inner = *r;
    inner.path = path;
    inner.type = is_socket ? "socketOptions" : "tlsOptions";
    if (is_socket)
        node->has_socket = true;
    else
        node->o.has_tls = true;
    return is_socket ? read_object(&inner, v, socket_fields, countof(socket_fields))
                     : read_object(&inner, v, tls_fields, countof(tls_fields));
}

static bool read_field(struct reader *r, JSValueConst v, const struct field *f) {
    char *at = (char *)r->out + (f->offset == SIZE_MAX ? 0 : f->offset);
    int64_t ignored;
    switch (f->kind) {
    case TEXT:
        take_text(r, v, f->name, "string", (char **)(void *)at);
        break;
    case INT:
    case INT64:
    case MILLISECONDS:
        read_int(r, v, f, f->offset == SIZE_MAX ? &ignored : (int64_t *)(void *)at);
        break;
    case BOOL:
        if (JS_IsBool(v))
            *(bool *)at = JS_VALUE_GET_BOOL(v);
        else
            wrong_kind(r, v, f->name, "bool");
        break;
    case TEXTS:
        read_texts(r, v, f, r->out);
        break;
    case SOCKET:
    case TLS:
        return read_inner(r, v, f);
    case NODES:
        break;
    }
    return !JS_HasException(r->ctx);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Reads the properties in the order of their names, as Go writes maps. False with an exception
 * pending; what else is wrong goes to r->err. */
static bool read_object(struct reader *r, JSValueConst v, const struct field *fields, size_t n) {
    JSContext *ctx = r->ctx;
    JSPropertyEnum *props;
    uint32_t len;
    if (JS_GetOwnPropertyNames(ctx, &props, &len, v, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return false;
    const char **names = xcalloc(len + 1, sizeof *names);
    for (uint32_t i = 0; i < len; i++)
        names[i] = JS_AtomToCString(ctx, props[i].atom);
    js_free_names(ctx, props, len);
    qsort(names, len, sizeof *names, by_name);
    bool is_good = true;
    for (uint32_t i = 0; i < len && is_good; i++) {
        size_t k = 0;
        while (k < n && !slice_ieq(slice_cstr(names[i]), slice_cstr(fields[k].name)))
            k++;
        JSValue value = JS_GetPropertyStr(ctx, v, names[i]);
        is_good = !JS_IsException(value);
        if (is_good && k == n) {
            if (r->err->code == 0)
                error_set(r->err, KE_INVALID, "json: unknown field \"%.200s\"", names[i]);
        } else if (is_good && !is_null(value)) {
            is_good = read_field(r, value, &fields[k]);
        }
        JS_FreeValue(ctx, value);
    }
    for (uint32_t i = 0; i < len; i++)
        JS_FreeCString(ctx, names[i]);
    free(names);
    return is_good;
}

/* ---------------------------------------------------------------- forms */

/* Checks a node that was read, and adds it. */
static int add_node(struct redis_options *all, struct node *n, struct error *err) {
    if (!n->has_socket)
        return error_set(err, KE_INVALID, "empty socket options");
    bool has_cert = n->o.has_tls && n->o.cert && *n->o.cert && n->o.key && *n->o.key;
    if (has_cert) {
        struct tls_client_cert cert = {.cert_pem = n->o.cert, .key_pem = n->o.key};
        struct tls_config *tls = tls_config_derive(NULL, &(struct tls_own){.cert = &cert}, err);
        if (!tls)
            return KE_INVALID;
        tls_config_free(tls);
    }
    redis_options_add_address(&n->o, slice_cstr(n->host),
                              n->port > 0 && n->port <= UINT16_MAX ? (uint16_t)n->port : 0);
    return redis_options_merge(all, &n->o, err);
}

static void move_text(char **to, char **from) {
    free(*to);
    *to = *from;
    *from = NULL;
}

/* A single server, or a sentinel. */
static bool read_single(JSContext *ctx, JSValueConst v, bool is_sentinel, struct redis_options *o,
                        struct error *err) {
    struct node n;
    struct reader r = {ctx, err, is_sentinel ? "sentinelOptions" : "singleNodeOptions", "", &n};
    node_init(&n);
    bool is_good =
        read_object(&r, v, single_fields, is_sentinel ? countof(single_fields) : N_SINGLE_FIELDS);
    if (is_good && err->code == 0 && is_sentinel && n.o.master_name && *n.o.master_name) {
        move_text(&o->master_name, &n.o.master_name);
        move_text(&o->sentinel_username, &n.o.sentinel_username);
        move_text(&o->sentinel_password, &n.o.sentinel_password);
    }
    if (is_good && err->code == 0)
        add_node(o, &n, err);
    node_release(&n);
    return is_good;
}

static int add_url(struct redis_options *all, struct slice url, struct error *err) {
    struct redis_options one;
    redis_options_init(&one);
    int rc = redis_options_parse_url(url, &one, err);
    rc = rc ? rc : redis_options_merge(all, &one, err);
    redis_options_release(&one);
    return rc;
}

/* One element of nodes. First all are looked at, then all are added: errors have that order. */
static bool read_node(JSContext *ctx, JSValueConst v, bool is_url, bool is_adding,
                      struct redis_options *o, struct error *err) {
    struct node n;
    bool is_good = true;
    struct reader r = {ctx, err, is_url ? "clusterNodesStringOptions" : "singleNodeOptions",
                       is_url ? "" : "nodes.", &n};
    node_init(&n);
    if (is_url) {
        char *text = NULL;
        if (is_null(v) ? (text = xstrdup("")) != NULL
                       : take_text(&r, v, "nodes", "string", &text)) {
            if (is_adding)
                add_url(o, slice_cstr(text), err);
        }
        free(text);
        is_good = !JS_HasException(ctx);
    } else if (is_null(v) || (JS_IsObject(v) && JS_IsArray(ctx, v) <= 0)) {
        is_good = is_null(v) || read_object(&r, v, single_fields, N_SINGLE_FIELDS);
        if (is_good && is_adding && err->code == 0)
            add_node(o, &n, err);
    } else {
        r.type = "clusterNodesMapOptions";
        r.path = "";
        wrong_kind(&r, v, "nodes", "redis.singleNodeOptions");
    }
    node_release(&n);
    return is_good;
}

#define NODES_MAX 4096

static bool read_nodes(JSContext *ctx, JSValueConst cluster, JSValueConst nodes,
                       struct redis_options *o, struct error *err) {
    JSValue first = JS_GetPropertyUint32(ctx, nodes, 0);
    JSValue length = JS_GetPropertyStr(ctx, nodes, "length");
    int64_t len = 0;
    bool is_url = JS_IsString(first);
    const char *type = go_type_name(ctx, first);
    bool is_object = strcmp(type, "map[string]interface {}") == 0, is_good = true;
    JS_ToInt64(ctx, &len, length);
    JS_FreeValue(ctx, length);
    JS_FreeValue(ctx, first);
    struct reader r = {ctx, err, is_url ? "clusterNodesStringOptions" : "clusterNodesMapOptions",
                       "", o};
    if (len == 0)
        error_set(err, KE_INVALID, "cluster nodes property cannot be empty");
    else if (!is_url && !is_object)
        error_set(err, KE_INVALID,
                  "cluster nodes array must contain string or object elements; got %s", type);
    else if (len > NODES_MAX)
        error_set(err, KE_INVALID, "cluster nodes property has more than %d elements", NODES_MAX);
    else
        is_good = read_object(&r, cluster, cluster_fields, countof(cluster_fields));
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < len && is_good && err->code == 0; i++) {
            JSValue v = JS_GetPropertyUint32(ctx, nodes, (uint32_t)i);
            is_good = read_node(ctx, v, is_url, pass == 1, o, err);
            JS_FreeValue(ctx, v);
        }
    }
    return is_good;
}

static bool read_cluster(JSContext *ctx, JSValueConst v, struct redis_options *o,
                         struct error *err) {
    JSValue nodes = JS_GetPropertyStr(ctx, v, "nodes");
    bool is_good = true;
    o->is_cluster = true;
    if (JS_IsArray(ctx, nodes) > 0)
        is_good = read_nodes(ctx, v, nodes, o, err);
    else
        error_set(err, KE_INVALID, "cluster nodes property must be an array; got %s",
                  go_type_name(ctx, nodes));
    JS_FreeValue(ctx, nodes);
    return is_good;
}

static bool is_map(JSContext *ctx, JSValueConst v) {
    return strcmp(go_type_name(ctx, v), "map[string]interface {}") == 0;
}

static bool read_map(JSContext *ctx, JSValueConst v, struct redis_options *o, struct error *err) {
    JSValue cluster = JS_GetPropertyStr(ctx, v, "cluster");
    bool is_good;
    if (is_map(ctx, cluster)) {
        is_good = read_cluster(ctx, cluster, o, err);
    } else {
        JSAtom atom = JS_NewAtom(ctx, "masterName");
        is_good = read_single(ctx, v, JS_HasProperty(ctx, v, atom) > 0, o, err);
        JS_FreeAtom(ctx, atom);
    }
    JS_FreeValue(ctx, cluster);
    return is_good;
}

bool js_redis_options(JSContext *ctx, JSValueConst v, struct redis_options *o) {
    struct error err = {.code = 0};
    if (JS_IsString(v)) {
        struct js_text text;
        if (!js_text_get(ctx, v, &text))
            return false;
        add_url(o, text.s, &err);
        js_text_release(&text);
    } else if (!is_map(ctx, v)) {
        js_throw_go_error(ctx, "invalid options type: %s; expected string or object",
                          go_type_name(ctx, v));
        return false;
    } else if (!read_map(ctx, v, o, &err)) {
        return false;
    }
    if (err.code == 0)
        return true;
    js_throw_go_error(ctx, "invalid options; reason: %s", err.text);
    return false;
}
