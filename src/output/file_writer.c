#include "output/file_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/check.h"
#include "base/log.h"

#define SPILL_BYTES ((size_t)64 * 1024)
#define GZIP_WINDOW (15 + 16) /* 16 asks for a gzip header */

int file_open_error(const char *name, int sys_errno, struct error *err) {
    char text[128] = "";
    const char *words = strerror_r(sys_errno, text, sizeof text);
    int first = words[0] >= 'A' && words[0] <= 'Z' ? words[0] + ('a' - 'A') : words[0];
    return error_set(err, KE_IO, "open %s: %c%s", name, first, words + 1);
}

int file_writer_open(struct file_writer *w, const char *name, int stdout_fd, struct error *err) {
    *w = (struct file_writer){.fd = -1};
    if (name[0] == '\0' || strcmp(name, "-") == 0) {
        w->fd = stdout_fd;
        w->is_stdout = true;
    } else {
        w->fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (w->fd < 0)
            return file_open_error(name, errno, err);
    }
    buf_init(&w->buf, BUF_NO_CAP);
    w->name = xstrdup(w->is_stdout ? "standard output" : name);
    if (!w->is_stdout && slice_ends(slice_cstr(name), SLICE(".gz"))) {
        /* The samples come at full rate: packing better would cost more than all else does. */
        w->gzip = xcalloc(1, sizeof *w->gzip);
        CHECK(deflateInit2(w->gzip, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) ==
              Z_OK);
    }
    return 0;
}

static void write_all(struct file_writer *w, const char *ptr, size_t len) {
    while (len > 0 && !w->has_failed) {
        ssize_t n = write(w->fd, ptr, len);
        if (n > 0) {
            ptr += n;
            len -= (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            char text[128] = "";
            const char *words = strerror_r(errno, text, sizeof text);
            log_printf(LOG_ERROR, "cannot write '%s': %s; the rest of this output is lost", w->name,
                       words);
            w->has_failed = true;
        }
    }
    w->lost_bytes += len;
}

static void deflate_all(struct file_writer *w, int mode) {
    unsigned char out[16384];
    w->gzip->next_in = (unsigned char *)w->buf.ptr;
    w->gzip->avail_in = (unsigned)w->buf.len;
    do {
        w->gzip->next_out = out;
        w->gzip->avail_out = sizeof out;
        deflate(w->gzip, mode);
        write_all(w, (char *)out, sizeof out - w->gzip->avail_out);
    } while (w->gzip->avail_out == 0);
}

void file_writer_flush(struct file_writer *w) {
    if (w->buf.len == 0)
        return;
    if (w->gzip)
        deflate_all(w, Z_NO_FLUSH);
    else
        write_all(w, w->buf.ptr, w->buf.len);
    buf_reset(&w->buf);
}

void file_writer_spill(struct file_writer *w) {
    if (w->buf.len >= SPILL_BYTES)
        file_writer_flush(w);
}

void file_writer_close(struct file_writer *w) {
    if (w->fd < 0)
        return;
    file_writer_flush(w);
    if (w->gzip) {
        deflate_all(w, Z_FINISH);
        deflateEnd(w->gzip);
        free(w->gzip);
    }
    if (!w->is_stdout)
        close(w->fd);
    buf_release(&w->buf);
    free(w->name);
    *w = (struct file_writer){.fd = -1};
}
