/* Texts of well-known types, both ways. Internal to proto/. */
#pragma once

#include "proto/descriptor.h"

#define TIMESTAMP_SECONDS_MIN (-62135596800LL)
#define TIMESTAMP_SECONDS_MAX 253402300799LL
#define DURATION_SECONDS_MAX 315576000000LL
#define KNOWN_TEXT_MAX 48

/* RFC 3339, as Go's time.RFC3339Nano with at most nine digits of fraction. */
bool timestamp_parse(struct slice s, int64_t *out_seconds, int32_t *out_nanos);
/* "1.5s", signs and a missing part before or after the point allowed. */
bool duration_json_parse(struct slice s, int64_t *out_seconds, int32_t *out_nanos);
/* Both in range. out has KNOWN_TEXT_MAX bytes; returns the length. */
size_t timestamp_format(int64_t seconds, int32_t nanos, char *out);
size_t duration_json_format(int64_t seconds, int32_t nanos, char *out);

/* fooBar.baz → foo_bar.baz */
struct slice snake_case(struct arena *a, struct slice s);
/* A name, or, where they may be, several with dots between them? */
bool is_identifier(struct slice s, bool may_have_dots);

/* The type behind the last slash of a type URL: in the pool, those of the options, then what is
 * built in. NULL when none has it. */
const struct proto_type *any_type(const struct proto_pool *pool,
                                  const struct proto_json_options *options, struct slice url);
