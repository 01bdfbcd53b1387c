#include "cli/save_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

#define PATH_BYTES_MAX 4096

const char *save_path_tag(const struct test *t, const char *key) {
    const struct opt_map *tags = &t->derived.tags;
    for (size_t i = 0; i < tags->len; i++)
        if (strcmp(tags->items[i].key, key) == 0 && *tags->items[i].value)
            return tags->items[i].value;
    return NULL;
}

static void put_value(struct buf *out, struct slice value) {
    bool is_hidden = value.len > 0 && value.ptr[0] == '.'; /* also: no way up */
    for (size_t i = 0; i < value.len; i++) {
        bool is_bad = value.ptr[i] == '/' || (i == 0 && is_hidden);
        buf_append_char(out, is_bad ? '_' : value.ptr[i]);
    }
}

static void put_host(struct buf *out) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    put_value(out, slice_cstr(host));
}

static void put_instance(struct buf *out, const struct test *t) {
    const char *id = save_path_tag(t, "instance_id");
    if (id != NULL)
        put_value(out, slice_cstr(id));
    else
        buf_printf(out, "%zu", t->tuple.index + 1);
}

static void put_run(struct buf *out, const struct test *t) {
    const char *name = save_path_tag(t, "testrun_name");
    name = name != NULL ? name : save_path_tag(t, "testid");
    const char *base = strrchr(t->path, '/');
    base = base != NULL ? base + 1 : t->path;
    put_value(out, name != NULL ? slice_cstr(name) : slice_from(base, strcspn(base, ".")));
}

static int put_letter(struct buf *out, char letter, const struct test *t, struct error *err) {
    switch (letter) {
    case 'h':
        put_host(out);
        return 0;
    case 'i':
        put_instance(out, t);
        return 0;
    case 't':
        put_run(out, t);
        return 0;
    case 'p':
        buf_printf(out, "%d", (int)getpid());
        return 0;
    case '%':
        buf_append_char(out, '%');
        return 0;
    default:
        return error_set(err, KE_INVALID,
                         "unknown '%%%.*s' in a name: there are %%h (host), %%i "
                         "(instance), %%t (test run), %%p (process) and %%%%",
                         letter != '\0', &letter);
    }
}

/* What is missing on the way to the file, when the way is made from values. */
static int make_folders(char *path, struct error *err) {
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = mkdir(path, 0777) != 0 && errno != EEXIST ? errno : 0;
        struct stat is;
        if (rc != 0 && stat(path, &is) == 0 && S_ISDIR(is.st_mode))
            rc = 0; /* a read-only file system says so even of what is there */
        if (rc != 0)
            error_set(err, KE_IO, "mkdir %s: %s", path, strerror(rc));
        *slash = '/';
        if (rc != 0)
            return KE_IO;
    }
    return 0;
}

char *save_path_expand(const char *pattern, const struct test *t, struct error *err) {
    struct buf out;
    int rc = 0;
    buf_init(&out, PATH_BYTES_MAX);
    for (const char *p = pattern; *p != '\0' && rc == 0; p++) {
        if (*p != '%')
            buf_append_char(&out, *p);
        else if ((rc = put_letter(&out, p[1], t, err)) == 0)
            p++;
    }
    char *path = buf_detach(&out, NULL);
    if (rc == 0)
        return path;
    free(path);
    return NULL;
}

char *save_path_make(const char *pattern, const struct test *t, struct error *err) {
    char *path = save_path_expand(pattern, t, err);
    if (path == NULL || strchr(pattern, '%') == NULL || make_folders(path, err) == 0)
        return path;
    free(path);
    return NULL;
}
