/* Where a file output writes: a file, a gzip file (".gz"), or standard output. Bytes are gathered
 * and written when there are enough of them, or at a flush. One thread at a time. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

struct file_writer {
    int fd; /* -1 = closed */
    bool is_stdout;
    struct buf buf; /* what the caller appends to */
    char *name;
    struct z_stream_s *gzip; /* NULL = plain */
    bool has_failed;         /* told once; everything later is dropped */
    uint64_t lost_bytes;
};

/* name "" or "-": stdout_fd. Creates or truncates. KE_IO: "open X: no such file or directory". */
int file_writer_open(struct file_writer *w, const char *name, int stdout_fd, struct error *err);
/* Writes out w->buf if it holds much. */
void file_writer_spill(struct file_writer *w);
/* Writes out w->buf; gzip data may stay inside until the close. */
void file_writer_flush(struct file_writer *w);
void file_writer_close(struct file_writer *w);

/* "open X: permission denied": Go's words for a failed open. */
int file_open_error(const char *name, int sys_errno, struct error *err);
