#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "js/embedded.h"
#include "js/remote.h"
#include "js/mod.h"
#include "js/script_internal.h"
#include "js/source_map.h"

static struct script_file *add_file(struct script *s, const char *url, struct script_file *f) {
    f->url = xstrdup(url);
    map_set(&s->files, slice_cstr(url), f);
    return f;
}

/* Archives hold the paths of https URLs without their escapes. */
static const struct slice *find_archived(struct script *s, const char *url) {
    const struct slice *content = map_get(s->archive, slice_cstr(url));
    if (content || strncmp(url, "https://", 8) != 0)
        return content;
    char *plain = script_unescape(url);
    content = map_get(s->archive, slice_cstr(plain));
    free(plain);
    return content;
}

int script_read(struct script *s, const char *url, struct script_file **out, struct error *err) {
    struct script_file *f = map_get(&s->files, slice_cstr(url));
    *out = f;
    if (f)
        return script_file_load(s, f, err);
    if (s->is_frozen)
        return error_set(err, KE_INVALID, "not read during initialization");
    char *path = s->archive ? NULL : script_url_to_path(url);
    const struct slice *content = s->archive ? find_archived(s, url) : NULL;
    if (content) {
        *out = add_file(s, url, script_file_copy(*content));
        return 0;
    }
    if (!path)
        return error_set(err, KE_NOT_FOUND, "stat %s: no such file or directory", url);
    int rc = script_file_read(path, &f, err);
    free(path);
    if (rc == 0)
        *out = add_file(s, url, f);
    return rc;
}

static int read_remote(struct script *s, const char *url, const char *specifier,
                       struct script_file **out, struct error *err) {
    struct error why;
    size_t len;
    char *content = js_embedded_find(url, &len);
    if (content) {
        *out = add_file(s, url, script_file_copy(slice_from(content, len)));
        free(content);
        return 0;
    }
    if (remote_fetch(url, &content, &len, &why))
        return remote_failed(specifier, url, &why, err);
    const char *loader = script_magic_loader(specifier);
    if (loader)
        log_printf(LOG_WARN,
                   "Specifier \"%s\" resolved to use a non-conventional \"%s\" loader. The used "
                   "\"%s\" loader is deprecated and will be removed in k6 v0.53.0. Please use the "
                   "real URL \"%s\" instead.",
                   specifier, loader, loader, url);
    *out = add_file(s, url, script_file_copy(slice_from(content, len)));
    free(content);
    return 0;
}

int script_read_module(struct script *s, const char *url, const char *specifier,
                       struct script_file **out, struct error *err) {
    struct error why = {0};
    int rc = script_read(s, url, out, &why);
    if (rc != KE_NOT_FOUND)
        return rc ? error_set(err, rc, "%s", why.text) : 0;
    if (strncmp(url, "https://", 8) == 0)
        return read_remote(s, url, specifier, out, err);
    return script_not_found(specifier, err);
}

int script_open(struct script *s, const char *url, struct script_file **out, struct error *err) {
    char *path = s->archive || s->is_frozen ? NULL : script_url_to_path(url);
    struct script_file *f = map_get(&s->files, slice_cstr(url));
    if (!f && path && script_file_open(path, &f))
        add_file(s, url, f);
    free(path);
    *out = f;
    return f ? 0 : script_read(s, url, out, err);
}

static void copy_env(struct map *dst, const struct map *src) {
    map_init(dst);
    if (!src)
        return;
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(src, &i));)
        map_set(dst, e->key, xstrdup(e->value));
}

int script_not_found(const char *specifier, struct error *err) {
    return error_set(
        err, KE_NOT_FOUND,
        "The moduleSpecifier \"%s\" couldn't be found on local disk. Make sure that you've specified the right path to "
        "the file. If you're running k6 using the Docker image make sure you have mounted the local directory "
        "(-v /local/path/:/inside/docker/path) containing your script and modules so that they're accessible by k6 "
        "from inside of the container, see "
        "https://grafana.com/docs/k6/latest/using-k6/modules/#use-modules-with-docker.",
        specifier);
}

static char *with_slash(const char *url) {
    size_t len = strlen(url);
    return xasprintf("%s%s", url, len > 0 && url[len - 1] == '/' ? "" : "/");
}

/* What is a file is one, whatever its name looks like. */
static char *main_url(const struct script_config *cfg, struct error *err) {
    char *path = path_join_clean(cfg->cwd, cfg->path);
    bool is_url = strstr(cfg->path, "://") || script_names_site(cfg->path);
    bool is_file = !is_url || (!cfg->files && access(path, F_OK) == 0);
    char *url = is_file ? script_path_to_url(path) : script_resolve("file:///", cfg->path, err);
    free(path);
    return url;
}

