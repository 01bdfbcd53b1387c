/* Tar files, as far as k6's archives need them: ustar, with PAX records for long names, read from
 * memory and written to a buffer. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

enum tar_type { TAR_FILE, TAR_DIRECTORY, TAR_LINK, TAR_OTHER };

struct tar_entry {
    enum tar_type type;
    char *name; /* heap, of tar_read; the caller's for tar_write */
    const char *link;
    struct slice content; /* points into the archive */
    unsigned mode;
    int64_t mtime_s;
};

/* Reads the entry at *rest and moves past it. 1 = an entry (free its name), 0 = end, KE_INVALID
 * with Go's words
 * ("unexpected EOF", "archive/tar: invalid tar header"). */
int tar_read(struct slice *rest, struct tar_entry *out, struct error *err);
/* True when text begins like a tar file. */
bool tar_is_archive(struct slice text);

int tar_write(struct buf *out, const struct tar_entry *entry);
int tar_finish(struct buf *out);
