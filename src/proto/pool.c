#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "proto/descriptor.h"

const char *const proto_kind_names[KIND_COUNT] = {
    "",        "double",   "float",    "int64",  "uint64",  "int32", "fixed64",
    "fixed32", "bool",     "string",   "group",  "message", "bytes", "uint32",
    "enum",    "sfixed32", "sfixed64", "sint32", "sint64"};

void list_grow(struct arena *a, void **ptr, uint32_t len, uint32_t *alloc, size_t item_bytes) {
    if (len < *alloc)
        return;
    *alloc = *alloc ? *alloc * 2 : 4;
    void *grown = arena_alloc(a, *alloc * item_bytes);
    if (len > 0)
        memcpy(grown, *ptr, len * item_bytes);
    *ptr = grown;
}

void *arena_zalloc(struct arena *a, size_t bytes) {
    return memset(arena_alloc(a, bytes), 0, bytes);
}

struct slice arena_slice(struct arena *a, struct slice s) {
    return slice_from(arena_strndup(a, s.ptr, s.len), s.len);
}

struct slice full_name_of(struct arena *a, struct slice scope, struct slice name) {
    if (scope.len == 0)
        return name;
    char *text = arena_alloc(a, scope.len + name.len + 2);
    memcpy(text, scope.ptr, scope.len);
    text[scope.len] = '.';
    if (name.len > 0)
        memcpy(text + scope.len + 1, name.ptr, name.len);
    return slice_from(text, scope.len + 1 + name.len);
}

struct slice parent_name(struct slice full_name) {
    size_t len = full_name.len;
    while (len > 0 && full_name.ptr[len - 1] != '.')
        len--;
    return slice_from(full_name.ptr, len > 0 ? len - 1 : 0);
}

struct slice json_name_of(struct arena *a, struct slice name) {
    char *text = arena_alloc(a, name.len + 1), *at = text;
    bool is_upper = false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c != '_')
            *at++ = is_upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        is_upper = c == '_';
    }
    return slice_from(text, (size_t)(at - text));
}

int proto_error_at(struct error *err, const struct proto_file *file, struct proto_pos pos,
                   const char *fmt, ...) {
    char words[440];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    if (pos.line == 0)
        return error_set(err, KE_INVALID, "proto: %s", words);
    return error_set(err, KE_INVALID, "%.*s:%u:%u: %s", SLICE_FMT(file->name), pos.line, pos.column,
                     words);
}

struct proto_pool *proto_pool_new(void) {
    struct proto_pool *pool = xcalloc(1, sizeof *pool);
    atomic_init(&pool->refs, 1);
    arena_init(&pool->arena);
    return pool;
}

struct proto_pool *proto_pool_ref(struct proto_pool *pool) {
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    return pool;
}

void proto_pool_unref(struct proto_pool *pool) {
    if (pool == NULL || atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&pool->symbols, &i));)
        free(e->value);
    map_release(&pool->symbols);
    map_release(&pool->files_by_name);
    map_release(&pool->methods_by_path);
    map_release(&pool->extensions);
    arena_release(&pool->arena);
    free(pool);
}

struct proto_file *pool_file(const struct proto_pool *pool, struct slice name) {
    return map_get(&pool->files_by_name, name);
}

struct proto_file *pool_new_file(struct proto_pool *pool, struct slice name) {
    struct proto_file *file = arena_zalloc(&pool->arena, sizeof *file);
    file->name = arena_slice(&pool->arena, name);
    file->index = pool->files.len;
    list_push(&pool->arena, &pool->files, file);
    map_set(&pool->files_by_name, file->name, file);
    return file;
}

bool proto_pool_has_file(const struct proto_pool *pool, struct slice name) {
    return pool_file(pool, name) != NULL;
}

