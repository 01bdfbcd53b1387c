#include "request.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/json_write.h"

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", METHOD_GET},       {"POST", METHOD_POST},       {"PUT", METHOD_PUT},
    {"DELETE", METHOD_DELETE}, {"OPTIONS", METHOD_OPTIONS}, {"HEAD", METHOD_HEAD},
    {"PATCH", METHOD_PATCH},
};

enum http_method http_method_parse(const char *name) {
    for (size_t i = 0; i < countof(methods); i++) {
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].method;
    }
    return METHOD_OTHER;
}

const char *http_method_name(enum http_method method) {
    for (size_t i = 0; i < countof(methods); i++) {
        if (methods[i].method == method)
            return methods[i].name;
    }
    return "OTHER";
}

void request_init(struct request *r) {
    *r = (struct request){.start_ns = clock_now_ns()};
    buf_init(&r->body, REQUEST_BODY_MAX_BYTES);
    buf_init(&r->response.body, BUF_NO_CAP);
    arena_init(&r->arena);
}

void request_release(struct request *r) {
    buf_release(&r->body);
    buf_release(&r->response.body);
    arena_release(&r->arena);
}

const char *request_header(const struct request *r, const char *name) {
    return r->lookup(r->source, FIELD_HEADER, name);
}

const char *request_cookie(const struct request *r, const char *name) {
    return r->lookup(r->source, FIELD_COOKIE, name);
}

const char *request_query(const struct request *r, const char *name) {
    return r->lookup(r->source, FIELD_QUERY, name);
}

bool request_param_int(const struct request *r, size_t index, int64_t *out) {
    uint64_t value;
    if (!slice_to_u64(r->params[index], &value) || value > INT64_MAX)
        return false;
    *out = (int64_t)value;
    return true;
}

bool request_read_json(struct request *r, const struct json_go_type *type, void *out) {
    char error[JSON_GO_ERROR_BYTES];
    if (json_go_decode(r->body.ptr, r->body.len, type, out, &r->arena, error) == 0)
        return true;
    reply_error(r, 400, error);
    return false;
}

void reply_empty(struct request *r, int status) {
    r->response.status = status;
    r->response.content_type = NULL;
    buf_reset(&r->response.body);
}

void reply_error(struct request *r, int status, const char *text) {
    struct json_writer w;
    buf_reset(&r->response.body);
    json_write_init(&w, &r->response.body, NULL, true);
    json_object_begin(&w);
    json_key(&w, "error");
    json_cstr(&w, text);
    json_object_end(&w);
    buf_append_char(&r->response.body, '\n');
    reply_json(r, status);
}

void reply_json(struct request *r, int status) {
    r->response.status = status;
    r->response.content_type = "application/json";
}

void reply_text(struct request *r, int status, const char *content_type, struct slice text) {
    r->response.status = status;
    r->response.content_type = content_type;
    buf_reset(&r->response.body);
    buf_append_slice(&r->response.body, text);
}

void reply_blob(struct request *r, struct blob *blob) {
    r->response.status = blob->status;
    r->response.blob = blob;
}

void reply_page_not_found(struct request *r) {
    static struct blob page = {
        .status = 404,
        .content_type = "text/plain; charset=utf-8",
        .body = {"404 page not found\n", sizeof "404 page not found\n" - 1},
        .header = {"X-Content-Type-Options", "nosniff"},
    };
    reply_blob(r, &page);
}

void reply_header(struct request *r, const char *name, struct slice value) {
    struct response *response = &r->response;
    if (response->header_count == RESPONSE_MAX_HEADERS)
        return;
    if (response->header_count == response->header_room) {
        response->header_room = response->header_room > 0 ? response->header_room * 2 : 8;
        struct response_header *grown =
            arena_alloc(&r->arena, response->header_room * sizeof *grown);
        if (response->header_count > 0)
            memcpy(grown, response->headers, response->header_count * sizeof *grown);
        response->headers = grown;
    }
    response->headers[response->header_count++] = (struct response_header){
        .name = name,
        .value = arena_strndup(&r->arena, value.ptr, value.len),
    };
}
