#include "grpc_methods.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/random.h"
#include "base/wire.h"
#include "grpc_schema.h"

/* ---------------------------------------------------------------- protobuf */

struct field {
    unsigned number;
    uint64_t value;
    struct slice bytes; /* ptr NULL for numbers */
};

static bool next_field(struct wire_reader *r, struct field *out) {
    if (wire_at_end(r))
        return false;
    uint64_t tag = wire_varint(r);
    *out = (struct field){.number = (unsigned)(tag >> 3)};
    switch (tag & 7) {
    case 0:
        out->value = wire_varint(r);
        break;
    case 1:
        wire_bytes(r, 8);
        break;
    case 2:
        out->bytes = wire_text(r);
        break;
    case 5:
        wire_bytes(r, 4);
        break;
    default:
        r->is_bad = true;
    }
    return !r->is_bad;
}

static void put_text(struct buf *out, unsigned number, struct slice text) {
    wire_put_varint(out, number << 3 | 2);
    wire_put_text(out, text);
}

static void put_number(struct buf *out, unsigned number, uint64_t value) {
    wire_put_varint(out, number << 3);
    wire_put_varint(out, value);
}

static void refuse_request(struct grpc_answer *a) {
    a->status = GRPC_STATUS_INTERNAL;
    snprintf(a->words, sizeof a->words,
             "grpc: error unmarshalling request: proto: cannot parse invalid wire-format data");
}

/* ---------------------------------------------------------------- quickpizza.GRPC */

static void status(struct slice request, struct grpc_answer *a) {
    (void)request;
    a->has_message = true;
    put_number(&a->message, 1, 1);
}

static void rate_pizza(struct slice request, struct grpc_answer *a) {
    struct wire_reader r = {.rest = request};
    struct field f;
    bool has_ingredients = false, has_dough = false;
    while (next_field(&r, &f)) {
        has_ingredients = has_ingredients || (f.number == 1 && f.bytes.ptr);
        has_dough = has_dough || (f.number == 2 && f.bytes.len);
    }
    if (r.is_bad) {
        refuse_request(a);
        return;
    }
    uint64_t stars = has_ingredients ? random_below(6) : 0;
    if (has_dough && stars < 5)
        stars += random_below(2);
    a->has_message = true;
    if (stars)
        put_number(&a->message, 1, stars);
}

/* ---------------------------------------------------------------- health */

enum { SERVING = 1, SERVICE_UNKNOWN = 3 };

static bool read_service(struct slice request, bool *out_is_known, struct grpc_answer *a) {
    struct wire_reader r = {.rest = request};
    struct field f;
    *out_is_known = true;
    while (next_field(&r, &f)) {
        if (f.number == 1 && f.bytes.ptr)
            *out_is_known = f.bytes.len == 0 || slice_eq(f.bytes, SLICE("quickpizza.GRPC"));
    }
    if (r.is_bad)
        refuse_request(a);
    return !r.is_bad;
}

static void health_check(struct slice request, struct grpc_answer *a) {
    bool is_known;
    if (!read_service(request, &is_known, a))
        return;
    if (!is_known) {
        a->status = GRPC_STATUS_NOT_FOUND;
        snprintf(a->words, sizeof a->words, "unknown service");
        return;
    }
    a->has_message = true;
    put_number(&a->message, 1, SERVING);
}

/* Nothing ever changes here: the first answer stays the last one. */
static void health_watch(struct slice request, struct grpc_answer *a) {
    bool is_known;
    if (!read_service(request, &is_known, a))
        return;
    a->has_message = a->stays_open = true;
    put_number(&a->message, 1, is_known ? SERVING : SERVICE_UNKNOWN);
}

/* ---------------------------------------------------------------- reflection */

enum { ASK_FILE = 3, ASK_SYMBOL = 4, ASK_SERVICES = 7 };
enum { ANSWER_FILES = 4, ANSWER_SERVICES = 6, ANSWER_ERROR = 7 };

