/* The parts of gjson.c. Everything here works on text that was once valid JSON but never trusts it:
 * results of modifiers and literals come through the same functions. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum gjson_type {
    GJSON_NONE,
    GJSON_NULL,
    GJSON_FALSE,
    GJSON_NUMBER,
    GJSON_STRING,
    GJSON_TRUE,
    GJSON_JSON
};

/* raw is the value's JSON text; GJSON_NONE does not exist. */
struct gjson_value {
    enum gjson_type type;
    struct slice raw;
};

/* One evaluation. Its limits are shared by everything nested in it; once one is passed, nothing
 * more is found. */
struct gjson {
    struct arena arena;
    size_t read_left, write_left; /* bytes */
    unsigned depth;
    bool is_over;
};

/* gjson.c */
struct gjson_value gjson_eval(struct gjson *g, struct slice json, struct slice path);
/* Counts bytes that will be read, or written, and says whether that is allowed. */
bool gjson_may_read(struct gjson *g, size_t bytes);
bool gjson_may_write(struct gjson *g, size_t bytes);
/* Nothing when it may not be written. */
void gjson_append(struct gjson *g, struct buf *b, struct slice s);
/* The content of b, kept for the evaluation; b is released. Empty when a limit was passed. */
struct slice gjson_keep(struct gjson *g, struct buf *b);

/* gjson_value.c: reading JSON text */
static inline bool gjson_is_space(char c) {
    return (unsigned char)c <= ' ';
}
/* The end of the value that begins at `at`. */
size_t gjson_skip(struct slice json, size_t at);
/* The first value of a text; an object or array is taken to reach its end. */
struct gjson_value gjson_parse(struct slice json);
struct gjson_value gjson_typed(struct slice raw);
/* A string's content; slice with or without quotes. Lives as long as the evaluation. */
struct slice gjson_unescape(struct gjson *g, struct slice content);
struct slice gjson_string(struct gjson *g, struct slice raw);
bool gjson_is_true(struct gjson *g, struct gjson_value v);
struct slice gjson_trim(struct slice s);

/* Members of an object or elements of an array; a scalar is one element. key is GJSON_NONE but for
 * objects. */
struct gjson_iter {
    struct slice json;
    size_t at;
    bool is_object, is_scalar;
};
void gjson_iter_init(struct gjson_iter *it, struct gjson_value v);
bool gjson_next(struct gjson_iter *it, struct gjson_value *out_key, struct gjson_value *out_value);

/* gjson_path.c: cutting paths */
struct gjson_component {
    struct slice part, rest, pipe;
    bool has_more; /* rest is to be evaluated inside the value */
    bool is_piped; /* pipe is to be evaluated on the result */
    bool is_wild;
};
void gjson_component_parse(struct gjson *g, struct slice path, struct gjson_component *c);

enum gjson_array_kind { GJSON_NOTHING, GJSON_INDEX, GJSON_COUNT, GJSON_EACH, GJSON_QUERY };
struct gjson_query {
    struct slice path, op, value;
    bool is_all;
};
struct gjson_array_component {
    struct gjson_component c;
    enum gjson_array_kind kind;
    size_t index;
    struct gjson_query query;
};
void gjson_array_component_parse(struct gjson *g, struct slice path,
                                 struct gjson_array_component *c);
/* "a.b|c" → left "a.b", right "c". */
bool gjson_split_pipe(struct slice path, struct slice *out_left, struct slice *out_right);
/* '[' or '{' path: the next selector of a multipath. *at starts at 1; false at its end or when it
 * is malformed, which *out_closed tells apart. */
struct gjson_selector {
    struct slice name, path;
};
bool gjson_selector_next(struct slice path, size_t *at, struct gjson_selector *out,
                         bool *out_closed);
/* The end of the bracket that opens at path[at], or the path's length. */
size_t gjson_squash(struct slice path, size_t at);

/* gjson_query.c */
bool gjson_query_matches(struct gjson *g, const struct gjson_query *q, struct gjson_value v);
bool gjson_wild_match(struct slice text, struct slice pattern);

/* gjson_modifier.c: "@name:argument" and "!literal" at the head of a path. *out_rest is what
 * follows. */
bool gjson_modifier_exists(struct slice name);
bool gjson_modifier_run(struct gjson *g, struct slice json, struct slice path,
                        struct slice *out_rest, struct slice *out_result);
bool gjson_literal(struct slice path, struct slice *out_rest, struct slice *out_result);
