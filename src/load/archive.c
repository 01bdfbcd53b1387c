#include "load/archive.h"

#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/compat.h"
#include "base/json_write.h"
#include "load/jansson_read.h"
#include "load/tar.h"

/* ---- reading */

static void add_file(struct archive *a, const char *url, struct slice content) {
    struct slice *copy = xmalloc(sizeof *copy);
    *copy = content;
    free(map_set(&a->files, slice_cstr(url), copy));
}

static int read_metadata(struct archive *a, struct slice text, struct error *err) {
    json_error_t why;
    json_t *root = json_loadb(text.ptr, text.len, 0, &why), *value;
    const char *name, *mode, *pwd;
    if (root == NULL)
        return error_set(err, KE_INVALID, "%s", why.text);
    name = json_string_value(json_object_get(root, "filename"));
    pwd = json_string_value(json_object_get(root, "pwd"));
    mode = json_string_value(json_object_get(root, "compatibilityMode"));
    a->filename = xstrdup(name != NULL ? name : "");
    a->pwd = pwd != NULL ? xstrdup(pwd) : NULL;
    a->is_base = mode != NULL && strcmp(mode, "base") == 0;
    a->options_json = json_dumps(json_object_get(root, "options"), JSON_COMPACT);
    const char *key;
    json_object_foreach(json_object_get(root, "env"), key, value) {
        if (json_is_string(value))
            free(map_set(&a->env, slice_cstr(key), xstrdup(json_string_value(value))));
    }
    json_decref(root);
    return 0;
}

static int read_file(struct archive *a, const struct tar_entry *e, struct error *err) {
    struct slice path = slice_cstr(e->name), prefix = slice_cut(&path, '/');
    if (path.ptr == NULL)
        return 0;
    path = slice_from(path.ptr - 1, path.len + 1); /* with its slash */
    bool is_old = slice_eq(prefix, SLICE("files")) || slice_eq(prefix, SLICE("scripts"));
    bool is_local = slice_eq(prefix, SLICE("file"));
    if (is_old && path.len >= 2 && path.ptr[1] == '_') {
        is_local = true;
        path = slice_from(path.ptr + 2, path.len - 2);
    }
    if (!is_old && !is_local && !slice_eq(prefix, SLICE("https")))
        return error_set(err, KE_INVALID, "unknown file prefix `%.*s` for file `%s`",
                         SLICE_FMT(prefix), e->name);
    char *name = slice_dup(path);
    char *url = is_local ? script_path_to_url(name) : xasprintf("https:/%s", name);
    add_file(a, url, e->content);
    free(url);
    free(name);
    return 0;
}

int archive_read(struct archive *a, struct slice text, struct error *err) {
    struct slice rest = text, data = {0};
    struct tar_entry e;
    int rc;
    *a = (struct archive){.text = text};
    map_init(&a->files);
    map_init(&a->env);
    while ((rc = tar_read(&rest, &e, err)) == 1) {
        rc = 0;
        if (e.type == TAR_FILE && strcmp(e.name, "metadata.json") == 0)
            rc = read_metadata(a, e.content, err);
        else if (e.type == TAR_FILE && strcmp(e.name, "data") == 0)
            data = e.content;
        else if (e.type == TAR_FILE)
            rc = read_file(a, &e, err);
        free(e.name);
        if (rc != 0)
            return rc;
    }
    if (rc != 0)
        return rc;
    if (a->filename == NULL)
        return error_set(err, KE_INVALID, "unexpected EOF");
    add_file(a, a->filename, data);
    return 0;
}

void archive_release(struct archive *a) {
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&a->files, &i));)
        free(e->value);
    for (size_t i = 0; (e = map_next(&a->env, &i));)
        free(e->value);
    map_release(&a->files);
    map_release(&a->env);
    free(a->filename);
    free(a->pwd);
    free(a->options_json);
    *a = (struct archive){0};
}

/* ---- writing */

/* "/home/ann/x" -> "/home/nobody/x": archives are shared. */
static char *without_user(const char *path) {
    static const char *const homes[] = {"/home/", "/Users/"};
    for (size_t i = 0; i < countof(homes); i++) {
        size_t len = strlen(homes[i]);
        if (strncmp(path, homes[i], len) != 0 || path[len] == '\0')
            continue;
        const char *rest = strchr(path + len, '/');
        return xasprintf("%snobody%s", homes[i], rest != NULL ? rest : "");
    }
    return xstrdup(path);
}

static char *anonymous_url(const char *url) {
    char *path = script_url_to_path(url);
    if (path == NULL)
        return xstrdup(url);
    size_t len = strlen(path);
    if (len > 1 && path[len - 1] == '/')
        path[len - 1] = '\0';
    char *clean = without_user(path), *result = script_path_to_url(clean);
    free(clean);
    free(path);
    return result;
}

static char *remote_entry_name(const char *url) {
    char *plain = script_unescape(strncmp(url, "https://", 8) == 0 ? url + 8 : url);
    char *name = xasprintf("https/%s", plain);
    free(plain);
    return name;
}

/* Where a URL's content stands in the archive. */
static char *entry_name(const char *url) {
    char *path = script_url_to_path(url);
    if (path == NULL)
        return remote_entry_name(url);
    char *clean = without_user(path), *name = xasprintf("file%s", clean);
    free(clean);
    free(path);
    return name;
}

