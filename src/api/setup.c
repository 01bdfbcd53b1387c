/* /v1/setup and /v1/teardown */
#include "api/api_internal.h"
#include "api/envelope.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "js/json_error.h"

void api_write_compact(struct buf *out, struct slice json) {
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        unsigned char c = (unsigned char)json.ptr[i];
        if (in_string && c == '\\' && i + 1 < json.len) {
            buf_append(out, json.ptr + i++, 2);
            continue;
        }
        if (c == '"')
            in_string = !in_string;
        bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        /* U+2028 and U+2029 would end a line of JavaScript. */
        bool is_line_end = c == 0xe2 && i + 2 < json.len && json.ptr[i + 1] == '\x80' &&
                           ((unsigned char)json.ptr[i + 2] & ~1u) == 0xa8;
        if (is_space && !in_string)
            continue;
        if (c == '<' || c == '>' || c == '&') {
            buf_printf(out, "\\u%04x", c);
        } else if (is_line_end) {
            buf_printf(out, "\\u20%02x", 0x28 + ((unsigned char)json.ptr[i + 2] & 1));
            i += 2;
        } else {
            buf_append_char(out, (char)c);
        }
    }
}

static void answer_data(struct api_call *call) {
    struct json_writer w;
    struct buf body, compact;
    const struct run *run = call->api->run;
    const char *data = run != NULL ? atomic_load(&run->setup_data) : NULL;
    buf_init(&body, BUF_NO_CAP);
    buf_init(&compact, BUF_NO_CAP);
    envelope_begin(&w, &body, "setupData", "default");
    if (data != NULL && *data != '\0') {
        api_write_compact(&compact, slice_cstr(data));
        json_key(&w, "data");
        json_raw(&w, buf_slice(&compact));
    }
    envelope_end(&w);
    api_answer(call, 200, API_JSON, &body);
    buf_release(&compact);
    buf_release(&body);
}

/* True: answered. */
static bool is_too_early(struct api_call *call) {
    if (call->api->run != NULL)
        return false;
    api_answer_error(call, 503, "Not ready", "the test is being loaded");
    return true;
}

void api_get_setup(struct api_call *call) {
    answer_data(call);
}

void api_put_setup(struct api_call *call) {
    struct slice body = server_request_body(call->request);
    struct json_syntax_error why;
    if (is_too_early(call))
        return;
    if (body.len > 0 && !json_valid(body, &why)) {
        api_answer_error(call, 400, "Error parsing request body", why.text);
        return;
    }
    char *json = body.len > 0 ? slice_dup(body) : NULL;
    if (run_set_setup_data(call->api->run, json) != 0)
        api_answer_error(call, 413, "Request too large", "setup data was replaced too often");
    else
        answer_data(call);
}

static void answer_failure(struct api_call *call, const char *title, struct failure *f) {
    const char *text = failure_is_set(f) ? f->text : "context canceled";
    log_fields(LOG_ERROR, slice_cstr(title), LOG_STR("error", text));
    api_answer_error(call, 500, title, text);
    failure_release(f);
}

void api_post_setup(struct api_call *call) {
    struct failure f = {0};
    if (is_too_early(call))
        return;
    if (run_call_setup(call->api->run, &call->vu, &f) != 0)
        answer_failure(call, "Error executing setup", &f);
    else
        answer_data(call);
}

void api_post_teardown(struct api_call *call) {
    struct failure f = {0};
    if (is_too_early(call))
        return;
    if (run_call_teardown(call->api->run, &call->vu, &f) != 0)
        answer_failure(call, "Error executing teardown", &f);
    else
        api_answer(call, 200, NULL, NULL);
}