static void put_inner(struct buf *out, unsigned number, struct buf *inner) {
    put_text(out, number, buf_slice(inner));
    buf_release(inner);
}

static void answer_services(struct buf *out) {
    struct buf list, one;
    buf_init(&list, BUF_NO_CAP);
    for (const char *const *s = grpc_schema_services(); *s; s++) {
        buf_init(&one, BUF_NO_CAP);
        put_text(&one, 1, slice_cstr(*s));
        put_inner(&list, 1, &one);
    }
    put_inner(out, ANSWER_SERVICES, &list);
}

static void answer_file(struct buf *out, struct slice file, const char *what, struct slice name) {
    struct buf inner;
    buf_init(&inner, BUF_NO_CAP);
    if (file.len) {
        put_text(&inner, 1, file);
        put_inner(out, ANSWER_FILES, &inner);
        return;
    }
    char words[200];
    snprintf(words, sizeof words, "%s not found: %.*s", what,
             (int)(name.len < 100 ? name.len : 100), name.ptr);
    put_number(&inner, 1, GRPC_STATUS_NOT_FOUND);
    put_text(&inner, 2, slice_cstr(words));
    put_inner(out, ANSWER_ERROR, &inner);
}

static void reflect(struct slice request, struct grpc_answer *a) {
    struct wire_reader r = {.rest = request};
    struct field f, asked = {0};
    while (next_field(&r, &f)) {
        if (f.bytes.ptr && f.number >= ASK_FILE)
            asked = f;
    }
    if (r.is_bad) {
        refuse_request(a);
        return;
    }
    a->has_message = true;
    put_text(&a->message, 2, request);
    if (asked.number == ASK_SERVICES) {
        answer_services(&a->message);
    } else if (asked.number == ASK_FILE) {
        answer_file(&a->message, grpc_schema_of_file(asked.bytes), "file", asked.bytes);
    } else if (asked.number == ASK_SYMBOL) {
        answer_file(&a->message, grpc_schema_of_symbol(asked.bytes), "symbol", asked.bytes);
    } else {
        answer_file(&a->message, SLICE(""), "what is asked for was", SLICE("extensions"));
    }
}

/* ---------------------------------------------------------------- table */

static const struct grpc_method methods[] = {
    {"/quickpizza.GRPC/Status", false, status},
    {"/quickpizza.GRPC/RatePizza", false, rate_pizza},
    {"/grpc.health.v1.Health/Check", false, health_check},
    {"/grpc.health.v1.Health/Watch", false, health_watch},
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", true, reflect},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", true, reflect},
};

const struct grpc_method *grpc_method_find(struct slice path, char scratch[160]) {
    size_t slash = path.len;
    for (size_t i = 0; i < countof(methods); i++) {
        if (slice_eq(path, slice_cstr(methods[i].path)))
            return &methods[i];
    }
    while (slash > 0 && path.ptr[slash - 1] != '/')
        slash--;
    if (slash < 2 || path.ptr[0] != '/') {
        snprintf(scratch, 160, "malformed method name: \"%.*s\"",
                 (int)(path.len < 100 ? path.len : 100), path.ptr);
        return NULL;
    }
    struct slice service = slice_from(path.ptr + 1, slash - 2);
    struct slice name = slice_from(path.ptr + slash, path.len - slash);
    int service_len = (int)(service.len < 60 ? service.len : 60);
    bool is_known = false;
    for (const char *const *s = grpc_schema_services(); *s; s++)
        is_known = is_known || slice_eq(service, slice_cstr(*s));
    if (is_known)
        snprintf(scratch, 160, "unknown method %.*s for service %.*s",
                 (int)(name.len < 60 ? name.len : 60), name.ptr, service_len, service.ptr);
    else
        snprintf(scratch, 160, "unknown service %.*s", service_len, service.ptr);
    return NULL;
}
