/* The inside of a script, for src/js only. */
#pragma once

#include <pthread.h>

#include "base/map.h"
#include "js/script.h"

/* A file or module source as it was read; lives as long as the script. */
struct script_file {
    char *url;
    char *ptr; /* NUL-terminated */
    size_t len;
};

enum module_kind { MODULE_ESM, MODULE_COMMONJS };

/* A module compiled once; every VU reads its bytecode. */
struct script_module {
    struct script_file *file;
    enum module_kind kind;
    bool has_meta; /* uses import.meta */
    uint8_t *bytecode;
    size_t bytecode_bytes;
};

struct script {
    char *arg; /* path as given */
    char *cwd;
    char *url;           /* of the main module */
    char *pwd;           /* its directory, with a slash at the end, or of cwd for "-" */
    struct map env;      /* name -> char * */
    struct map files;    /* url -> struct script_file * */
    struct map modules;  /* url -> struct script_module * */
    struct map builtins; /* specifiers of built-in modules that were resolved */
    struct script_file *main_file;
    const struct map *archive; /* url -> struct slice *; NULL = the disk */
    bool is_extended;
    bool is_frozen;
    bool keep_source; /* functions keep their source text (k6/browser sends it to pages) */
    struct script_exports exports;

    pthread_mutex_t shared_lock;
    struct map shared_arrays; /* name -> struct shared_array * (mod/data.c) */
    void (*free_shared_array)(void *array);
};

/* Reads a file through the script's cache. 0, KE_NOT_FOUND, or an error with Go's words ("open /x:
 * permission denied"). After script_freeze only files seen before are found (KE_INVALID otherwise).
 */
int script_read(struct script *s, const char *url, struct script_file **out, struct error *err);

/* The words for a module file that is not there. Returns KE_NOT_FOUND. */
int script_not_found(const char *specifier, struct error *err);

/* Resolves a specifier against the URL of a directory. Heap string, or NULL with k6's words. */
char *script_resolve(const char *pwd, const char *specifier, struct error *err);
/* URL of the directory of a URL, with a slash at the end. Heap string. */
char *script_dir(const char *url);
/* "file:///a%20b" -> "/a b"; heap string. NULL when it is no file URL. */
char *script_url_to_path(const char *url);
char *script_path_to_url(const char *path);
/* Lexically cleaned join of a directory and a path. Heap string. */
char *path_join_clean(const char *dir, const char *path);

/* Go's %q of a string. Heap string. */
char *quoted(const char *s);

/* True when the source has import or export declarations, import.meta or an await at its top level.
 */
bool source_is_esm(struct slice source);
