#include "js/source_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/vec.h"
#include "js/js_util.h"

static const char comment[] = "//# sourceMappingURL=";
static const char data_prefix[] = "data:application/json";

struct mapping {
    int32_t line, column; /* in the compiled file, from 1 and from 0 */
    int32_t source, source_line, source_column;
};

struct source_map {
    VEC(struct mapping) mappings; /* by line and column */
    VEC(char *) sources;
};

void source_map_free(struct source_map *m) {
    if (!m)
        return;
    for (size_t i = 0; i < m->sources.len; i++)
        free(m->sources.ptr[i]);
    vec_release(&m->sources);
    vec_release(&m->mappings);
    free(m);
}

/* ---- where the map is ---- */

/* What the last line that says something names, or NULL. */
static struct slice map_url(struct slice text) {
    while (text.len > 0) {
        const char *nl = memrchr(text.ptr, '\n', text.len);
        size_t from = nl ? (size_t)(nl + 1 - text.ptr) : 0;
        struct slice line = slice_trim(slice_from(text.ptr + from, text.len - from));
        if (line.len && !slice_eq(line, SLICE("})"))) {
            if (!slice_starts(line, slice_cstr(comment)))
                break;
            size_t skip = sizeof comment - 1;
            return slice_from(line.ptr + skip, line.len - skip);
        }
        text.len = from ? from - 1 : 0;
    }
    return slice_from(NULL, 0);
}

/* A name relative to a URL: absolute ones stay. Heap string. */
static char *resolve(const char *base, const char *name) {
    const char *scheme = strstr(name, "://");
    if (scheme && strcspn(name, "/") == (size_t)(scheme + 1 - name))
        return xstrdup(name);
    if (name[0] == '/')
        return xasprintf("file://%s", name);
    const char *slash = strrchr(base, '/');
    char *dir = xasprintf("%.*s", slash ? (int)(slash + 1 - base) : 0, base);
    struct error err;
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    char *dotted = strncmp(name, "../", 3) == 0 ? xstrdup(name) : xasprintf("./%s", name);
    char *url = script_resolve(dir, dotted, &err);
    free(dotted);
    if (!url)
        url = xasprintf("%s%s", dir, name);
    free(dir);
    return url;
}

static int read_map(struct vu *vu, const struct script_file *f, struct slice url, struct buf *out,
                    struct error *err) {
    if (slice_starts(url, slice_cstr(data_prefix))) {
        const struct base64_form form = {0};
        const char *comma = memchr(url.ptr, ',', url.len);
        size_t skip = comma ? (size_t)(comma + 1 - url.ptr) : 0, bad;
        struct slice text = slice_from(url.ptr + skip, url.len - skip);
        if (base64_decode(out, text, form, &bad))
            return error_set(err, KE_INVALID, "illegal base64 data at input byte %zu", bad);
        return 0;
    }
    char *name = slice_dup(url), *full = resolve(f->url, name);
    struct script_file *file;
    int rc = script_read_module(vu->script, full, full, &file, err);
    if (rc == 0)
        buf_append(out, file->ptr, file->len);
    free(full);
    free(name);
    return rc;
}

/* ---- what is in it ---- */

