#include "http/h2_error.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/go_text.h"

const char *h2_code_name(uint32_t code, char scratch[32]) {
    static const char *const names[KE_H2_CODES] = {
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    };
    if (code < countof(names))
        return names[code];
    snprintf(scratch, 32, "unknown error code 0x%x", code);
    return scratch;
}

static int of_kind(int kind, uint32_t code) {
    return code < KE_H2_CODES ? kind - 1 - (int)code : kind;
}

int h2_stream_error(struct error *err, int32_t stream_id, uint32_t code, const char *cause) {
    char scratch[32];
    return error_set(err, of_kind(KE_H2_STREAM, code), "stream error: stream ID %d; %s%s%s",
                     stream_id, h2_code_name(code, scratch), cause ? "; " : "", cause ? cause : "");
}

int h2_connection_error(struct error *err, uint32_t code) {
    char scratch[32];
    return error_set(err, of_kind(KE_H2_CONNECTION, code), "connection error: %s",
                     h2_code_name(code, scratch));
}

int h2_goaway_error(struct error *err, int32_t last_stream_id, uint32_t code, struct slice debug) {
    char scratch[32];
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, debug);
    int rc = error_set(err, of_kind(KE_H2_GOAWAY, code),
                       "http2: server sent GOAWAY and closed the connection; LastStreamID=%d, "
                       "ErrCode=%s, debug=%s",
                       last_stream_id, h2_code_name(code, scratch), buf_cstr(&quoted));
    buf_release(&quoted);
    return rc;
}

/* The code's name as it stands in the long text, also of a code that nobody knows. */
static struct slice name_in(const char *text, const char *before, char after) {
    const char *at = strstr(text, before);
    at = at ? at + strlen(before) : text;
    const char *end = strchr(at, after);
    return slice_from(at, end ? (size_t)(end - at) : strlen(at));
}

char *h2_error_short(const struct error *err) {
    static const struct {
        int kind;
        const char *words, *before;
        char after;
    } kinds[] = {
        {KE_H2_GOAWAY, "http2: received GoAway with", "ErrCode=", ','},
        {KE_H2_STREAM, "http2: stream error with", "; ", ';'},
        {KE_H2_CONNECTION, "http2: connection error with", "connection error: ", '\0'},
    };
    for (size_t i = 0; i < countof(kinds); i++) {
        if (err->code > kinds[i].kind || err->code < kinds[i].kind - KE_H2_CODES)
            continue;
        struct slice name = name_in(err->text, kinds[i].before, kinds[i].after);
        return xasprintf("%s http2 ErrCode %.*s", kinds[i].words, SLICE_FMT(name));
    }
    return NULL;
}
