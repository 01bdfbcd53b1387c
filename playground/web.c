#include "web.h"

#include <stdlib.h>

#include "base/check.h"
#include "byte_range.h"
#include "config.h"
#include "embed/quickpizza_pages.h"

static const struct {
    const char *suffix;
    const char *content_type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".png", "image/png"},
    {".svg", "image/svg+xml"},
    {".ico", "image/x-icon"},
    {".map", "application/json"},
};

static struct blob *files; /* in the order of quickpizza_pages */

static const char *content_type_of(const char *path) {
    for (size_t i = 0; i < countof(types); i++) {
        if (slice_ends(slice_cstr(path), slice_cstr(types[i].suffix)))
            return types[i].content_type;
    }
    return "application/octet-stream";
}

void web_prepare(void) {
    files = xcalloc(quickpizza_pages_count + 1, sizeof *files);
    for (size_t i = 0; i < quickpizza_pages_count; i++) {
        const struct embedded_file *file = &quickpizza_pages[i];
        files[i].status = 200;
        files[i].content_type = content_type_of(file->path);
        files[i].body = slice_from((const char *)file->data, file->bytes);
        files[i].is_file = true;
    }
}

void web_release(void) {
    free(files);
    files = NULL;
}

static struct blob *find(const char *path, const char *suffix) {
    const size_t size = strlen(path);
    for (size_t i = 0; i < quickpizza_pages_count; i++) {
        const char *name = quickpizza_pages[i].path;
        if (strncmp(name, path, size) == 0 && strcmp(name + size, suffix) == 0)
            return &files[i];
    }
    return NULL;
}

static void delay(struct request *r, const struct blob *file) {
    const struct config_delays *delays = &r->app->config->delays;
    if (strncmp(file->content_type, "text/css", 8) == 0)
        r->response.wait_ns += delays->css_assets_ns;
    else if (strcmp(file->content_type, "image/png") == 0)
        r->response.wait_ns += delays->png_assets_ns;
}

static void reply_part(struct request *r, const struct blob *file, size_t first, size_t last) {
    struct response *response = &r->response;
    reply_text(r, 206, file->content_type, slice_from(file->body.ptr + first, last - first + 1));
    response->has_length = true;
    reply_header(r, "Accept-Ranges", SLICE("bytes"));
    reply_header(
        r, "Content-Range",
        slice_cstr(arena_printf(&r->arena, "bytes %zu-%zu/%zu", first, last, file->body.len)));
}

static void reply_no_such_part(struct request *r, const struct blob *file) {
    reply_text(r, 416, "text/plain; charset=utf-8", SLICE("invalid range: failed to overlap\n"));
    reply_header(r, "Content-Range",
                 slice_cstr(arena_printf(&r->arena, "bytes */%zu", file->body.len)));
    reply_header(r, "X-Content-Type-Options", SLICE("nosniff"));
}

static void reply_file(struct request *r, struct blob *file) {
    size_t first;
    size_t last;
    /* Files have neither dates nor tags, so no If-Range ever holds. */
    const char *range = request_header(r, "If-Range") == NULL ? request_header(r, "Range") : NULL;
    delay(r, file);
    switch (byte_range_parse(range, file->body.len, &first, &last)) {
    case BYTE_RANGE_NONE:
        reply_blob(r, file);
        break;
    case BYTE_RANGE_PART:
        reply_part(r, file, first, last);
        break;
    case BYTE_RANGE_NOWHERE:
        reply_no_such_part(r, file);
        break;
    }
}

static void redirect(struct request *r, struct slice location) {
    reply_empty(r, 301);
    reply_header(r, "Location", location);
}

bool web_serve(struct request *r) {
    if ((r->method & (METHOD_GET | METHOD_HEAD)) == 0 || *r->path != '/')
        return false;
    const char *path = r->path + 1;
    if (slice_ends(slice_cstr(r->path), SLICE("/index.html"))) {
        redirect(r, SLICE("./"));
        return true;
    }
    struct blob *file = *path == '\0' ? find("index.html", "") : find(path, "");
    if (file == NULL)
        file = find(path, ".html");
    if (file == NULL)
        return false;
    reply_file(r, file);
    return true;
}

void web_reply(struct request *r, const char *name) {
    struct blob *file = find(name, "");
    if (file != NULL)
        reply_file(r, file);
    else
        reply_page_not_found(r);
}
