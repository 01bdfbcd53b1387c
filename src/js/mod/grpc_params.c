#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/go_text.h"
#include "grpc/grpc_tls.h"
#include "js/go_print.h"
#include "js/mod/grpc_internal.h"

/* ---------------------------------------------------------------- helpers */

/* prefix + "'%#v'" + suffix */
static char *bad_value(JSContext *ctx, const char *prefix, JSValueConst v, const char *suffix) {
    struct buf b;
    buf_init(&b, 64 * 1024);
    buf_append_str(&b, prefix);
    if (go_print_syntax(&b, ctx, v))
        JS_FreeValue(ctx, JS_GetException(ctx));
    buf_append_str(&b, suffix);
    buf_cstr(&b);
    return buf_detach(&b, NULL);
}

static char *with_name(const char *before, const char *name, const char *after) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, before);
    go_quote(&b, slice_cstr(name));
    buf_append_str(&b, after);
    buf_cstr(&b);
    return buf_detach(&b, NULL);
}

static char *text_of(JSContext *ctx, JSValueConst v) {
    struct js_text text;
    if (!js_text_get(ctx, v, &text)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return xstrdup("");
    }
    char *copy = slice_dup(text.s);
    js_text_release(&text);
    return copy;
}

/* Calls read for each property of an object, as long as it has no complaint. */
struct reader {
    struct vu *vu;
    char *(*read)(void *arg, struct vu *vu, const char *key, JSValueConst v, bool *out_threw);
    void *arg;
};

static char *read_object(const struct reader *r, JSValueConst o, bool *out_threw) {
    JSContext *ctx = r->vu->ctx;
    JSPropertyEnum *props;
    uint32_t n;
    char *complaint = NULL;
    if (JS_GetOwnPropertyNames(ctx, &props, &n, o, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY)) {
        *out_threw = true;
        return NULL;
    }
    for (uint32_t i = 0; i < n && !complaint && !*out_threw; i++) {
        JSValue v = JS_GetProperty(ctx, o, props[i].atom);
        const char *key = JS_AtomToCString(ctx, props[i].atom);
        if (!key || JS_IsException(v))
            *out_threw = true;
        else
            complaint = r->read(r->arg, r->vu, key, v, out_threw);
        JS_FreeCString(ctx, key);
        JS_FreeValue(ctx, v);
    }
    js_free_names(ctx, props, n);
    return complaint;
}

/* ---------------------------------------------------------------- metadata */

static char *read_pair(void *arg, struct vu *vu, const char *key, JSValueConst v, bool *out_threw) {
    struct grpc_metadata *md = arg;
    struct slice name = slice_cstr(key);
    const uint8_t *bytes;
    size_t len;
    struct js_text text;
    if (grpc_name_is_binary(name)) {
        if (!js_bytes(vu->ctx, v, &bytes, &len))
            return with_name("", key, " value must be binary");
        grpc_metadata_add(md, name, slice_from((const char *)bytes, len));
        return NULL;
    }
    if (!JS_IsString(v))
        return with_name("", key, " value must be a string");
    if (!js_text_get(vu->ctx, v, &text)) {
        *out_threw = true;
        return NULL;
    }
    grpc_metadata_add(md, name, text.s);
    js_text_release(&text);
    return NULL;
}

static char *read_metadata(struct grpc_metadata *md, struct vu *vu, JSValueConst v,
                           const char *prefix, bool *out_threw) {
    struct reader r = {vu, read_pair, md};
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return NULL;
    bool is_object = JS_IsObject(v) && !JS_IsArray(vu->ctx, v) && !JS_IsFunction(vu->ctx, v);
    char *why = is_object ? read_object(&r, v, out_threw)
                          : xstrdup("must be an object with key-value pairs");
    char *all = why ? xasprintf("%s%s", prefix, why) : NULL;
    free(why);
    return all;
}

static char *read_timeout(JSContext *ctx, JSValueConst v, int64_t *out_ns, bool *out_threw) {
    struct error err;
    int rc = js_duration(ctx, v, out_ns, &err);
    *out_threw = rc == KE_JS;
    return rc == KE_INVALID ? xasprintf("invalid timeout value: %s", err.text) : NULL;
}

