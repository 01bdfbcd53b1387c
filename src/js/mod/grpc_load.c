/* client.load and client.loadProtoset: files are read through the script's cache (archives have
 * them), parsed once per process and shared by all VUs. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "js/mod/grpc_internal.h"
#include "js/script_internal.h"

#define PATHS_MAX 1000

struct load { /* what proto_pool_shared's key stands for */
    struct vu *vu;
    struct slice *paths, *files; /* on the heap */
    size_t n_paths, n_files;
    char *dir; /* of the script: what relative paths start from */
};

/* ---------------------------------------------------------------- files */

static int read_file(void *arg, const char *path, struct buf *out, struct error *err) {
    const struct load *l = arg;
    struct script_file *file;
    char *whole = path_join_clean(l->dir, path), *url = script_path_to_url(whole);
    int rc = script_read(l->vu->script, url, &file, err);
    if (rc == KE_NOT_FOUND)
        error_set(err, rc, "open %s: no such file or directory", whole);
    if (rc == 0 && buf_append(out, file->ptr, file->len))
        rc = error_set(err, KE_TOO_LARGE, "%s: the file is too large", whole);
    free(whole);
    free(url);
    return rc;
}

static int build(void *arg, struct proto_pool *pool, struct error *err) {
    struct load *l = arg;
    struct proto_source source = {read_file, l, l->paths, l->n_paths};
    return proto_pool_parse(pool, &source, l->files, l->n_files, err);
}

static int build_protoset(void *arg, struct proto_pool *pool, struct error *err) {
    struct load *l = arg;
    struct buf bytes;
    struct error why;
    buf_init(&bytes, PROTO_FILE_BYTES_MAX);
    int rc = read_file(l, l->files[0].ptr, &bytes, &why);
    if (rc) {
        error_set(err, rc, "couldn't open protoset: %.440s", why.text);
    } else {
        rc = proto_pool_add_set(pool, buf_slice(&bytes), &why);
        if (rc)
            error_set(err, rc, "couldn't unmarshal protoset file %.200s: %.250s", l->files[0].ptr,
                      why.text);
    }
    buf_release(&bytes);
    return rc;
}

/* ---------------------------------------------------------------- arguments */

static bool add_text(JSContext *ctx, struct slice **list, size_t *len, JSValueConst v) {
    struct js_text text;
    if (!js_text_get(ctx, v, &text))
        return false;
    struct slice s = text.s;
    if (slice_starts(s, SLICE("file://")))
        s = slice_from(s.ptr + 7, s.len - 7);
    *list = xrealloc(*list, (*len + 1) * sizeof **list);
    (*list)[(*len)++] = slice_from(slice_dup(s), s.len);
    js_text_release(&text);
    return true;
}

static bool add_texts(JSContext *ctx, struct slice **list, size_t *len, JSValueConst v) {
    bool ok = true;
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return true;
    if (!JS_IsArray(ctx, v))
        return add_text(ctx, list, len, v);
    for (uint32_t i = 0; ok && i < PATHS_MAX; i++) {
        JSValue item = JS_GetPropertyUint32(ctx, v, i);
        if (JS_IsUndefined(item))
            break;
        ok = !JS_IsException(item) && add_text(ctx, list, len, item);
        JS_FreeValue(ctx, item);
    }
    return ok;
}

static void load_init(struct load *l, struct vu *vu) {
    char *url = xstrdup(script_pwd(vu->script));
    *l = (struct load){.vu = vu, .dir = script_url_to_path(url)};
    if (!l->dir)
        l->dir = xstrdup(vu->script->cwd);
    free(url);
}

static void load_release(struct load *l) {
    for (size_t i = 0; i < l->n_paths; i++)
        free((char *)(uintptr_t)l->paths[i].ptr);
    for (size_t i = 0; i < l->n_files; i++)
        free((char *)(uintptr_t)l->files[i].ptr);
    free(l->paths);
    free(l->files);
    free(l->dir);
}

/* ---------------------------------------------------------------- what load returns */

static JSValue method_info(JSContext *ctx, const struct proto_method *m) {
    JSValue o = JS_NewObject(ctx);
#define TEXT(name, s) JS_SetPropertyStr(ctx, o, name, JS_NewStringLen(ctx, (s).ptr, (s).len))
    TEXT("package", m->package);
    TEXT("service", m->service);
    TEXT("full_method", m->path);
    TEXT("name", m->name);
#undef TEXT
    JS_SetPropertyStr(ctx, o, "is_client_stream", JS_NewBool(ctx, m->is_client_stream));
    JS_SetPropertyStr(ctx, o, "is_server_stream", JS_NewBool(ctx, m->is_server_stream));
    return o;
}