static void write_env(struct json_writer *w, const struct map *env) {
    struct map_entry *e;
    if (env == NULL) {
        json_null(w);
        return;
    }
    json_object_begin(w);
    for (size_t i = 0; (e = map_next(env, &i));) {
        json_key_slice(w, e->key);
        json_cstr(w, e->value);
    }
    json_object_end(w);
}

static void write_text(struct json_writer *w, const char *key, const char *value) {
    json_key(w, key);
    json_cstr(w, value);
}

/* As the script has them, whatever the manifest of this machine says. */
static void write_dependencies(struct json_writer *w, const struct dependencies *d) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    json_object_begin(w);
    for (size_t i = 0; i < d->list.len; i++) {
        buf_reset(&text);
        dependency_print(&d->list.ptr[i], false, &text);
        write_text(w, d->list.ptr[i].name, buf_cstr(&text));
    }
    json_object_end(w);
    buf_release(&text);
}

static void write_metadata(struct buf *out, const struct test *t, const struct map *env,
                           bool is_extended) {
    struct json_writer w;
    char *filename = anonymous_url(script_url(t->script)),
         *pwd = anonymous_url(script_pwd(t->script));
    json_write_init(&w, out, "  ", false);
    json_object_begin(&w);
    write_text(&w, "type", "js");
    json_key(&w, "options");
    options_export(&w, &t->consolidated, OPTIONS_EXPORT_ALL);
    write_text(&w, "filename", filename);
    write_text(&w, "pwd", pwd);
    json_key(&w, "env");
    write_env(&w, env);
    write_text(&w, "compatibilityMode", is_extended ? "extended" : "base");
    write_text(&w, "k6version", compat_text(COMPAT_K6_VERSION));
#ifdef __APPLE__
    write_text(&w, "goos", "darwin");
#else
    write_text(&w, "goos", "linux");
#endif
    if (!compat_is_v051()) {
        json_key(&w, "dependencies");
        write_dependencies(&w, &t->dependencies);
    }
    json_object_end(&w);
    buf_append_char(out, '\n');
    free(filename);
    free(pwd);
}

struct member {
    char *name;
    struct slice content;
};

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

typedef VEC(struct member) members;

static void add_member(members *list, char *name, struct slice content) {
    for (size_t i = 0; i < list->len; i++)
        if (strcmp(list->ptr[i].name, name) == 0) {
            free(name);
            return;
        }
    vec_push(list, (struct member){name, content});
}

static void add_folders(members *folders, const char *name) {
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        add_member(folders, xstrndup(name, (size_t)(slash - name)), SLICE(""));
}

static int write_members(struct buf *out, members *list, bool are_folders, const char *main_name,
                         int64_t now_s) {
    int rc = 0;
    if (list->len > 1)
        qsort(list->ptr, list->len, sizeof *list->ptr, by_name);
    for (size_t i = 0; i < list->len && rc == 0; i++) {
        struct tar_entry e = {.type = TAR_FILE,
                              .name = list->ptr[i].name,
                              .content = list->ptr[i].content,
                              .mode = 0644,
                              .mtime_s = now_s};
        if (are_folders) {
            e.type = TAR_DIRECTORY;
            e.mode = 0755;
        } else if (strcmp(e.name, main_name) == 0) {
            e = (struct tar_entry){.type = TAR_LINK, .name = e.name, .link = "data"};
        }
        rc = tar_write(out, &e);
    }
    return rc;
}

/* One of the two trees: folders first, then files, both in order of names. */
static int write_tree(struct buf *out, const struct map *files, const char *tree,
                      const char *main_name, int64_t now_s) {
    members folders = {0}, entries = {0};
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(files, &i));) {
        char *name = entry_name(e->key.ptr);
        if (!slice_starts(slice_cstr(name), slice_cstr(tree))) {
            free(name);
            continue;
        }
        add_folders(&folders, name);
        add_member(&entries, name, *(const struct slice *)e->value);
    }
    int rc = write_members(out, &folders, true, main_name, now_s);
    if (rc == 0)
        rc = write_members(out, &entries, false, main_name, now_s);
    for (size_t i = 0; i < folders.len; i++)
        free(folders.ptr[i].name);
    for (size_t i = 0; i < entries.len; i++)
        free(entries.ptr[i].name);
    vec_release(&folders);
    vec_release(&entries);
    return rc;
}

int archive_write(struct buf *out, const struct test *t, const struct map *env, bool is_extended) {
    struct buf metadata;
    struct map files;
    struct map_entry *e;
    int64_t now_s = clock_wall_ns() / NS_PER_S;
    char *main_name = entry_name(script_url(t->script));
    map_init(&files);
    script_files(t->script, &files);
    buf_init(&metadata, BUF_NO_CAP);
    write_metadata(&metadata, t, env, is_extended);
    struct tar_entry first = {.type = TAR_FILE,
                              .name = (char[]){"metadata.json"},
                              .content = buf_slice(&metadata),
                              .mode = 0644,
                              .mtime_s = now_s};
    struct tar_entry data = first;
    data.name = (char[]){"data"};
    data.content = script_source(t->script);
    int rc = tar_write(out, &first);
    if (rc == 0)
        rc = tar_write(out, &data);
    if (rc == 0)
        rc = write_tree(out, &files, "file", main_name, now_s);
    if (rc == 0)
        rc = write_tree(out, &files, "https", main_name, now_s);
    if (rc == 0)
        rc = tar_finish(out);
    for (size_t i = 0; (e = map_next(&files, &i));)
        free(e->value);
    map_release(&files);
    buf_release(&metadata);
    free(main_name);
    return rc;
}
