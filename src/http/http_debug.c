#include "http/http_debug.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/random.h"
#include "base/vec.h"
#include "http/http_internal.h"

/* Text with "\r\n" turned into "\n". */
static void append_text(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '\r' || i + 1 == s.len || s.ptr[i + 1] != '\n')
            buf_append_char(out, s.ptr[i]);
    }
}

static void append_body(struct buf *out, struct slice body, bool is_chunked) {
    if (!is_chunked) {
        append_text(out, body);
        return;
    }
    if (body.len) {
        buf_printf(out, "%zx\n", body.len);
        append_text(out, body);
        buf_append_char(out, '\n');
    }
    buf_append_str(out, "0\n\n");
}

static void append_request_body(struct buf *out, const struct http_request *req, bool is_chunked) {
    struct buf room;
    struct slice body = http_body_join(req, &room);
    append_body(out, req->has_body ? body : SLICE(""), is_chunked);
    buf_release(&room);
}

void http_debug_dump_request(struct buf *out, const struct http_request *req,
                             const struct http_response *hop, bool is_full) {
    struct slice head = hop->request_head;
    if (head.len < 2)
        return;
    append_text(out, slice_from(head.ptr, head.len - 2));
    /* Go dumps through a transport of its own, which would ask for gzip: k6 shows that although it
     * does not send it. */
    if (!http_header_find(head, SLICE("accept-encoding")).ptr &&
        !http_header_find(head, SLICE("range")).ptr && !slice_starts(head, SLICE("HEAD ")))
        buf_append_str(out, "Accept-Encoding: gzip\n");
    buf_append_char(out, '\n');
    bool is_chunked = http_header_find(head, SLICE("transfer-encoding")).ptr != NULL;
    if (is_full && (is_chunked || http_header_find(head, SLICE("content-length")).len))
        append_request_body(out, req, is_chunked);
}

struct field {
    char *name;
    struct slice value;
};

/* Fields in Go's order: what frames the body, then the rest by name (those of one name as they
 * came). */
static void dump_fields(struct buf *out, const struct http_response *r) {
    VEC(struct field) fields = {0};
    struct http_header h;
    bool has_length = false;
    for (size_t pos = 0; http_response_next_header(r, &pos, &h);) {
        char *name = slice_dup(h.name);
        http_canonical_name(name, h.name.len);
        if (strcmp(name, "Content-Length") == 0) {
            buf_printf(out, "Content-Length: %.*s\n", SLICE_FMT(h.value));
            has_length = true;
            free(name);
            continue;
        }
        vec_push(&fields, (struct field){name, h.value});
    }
    if (r->is_chunked)
        buf_append_str(out, "Transfer-Encoding: chunked\n");
    if (r->is_closing || (!has_length && !r->is_chunked && r->body_bytes))
        buf_append_str(out, "Connection: close\n");
    /* Insertion sort: qsort is not stable. */
    for (size_t i = 1; i < fields.len; i++) {
        struct field f = fields.ptr[i];
        size_t at = i;
        for (; at > 0 && strcmp(f.name, fields.ptr[at - 1].name) < 0; at--)
            fields.ptr[at] = fields.ptr[at - 1];
        fields.ptr[at] = f;
    }
    for (size_t i = 0; i < fields.len; i++) {
        buf_printf(out, "%s: %.*s\n", fields.ptr[i].name, SLICE_FMT(fields.ptr[i].value));
        free(fields.ptr[i].name);
    }
    vec_release(&fields);
}

void http_debug_dump_response(struct buf *out, const struct http_response *hop, bool is_full) {
    buf_printf(out, "HTTP/%d.%d %.*s\n", hop->proto_major, hop->proto_minor,
               SLICE_FMT(hop->status_text));
    dump_fields(out, hop);
    buf_append_char(out, '\n');
    if (is_full)
        append_body(out, hop->body, hop->is_chunked);
}

static void make_id(char out[37]) {
    uint64_t a = random_u64(), b = random_u64();
    snprintf(out, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
             (unsigned)(b >> 48 & 0x3fff) | 0x8000, (unsigned long long)(b & 0xffffffffffff));
}

static void log_dump(const char *title, const struct buf *dump, const char *id,
                     const struct log_field *fields, size_t n_fields) {
    struct log_field *all = xmalloc((n_fields + 1) * sizeof *all);
    if (n_fields)
        memcpy(all, fields, n_fields * sizeof *all);
    const char *key = compat_is_v051() ? "request" : "request_id";
    all[n_fields] = LOG_STR(key, id);
    struct buf msg;
    buf_init(&msg, BUF_NO_CAP);
    buf_printf(&msg, "%s:\n", title);
    buf_append_slice(&msg, buf_slice(dump));
    buf_append_char(&msg, '\n');
    log_write(LOG_INFO, buf_slice(&msg), all, n_fields + 1);
    buf_release(&msg);
    free(all);
}

void http_debug_log(const struct http_request *req, const struct http_response *hop, bool is_full,
                    const struct log_field *fields, size_t n_fields) {
    struct buf dump;
    char id[37];
    buf_init(&dump, BUF_NO_CAP);
    make_id(id);
    http_debug_dump_request(&dump, req, hop, is_full);
    log_dump("Request", &dump, id, fields, n_fields);
    if (hop->status) {
        buf_reset(&dump);
        http_debug_dump_response(&dump, hop, is_full);
        log_dump("Response", &dump, id, fields, n_fields);
    }
    buf_release(&dump);
}