static void add_pool(struct grpc_client *c, struct proto_pool *pool) {
    c->pools = xrealloc(c->pools, (c->n_pools + 1) * sizeof(struct proto_pool *));
    c->pools[c->n_pools++] = pool;
}

static JSValue methods_of(JSContext *ctx, const struct proto_pool *pool) {
    JSValue list = JS_NewArray(ctx);
    for (size_t i = 0; i < proto_pool_method_count(pool); i++)
        JS_SetPropertyUint32(ctx, list, (uint32_t)i, method_info(ctx, proto_pool_method(pool, i)));
    return list;
}

/* All VUs of a script that load the same get the same pool. */
static JSValue load_pool(struct grpc_client *c, struct load *l, char kind,
                         int (*fill)(void *arg, struct proto_pool *pool, struct error *err)) {
    struct proto_pool *pool;
    struct error err;
    struct buf key;
    buf_init(&key, BUF_NO_CAP);
    buf_printf(&key, "%c %p %s", kind, (void *)c->vu->script, l->dir);
    for (size_t i = 0; i < l->n_paths; i++)
        buf_printf(&key, "\nimport %.*s", SLICE_FMT(l->paths[i]));
    for (size_t i = 0; i < l->n_files; i++)
        buf_printf(&key, "\nfile %.*s", SLICE_FMT(l->files[i]));
    int rc = proto_pool_shared(buf_slice(&key), fill, l, &pool, &err);
    buf_release(&key);
    if (rc)
        return js_throw_go_error(c->vu->ctx, "%s", err.text);
    add_pool(c, pool);
    return methods_of(c->vu->ctx, pool);
}

static struct grpc_client *client_in_init(JSContext *ctx, JSValueConst this_val) {
    struct grpc_client *c = grpc_client_of(this_val);
    if (!c) {
        JS_ThrowTypeError(ctx, "not a gRPC client");
        return NULL;
    }
    if (!c->vu->is_init) {
        js_throw_go_error(ctx, "load must be called in the init context");
        return NULL;
    }
    return c;
}

JSValue grpc_js_load(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct grpc_client *c = client_in_init(ctx, this_val);
    struct load l;
    if (!c)
        return JS_EXCEPTION;
    load_init(&l, c->vu);
    bool ok = argc == 0 || add_texts(ctx, &l.paths, &l.n_paths, argv[0]);
    for (int i = 1; i < argc && ok; i++)
        ok = add_text(ctx, &l.files, &l.n_files, argv[i]);
    if (ok && l.n_paths == 0) {
        l.paths = xmalloc(sizeof *l.paths);
        l.paths[l.n_paths++] = slice_from(xstrdup(l.dir), strlen(l.dir));
    }
    JSValue r = ok ? load_pool(c, &l, 'p', build) : JS_EXCEPTION;
    load_release(&l);
    return r;
}

JSValue grpc_js_load_protoset(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct grpc_client *c = client_in_init(ctx, this_val);
    struct load l;
    if (!c)
        return JS_EXCEPTION;
    load_init(&l, c->vu);
    bool ok = add_text(ctx, &l.files, &l.n_files, argc > 0 ? argv[0] : JS_UNDEFINED);
    JSValue r = ok ? load_pool(c, &l, 's', build_protoset) : JS_EXCEPTION;
    load_release(&l);
    return r;
}

/* ---------------------------------------------------------------- reflection */

static int build_reflected(void *arg, struct proto_pool *pool, struct error *err) {
    const struct slice *set = arg;
    return proto_pool_add_set(pool, *set, err);
}

int grpc_client_add_reflected(struct grpc_client *c, struct slice set, struct error *err) {
    struct proto_pool *pool;
    struct error why;
    struct buf key;
    buf_init(&key, BUF_NO_CAP);
    buf_append_str(&key, "r ");
    buf_append_slice(&key, set);
    int rc = proto_pool_shared(buf_slice(&key), build_reflected, &set, &pool, &why);
    buf_release(&key);
    if (rc)
        return error_set(err, rc, "can't convert method info: %.440s", why.text);
    size_t i = 0;
    while (i < c->n_pools && c->pools[i] != c->reflected)
        i++;
    if (c->reflected && i < c->n_pools) {
        proto_pool_unref(c->reflected);
        memmove(c->pools + i, c->pools + i + 1, (c->n_pools - i - 1) * sizeof *c->pools);
        c->n_pools--;
    }
    c->reflected = pool;
    add_pool(c, pool);
    return 0;
}
