#include "grpc/grpc_status.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/go_text.h"
#include "grpc/grpc_wire.h"

#define MESSAGE_MAX ((size_t)10 << 20) /* a header block is no longer */

const char *grpc_code_name(uint32_t code, char scratch[24]) {
    static const char *const names[GRPC_CODES] = {
        "OK",
        "Canceled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated",
    };
    if (code < countof(names))
        return names[code];
    snprintf(scratch, 24, "Code(%lu)", (unsigned long)code);
    return scratch;
}

void grpc_status_init(struct grpc_status *s) {
    s->code = GRPC_OK;
    buf_init(&s->message, MESSAGE_MAX);
    buf_init(&s->details, MESSAGE_MAX);
}

void grpc_status_release(struct grpc_status *s) {
    buf_release(&s->message);
    buf_release(&s->details);
}

void grpc_status_set(struct grpc_status *s, uint32_t code, const char *fmt, ...) {
    va_list ap;
    s->code = code;
    buf_reset(&s->message);
    buf_reset(&s->details);
    va_start(ap, fmt);
    buf_vprintf(&s->message, fmt, ap);
    va_end(ap);
}

void grpc_status_text(const struct grpc_status *s, struct buf *out) {
    char scratch[24];
    buf_printf(out, "rpc error: code = %s desc = ", grpc_code_name(s->code, scratch));
    buf_append_slice(out, buf_slice(&s->message));
}

/* google.rpc.Status: int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3.
 */
void grpc_status_take_details(struct grpc_status *s, struct slice bytes) {
    struct grpc_wire_reader r = {.rest = bytes};
    struct grpc_wire_field f;
    struct slice message = SLICE("");
    uint32_t code = 0;
    while (grpc_wire_next(&r, &f)) {
        if (f.number == 1 && !f.is_bytes)
            code = (uint32_t)f.value;
        else if (f.number == 2 && f.is_bytes)
            message = f.bytes;
    }
    if (r.is_bad)
        return;
    if (code != s->code) {
        struct buf quoted;
        char mine[24], theirs[24];
        buf_init(&quoted, BUF_NO_CAP);
        go_quote(&quoted, buf_slice(&s->message));
        char *text = xstrndup(buf_cstr(&quoted), quoted.len);
        buf_release(&quoted);
        grpc_status_set(s, GRPC_INTERNAL,
                        "grpc-status-details-bin mismatch: grpc-status=%s, grpc-message=%s, "
                        "grpc-status-details-bin=%s",
                        grpc_code_name(s->code, mine), text, grpc_code_name(code, theirs));
        free(text);
        return;
    }
    buf_reset(&s->message);
    buf_append_slice(&s->message, message);
    buf_reset(&s->details);
    buf_append_slice(&s->details, bytes);
}

uint32_t grpc_code_of_http(int status) {
    switch (status) {
    case 400:
        return GRPC_INTERNAL;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

uint32_t grpc_code_of_reset(uint32_t h2_code) {
    switch (h2_code) {
    case NGHTTP2_FLOW_CONTROL_ERROR:
    case NGHTTP2_ENHANCE_YOUR_CALM:
        return GRPC_RESOURCE_EXHAUSTED;
    case NGHTTP2_REFUSED_STREAM:
        return GRPC_UNAVAILABLE;
    case NGHTTP2_CANCEL:
        return GRPC_CANCELED;
    case NGHTTP2_INADEQUATE_SECURITY:
        return GRPC_PERMISSION_DENIED;
    default:
        return h2_code <= NGHTTP2_HTTP_1_1_REQUIRED ? GRPC_INTERNAL : GRPC_UNKNOWN;
    }
}
