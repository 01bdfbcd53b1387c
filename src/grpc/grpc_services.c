#include "grpc/grpc_services.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/go_text.h"
#include "grpc/grpc_wire.h"

/* Of one server. */
#define SERVICES_MAX 10000
#define SET_BYTES_MAX PROTO_FILE_BYTES_MAX

static void tell(const struct grpc_watcher *w, const struct grpc_call *call) {
    if (w && call->is_over)
        w->ended(w->arg, call);
}

/* ---------------------------------------------------------------- health */

int grpc_health_check(struct grpc_channel *ch, struct slice service, int64_t deadline_ns,
                      const struct grpc_watcher *watcher, struct grpc_status *status,
                      uint32_t *out_serving) {
    struct grpc_call call;
    struct buf request;
    *out_serving = 0;
    buf_init(&request, BUF_NO_CAP);
    if (service.len)
        grpc_wire_put_bytes(&request, 1, service);
    grpc_call_init(&call, ch, SLICE("/grpc.health.v1.Health/Check"));
    call.deadline_ns = deadline_ns;
    int rc = grpc_call_unary(&call, buf_slice(&request));
    tell(watcher, &call);
    struct grpc_wire_reader r = {.rest = buf_slice(&call.message)};
    struct grpc_wire_field f;
    while (grpc_wire_next(&r, &f)) {
        if (f.number == 1 && !f.is_bytes)
            *out_serving = (uint32_t)f.value;
    }
    grpc_status_set(status, call.status.code, "%.*s", SLICE_FMT(buf_slice(&call.status.message)));
    grpc_call_release(&call);
    buf_release(&request);
    return rc;
}

/* ---------------------------------------------------------------- reflection */

enum { ASK_FILE = 3, ASK_SYMBOL = 4, ASK_SERVICES = 7 };
enum { ANSWER_FILES = 4, ANSWER_SERVICES = 6, ANSWER_ERROR = 7 };

struct names {
    struct slice *list; /* on the heap */
    size_t len, alloc;
};

static void names_add(struct names *n, struct slice name) {
    if (n->len == n->alloc) {
        n->alloc = n->alloc ? n->alloc * 2 : 16;
        n->list = xrealloc(n->list, n->alloc * sizeof *n->list);
    }
    n->list[n->len++] = slice_from(slice_dup(name), name.len);
}

static void names_release(struct names *n) {
    for (size_t i = 0; i < n->len; i++)
        free((char *)(uintptr_t)n->list[i].ptr);
    free(n->list);
}

static int status_error(const struct grpc_status *status, const char *before, struct error *err) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    grpc_status_text(status, &text);
    error_set(err, KE_FAILED, "%s%.400s", before, buf_cstr(&text));
    buf_release(&text);
    return KE_FAILED;
}

/* One question on the stream: 0 and the answer (a view, good until the next one); KE_FAILED when
 * the call is over; KE_CANCELED. */
static int ask(struct grpc_call *call, uint32_t what, struct slice name, struct slice *out) {
    struct buf request;
    buf_init(&request, BUF_NO_CAP);
    grpc_wire_put_bytes(&request, what, name);
    int rc = grpc_call_send(call, buf_slice(&request));
    buf_release(&request);
    if (rc == KE_CANCELED)
        return rc;
    rc = grpc_call_receive(call, out);
    if (rc > 0)
        return 0;
    return rc < 0 ? rc : KE_FAILED;
}

struct reflection {
    struct grpc_call *call;
    struct proto_pool *seen; /* knows what is missing; never built */
    struct buf *set;
};

static int take_file(struct reflection *r, struct slice file, struct error *err) {
    struct slice name = grpc_wire_find(file, 1);
    if (name.ptr && proto_pool_has_file(r->seen, name))
        return 0;
    int rc = proto_pool_add_file(r->seen, file, err);
    if (rc)
        return rc;
    if (r->set->len + file.len > SET_BYTES_MAX)
        return error_set(err, KE_TOO_LARGE, "the server's descriptors are larger than %zu bytes",
                         SET_BYTES_MAX);
    grpc_wire_put_bytes(r->set, 1, file);
    return 0;
}