/* ---------------------------------------------------------------- calls */

static char *read_call_param(void *arg, struct vu *vu, const char *key, JSValueConst v,
                             bool *out_threw) {
    struct grpc_params *p = arg;
    if (strcmp(key, "metadata") == 0)
        return read_metadata(&p->metadata, vu, v, "invalid metadata param: ", out_threw);
    if (strcmp(key, "tags") == 0) {
        char *bad;
        int rc = js_tags_add(vu, &p->tags, v, &bad);
        *out_threw = rc == KE_JS;
        char *why = rc == KE_INVALID ? xasprintf("metric tags: %s", bad) : NULL;
        free(bad);
        return why;
    }
    if (strcmp(key, "timeout") == 0)
        return read_timeout(vu->ctx, v, &p->timeout_ns, out_threw);
    if (strcmp(key, "discardResponseMessage") == 0) {
        p->discards_message = JS_ToBool(vu->ctx, v) > 0;
        return NULL;
    }
    return with_name("unknown param: ", key, "");
}

char *grpc_params_read(struct grpc_params *p, struct vu *vu, JSValueConst v, bool *out_threw) {
    struct reader r = {vu, read_call_param, p};
    *p = (struct grpc_params){.tags = vu->tags};
    *out_threw = false;
    return JS_IsObject(v) ? read_object(&r, v, out_threw) : NULL;
}

void grpc_params_release(struct grpc_params *p) {
    grpc_metadata_release(&p->metadata);
}

/* ---------------------------------------------------------------- connect */

static char *read_size(JSContext *ctx, const char *key, JSValueConst v, size_t *out) {
    char prefix[48];
    int64_t n = 0;
    double d = 0;
    snprintf(prefix, sizeof prefix, "invalid %s value: '", key);
    if (JS_IsNumber(v))
        JS_ToFloat64(ctx, &d, v);
    if (!JS_IsNumber(v) || d != (double)(int64_t)d)
        return bad_value(ctx, prefix, v, "', it needs to be an integer");
    n = (int64_t)d;
    if (n < 0)
        return bad_value(ctx, prefix, v, ", it needs to be a positive integer");
    *out = (size_t)n;
    return NULL;
}

#define CACERTS_MAX 256

struct tls_texts {
    char *cert, *key, *password;
    char **cacerts;
    size_t n_cacerts;
};

static void tls_texts_release(struct tls_texts *t) {
    free(t->cert);
    free(t->key);
    free(t->password);
    for (size_t i = 0; i < t->n_cacerts; i++)
        free(t->cacerts[i]);
    free(t->cacerts);
}

static char *read_pem(JSContext *ctx, JSValueConst tls, const char *key, const char *what,
                      char **out) {
    char prefix[48];
    JSValue v = JS_GetPropertyStr(ctx, tls, key);
    char *why = NULL;
    snprintf(prefix, sizeof prefix, "invalid tls %s value: '", key);
    if (JS_IsString(v))
        *out = text_of(ctx, v);
    else if (!JS_IsUndefined(v))
        why = bad_value(ctx, prefix, tls, what);
    JS_FreeValue(ctx, v);
    return why;
}

static char *read_cacerts(JSContext *ctx, JSValueConst tls, struct tls_texts *t) {
    JSValue v = JS_GetPropertyStr(ctx, tls, "cacerts");
    bool is_array = JS_IsArray(ctx, v) > 0, is_good = is_array || JS_IsString(v);
    t->cacerts = is_good ? xcalloc(CACERTS_MAX, sizeof *t->cacerts) : NULL;
    for (uint32_t i = 0; is_good && i < CACERTS_MAX && (is_array || i == 0); i++) {
        JSValue item = is_array ? JS_GetPropertyUint32(ctx, v, i) : JS_DupValue(ctx, v);
        bool is_end = JS_IsUndefined(item);
        is_good = is_end || JS_IsString(item);
        if (is_good && !is_end)
            t->cacerts[t->n_cacerts++] = text_of(ctx, item);
        JS_FreeValue(ctx, item);
        if (is_end)
            break;
    }
    char *why = is_good || JS_IsUndefined(v)
                    ? NULL
                    : bad_value(ctx, "invalid tls cacerts value: '", tls,
                                "', it needs to be a string or an array of PEM formatted strings");
    JS_FreeValue(ctx, v);
    return why;
}