struct slice proto_pool_missing_file(const struct proto_pool *pool) {
    for (uint32_t i = 0; i < pool->files.len; i++) {
        const struct proto_file *file = pool->files.ptr[i];
        for (uint32_t j = 0; j < file->imports.len; j++) {
            struct slice name = file->imports.ptr[j].name;
            if (pool_file(pool, name) == NULL && !builtin_has(name))
                return name;
        }
    }
    return SLICE("");
}

/* ---------------------------------------------------------------- lookups */

size_t proto_pool_method_count(const struct proto_pool *pool) {
    return pool->methods.len;
}

const struct proto_method *proto_pool_method(const struct proto_pool *pool, size_t i) {
    return &pool->methods.ptr[i];
}

const struct proto_method *proto_pool_find_method(const struct proto_pool *pool,
                                                  struct slice path) {
    if (path.len > 0 && path.ptr[0] == '/')
        path = slice_from(path.ptr + 1, path.len - 1);
    return map_get(&pool->methods_by_path, path);
}

const struct proto_type *proto_pool_find_message(const struct proto_pool *pool,
                                                 struct slice full_name) {
    const struct symbol *symbol = map_get(&pool->symbols, full_name);
    return symbol != NULL && symbol->kind == SYMBOL_MESSAGE ? symbol->item : NULL;
}

struct slice proto_type_name(const struct proto_type *type) {
    return type->full_name;
}

size_t proto_pool_file_count(const struct proto_pool *pool) {
    return pool->files.len;
}

struct slice proto_pool_file_name(const struct proto_pool *pool, size_t i) {
    return pool->files.ptr[i]->name;
}

size_t proto_pool_file_of(const struct proto_pool *pool, struct slice full_name) {
    const struct symbol *symbol = map_get(&pool->symbols, full_name);
    return symbol != NULL && symbol->file != NULL ? symbol->file->index : SIZE_MAX;
}

/* ---------------------------------------------------------------- once a process */

static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static struct map shared_pools; /* for the life of the process */

int proto_pool_shared(struct slice key,
                      int (*build)(void *ctx, struct proto_pool *pool, struct error *err),
                      void *ctx, struct proto_pool **out_pool, struct error *err) {
    int rc = 0;
    pthread_mutex_lock(&shared_lock);
    struct proto_pool *pool = map_get(&shared_pools, key);
    if (pool == NULL) {
        pool = proto_pool_new();
        rc = build(ctx, pool, err);
        if (rc == 0 && !pool->is_built)
            rc = proto_pool_build(pool, err);
        if (rc == 0)
            map_set(&shared_pools, key, pool);
        else
            proto_pool_unref(pool);
    }
    *out_pool = rc == 0 ? proto_pool_ref(pool) : NULL;
    pthread_mutex_unlock(&shared_lock);
    return rc;
}

static pthread_once_t builtin_once = PTHREAD_ONCE_INIT;
static struct proto_pool *builtin_pool;

static void make_builtin_pool(void) {
    static const char *const names[] = {
        "google/protobuf/any.proto",        "google/protobuf/api.proto",
        "google/protobuf/descriptor.proto", "google/protobuf/duration.proto",
        "google/protobuf/empty.proto",      "google/protobuf/field_mask.proto",
        "google/protobuf/struct.proto",     "google/protobuf/timestamp.proto",
        "google/protobuf/wrappers.proto",   "google/rpc/error_details.proto",
        "google/rpc/status.proto"};
    struct proto_pool *pool = proto_pool_new();
    struct error err;
    for (size_t i = 0; i < countof(names); i++) {
        struct proto_file *file;
        if (pool_file(pool, slice_cstr(names[i])) == NULL)
            CHECK(proto_parse_text(pool, slice_cstr(names[i]), builtin_text(slice_cstr(names[i])),
                                   &file, &err) == 0);
    }
    CHECK(proto_pool_build(pool, &err) == 0);
    builtin_pool = pool;
}

const struct proto_type *proto_builtin_message(struct slice full_name) {
    pthread_once(&builtin_once, make_builtin_pool);
    return proto_pool_find_message(builtin_pool, full_name);
}
