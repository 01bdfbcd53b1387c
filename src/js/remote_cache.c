#include "js/remote_cache.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomic_file.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "js/script_internal.h"

#define HASH_TEXT_BYTES (2 * SHA256_DIGEST_LENGTH + 1)

static void hash_text(struct slice s, char out[HASH_TEXT_BYTES]) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)s.ptr, s.len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

char *remote_cache_dir(void) {
    const char *own = getenv("KILN_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    if (own && *own)
        return xasprintf("%s/modules", own);
    if (xdg && *xdg == '/')
        return xasprintf("%s/kiln/modules", xdg);
    return home && *home ? xasprintf("%s/.cache/kiln/modules", home) : NULL;
}

static char *entry_path(const char *dir, const char *kind, struct slice key) {
    char hash[HASH_TEXT_BYTES];
    hash_text(key, hash);
    return xasprintf("%s/%s/%s", dir, kind, hash);
}

/* NULL when it is not there. */
static struct script_file *read_quietly(const char *path) {
    struct script_file *f;
    struct error err;
    return script_file_read(path, &f, &err) == 0 ? f : NULL;
}

/* An entry: lines of url, hash of the content, etag, last-modified. */
static bool read_entry(struct slice text, const char *url, char **out_hash,
                       struct remote_copy *out) {
    struct slice of = slice_cut(&text, '\n'), hash = slice_cut(&text, '\n');
    struct slice etag = slice_cut(&text, '\n'), modified = slice_cut(&text, '\n');
    if (!slice_eq(of, slice_cstr(url)) || hash.len != HASH_TEXT_BYTES - 1 || !modified.ptr)
        return false;
    *out_hash = slice_dup(hash);
    out->etag = slice_dup(etag);
    out->last_modified = slice_dup(modified);
    return true;
}

static bool read_content(const char *dir, const char *hash, struct remote_copy *out) {
    char found[HASH_TEXT_BYTES], *path = xasprintf("%s/blobs/%s", dir, hash);
    struct script_file *f = strchr(hash, '/') ? NULL : read_quietly(path);
    free(path);
    if (!f)
        return false;
    struct slice content = slice_from(f->ptr, f->len);
    hash_text(content, found);
    bool is_whole = strcmp(found, hash) == 0;
    if (is_whole) {
        out->content = xstrndup(content.ptr, content.len);
        out->len = content.len;
    }
    script_file_free(f);
    return is_whole;
}

bool remote_cache_get(const char *dir, const char *url, struct remote_copy *out) {
    *out = (struct remote_copy){0};
    if (!dir)
        return false;
    char *path = entry_path(dir, "urls", slice_cstr(url)), *hash = NULL;
    struct script_file *f = read_quietly(path);
    free(path);
    bool is_there = f && read_entry(slice_from(f->ptr, f->len), url, &hash, out) &&
                    read_content(dir, hash, out);
    if (f)
        script_file_free(f);
    free(hash);
    if (!is_there)
        remote_copy_release(out);
    return is_there;
}

/* mkdir -p, for the user alone. */
static bool make_folders(const char *path) {
    char *copy = xstrdup(path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(copy, 0700);
        *slash = '/';
    }
    free(copy);
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static int put_file(const char *dir, const char *kind, struct slice key, struct slice content,
                    struct error *err) {
    char *folder = xasprintf("%s/%s", dir, kind), *path = entry_path(dir, kind, key);
    int rc = make_folders(folder) ? atomic_file_put(path, content, err)
                                  : error_set(err, KE_IO, "cannot create the folder '%s': %s",
                                              folder, strerror(errno));
    free(folder);
    free(path);
    return rc;
}

void remote_cache_put(const char *dir, const char *url, const struct remote_copy *copy) {
    struct slice content = slice_from(copy->content, copy->len);
    char hash[HASH_TEXT_BYTES];
    struct error err;
    struct buf entry;
    if (!dir)
        return;
    hash_text(content, hash);
    buf_init(&entry, BUF_NO_CAP);
    buf_printf(&entry, "%s\n%s\n%s\n%s\n", url, hash, copy->etag, copy->last_modified);
    int rc = put_file(dir, "blobs", content, content, &err);
    if (rc == 0)
        rc = put_file(dir, "urls", slice_cstr(url), buf_slice(&entry), &err);
    if (rc)
        log_printf(LOG_DEBUG, "no copy of %s was kept: %s", url, err.text);
    buf_release(&entry);
}

void remote_copy_release(struct remote_copy *c) {
    free(c->content);
    free(c->etag);
    free(c->last_modified);
    *c = (struct remote_copy){0};
}
