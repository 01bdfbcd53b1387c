#include "web.h"

#include <stdlib.h>

#include "base/check.h"
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

bool web_serve(struct request *r) {
    if ((r->method & (METHOD_GET | METHOD_HEAD)) == 0 || *r->path != '/')
        return false;
    const char *path = r->path + 1;
    if (strcmp(path, "index.html") == 0) {
        reply_empty(r, 301);
        reply_header(r, "Location", SLICE("./"));
        return true;
    }
    struct blob *file = *path == '\0' ? find("index.html", "") : find(path, "");
    if (file == NULL)
        file = find(path, ".html");
    if (file == NULL)
        return false;
    delay(r, file);
    reply_blob(r, file);
    return true;
}
