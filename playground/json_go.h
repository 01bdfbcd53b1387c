/* Reads a JSON request body into a C struct with the rules, and the error texts, of Go's
 * encoding/json decoder with unknown fields disallowed:
 *
 *   - the first JSON value of the body counts, text after it is ignored;
 *   - keys match exactly or, failing that, without regard to case; the last of equal keys wins;
 *   - null leaves a field as it was; numbers for int fields must be whole and fit in 64 bits;
 *   - a syntax error anywhere in the value is found before any field is set;
 *   - after a type error or an unknown key the rest is still read, and the first error is the
 * result.
 *
 * A struct is described by a table of fields, so a new request type is a new table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

/* Texts are slices of the arena, zero-ended; yet `len` counts, as a text may hold zero bytes. */
struct json_go_list {
    struct slice *items;
    size_t count;
};

enum json_go_kind {
    JSON_GO_INT,       /* int64_t */
    JSON_GO_BOOL,      /* bool */
    JSON_GO_TEXT,      /* struct slice; ptr is NULL when the key was absent */
    JSON_GO_TEXT_LIST, /* struct json_go_list */
    JSON_GO_OBJECT,    /* a struct of its own, described by `type` */
    JSON_GO_OBJECTS,   /* struct json_go_objects of such structs */
};

/* Structs in the arena, each of type->size bytes, zero where the text says nothing. */
struct json_go_objects {
    void *items;
    size_t count;
};

struct json_go_field {
    const char *name;
    enum json_go_kind kind;
    size_t offset; /* of the field in the C struct */
    const struct json_go_type *type;
};

struct json_go_type {
    const char *package; /* Go's package and type name, which error texts mention */
    const char *name;
    const struct json_go_field *fields;
    size_t field_count;
    size_t size; /* of the C struct, where it is an item of JSON_GO_OBJECTS */
};

/* Long enough for every error text; longer ones (a huge unknown key) are cut. */
#define JSON_GO_ERROR_BYTES 512

/* Reads `body` into the struct at `out`, whose fields must hold their defaults. Texts and lists are
 * allocated in `arena`. Returns 0, or KE_INVALID with Go's error text in `error`; fields may then
 * be partly set. */
int json_go_decode(const char *body, size_t size, const struct json_go_type *type, void *out,
                   struct arena *arena, char error[static JSON_GO_ERROR_BYTES]);
