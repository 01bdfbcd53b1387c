/* Contents of files: on the heap, in memory that can be mapped again, or left on the disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "js/script_internal.h"

#define FILE_MAX_BYTES ((off_t)1 << 31)
#define SHARED_MIN_BYTES ((size_t)256 << 10)
#define ON_DISK_MIN_BYTES ((off_t)32 << 20)

static struct script_file *new_file(void) {
    struct script_file *f = xcalloc(1, sizeof *f);
    f->memory_fd = f->disk_fd = -1;
    return f;
}

/* Room for bytes and a NUL after them: memory with a descriptor when that is worth it. */
static void make_room(struct script_file *f, size_t bytes) {
#ifdef __linux__
    if (bytes >= SHARED_MIN_BYTES) {
        int fd = memfd_create("kiln-file", MFD_CLOEXEC);
        void *map = MAP_FAILED;
        if (fd >= 0 && ftruncate(fd, (off_t)bytes + 1) == 0)
            map = mmap(NULL, bytes + 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map != MAP_FAILED) {
            f->memory_fd = fd;
            f->ptr = map;
            f->len = bytes;
            return;
        }
        if (fd >= 0)
            close(fd);
    }
#endif
    f->ptr = xmalloc(bytes + 1);
    f->len = bytes;
}

static void drop_content(struct script_file *f) {
    if (f->memory_fd >= 0) {
        munmap(f->ptr, f->len + 1);
        close(f->memory_fd);
        f->memory_fd = -1;
    } else {
        free(f->ptr);
    }
    f->ptr = NULL;
}

void script_file_free(struct script_file *f) {
    drop_content(f);
    if (f->disk_fd >= 0)
        close(f->disk_fd);
    free(f->url);
    free(f);
}

struct script_file *script_file_copy(struct slice content) {
    struct script_file *f = new_file();
    make_room(f, content.len);
    if (content.len)
        memcpy(f->ptr, content.ptr, content.len);
    f->ptr[content.len] = '\0';
    return f;
}

/* Room for more than a file's size said there would be. */
static void grow(struct script_file *f, size_t used) {
    struct script_file wider = {.memory_fd = -1, .disk_fd = -1};
    make_room(&wider, used * 2 + 4096);
    memcpy(wider.ptr, f->ptr, used);
    drop_content(f);
    f->ptr = wider.ptr;
    f->len = wider.len;
    f->memory_fd = wider.memory_fd;
}

/* A file became shorter than the memory for it. */
static void shrink(struct script_file *f, size_t used) {
    if (used == f->len)
        return;
    struct script_file exact = {.memory_fd = -1, .disk_fd = -1};
    make_room(&exact, used);
    memcpy(exact.ptr, f->ptr, used);
    drop_content(f);
    f->ptr = exact.ptr;
    f->len = exact.len;
    f->memory_fd = exact.memory_fd;
}

/* The size is a hint only: pipes and /proc files say 0. */
static int read_all(struct script_file *f, int fd, const char *path, size_t size,
                    struct error *err) {
    size_t used = 0;
    make_room(f, size);
    for (;;) {
        if (used == f->len) {
            char more;
            ssize_t n = read(fd, &more, 1);
            if (n == 0)
                break;
            if (n < 0 && errno != EINTR)
                return error_set(err, KE_IO, "read %s: %s", path, strerror(errno));
            if (n < 0)
                continue;
            grow(f, used);
            f->ptr[used++] = more;
        }
        ssize_t n = read(fd, f->ptr + used, f->len - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, KE_IO, "read %s: %s", path, strerror(errno));
        if (n == 0)
            break;
        used += (size_t)n;
        if (used > (size_t)FILE_MAX_BYTES)
            return error_set(err, KE_TOO_LARGE, "read %s: file too large", path);
    }
    shrink(f, used);
    f->ptr[used] = '\0';
    return 0;
}

int script_file_read(const char *path, struct script_file **out, struct error *err) {
    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return error_set(err, KE_NOT_FOUND, "stat %s: %s", path,
                             errno == ENOENT ? "no such file or directory" : "not a directory");
        return error_set(err, KE_IO, "stat %s: %s", path, strerror(errno));
    }
    if (S_ISDIR(st.st_mode))
        return error_set(err, KE_IO, "read %s: is a directory", path);
    if (st.st_size > FILE_MAX_BYTES)
        return error_set(err, KE_TOO_LARGE, "read %s: file too large", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, KE_IO, "open %s: %s", path,
                         errno == EACCES ? "permission denied" : strerror(errno));
    struct script_file *f = new_file();
    int rc = read_all(f, fd, path, (size_t)st.st_size, err);
    close(fd);
    if (rc) {
        script_file_free(f);
        return rc;
    }
    *out = f;
    return 0;
}

bool script_file_open(const char *path, struct script_file **out) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < ON_DISK_MIN_BYTES) {
        close(fd);
        return false;
    }
    struct script_file *f = *out = new_file();
    f->disk_fd = fd;
    f->len = (size_t)st.st_size;
    return true;
}

int script_file_load(struct script *s, struct script_file *f, struct error *err) {
    if (f->disk_fd < 0)
        return 0;
    int rc = 0;
    pthread_mutex_lock(&s->shared_lock);
    if (!f->ptr) {
        char *path = script_url_to_path(f->url);
        struct script_file *content;
        rc = script_file_read(path ? path : f->url, &content, err);
        free(path);
        if (rc == 0) {
            /* The length stays what the file's readers were told. */
            if (content->len != f->len) {
                rc = error_set(err, KE_IO, "read %s: the file has changed since it was opened",
                               f->url);
            } else {
                f->ptr = content->ptr;
                f->memory_fd = content->memory_fd;
                content->ptr = NULL;
                content->memory_fd = -1;
            }
            script_file_free(content);
        }
    }
    pthread_mutex_unlock(&s->shared_lock);
    return rc;
}

long script_file_pread(const struct script_file *f, size_t offset, void *out, size_t bytes) {
    size_t left = offset < f->len ? f->len - offset : 0;
    bytes = bytes < left ? bytes : left;
    if (f->disk_fd < 0) {
        if (bytes)
            memcpy(out, f->ptr + offset, bytes);
        return (long)bytes;
    }
    ssize_t n;
    do {
        n = pread(f->disk_fd, out, bytes, (off_t)offset);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? KE_IO : (long)n;
}
