#include "proto_unit.h"

void read_data(const char *path, struct buf *out) {
    FILE *f = fopen(path, "rb");
    char piece[4096];
    size_t n;
    if (f == NULL)
        fail_msg("cannot open '%s'", path);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        assert_int_equal(buf_append(out, piece, n), 0);
    fclose(f);
}

static int read_file(void *ctx, const char *path, struct buf *out, struct error *err) {
    (void)ctx;
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return error_set(err, KE_NOT_FOUND, "open %s: no such file or directory", path);
    fclose(f);
    read_data(path, out);
    return 0;
}

struct proto_pool *pool_of_data(const char *name) {
    struct slice dir = SLICE(DATA), file = slice_cstr(name);
    struct proto_source source = {.read = read_file, .import_paths = &dir, .import_path_count = 1};
    struct proto_pool *pool = proto_pool_new();
    struct error err;
    if (proto_pool_parse(pool, &source, &file, 1, &err) != 0 || proto_pool_build(pool, &err) != 0)
        fail_msg("%s", err.text);
    return pool;
}

static int read_text(void *ctx, const char *path, struct buf *out, struct error *err) {
    for (const struct text_file *f = ctx; f->name != NULL; f++)
        if (strcmp(f->name, path) == 0)
            return buf_append_str(out, f->text);
    return error_set(err, KE_NOT_FOUND, "open /test/%s: no such file or directory", path);
}

struct proto_pool *pool_of_texts(const struct text_file *files, struct error *err) {
    struct slice name = slice_cstr(files[0].name);
    struct proto_source source = {.read = read_text, .ctx = (void *)files};
    struct proto_pool *pool = proto_pool_new();
    if (proto_pool_parse(pool, &source, &name, 1, err) == 0 && proto_pool_build(pool, err) == 0)
        return pool;
    proto_pool_unref(pool);
    return NULL;
}

void expect_error(const struct text_file *files, const char *text) {
    struct error err = {0};
    struct proto_pool *pool = pool_of_texts(files, &err);
    if (text != NULL && pool != NULL)
        fail_msg("no error, expected: %s\n%s", text, files[0].text);
    if (text == NULL && pool == NULL)
        fail_msg("%s\n%s", err.text, files[0].text);
    if (text != NULL && strcmp(err.text, text) != 0)
        fail_msg("%s\n     got: %s\nexpected: %s", files[0].text, err.text, text);
    proto_pool_unref(pool);
}

void expect_text_error(const char *proto, const char *text) {
    const struct text_file files[] = {{"test.proto", proto}, {NULL, NULL}};
    expect_error(files, text);
}

void from_hex(const char *hex, size_t len, struct buf *out) {
    for (size_t i = 0; i + 1 < len; i += 2) {
        unsigned byte;
        assert_int_equal(sscanf(hex + i, "%2x", &byte), 1);
        buf_append_char(out, (char)byte);
    }
}

char *to_hex(struct slice bytes) {
    char *hex = xmalloc(bytes.len * 2 + 1);
    for (size_t i = 0; i < bytes.len; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes.ptr[i]);
    hex[bytes.len * 2] = '\0';
    return hex;
}
