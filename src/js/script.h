/* A script with everything it imports and opens: read and compiled once per process, then shared
 * read-only by all VUs.
 *
 * Life: script_load reads the main file; the init code of the first VU (vu id 0, see vu.h) resolves
 * and compiles modules to bytecode and records opened files; script_freeze ends that, and later VUs
 * may only use what was resolved then (k6: "the module "X" was not previously resolved during
 * initialization (__VU==0)"). After script_freeze it is immutable and safe from any thread. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/map.h"
#include "base/slice.h"

struct script;

struct script_config {
    const char *path;      /* as given on the command line; "-" = source was read from stdin */
    struct slice source;   /* for "-", and what was fetched already; ptr NULL = to be read */
    const char *cwd;       /* absolute */
    const char *pwd;       /* archives: URL of the directory of a script that came from "-" */
    const struct map *env; /* name -> char *: __ENV */
    bool is_extended;      /* --compatibility-mode: extended (default) has `global` */
    bool is_env_frozen;    /* __ENV cannot be changed */
    bool is_web;           /* mode web: extended, fetch() and import() */
    /* Archives: url -> struct slice * of every file; nothing is read from the disk. NULL otherwise.
     * Must outlive the script. */
    const struct map *files;
    /* Called when all that the script imports was found or not, before any of its code runs. Not 0:
     * the load ends there, with these words (heap): KE_INVALID as if a module were missing,
     * KE_CONFIG as another failure. May be NULL. */
    int (*on_linked)(void *arg, struct script *s, char **out_text);
    void *on_linked_arg;
};

/* NULL with k6's words ("The moduleSpecifier "nope.js" couldn't be found on local disk. …"). */
struct script *script_load(const struct script_config *cfg, struct error *err);
void script_free(struct script *s);
void script_freeze(struct script *s);
/* file:// URL of the main module; its directory, where open() and the CLI look. */
const char *script_url(const struct script *s);
const char *script_pwd(const struct script *s);
struct slice script_source(const struct script *s);

/* What VU 0's init found exported. Valid after vu_new of VU 0. */
struct script_export {
    char *name;
    bool is_function;
};
struct script_exports {
    struct script_export *items;
    size_t len;
    char *options_json; /* JSON.stringify(options), NULL when not exported */
};
const struct script_exports *script_exports(const struct script *s);
bool script_exports_function(const struct script *s, const char *name);

/* Files and modules seen, for archives: url -> struct slice *; in order of first use. Fills *out
 * (map_init'ed by the caller, who frees the slices' structs; their content stays the script's). */
void script_files(struct script *s, struct map *out);

/* What the script and its modules import: URLs of files, and names of k6's modules whether there
 * are such or not; sorted. A heap array of pointers into the script. */
const char **script_imports(const struct script *s, size_t *out_len);
/* The text of an imported file; ptr NULL for a module of k6. */
struct slice script_import_source(const struct script *s, const char *import);
/* "k6" and "k6/…"; and whether there is such a module. */
bool script_is_builtin(struct slice specifier);
bool script_has_module(struct slice specifier);

/* "/a b" -> "file:///a%20b" and back; heap strings. script_url_to_path gives NULL for other URLs.
 */
char *script_path_to_url(const char *path);
char *script_url_to_path(const char *url);
/* Undoes %41. Heap string. */
char *script_unescape(const char *text);