static int base64_digit(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* One number at *s: five bits a digit, the lowest first, the sign in the lowest bit. */
static bool read_vlq(struct slice *s, int32_t *out) {
    uint32_t value = 0;
    for (unsigned shift = 0; s->len && shift < 32; shift += 5) {
        int digit = base64_digit(s->ptr[0]);
        if (digit < 0)
            return false;
        *s = slice_from(s->ptr + 1, s->len - 1);
        value |= (uint32_t)(digit & 31) << shift;
        if (!(digit & 32)) {
            *out = value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
            return true;
        }
    }
    return false;
}

static bool read_mappings(struct source_map *m, struct slice s) {
    struct mapping at = {.line = 1, .source_line = 1};
    int32_t ignored;
    while (s.len) {
        if (s.ptr[0] == ';') {
            at.line++;
            at.column = 0;
        }
        if (s.ptr[0] == ';' || s.ptr[0] == ',') {
            s = slice_from(s.ptr + 1, s.len - 1);
            continue;
        }
        int32_t delta[4] = {0};
        if (!read_vlq(&s, &delta[0]))
            return false;
        at.column += delta[0];
        if (!s.len || s.ptr[0] == ',' || s.ptr[0] == ';')
            continue; /* of no source */
        for (int i = 1; i < 4; i++)
            if (!read_vlq(&s, &delta[i]))
                return false;
        at.source += delta[1];
        at.source_line += delta[2];
        at.source_column += delta[3];
        if (s.len && s.ptr[0] != ',' && s.ptr[0] != ';' && !read_vlq(&s, &ignored))
            return false;
        if (at.source < 0 || (size_t)at.source >= m->sources.len)
            return false;
        vec_push(&m->mappings, at);
    }
    return true;
}

static char *string_property(JSContext *ctx, JSValueConst o, const char *name) {
    JSValue v = JS_GetPropertyStr(ctx, o, name);
    struct js_text text;
    char *copy = NULL;
    if (JS_IsString(v) && js_text_get(ctx, v, &text)) {
        copy = slice_dup(text.s);
        js_text_release(&text);
    }
    JS_FreeValue(ctx, v);
    return copy ? copy : xstrdup("");
}

/* Their URLs, relative to the root or to the compiled file. */
static void read_sources(struct source_map *m, JSContext *ctx, JSValueConst map, const char *url) {
    JSValue list = JS_GetPropertyStr(ctx, map, "sources");
    JSValue length = JS_GetPropertyStr(ctx, list, "length");
    char *root = string_property(ctx, map, "sourceRoot");
    uint32_t n = 0;
    JS_ToUint32(ctx, &n, length);
    for (uint32_t i = 0; i < n; i++) {
        JSValue v = JS_GetPropertyUint32(ctx, list, i);
        const char *name = JS_ToCString(ctx, v);
        bool has_slash = root[0] && root[strlen(root) - 1] == '/';
        char *rooted = root[0] ? xasprintf("%s%s%s", root, has_slash ? "" : "/", name ? name : "")
                               : xstrdup(name ? name : "");
        vec_push(&m->sources, resolve(url, rooted));
        free(rooted);
        JS_FreeCString(ctx, name);
        JS_FreeValue(ctx, v);
    }
    free(root);
    JS_FreeValue(ctx, length);
    JS_FreeValue(ctx, list);
}

static int parse(struct source_map *m, JSContext *ctx, struct slice json, const char *url,
                 struct error *err) {
    JSValue map = JS_ParseJSON(ctx, json.ptr, json.len, "<source map>");
    int32_t version = 0;
    if (JS_IsException(map)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return error_set(err, KE_INVALID, "the source map is no JSON");
    }
    JSValue v = JS_GetPropertyStr(ctx, map, "version");
    JS_ToInt32(ctx, &version, v);
    JS_FreeValue(ctx, v);
    char *mappings = string_property(ctx, map, "mappings");
    int rc = 0;
    read_sources(m, ctx, map, url);
    if (version != 3 && version != 0)
        rc = error_set(err, KE_INVALID,
                       "sourcemap: got version=%d, but only 3rd version is supported", version);
    else if (!mappings[0])
        rc = error_set(err, KE_INVALID, "sourcemap: mappings are empty");
    else if (!read_mappings(m, slice_cstr(mappings)))
        rc = error_set(err, KE_INVALID, "sourcemap: the mappings cannot be read");
    free(mappings);
    JS_FreeValue(ctx, map);
    return rc;
}

struct source_map *source_map_load(struct vu *vu, const struct script_file *f, struct error *err) {
    struct slice url = map_url(slice_from(f->ptr, f->len));
    struct buf json;
    *err = (struct error){0};
    if (!url.len)
        return NULL;
    buf_init(&json, BUF_NO_CAP);
    struct source_map *m = xcalloc(1, sizeof *m);
    if (read_map(vu, f, url, &json, err) ||
        parse(m, vu->ctx, slice_from(buf_cstr(&json), json.len), f->url, err)) {
        source_map_free(m);
        m = NULL;
    }
    buf_release(&json);
    return m;
}

/* ---- places ---- */

bool source_map_find(const struct source_map *m, int line, int column, struct source_place *out) {
    size_t low = 0, high = m->mappings.len;
    /* The first mapping behind the place; the one before it is where the place belongs. */
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct mapping *x = &m->mappings.ptr[middle];
        if (x->line < line || (x->line == line && x->column <= column))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || (low == m->mappings.len && m->mappings.ptr[low - 1].line != line))
        return false;
    const struct mapping *x = &m->mappings.ptr[low - 1];
    *out = (struct source_place){m->sources.ptr[x->source], x->source_line, x->source_column};
    return true;
}