struct script *script_load(const struct script_config *cfg, struct error *err) {
    struct script *s = xcalloc(1, sizeof *s);
    s->arg = xstrdup(cfg->path);
    s->cwd = xstrdup(cfg->cwd);
    s->is_extended = cfg->is_extended;
    s->is_web = cfg->is_web;
    s->archive = cfg->files;
    s->is_env_frozen = cfg->is_env_frozen;
    s->on_linked = cfg->on_linked;
    s->on_linked_arg = cfg->on_linked_arg;
    copy_env(&s->env, cfg->env);
    map_init(&s->files);
    map_init(&s->modules);
    map_init(&s->builtins);
    map_init(&s->not_loaded);
    map_init(&s->shared_arrays);
    pthread_mutex_init(&s->shared_lock, NULL);

    if (strcmp(cfg->path, "-") == 0) {
        s->url = xstrdup("file:///-");
        char *cwd_url = script_path_to_url(cfg->cwd);
        s->pwd = with_slash(cwd_url);
        free(cwd_url);
        s->main_file = add_file(s, s->url, script_file_copy(cfg->source));
        return s;
    }
    s->url = main_url(cfg, err);
    if (!s->url)
        goto fail;
    bool is_from_stdin = strcmp(s->url, "file:///-") == 0 && cfg->pwd;
    s->pwd = is_from_stdin ? with_slash(cfg->pwd) : script_dir(s->url);
    if (cfg->source.ptr)
        s->main_file = add_file(s, s->url, script_file_copy(cfg->source));
    else if (script_read_module(s, s->url, cfg->path, &s->main_file, err))
        goto fail;
    return s;
fail:
    script_free(s);
    return NULL;
}

void script_free(struct script *s) {
    if (!s)
        return;
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&s->files, &i));)
        script_file_free(e->value);
    for (size_t i = 0; (e = map_next(&s->modules, &i));) {
        struct script_module *m = e->value;
        free(m->bytecode);
        source_map_free(m->source_map);
        if (m->owns_text)
            free((void *)(uintptr_t)m->text.ptr);
        free(m);
    }
    for (size_t i = 0; (e = map_next(&s->env, &i));)
        free(e->value);
    for (size_t i = 0; (e = map_next(&s->shared_arrays, &i));)
        s->free_shared_array(e->value);
    for (size_t i = 0; (e = map_next(&s->not_loaded, &i));)
        free(e->value);
    map_release(&s->not_loaded);
    map_release(&s->files);
    map_release(&s->modules);
    map_release(&s->env);
    map_release(&s->builtins);
    map_release(&s->shared_arrays);
    pthread_mutex_destroy(&s->shared_lock);
    for (size_t i = 0; i < s->exports.len; i++)
        free(s->exports.items[i].name);
    free(s->exports.items);
    free(s->exports.options_json);
    free(s->arg);
    free(s->cwd);
    free(s->url);
    free(s->pwd);
    free(s);
}

void script_freeze(struct script *s) {
    s->is_frozen = true;
}

const char *script_url(const struct script *s) {
    return s->url;
}

const char *script_pwd(const struct script *s) {
    return s->pwd;
}

struct slice script_source(const struct script *s) {
    return slice_from(s->main_file->ptr, s->main_file->len);
}

const struct script_exports *script_exports(const struct script *s) {
    return &s->exports;
}

bool script_exports_function(const struct script *s, const char *name) {
    for (size_t i = 0; i < s->exports.len; i++) {
        if (strcmp(s->exports.items[i].name, name) == 0)
            return s->exports.items[i].is_function;
    }
    return false;
}

void script_files(struct script *s, struct map *out) {
    struct map_entry *e;
    struct error err;
    for (size_t i = 0; (e = map_next(&s->files, &i));) {
        struct script_file *f = e->value;
        if (script_file_load(s, f, &err)) {
            log_printf(LOG_ERROR, "%s", err.text);
            continue;
        }
        struct slice *content = xmalloc(sizeof *content);
        *content = slice_from(f->ptr, f->len);
        map_set(out, e->key, content);
    }
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **script_imports(const struct script *s, size_t *out_len) {
    struct map_entry *e;
    size_t n = 0;
    const char **list = xcalloc(s->modules.len + s->builtins.len + 1, sizeof *list);
    for (size_t i = 0; (e = map_next(&s->modules, &i));)
        list[n++] = e->key.ptr;
    for (size_t i = 0; (e = map_next(&s->builtins, &i));)
        list[n++] = e->key.ptr;
    qsort(list, n, sizeof *list, by_text);
    *out_len = n;
    return list;
}

struct slice script_import_source(const struct script *s, const char *import) {
    const struct script_module *m = map_get(&s->modules, slice_cstr(import));
    return m ? slice_from(m->file->ptr, m->file->len) : (struct slice){0};
}

bool script_is_builtin(struct slice specifier) {
    return slice_eq(specifier, SLICE("k6")) || slice_starts(specifier, SLICE("k6/"));
}

bool script_has_module(struct slice specifier) {
    return js_module_find(specifier) != NULL;
}
