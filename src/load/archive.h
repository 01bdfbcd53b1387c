/* k6's archives: a tar file with everything a test needs, to run it elsewhere. metadata.json holds
 * the consolidated options and the environment, `data` the main script, file/… and https/… the
 * rest. */
#pragma once

#include "base/map.h"
#include "load/test.h"

struct archive {
    struct slice text; /* the tar file; the caller's */
    struct map files;  /* URL -> struct slice * (heap) */
    struct map env;    /* name -> char * (heap) */
    char *pwd;         /* URL of the directory it was made in, NULL when it does not say */
    char *filename;    /* URL of the main script */
    char *options_json;
    bool is_base; /* compatibility mode base */
};

/* KE_INVALID with k6's words; release in each case. */
int archive_read(struct archive *a, struct slice text, struct error *err);
void archive_release(struct archive *a);

/* Appends the archive of a consolidated test. env NULL: none at all (--exclude-env-vars). 0 or
 * KE_TOO_LARGE. */
int archive_write(struct buf *out, const struct test *t, const struct map *env, bool is_extended);
