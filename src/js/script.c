#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "js/embedded.h"
#include "js/script_internal.h"

static struct script_file *add_file(struct script *s, const char *url, struct script_file *f) {
    f->url = xstrdup(url);
    map_set(&s->files, slice_cstr(url), f);
    return f;
}

int script_read(struct script *s, const char *url, struct script_file **out, struct error *err) {
    struct script_file *f = map_get(&s->files, slice_cstr(url));
    *out = f;
    if (f)
        return script_file_load(s, f, err);
    if (s->is_frozen)
        return error_set(err, KE_INVALID, "not read during initialization");
    if (s->archive) {
        const struct slice *content = map_get(s->archive, slice_cstr(url));
        if (!content)
            return error_set(err, KE_NOT_FOUND, "stat %s: no such file or directory", url);
        *out = add_file(s, url, script_file_copy(*content));
        return 0;
    }
    struct slice embedded;
    if (js_embedded_find(url, &embedded)) {
        *out = add_file(s, url, script_file_copy(embedded));
        return 0;
    }
    char *path = script_url_to_path(url);
    if (!path)
        return error_set(err, KE_NOT_FOUND, "stat %s: no such file or directory", url);
    int rc = script_file_read(path, &f, err);
    free(path);
    if (rc == 0)
        *out = add_file(s, url, f);
    return rc;
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

struct script *script_load(const struct script_config *cfg, struct error *err) {
    struct script *s = xcalloc(1, sizeof *s);
    s->arg = xstrdup(cfg->path);
    s->cwd = xstrdup(cfg->cwd);
    s->is_extended = cfg->is_extended;
    s->archive = cfg->files;
    copy_env(&s->env, cfg->env);
    map_init(&s->files);
    map_init(&s->modules);
    map_init(&s->builtins);
    map_init(&s->shared_arrays);
    pthread_mutex_init(&s->shared_lock, NULL);

    if (strcmp(cfg->path, "-") == 0) {
        s->url = xstrdup("file:///-");
        char *cwd_url = script_path_to_url(cfg->cwd);
        s->pwd = xasprintf("%s%s", cwd_url, cwd_url[strlen(cwd_url) - 1] == '/' ? "" : "/");
        free(cwd_url);
        s->main_file = add_file(s, s->url, script_file_copy(cfg->source));
        return s;
    }
    if (strstr(cfg->path, "://")) {
        s->url = script_resolve("file:///", cfg->path, err);
        if (!s->url)
            goto fail;
    } else {
        char *path = path_join_clean(cfg->cwd, cfg->path);
        s->url = script_path_to_url(path);
        free(path);
    }
    s->pwd = script_dir(s->url);
    struct error read_err = {0};
    int rc = script_read(s, s->url, &s->main_file, &read_err);
    if (rc == KE_NOT_FOUND)
        script_not_found(cfg->path, err);
    else if (rc != 0)
        error_set(err, rc, "%s", read_err.text);
    if (rc != 0)
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
        free(m);
    }
    for (size_t i = 0; (e = map_next(&s->env, &i));)
        free(e->value);
    for (size_t i = 0; (e = map_next(&s->shared_arrays, &i));)
        s->free_shared_array(e->value);
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
