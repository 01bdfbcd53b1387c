#include "js/several.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "embed/k6_several.h"

/* "tests/log in.test.js" -> "log_in_test": a scenario's name has letters, digits, _ and - only. */
static void append_name(struct buf *out, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *file = slash && slash[1] ? slash + 1 : path;
    const char *dot = strrchr(file, '.');
    size_t len = dot && dot > file ? (size_t)(dot - file) : strlen(file);
    for (size_t i = 0; i < len; i++)
        buf_append_char(out, isalnum((unsigned char)file[i]) || file[i] == '-' ? file[i] : '_');
}

/* The second file of a name gets a number. */
static void append_unique_name(struct buf *out, const char *const *paths, size_t at) {
    struct buf name, other;
    int n = 1;
    buf_init(&name, BUF_NO_CAP);
    buf_init(&other, BUF_NO_CAP);
    append_name(&name, paths[at]);
    for (size_t i = 0; i < at; i++) {
        buf_reset(&other);
        append_name(&other, paths[i]);
        n += slice_eq(buf_slice(&name), buf_slice(&other));
    }
    if (n > 1)
        buf_printf(&name, "_%d", n);
    buf_append_slice(out, buf_slice(&name));
    buf_release(&name);
    buf_release(&other);
}

static void append_specifier(struct buf *out, const char *path) {
    bool is_complete = path[0] == '/' || path[0] == '.' || strstr(path, "://");
    if (!is_complete)
        buf_append_str(out, "./");
    buf_append_str(out, path);
}

static void append_file(struct json_writer *w, struct buf *out, const char *const *paths,
                        size_t at) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    json_array_begin(w);
    append_unique_name(&text, paths, at);
    json_string(w, buf_slice(&text));
    json_cstr(w, paths[at]);
    buf_reset(&text);
    append_specifier(&text, paths[at]);
    buf_append_str(out, ",require(");
    struct json_writer specifier;
    json_write_init(&specifier, out, NULL, false);
    json_string(&specifier, buf_slice(&text));
    buf_append_str(out, ")");
    json_array_end(w);
    buf_release(&text);
}

char *several_source(const char *const *paths, size_t n, char **out_title) {
    struct json_writer w;
    struct buf text, title;
    buf_init(&text, BUF_NO_CAP);
    buf_init(&title, BUF_NO_CAP);
    buf_append(&text, k6_several, k6_several_bytes);
    buf_append_str(&text, "\ncombine(exports, ");
    json_write_init(&w, &text, NULL, false);
    json_array_begin(&w);
    for (size_t i = 0; i < n; i++) {
        append_file(&w, &text, paths, i);
        buf_printf(&title, i > 0 ? ", %s" : "%s", paths[i]);
    }
    json_array_end(&w);
    buf_append_str(&text, ");\n");
    *out_title = buf_detach(&title, NULL);
    return buf_detach(&text, NULL);
}
