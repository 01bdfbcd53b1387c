#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "js/embedded.h"
#include "js/script_internal.h"

#define SCRIPT_FILE_MAX ((off_t)1 << 31)

static struct script_file *add_file(struct script *s, const char *url, char *content, size_t len) {
    struct script_file *f = xmalloc(sizeof *f);
    f->url = xstrdup(url);
    f->ptr = content;
    f->len = len;
    map_set(&s->files, slice_cstr(url), f);
    return f;
}

static int read_from_disk(const char *path, char **out, size_t *out_len, struct error *err) {
    struct stat st;
    char *content = NULL;
    int rc = 0;
    if (stat(path, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return error_set(err, KE_NOT_FOUND, "stat %s: %s", path,
                             errno == ENOENT ? "no such file or directory" : "not a directory");
        return error_set(err, KE_IO, "stat %s: %s", path, strerror(errno));
    }
    if (S_ISDIR(st.st_mode))
        return error_set(err, KE_IO, "read %s: is a directory", path);
    if (st.st_size > SCRIPT_FILE_MAX)
        return error_set(err, KE_TOO_LARGE, "read %s: file too large", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, KE_IO, "open %s: %s", path,
                         errno == EACCES ? "permission denied" : strerror(errno));
    /* The size is a hint only: pipes and /proc files say 0. */
    size_t len = 0, alloc = (size_t)st.st_size + 1;
    content = xmalloc(alloc);
    for (;;) {
        if (alloc - len < 2) {
            alloc *= 2;
            content = xrealloc(content, alloc);
        }
        ssize_t n = read(fd, content + len, alloc - len - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            rc = error_set(err, KE_IO, "read %s: %s", path, strerror(errno));
            break;
        }
        if (n == 0)
            break;
        len += (size_t)n;
        if (len > (size_t)SCRIPT_FILE_MAX) {
            rc = error_set(err, KE_TOO_LARGE, "read %s: file too large", path);
            break;
        }
    }
    close(fd);
    if (rc != 0) {
        free(content);
        return rc;
    }
    content[len] = '\0';
    *out = content;
    *out_len = len;
    return 0;
}

int script_read(struct script *s, const char *url, struct script_file **out, struct error *err) {
    struct script_file *f = map_get(&s->files, slice_cstr(url));
    if (f) {
        *out = f;
        return 0;
    }
    if (s->is_frozen)
        return error_set(err, KE_INVALID, "not read during initialization");
    if (s->archive) {
        const struct slice *content = map_get(s->archive, slice_cstr(url));
        if (!content)
            return error_set(err, KE_NOT_FOUND, "stat %s: no such file or directory", url);
        *out = add_file(s, url, xstrndup(content->ptr, content->len), content->len);
        return 0;
    }
    struct slice embedded;
    if (js_embedded_find(url, &embedded)) {
        *out = add_file(s, url, xstrndup(embedded.ptr, embedded.len), embedded.len);
        return 0;
    }
    char *path = script_url_to_path(url);
    if (!path)
        return error_set(err, KE_NOT_FOUND, "stat %s: no such file or directory", url);
    char *content = NULL;
    size_t len = 0;
    int rc = read_from_disk(path, &content, &len, err);
    free(path);
    if (rc == 0)
        *out = add_file(s, url, content, len);
    return rc;
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
        s->main_file =
            add_file(s, s->url, xstrndup(cfg->source.ptr, cfg->source.len), cfg->source.len);
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

static void free_file(struct script_file *f) {
    free(f->url);
    free(f->ptr);
    free(f);
}

void script_free(struct script *s) {
    if (!s)
        return;
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&s->files, &i));)
        free_file(e->value);
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

void script_files(const struct script *s, struct map *out) {
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&s->files, &i));) {
        const struct script_file *f = e->value;
        struct slice *content = xmalloc(sizeof *content);
        *content = slice_from(f->ptr, f->len);
        map_set(out, e->key, content);
    }
}
