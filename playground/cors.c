#include "cors.h"

#include "base/check.h"

#define ALLOWED_METHODS (METHOD_GET | METHOD_POST | METHOD_PUT | METHOD_DELETE | METHOD_OPTIONS)

static const char *const allowed_headers[] = {
    "Accept", "Authorization", "Content-Type", "X-Csrf-Token", "X-User-Id", "Origin",
};

void cors_mark(struct request *r) {
    const char *origin = request_header(r, "Origin");
    r->is_cross_origin = origin != NULL && *origin != '\0' && (r->method & ALLOWED_METHODS) != 0;
}

static const char *find_allowed(struct slice name) {
    for (size_t i = 0; i < countof(allowed_headers); i++) {
        if (slice_ieq(slice_cstr(allowed_headers[i]), name))
            return allowed_headers[i];
    }
    return NULL;
}

/* Appends the header names of a list, each in its usual case. False when one is not allowed. */
static bool list_headers(struct slice asked, struct buf *out) {
    while (asked.ptr != NULL) {
        struct slice name = slice_trim(slice_cut(&asked, ','));
        if (name.len == 0)
            continue;
        const char *allowed = find_allowed(name);
        if (allowed == NULL)
            return false;
        buf_append_str(out, out->len > 0 ? ", " : "");
        buf_append_str(out, allowed);
    }
    return true;
}

static void add_permissions(struct request *r, const char *method) {
    const char *asked = request_header(r, "Access-Control-Request-Headers");
    const char *origin = request_header(r, "Origin");
    struct buf headers;
    buf_init(&headers, 4096);
    bool is_allowed = origin != NULL && *origin != '\0' &&
                      (http_method_parse(method) & ALLOWED_METHODS) != 0 &&
                      (asked == NULL || list_headers(slice_cstr(asked), &headers));
    if (is_allowed) {
        reply_header(r, "Access-Control-Allow-Origin", SLICE("*"));
        reply_header(r, "Access-Control-Allow-Methods", slice_cstr(method));
        if (headers.len > 0)
            reply_header(r, "Access-Control-Allow-Headers", buf_slice(&headers));
        reply_header(r, "Access-Control-Allow-Credentials", SLICE("true"));
        reply_header(r, "Access-Control-Max-Age", SLICE("300"));
    }
    buf_release(&headers);
}

bool cors_preflight(struct request *r) {
    const char *method = request_header(r, "Access-Control-Request-Method");
    if (r->method != METHOD_OPTIONS || method == NULL || *method == '\0')
        return false;
    r->is_cross_origin = false;
    reply_empty(r, 200);
    reply_header(r, "Vary", SLICE("Access-Control-Request-Method"));
    reply_header(r, "Vary", SLICE("Access-Control-Request-Headers"));
    add_permissions(r, method);
    return true;
}
