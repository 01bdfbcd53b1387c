/* Sources whose secrets are known from the beginning: a file of KEY=VALUE lines, and a list on the
 * command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "js/script_internal.h"
#include "js/secrets/source.h"

#define FILE_MAX_BYTES ((size_t)64 << 20)

static struct map *list_new(void) {
    struct map *list = xmalloc(sizeof *list);
    map_init(list);
    return list;
}

static void list_free(void *state) {
    struct map *list = state;
    struct map_entry *e;
    if (!list)
        return;
    for (size_t i = 0; (e = map_next(list, &i));)
        free(e->value);
    map_release(list);
    free(list);
}

static int list_fetch(void *state, struct slice key, char **out_value, struct error *err) {
    const char *value = map_get(state, key);
    if (!value)
        return error_set(err, KE_NOT_FOUND, "no value");
    *out_value = xstrdup(value);
    return 0;
}

static int list_add(struct map *list, struct slice item, struct error *err) {
    struct slice value = item, key = slice_cut(&value, '=');
    if (!value.ptr) {
        char *text = slice_dup(item), *q = quoted(text);
        int rc = error_set(err, KE_CONFIG, "parsing %s, needs =", q);
        free(q);
        free(text);
        return rc;
    }
    free(map_set(list, key, slice_dup(value)));
    return 0;
}

/* ---- mock ---- */

static int mock_open(struct slice config, void **out_state, struct error *err) {
    struct map *list = list_new();
    int rc = 0;
    while (config.ptr && rc == 0)
        rc = list_add(list, slice_cut(&config, ','), err);
    *out_state = list;
    return rc;
}

/* ---- file ---- */

static int read_file(const char *path, struct buf *out, struct error *err) {
    char chunk[16384];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f)
        return error_set(err, KE_CONFIG, "open %s: %s", path,
                         errno == ENOENT   ? "no such file or directory"
                         : errno == EACCES ? "permission denied"
                                           : strerror(errno));
    int rc = 0;
    while (rc == 0 && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
        rc = buf_append(out, chunk, n);
    if (rc || ferror(f))
        rc =
            error_set(err, KE_CONFIG, "read %s: %s", path, rc ? "file too large" : strerror(errno));
    fclose(f);
    return rc;
}

/* The path of "filename=x" or plain "x"; heap string, NULL with *err set. */
static char *file_path(struct slice config, struct error *err) {
    char *path = xstrdup("");
    do {
        struct slice item = slice_cut(&config, ','), value = item, key = slice_cut(&value, '=');
        if (value.ptr && !slice_eq(key, SLICE("filename"))) {
            char *text = slice_dup(key), *q = quoted(text);
            error_set(err, KE_CONFIG, "unknown configuration key for file secret source %s", q);
            free(q);
            free(text);
            free(path);
            return NULL;
        }
        free(path);
        path = slice_dup(value.ptr ? value : item);
    } while (config.ptr);
    return path;
}

static int file_open(struct slice config, void **out_state, struct error *err) {
    struct buf text;
    char *path = file_path(config, err);
    if (!path)
        return KE_CONFIG;
    struct map *list = list_new();
    buf_init(&text, FILE_MAX_BYTES);
    int rc = read_file(path, &text, err);
    struct slice rest = buf_slice(&text);
    while (rc == 0 && rest.ptr && rest.len > 0) {
        struct slice line = slice_cut(&rest, '\n');
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        rc = list_add(list, line, err);
    }
    *out_state = list;
    buf_release(&text);
    free(path);
    return rc;
}

const struct secret_kind secret_kind_mock = {
    .name = "mock", .open = mock_open, .fetch = list_fetch, .free_state = list_free};
const struct secret_kind secret_kind_file = {
    .name = "file", .open = file_open, .fetch = list_fetch, .free_state = list_free};
