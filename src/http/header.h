/* Header fields: names, values and their rules (Go's net/textproto and httpguts). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct http_header {
    struct slice name, value;
};

/* Bits of http_char_class[]. */
#define HTTP_TOKEN 1 /* may stand in a header name or a method (RFC 9110 token) */
#define HTTP_VALUE 2 /* may stand in a header value: printable, tab, and everything above ASCII */
extern const uint8_t http_char_class[256];

static inline bool http_all_of(struct slice s, uint8_t char_class) {
    for (size_t i = 0; i < s.len; i++) {
        if (!(http_char_class[(unsigned char)s.ptr[i]] & char_class))
            return false;
    }
    return true;
}

/* May stand in a Host header. */
bool http_is_host(struct slice host);
/* "Content-Type" from "content-type": Go's textproto canonical form, in place. Names that are no
 * tokens stay as they are. */
void http_canonical_name(char *name, size_t len);
/* Walks the lines of a header block ("Name: value\r\n"…): *pos starts at 0; false at the end or at
 * the empty line. Name and value are views, value trimmed. */
bool http_header_next(struct slice block, size_t *pos, struct http_header *out);
/* The first field of that name (any case); ptr NULL when absent. */
struct slice http_header_find(struct slice block, struct slice name);
/* A comma-separated value holds that token (any case), as in Connection: close. */
bool http_value_has_token(struct slice value, struct slice token);
/* "OK" of 200; "" when unknown (Go's StatusText). */
const char *http_status_text(int status);
