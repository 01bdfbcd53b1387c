#include "js/mod/http_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "http/http_debug.h"
#include "js/vu_tags.h"

enum verdict { VERDICT_NONE, VERDICT_EXPECTED, VERDICT_UNEXPECTED };

static const char *proto_text(const struct http_response *r) {
    if (r->proto_major == 2)
        return "HTTP/2.0";
    if (r->proto_major == 1)
        return r->proto_minor ? "HTTP/1.1" : "HTTP/1.0";
    return "";
}

/* base plus the request's own tags, as far as they are on. Empty values are left out, as k6 does.
 */
static const struct tagset *hop_tags(const struct http_call *call, const struct http_request *req,
                                     const struct url *url, const struct http_response *r,
                                     enum verdict verdict) {
    struct tag_table *table = shard_tags(call->vu->shard);
    uint32_t on = call->vu->config->system_tags;
    char status[16], code[16];
    struct slice name = call->name ? slice_cstr(call->name) : slice_from(NULL, 0);
    char *masked = NULL;
    if (!name.ptr) {
        if (url == &call->url->url) {
            name = slice_from(call->url->tag_text, call->url->tag_len);
        } else {
            masked = url->has_user ? url_masked(url) : NULL;
            name = masked ? slice_cstr(masked) : slice_from(url->text, url->text_len);
        }
    }
    struct tag add[12];
    size_t n = 0;
#define ADD(bit, key_, value_)                                        \
    do {                                                              \
        struct slice v_ = (value_);                                   \
        if ((on & (bit)) && v_.len)                                   \
            add[n++] = (struct tag){.key = SLICE(key_), .value = v_}; \
    } while (0)
    ADD(TAG_METHOD, "method", r->method.len ? r->method : req->method);
    ADD(TAG_URL, "url", name);
    ADD(TAG_NAME, "name", name);
    snprintf(status, sizeof status, "%d", r->status);
    ADD(TAG_STATUS, "status", slice_cstr(status));
    ADD(TAG_PROTO, "proto", slice_cstr(proto_text(r)));
    ADD(TAG_TLS_VERSION, "tls_version", slice_cstr(r->tls ? r->tls->version : ""));
    ADD(TAG_OCSP_STATUS, "ocsp_status", slice_cstr(r->ocsp ? r->ocsp->status : ""));
    if (r->error.code)
        ADD(TAG_ERROR, "error", slice_cstr(r->error.text));
    if (r->error_code) {
        snprintf(code, sizeof code, "%d", r->error_code);
        ADD(TAG_ERROR_CODE, "error_code", slice_cstr(code));
    }
    if (verdict != VERDICT_NONE)
        ADD(TAG_EXPECTED_RESPONSE, "expected_response",
            verdict == VERDICT_EXPECTED ? SLICE("true") : SLICE("false"));
    if (on & TAG_IP)
        ADD(TAG_IP, "ip", slice_cstr(r->remote_ip));
#undef ADD
    const struct tagset *t = tagset_with_all(table, call->tags, add, n);
    free(masked);
    return t;
}

/* The usual request repeats URL, method, status and tags of an earlier one: its series are
 * remembered beside the URL. Anything out of the ordinary (errors, names, the ip tag, redirect
 * hops) takes the slow way. */
static struct http_series *hop_series(const struct http_call *call, const struct http_request *req,
                                      const struct url *url, const struct http_response *r,
                                      enum verdict verdict) {
    struct http_url_entry *e = call->url;
    struct shard *shard = call->vu->shard;
    bool memoizable = url == &e->url && !call->name && !r->error.code && !r->error_code &&
                      !(call->vu->config->system_tags & (TAG_IP | TAG_OCSP_STATUS));
    const char *tls_version = r->tls ? r->tls->version : NULL;
    uint8_t proto = (uint8_t)(r->proto_major << 4 | r->proto_minor);
    if (likely(memoizable)) {
        for (size_t i = 0; i < countof(e->memo); i++) {
            struct http_series_memo *m = &e->memo[i];
            if (m->base == call->tags && m->shard == shard && m->status == r->status &&
                m->proto == proto && m->verdict == verdict && m->tls_version == tls_version &&
                m->method_len == req->method.len &&
                memcmp(m->method, req->method.ptr, m->method_len) == 0)
                return m->series;
        }
    }
    const struct tagset *tags = hop_tags(call, req, url, r, verdict);
    struct http_series *series = shard_http_series(shard, tags, verdict != VERDICT_NONE);
    if (memoizable) {
        struct slice method = tagset_get(tags, SLICE("method"));
        if (method.ptr) {
            e->memo[e->next_memo++ % countof(e->memo)] = (struct http_series_memo){
                .base = call->tags,
                .shard = shard,
                .method = method.ptr,
                .method_len = method.len,
                .tls_version = tls_version,
                .series = series,
                .status = (int16_t)r->status,
                .proto = proto,
                .verdict = (uint8_t)verdict,
            };
        }
    }
    return series;
}