static char *read_tls(struct vu *vu, JSValueConst v, struct tls_texts *t) {
    JSContext *ctx = vu->ctx;
    static const char pem[] = "', it needs to be a PEM formatted string";
    if (!JS_IsObject(v) || JS_IsArray(ctx, v) || JS_IsFunction(ctx, v))
        return bad_value(ctx, "invalid tls value: '", v,
                         "', expected (optional) keys: cert, key, password, and cacerts");
    char *why = read_pem(ctx, v, "cert", pem, &t->cert);
    if (!why)
        why = read_pem(ctx, v, "key", pem, &t->key);
    if (!why)
        why = read_pem(ctx, v, "password", "', it needs to be a string", &t->password);
    return why ? why : read_cacerts(ctx, v, t);
}

struct connect_reading {
    struct grpc_connect_params *p;
    struct tls_texts tls;
    bool has_tls;
};

static char *read_connect_param(void *arg, struct vu *vu, const char *key, JSValueConst v,
                                bool *out_threw) {
    struct connect_reading *c = arg;
    struct grpc_connect_params *p = c->p;
    JSContext *ctx = vu->ctx;
    if (strcmp(key, "plaintext") == 0 || strcmp(key, "reflect") == 0) {
        bool is_plaintext = key[0] == 'p';
        if (!JS_IsBool(v))
            return bad_value(
                ctx, is_plaintext ? "invalid plaintext value: '" : "invalid reflect value: '", v,
                "', it needs to be boolean");
        *(is_plaintext ? &p->is_plaintext : &p->uses_reflection) = JS_ToBool(ctx, v) > 0;
        return NULL;
    }
    if (strcmp(key, "timeout") == 0)
        return read_timeout(ctx, v, &p->timeout_ns, out_threw);
    if (strcmp(key, "reflectMetadata") == 0)
        return read_metadata(&p->reflect_metadata, vu, v,
                             "invalid reflectMetadata param: ", out_threw);
    if (strcmp(key, "maxReceiveSize") == 0)
        return read_size(ctx, key, v, &p->max_receive_bytes);
    if (strcmp(key, "maxSendSize") == 0)
        return read_size(ctx, key, v, &p->max_send_bytes);
    if (strcmp(key, "tls") == 0) {
        tls_texts_release(&c->tls);
        c->tls = (struct tls_texts){0};
        char *why = read_tls(vu, v, &c->tls);
        c->has_tls = c->tls.cert || c->tls.key || c->tls.password || c->tls.cacerts;
        return why;
    }
    if (strcmp(key, "authority") == 0) {
        if (!JS_IsString(v))
            return bad_value(ctx, "invalid authority value: '", v, "', it needs to be a string");
        free(p->authority);
        p->authority = text_of(ctx, v);
        return NULL;
    }
    return with_name("unknown connect param: ", key, "");
}

char *grpc_connect_params_read(struct grpc_connect_params *p, struct vu *vu, JSValueConst v,
                               bool *out_threw) {
    struct connect_reading c = {.p = p};
    struct reader r = {vu, read_connect_param, &c};
    struct error err;
    *p = (struct grpc_connect_params){.timeout_ns = 60 * NS_PER_S};
    *out_threw = false;
    char *why = JS_IsObject(v) ? read_object(&r, v, out_threw) : NULL;
    if (why) {
        char *all = xasprintf("invalid grpc.connect() parameters: %s", why);
        free(why);
        why = all;
    } else if (!*out_threw && !p->is_plaintext) {
        p->tls = vu->config->http.tls;
        struct grpc_tls_own own = {c.tls.cert, c.tls.key, c.tls.password,
                                   (const char *const *)c.tls.cacerts, c.tls.n_cacerts};
        if (c.has_tls)
            p->tls = grpc_tls_config(p->tls, &own, &err);
        if (!p->tls)
            why = xstrdup(err.text);
    }
    tls_texts_release(&c.tls);
    return why;
}

void grpc_connect_params_release(struct grpc_connect_params *p) {
    grpc_metadata_release(&p->reflect_metadata);
    free(p->authority);
}
