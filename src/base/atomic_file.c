#include "base/atomic_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

#define TEMPORARY_END ".part"

static int fail(const char *what, const char *path, int sys_errno, struct error *err) {
    char why[128];
    snprintf(why, sizeof why, "%s", strerror(sys_errno));
    why[0] = (char)tolower((unsigned char)why[0]);
    return error_set(err, KE_IO, "%s %s: %s", what, path, why);
}

static void close_it(struct atomic_file *f) {
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    free(f->temporary);
    *f = (struct atomic_file){.fd = -1};
}

char *atomic_file_final_name(const char *path) {
    size_t len = strlen(path), suffix = strlen(TEMPORARY_END), digits = 0;
    if (len <= suffix || strcmp(path + len - suffix, TEMPORARY_END) != 0)
        return NULL;
    len -= suffix;
    while (len > digits && path[len - digits - 1] >= '0' && path[len - digits - 1] <= '9')
        digits++;
    len -= digits;
    return digits > 0 && len > 1 && path[len - 1] == '.' ? xstrndup(path, len - 1) : NULL;
}

int atomic_file_open(struct atomic_file *f, const char *path, struct error *err) {
    struct stat is;
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    *f = (struct atomic_file){.fd = -1, .path = xstrdup(path)};
    bool is_special = stat(path, &is) == 0 && !S_ISREG(is.st_mode);
    if (!is_special)
        f->temporary = xasprintf("%s.%d" TEMPORARY_END, path, (int)getpid());
    f->fd = open(is_special ? path : f->temporary, flags, 0666);
    if (f->fd >= 0)
        return 0;
    int rc = fail("open", path, errno, err);
    close_it(f);
    return rc;
}

void atomic_file_write(struct atomic_file *f, struct slice data) {
    while (data.len > 0 && f->sys_errno == 0) {
        ssize_t n = write(f->fd, data.ptr, data.len);
        if (n < 0 && errno != EINTR)
            f->sys_errno = errno;
        if (n > 0)
            data = slice_from(data.ptr + n, data.len - (size_t)n);
    }
}

int atomic_file_commit(struct atomic_file *f, struct error *err) {
    int rc = 0;
    if (f->temporary && f->sys_errno == 0 && fsync(f->fd) != 0)
        f->sys_errno = errno;
    if (f->temporary && f->sys_errno == 0 && rename(f->temporary, f->path) != 0)
        f->sys_errno = errno;
    if (f->sys_errno) {
        rc = fail("write", f->path, f->sys_errno, err);
        atomic_file_abandon(f);
    }
    close_it(f);
    return rc;
}

void atomic_file_abandon(struct atomic_file *f) {
    if (f->temporary)
        unlink(f->temporary);
    close_it(f);
}

int atomic_file_put(const char *path, struct slice content, struct error *err) {
    struct atomic_file f;
    if (atomic_file_open(&f, path, err))
        return KE_IO;
    atomic_file_write(&f, content);
    return atomic_file_commit(&f, err);
}
