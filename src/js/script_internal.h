/* The inside of a script, for src/js only. */
#pragma once

#include <pthread.h>

#include "base/map.h"
#include "base/slice.h"
#include "js/script.h"

struct script;

/* A file or module source; lives as long as the script. It is in memory as it was read, or, when
 * it is big and only k6/experimental/fs has opened it, on the disk: ptr is NULL until script_read
 * wants the content. Big contents are memory with a descriptor, which further mappings can share.
 */
struct script_file {
    char *url;
    char *ptr; /* NUL-terminated */
    size_t len;
    int memory_fd; /* -1: ptr is of the heap */
    int disk_fd;   /* -1: not on the disk; otherwise pread() gives the content */
};

/* script_file.c. The functions that make a file leave url to the caller. */
struct script_file *script_file_copy(struct slice content);
/* 0, KE_NOT_FOUND, or an error with Go's words. */
int script_file_read(const char *path, struct script_file **out, struct error *err);
/* Opens a file that is too big to be worth its memory; false when it is none of those. */
bool script_file_open(const char *path, struct script_file **out);
/* Sees to it that ptr is there. Any thread. */
int script_file_load(struct script *s, struct script_file *f, struct error *err);
/* Bytes at an offset, wherever the content is: how many, 0 at the end, KE_IO. Any thread. */
long script_file_pread(const struct script_file *f, size_t offset, void *out, size_t bytes);
void script_file_free(struct script_file *f);

enum module_kind { MODULE_ESM, MODULE_COMMONJS };

/* A module compiled once; every VU reads its bytecode. */
struct script_module {
    struct script_file *file;
    enum module_kind kind;
    bool has_meta; /* uses import.meta */
    bool owns_text;
    struct slice text;             /* what was compiled: the file's, or that without its types */
    struct source_map *source_map; /* or NULL */
    uint8_t *bytecode;
    size_t bytecode_bytes;
};

struct script {
    char *arg; /* path as given */
    char *cwd;
    char *url;             /* of the main module */
    char *pwd;             /* its directory, with a slash at the end, or of cwd for "-" */
    struct map env;        /* name -> char * */
    struct map files;      /* url -> struct script_file * */
    struct map modules;    /* url -> struct script_module * */
    struct map builtins;   /* specifiers of built-in modules that were resolved */
    struct map not_loaded; /* url -> char *: why what import() names could not be loaded */
    struct script_file *main_file;
    const struct map *archive; /* url -> struct slice *; NULL = the disk */
    bool is_extended, is_web, is_env_frozen;
    bool imports_json; /* a module said: with { type: "json" } */
    bool is_frozen;
    struct script_exports exports;
    int (*on_linked)(void *arg, struct script *s, char **out_text); /* script_config's */
    void *on_linked_arg;

    pthread_mutex_t shared_lock;
    struct map shared_arrays; /* name -> struct shared_array * (mod/data.c) */
    void (*free_shared_array)(void *array);
};

/* Reads a file through the script's cache. 0, KE_NOT_FOUND, or an error with Go's words ("open /x:
 * permission denied"). After script_freeze only files seen before are found (KE_INVALID otherwise).
 */
int script_read(struct script *s, const char *url, struct script_file **out, struct error *err);
/* The same for one who reads by script_file_pread: a big file is not brought into memory. */
int script_open(struct script *s, const char *url, struct script_file **out, struct error *err);

/* The same for a module, which may also be one of those that kiln brings along or on the network.
 * The error names the specifier in k6's words. Yields. */
int script_read_module(struct script *s, const char *url, const char *specifier,
                       struct script_file **out, struct error *err);

/* The words for a module file that is not there. Returns KE_NOT_FOUND. */
int script_not_found(const char *specifier, struct error *err);

/* Resolves a specifier against the URL of a directory. Heap string, or NULL with k6's words. */
char *script_resolve(const char *pwd, const char *specifier, struct error *err);
/* A specifier that begins with one of the two sites for which k6 once had short names. */
bool script_names_site(const char *specifier);
/* v0.51: the loader of a name that stands for a URL ("github", "cdnjs"), or NULL. */
const char *script_magic_loader(const char *specifier);
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
/* Calls back for each import("specifier") of the source whose argument is a plain string. */
void source_each_import_call(struct slice source,
                             void (*on_import)(struct slice specifier, void *opaque), void *opaque);
