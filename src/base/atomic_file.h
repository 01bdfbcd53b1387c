/* A file that is there whole or not at all: written beside its place under a name of its own, put
 * into place by a rename. What is no regular file (/dev/stdout, a pipe) is written to directly. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

struct atomic_file {
    int fd;                 /* -1: closed */
    char *path, *temporary; /* temporary NULL: written in place */
    int sys_errno;          /* of the first write that failed; later ones do nothing */
};

/* KE_IO: "open X: permission denied". */
int atomic_file_open(struct atomic_file *f, const char *path, struct error *err);
void atomic_file_write(struct atomic_file *f, struct slice data);
/* Flushes to the disk and renames. KE_IO, the temporary file is gone then. Closed in each case. */
int atomic_file_commit(struct atomic_file *f, struct error *err);
/* Nothing happened. */
void atomic_file_abandon(struct atomic_file *f);

/* Heap string: the name that a temporary file gets when it is committed; NULL when path is none. */
char *atomic_file_final_name(const char *path);

/* All in one. */
int atomic_file_put(const char *path, struct slice content, struct error *err);
