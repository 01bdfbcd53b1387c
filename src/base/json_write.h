/* Streaming JSON writer into a buf, with Go's encoding/json habits: compact, keys in the order
 * given, "<", ">", "&", U+2028/9 escaped when html_escape is on, floats in Go's shortest form,
 * invalid UTF-8 replaced. With indent, Go's MarshalIndent form. Reading JSON outside scripts is
 * jansson's job. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct json_writer {
    struct buf *out;
    const char *indent; /* NULL = compact */
    bool html_escape;
    unsigned depth;
    bool need_comma;
    bool after_key;
};

void json_write_init(struct json_writer *w, struct buf *out, const char *indent, bool html_escape);
void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_slice(struct json_writer *w, struct slice key);
void json_string(struct json_writer *w, struct slice s);
void json_cstr(struct json_writer *w, const char *s);
void json_int(struct json_writer *w, int64_t v);
void json_double(struct json_writer *w, double v); /* NaN and infinities become null */
void json_bool(struct json_writer *w, bool v);
void json_null(struct json_writer *w);
/* A key with its value. */
void json_pair_cstr(struct json_writer *w, const char *key, const char *value);
void json_pair_int(struct json_writer *w, const char *key, int64_t value);
void json_pair_bool(struct json_writer *w, const char *key, bool value);
/* Text that is JSON already. */
void json_raw(struct json_writer *w, struct slice json);

/* Shortest text that reads back as v: Go's strconv 'f'/'g' choice of encoding/json ("1e+21",
 * "0.001"). out has 32 bytes. */
char *double_format_json(double v, char *out);
/* JavaScript's Number::toString form ("1e+21", "0.001", "NaN", "Infinity"). out has 32 bytes. */
char *double_format_js(double v, char *out);
