#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/go_text.h"
#include "base/percent.h"
#include "js/script_internal.h"

char *quoted(const char *s) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    go_quote(&b, slice_cstr(s));
    return buf_detach(&b, NULL);
}

/* Removes "." and ".." parts of an absolute path, as Go's path.Clean. */
static void append_clean(struct buf *out, struct slice path) {
    while (path.ptr) {
        struct slice part = slice_cut(&path, '/');
        if (part.len == 0 || slice_eq(part, SLICE(".")))
            continue;
        if (slice_eq(part, SLICE(".."))) {
            while (out->len > 0 && out->ptr[out->len - 1] != '/')
                out->len--;
            if (out->len > 0)
                out->len--;
            continue;
        }
        buf_append_char(out, '/');
        buf_append_slice(out, part);
    }
}

char *path_join_clean(const char *dir, const char *path) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    if (path[0] != '/')
        append_clean(&b, slice_cstr(dir));
    append_clean(&b, slice_cstr(path));
    if (b.len == 0)
        buf_append_char(&b, '/');
    return buf_detach(&b, NULL);
}

static bool is_path_char(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("-_.~$&+,/:;=@", c) != NULL);
}

char *script_path_to_url(const char *path) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, "file://");
    for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
        if (is_path_char(*p))
            buf_append_char(&b, (char)*p);
        else
            buf_printf(&b, "%%%02X", *p);
    }
    return buf_detach(&b, NULL);
}

char *script_unescape(const char *text) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    percent_decode(&b, slice_cstr(text), false);
    return buf_detach(&b, NULL);
}

char *script_url_to_path(const char *url) {
    if (strncmp(url, "file://", 7) != 0)
        return NULL;
    return script_unescape(url[7] ? url + 7 : "/");
}

char *script_dir(const char *url) {
    const char *authority = strstr(url, "://");
    /* A query may hold slashes; file names may hold anything. */
    size_t len = strncmp(url, "https://", 8) == 0 ? strcspn(url, "?#") : strlen(url);
    const char *slash = memrchr(url, '/', len);
    if (!slash || (authority && slash < authority + 3))
        return xasprintf("%.*s/", (int)len, url);
    return xstrndup(url, (size_t)(slash - url) + 1);
}

/* Joins a relative or absolute path to the URL of a directory. */
static char *resolve_path(const char *pwd, const char *specifier) {
    if (strncmp(pwd, "file://", 7) == 0) {
        char *dir = script_url_to_path(pwd);
        char *joined = path_join_clean(dir, specifier);
        char *url = script_path_to_url(joined);
        free(dir);
        free(joined);
        return url;
    }
    const char *after = strstr(pwd, "://");
    const char *path = after ? strchr(after + 3, '/') : pwd;
    size_t base_len = path ? (size_t)(path - pwd) : strlen(pwd);
    if (strncmp(specifier, "//", 2) == 0)
        return xasprintf("%.*s%s", (int)(after - pwd) + 1, pwd, specifier);
    size_t path_len = strcspn(specifier, "?#");
    char *alone = xstrndup(specifier, path_len);
    char *joined = path_join_clean(path ? path : "/", alone);
    char *url = xasprintf("%.*s%s%s", (int)base_len, pwd, joined, specifier + path_len);
    free(alone);
    free(joined);
    return url;
}

/* ---- v0.51's loaders: names that stand for URLs of two sites */

bool script_names_site(const char *specifier) {
    return strncmp(specifier, "cdnjs.com", 9) == 0 || strncmp(specifier, "github.com", 10) == 0;
}

const char *script_magic_loader(const char *specifier) {
    if (!compat_is_v051())
        return NULL;
    if (strncmp(specifier, "cdnjs.com/libraries/", 20) == 0 && specifier[20])
        return "cdnjs";
    if (strncmp(specifier, "github.com/", 11) != 0)
        return NULL;
    const char *repository = strchr(specifier + 11, '/');
    const char *path = repository ? strchr(repository + 1, '/') : NULL;
    return path && repository > specifier + 11 && path > repository + 1 ? "github" : NULL;
}

static char *github_url(const char *rest) {
    const char *path = strchr(strchr(rest, '/') + 1, '/') + 1;
    return xasprintf("https://raw.githubusercontent.com/%.*s/master/%s", (int)(path - 1 - rest),
                     rest, path);
}

/* NAME/VERSION/FILE; k6 asks a service of the site for what is left out. */
static char *cdnjs_url(const char *rest, struct error *err) {
    const char *version = strchr(rest, '/'), *file = version ? strchr(version + 1, '/') : NULL;
    if (!file || !file[1] || version[1] < '0' || version[1] > '9') {
        error_set(err, KE_INVALID,
                  "cdnjs.com/libraries/%s names no version and file: write the full URL, "
                  "https://cdnjs.cloudflare.com/ajax/libs/NAME/VERSION/FILE",
                  rest);
        return NULL;
    }
    return xasprintf("https://cdnjs.cloudflare.com/ajax/libs/%s", rest);
}

char *script_resolve(const char *pwd, const char *specifier, struct error *err) {
    if (specifier[0] == '\0') {
        error_set(err, KE_INVALID, "local or remote path required");
        return NULL;
    }
    if (specifier[0] == '.' || specifier[0] == '/')
        return resolve_path(pwd, specifier);
    const char *colon = strstr(specifier, "://");
    if (colon) {
        size_t len = (size_t)(colon - specifier);
        bool is_file = len == 4 && strncmp(specifier, "file", 4) == 0;
        bool is_https = len == 5 && strncmp(specifier, "https", 5) == 0;
        if (!is_file && !is_https) {
            error_set(err, KE_INVALID,
                      "only supported schemes for imports are file and https, %s has `%.*s`",
                      specifier, (int)len, specifier);
            return NULL;
        }
        if (is_file && strncmp(pwd, "https://", 8) == 0) {
            error_set(err, KE_INVALID, "origin (%s) not allowed to load local file: %s", pwd,
                      specifier);
            return NULL;
        }
        return xstrdup(specifier);
    }
    const char *loader = script_magic_loader(specifier);
    if (loader)
        return *loader == 'g' ? github_url(specifier + 11) : cdnjs_url(specifier + 20, err);
    bool names_sites = !compat_is_v051();
    if (names_sites && strncmp(specifier, "cdnjs.com", 9) == 0)
        error_set(
            err, KE_INVALID,
            "cdnjs.com 'special' urls are no longer supported - please use real ones. You can get yours by going "
            "to cdnjs and copy-pasting the full url to the actual JavaScript file");
    else if (names_sites && strncmp(specifier, "github.com", 10) == 0)
        error_set(
            err, KE_INVALID,
            "github.com 'special' urls are no longer supported - please use real ones. You can get yours by "
            "going to github and copy-pasting the full url to the actual raw JavaScript file");
    else {
        char *q = quoted(specifier);
        error_set(err, KE_INVALID,
                  "The moduleSpecifier %s couldn't be recognised as something k6 supports.", q);
        free(q);
    }
    return NULL;
}
