/* Tokens of JSON as protojson reads them (google.golang.org/protobuf/internal/encoding/json): the
 * same texts and positions of errors, columns counted in characters. Internal to proto/. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum json_kind {
    JSON_START = 0, /* nothing was read yet */
    JSON_END = 1,
    JSON_NULL = 2,
    JSON_BOOL = 4,
    JSON_NUMBER = 8,
    JSON_STRING = 16,
    JSON_NAME = 32,
    JSON_OBJECT = 64,
    JSON_OBJECT_END = 128,
    JSON_ARRAY = 256,
    JSON_ARRAY_END = 512,
    JSON_COMMA = 1024
};

struct json_token {
    enum json_kind kind;
    bool boolean;
    struct slice raw;  /* as written */
    struct slice text; /* of a string or name, escapes resolved; valid while the arena is */
};

/* Objects and arrays in each other; what a message may nest is less, see PROTO_DEPTH_MAX. */
#define JSON_OPEN_MAX 512

struct json_reader {
    struct slice all;
    const char *at, *end;
    enum json_kind last;
    struct arena *arena; /* strings with escapes */
    struct error *err;   /* never NULL */
    unsigned open;
    uint8_t is_array[JSON_OPEN_MAX / 8];
};

void json_reader_init(struct json_reader *r, struct slice json, struct arena *arena,
                      struct error *err);
/* 0, or KE_INVALID with *err set. */
int json_read(struct json_reader *r, struct json_token *out);
/* Passes over one value. */
int json_skip(struct json_reader *r);

/* `proto: (line 1:2): …` and `proto: syntax error (line 1:2): …`, at a place in the text. */
int json_error(const struct json_reader *r, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int json_syntax_error(const struct json_reader *r, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int json_unexpected(const struct json_reader *r, const struct json_token *token);
/* An error without a position. */
int proto_error(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Numbers of JSON. false: no integer, or out of range. */
bool json_to_int(struct slice number, int64_t least, int64_t most, int64_t *out);
bool json_to_uint(struct slice number, uint64_t most, uint64_t *out);
bool json_to_double(struct slice number, double *out);
bool json_to_float(struct slice number, float *out);
/* Is all of it one JSON number? */
bool json_is_number(struct slice s);