static int take_files(struct reflection *r, uint32_t what, struct slice name, struct error *err) {
    struct grpc_call *call = r->call;
    struct grpc_wire_field f;
    struct slice answer;
    int rc = ask(call, what, name, &answer);
    if (rc)
        return rc == KE_CANCELED ? rc : status_error(&call->status, "", err);
    struct slice failure = grpc_wire_find(answer, ANSWER_ERROR);
    if (failure.ptr) {
        struct slice words = grpc_wire_find(failure, 2);
        return error_set(err, KE_NOT_FOUND, "%.*s", (int)(words.len < 400 ? words.len : 400),
                         words.ptr ? words.ptr : "");
    }
    struct grpc_wire_reader files = {.rest = grpc_wire_find(answer, ANSWER_FILES)};
    while (rc == 0 && grpc_wire_next(&files, &f)) {
        if (f.number == 1 && f.is_bytes)
            rc = take_file(r, f.bytes, err);
    }
    return rc;
}

static int take_services(struct grpc_call *call, struct names *names, struct error *err) {
    struct grpc_wire_field f;
    struct slice answer;
    int rc = ask(call, ASK_SERVICES, SLICE("*"), &answer);
    if (rc)
        return rc == KE_CANCELED ? rc : status_error(&call->status, "can't list services: ", err);
    struct slice failure = grpc_wire_find(answer, ANSWER_ERROR);
    if (failure.ptr)
        return error_set(err, KE_FAILED, "can't list services: %.*s",
                         SLICE_FMT(grpc_wire_find(failure, 2)));
    struct grpc_wire_reader services = {.rest = grpc_wire_find(answer, ANSWER_SERVICES)};
    while (grpc_wire_next(&services, &f)) {
        if (f.number == 1 && f.is_bytes && names->len < SERVICES_MAX) {
            struct slice name = grpc_wire_find(f.bytes, 1);
            if (name.ptr)
                names_add(names, name);
        }
    }
    return 0;
}

static int quote_failure(struct error *err, struct slice name) {
    struct error why = *err;
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, name);
    error_set(err, KE_FAILED, "can't get method on service %.100s: %.380s", buf_cstr(&quoted),
              why.text);
    buf_release(&quoted);
    return KE_FAILED;
}

/* What files import and nobody sent yet. A file that the server does not have is left out: building
 * the pool says so. */
static int take_imports(struct reflection *r, struct error *err) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < PROTO_FILES_MAX; i++) {
        struct slice missing = proto_pool_missing_file(r->seen);
        if (missing.len == 0)
            break;
        char *name = slice_dup(missing);
        rc = take_files(r, ASK_FILE, slice_from(name, missing.len), err);
        bool came = rc == 0 && proto_pool_has_file(r->seen, slice_cstr(name));
        free(name);
        if (rc == KE_NOT_FOUND || (rc == 0 && !came))
            return 0;
    }
    return rc;
}

static int reflect_by(struct grpc_call *call, struct buf *out_set, struct error *err) {
    struct reflection r = {call, proto_pool_new(), out_set};
    struct names names = {0};
    int rc = take_services(call, &names, err);
    for (size_t i = 0; i < names.len && rc == 0; i++) {
        rc = take_files(&r, ASK_SYMBOL, names.list[i], err);
        if (rc && rc != KE_CANCELED)
            rc = quote_failure(err, names.list[i]);
    }
    if (rc == 0)
        rc = take_imports(&r, err);
    names_release(&names);
    proto_pool_unref(r.seen);
    return rc;
}

/* Tells the server that this was all, and hears how the call ends. */
static int end_call(struct grpc_call *call) {
    struct slice ignored;
    int rc = 1;
    grpc_call_end_sending(call);
    while (rc > 0)
        rc = grpc_call_receive(call, &ignored);
    return rc;
}

int grpc_reflect(struct grpc_channel *ch, const struct grpc_metadata *metadata, int64_t deadline_ns,
                 const struct grpc_watcher *watcher, struct buf *out_set, struct error *err) {
    static const struct slice paths[] = {
        SLICE("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
        SLICE("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")};
    int rc = KE_FAILED;
    bool goes_on = true;
    for (size_t i = 0; i < countof(paths) && goes_on; i++) {
        struct grpc_call call;
        grpc_call_init(&call, ch, paths[i]);
        call.metadata = metadata;
        call.deadline_ns = deadline_ns;
        call.is_client_stream = call.is_server_stream = true;
        rc = grpc_call_start(&call);
        if (rc == 0)
            rc = reflect_by(&call, out_set, err);
        if (rc != KE_CANCELED && end_call(&call) == KE_CANCELED)
            rc = KE_CANCELED;
        tell(watcher, &call);
        goes_on = rc && rc != KE_CANCELED && call.status.code == GRPC_UNIMPLEMENTED;
        grpc_call_release(&call);
    }
    if (rc == KE_CANCELED)
        error_set(err, rc, "context canceled");
    return rc;
}