/* Challenges are part of the deal: k6 expects a 401 of the first answer to digest, and does not
 * mind one with NTLM. */
static enum verdict hop_verdict(const struct http_call *call, const struct http_request *req,
                                const struct http_response *hop, bool is_first) {
    if (!call->has_verdict)
        return VERDICT_NONE;
    bool is_expected =
        hop->status && !hop->error.code && http_status_is_expected(call->expected, hop->status);
    if (is_first && req->auth == HTTP_AUTH_DIGEST)
        is_expected = hop->status == 401;
    else if (is_first && req->auth == HTTP_AUTH_NTLM && hop->status == 401)
        is_expected = true;
    return is_expected ? VERDICT_EXPECTED : VERDICT_UNEXPECTED;
}

#define DEBUG_FIELDS_MAX 64

/* --http-debug: the record carries the VU, the iteration and the request's tags. */
static void log_hop(const struct http_call *call, const struct http_request *req,
                    const struct http_response *hop) {
    const struct vu *vu = call->vu;
    struct log_field fields[DEBUG_FIELDS_MAX];
    char vu_id[24], iteration[24], keys[DEBUG_FIELDS_MAX][64];
    size_t n = 0;
    bool is_full = strcmp(vu->config->http_debug, "full") == 0;
    if (compat_is_v051()) {
        http_debug_log(req, hop, is_full, NULL, 0);
        return;
    }
    snprintf(vu_id, sizeof vu_id, "%lld", (long long)vu->id_global);
    snprintf(iteration, sizeof iteration, "%lld", (long long)vu->iteration);
    fields[n++] = LOG_STR("source", "http-debug");
    fields[n++] = LOG_STR("vu", vu_id);
    fields[n++] = LOG_STR("iter", iteration);
    for (uint32_t i = 0; call->tags && i < call->tags->len && n < DEBUG_FIELDS_MAX; i++) {
        const struct tag *t = &call->tags->tags[i];
        snprintf(keys[n], sizeof keys[n], "%.*s", SLICE_FMT(t->key));
        fields[n] = LOG_SLICE(keys[n], t->value);
        n++;
    }
    http_debug_log(req, hop, is_full, fields, n);
}

void http_record(void *arg, const struct http_request *req, const struct url *url,
                 struct http_response *hop) {
    struct http_call *call = arg;
    struct vu *vu = call->vu;
    bool is_first = call->n_hops++ == 0;
    if (is_first && unlikely((hop->status >= 300 && hop->status < 400) || hop->status == 401))
        call->first_head = slice_dup(hop->request_head);
    if (unlikely(vu->config->http_debug != NULL))
        log_hop(call, req, hop);
    if (!vu->shard)
        return;
    enum verdict verdict = hop_verdict(call, req, hop, is_first);
    struct http_series *s = hop_series(call, req, url, hop, verdict);
    const struct http_timings *t = &hop->timings;
    const double ms = 1e-6;
    const struct http_sample sample = {
        .duration = (double)(t->sending + t->waiting + t->receiving) * ms,
        .blocked = (double)t->blocked * ms,
        .connecting = (double)t->connecting * ms,
        .tls = (double)t->tls_handshaking * ms,
        .sending = (double)t->sending * ms,
        .waiting = (double)t->waiting * ms,
        .receiving = (double)t->receiving * ms,
        .is_failed = verdict == VERDICT_UNEXPECTED,
    };
    struct sample_meta meta_room;
    const struct sample_meta *meta = vu_sample_meta_with(vu, call->metadata, &meta_room);
    http_series_add(s, &sample, t->end_mono, meta);
    if (unlikely(vu->config->http_corrected != NULL) && vu->current.late_ns >= 0)
        series_add_with(shard_series(vu->shard, vu->config->http_corrected, s->tags),
                        sample.duration + (double)vu->current.late_ns * ms, t->end_mono, meta);
}
