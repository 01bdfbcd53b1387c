/* Files of k6/experimental/fs, which k6/experimental/csv reads, too. */
#pragma once

#include "js/script_internal.h"
#include "js/vu_internal.h"

/* An open file: the content is the script's and shared by all VUs, the offset is this object's. */
struct fs_file {
    const struct script_file *content;
    char *path;
    size_t offset;
};

/* NULL when v is no file. */
struct fs_file *fs_file_of(JSValueConst v);
