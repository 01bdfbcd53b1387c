/* Reading options from JSON as Go's encoding/json would: same conversions, same complaints. Used by
 * options_json.c and scenario_json.c only. Each reader takes a value that is not null, fills in its
 * field and returns 0 or KE_CONFIG; the first complaint about a type is kept until everything was
 * read, as Go does, while other errors end the reading. */
#pragma once

#include "load/jansson_read.h"
#include "load/options.h"

struct json_reader {
    struct arena *arena;
    struct error *err;
    const char *struct_name; /* "Options" */
    const char *field;       /* "scenarios.vus": what is being read */
    const char
        *text; /* the document, indented by two spaces, for places in it; NULL = not asked for */
    struct error saved; /* first type error */
};

/* Notes `json: cannot unmarshal VALUE into Go struct field STRUCT.FIELD of type TYPE`. Returns 0:
 * reading goes on. is_nested: a type with a reader of its own, whose place Go counts from the
 * value's start. */
int json_type_error(struct json_reader *r, const json_t *value, const char *go_type,
                    bool is_nested);
/* An error that ends the reading. */
int json_fail(struct json_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int json_read_bool(struct json_reader *r, const json_t *v, struct opt_bool *out);
int json_read_int(struct json_reader *r, const json_t *v, struct opt_int *out);
int json_read_duration(struct json_reader *r, const json_t *v, struct opt_duration *out);
int json_read_text(struct json_reader *r, const json_t *v, struct opt_text *out);
/* []string; is_nested as above. */
int json_read_list(struct json_reader *r, const json_t *v, struct opt_list *out, bool is_nested);
/* map[string]string */
int json_read_map(struct json_reader *r, const json_t *v, struct opt_map *out, bool is_nested);
/* is_strict: unknown members are errors (in scenarios). */
int json_read_stages(struct json_reader *r, const json_t *v, struct opt_stages *out,
                     bool is_strict);
int json_read_raw(struct json_reader *r, const json_t *v, struct opt_text *out);
int json_read_scenarios(struct json_reader *r, const json_t *v, struct opt_scenarios *out);

/* Member by name, ASCII case ignored when there is no exact match, as Go finds fields. NULL when
 * absent or null. */
const json_t *json_member(const json_t *object, const char *name);
/* Keys of an object in byte order, into the arena. */
const char **json_sorted_keys(struct json_reader *r, const json_t *object, size_t *out_len);
