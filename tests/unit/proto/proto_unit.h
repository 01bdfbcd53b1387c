/* Helpers of the tests of proto/: pools from texts and files, expectations of errors. */
#pragma once

#include "../base/unit.h"

#include "base/check.h"
#include "proto/proto.h"

/* .proto files in memory. */
struct text_file {
    const char *name, *text; /* name NULL ends a list */
};

#define DATA "tests/unit/proto/data"

/* The whole file; the caller releases it. */
void read_data(const char *path, struct buf *out);
/* Files of DATA, with their imports. */
struct proto_pool *pool_of_data(const char *name);
/* The first file of the list with its imports: built, or the error. NULL on an error. */
struct proto_pool *pool_of_texts(const struct text_file *files, struct error *err);
/* Must be this text, or no error when it is NULL. */
void expect_error(const struct text_file *files, const char *text);
void expect_text_error(const char *proto, const char *text);

/* Bytes from hex ("-" is nothing) and back. */
void from_hex(const char *hex, size_t len, struct buf *out);
char *to_hex(struct slice bytes);
