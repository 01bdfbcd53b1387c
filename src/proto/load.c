#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "proto/descriptor.h"

/* Reads .proto files and what they import, depth first: the order in which k6 lists their methods.
 */

#define IMPORT_DEPTH_MAX 128

struct loader {
    struct proto_pool *pool;
    const struct proto_source *source;
    struct error *err;
    const struct proto_file
        *chain[IMPORT_DEPTH_MAX]; /* files being loaded, each imports the next */
    size_t depth;
};

/* Go's filepath.Clean of dir/name, in place of text (room for both and 3 bytes). */
static void join_path(char *text, struct slice dir, struct slice name) {
    size_t len = 0, base = 0; /* base: what ".." cannot take away */
    struct slice parts[] = {dir, name};
    struct slice first = dir.len > 0 ? dir : name;
    if (first.len > 0 && first.ptr[0] == '/')
        text[len++] = '/', base = 1;
    for (size_t i = 0; i < countof(parts); i++) {
        struct slice rest = parts[i];
        while (rest.ptr != NULL && rest.len > 0) {
            struct slice part = slice_cut(&rest, '/');
            if (part.len == 0 || slice_eq(part, SLICE(".")))
                continue;
            bool is_up = slice_eq(part, SLICE(".."));
            if (is_up && len > base) {
                while (len > base && text[len - 1] != '/')
                    len--;
                if (len > base)
                    len--; /* the slash */
                continue;
            }
            if (is_up && base == 1 && text[0] == '/')
                continue;
            if (len > 0 && text[len - 1] != '/')
                text[len++] = '/';
            memcpy(text + len, part.ptr, part.len);
            len += part.len;
            if (is_up)
                base = len;
        }
    }
    if (len == 0)
        text[len++] = '.';
    text[len] = '\0';
}

static int read_from(struct loader *l, struct slice dir, struct slice name, struct buf *out) {
    char *path = xmalloc(dir.len + name.len + 4);
    join_path(path, dir, name);
    out->len = 0;
    int rc = l->source->read(l->source->ctx, path, out, l->err);
    free(path);
    return rc;
}

/* From the import paths, then from what is built in. */
static int read_text(struct loader *l, struct slice name, struct buf *out) {
    int rc = KE_NOT_FOUND;
    for (size_t i = 0; rc == KE_NOT_FOUND && i < l->source->import_path_count; i++)
        rc = read_from(l, l->source->import_paths[i], name, out);
    if (l->source->import_path_count == 0) {
        char *path = xstrndup(name.ptr, name.len);
        rc = l->source->read(l->source->ctx, path, out, l->err);
        free(path);
    }
    if (rc != KE_NOT_FOUND || !builtin_has(name))
        return rc;
    out->len = 0;
    return buf_append_slice(out, builtin_text(name));
}

static bool mentions(const char *text, struct slice name) {
    for (const char *at = text; (at = strchr(at, name.ptr[0])) != NULL; at++)
        if (strncmp(at, name.ptr, name.len) == 0)
            return true;
    return false;
}

static int cannot_read(struct loader *l, int rc, struct slice name,
                       const struct proto_import *import) {
    struct error why = *l->err;
    const struct proto_file *file = l->depth > 0 ? l->chain[l->depth - 1] : NULL;
    char quoted[200] = "";
    if (name.len > 0 && !mentions(why.text, name))
        snprintf(quoted, sizeof quoted,
                 "could not resolve path \"%.*s\": ", name.len > 120 ? 120 : (int)name.len,
                 name.ptr);
    if (import == NULL)
        return error_set(l->err, rc, "%s%s", quoted, why.text);
    return error_set(l->err, rc, "%.*s:%u:%u: %s%s", SLICE_FMT(file->name), import->pos.line,
                     import->pos.column, quoted, why.text);
}

static int refuse_cycle(struct loader *l, const struct proto_import *import) {
    const struct proto_file *file = l->chain[l->depth - 1];
    size_t i = 0;
    while (i < l->depth && !slice_eq(l->chain[i]->name, import->name))
        i++;
    if (i == l->depth)
        return 0;
    struct buf names;
    buf_init(&names, 400);
    for (size_t j = i; j < l->depth; j++)
        buf_printf(&names, "\"%.*s\" -> ", SLICE_FMT(l->chain[j]->name));
    buf_printf(&names, "\"%.*s\"", SLICE_FMT(import->name));
    int rc =
        proto_error_at(l->err, file, import->pos, "cycle found in imports: %s", buf_cstr(&names));
    buf_release(&names);
    return rc;
}

static int load(struct loader *l, struct slice name, const struct proto_import *import) {
    if (pool_file(l->pool, name) != NULL)
        return import != NULL ? refuse_cycle(l, import) : 0;
    if (l->depth == IMPORT_DEPTH_MAX || l->pool->files.len >= PROTO_FILES_MAX)
        return error_set(l->err, KE_TOO_LARGE, "%.*s: too many imports", SLICE_FMT(name));
    struct proto_file *file;
    struct buf text;
    buf_init(&text, PROTO_FILE_BYTES_MAX);
    int rc = read_text(l, name, &text);
    if (rc != 0)
        rc = cannot_read(l, rc, name, import);
    else
        rc = proto_parse_text(l->pool, name, buf_slice(&text), &file, l->err);
    buf_release(&text);
    if (rc != 0)
        return rc;
    l->chain[l->depth++] = file;
    for (uint32_t i = 0; rc == 0 && i < file->imports.len; i++) {
        rc = load(l, file->imports.ptr[i].name, &file->imports.ptr[i]);
        if (rc != 0 && file->imports.ptr[i].is_weak && rc == KE_NOT_FOUND)
            rc = 0;
    }
    l->depth--;
    return rc;
}

int proto_pool_parse(struct proto_pool *pool, const struct proto_source *source,
                     const struct slice *files, size_t file_count, struct error *err) {
    struct error why = {0};
    struct loader l = {.pool = pool, .source = source, .err = err != NULL ? err : &why};
    for (size_t i = 0; i < file_count; i++) {
        int rc = load(&l, files[i], NULL);
        if (rc != 0)
            return rc;
    }
    return 0;
}
