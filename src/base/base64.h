/* Base64 (RFC 4648) in its standard and URL alphabets, with the rules of Go's encoding/base64: line
 * breaks in the input are skipped, and an error tells the byte that Go would tell. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum base64_alphabet { BASE64_STD, BASE64_URL };

struct base64_form {
    enum base64_alphabet alphabet;
    bool is_raw; /* no padding */
};

void base64_encode(struct buf *out, struct slice in, struct base64_form form);
/* Appends to out. 0, KE_INVALID with *out_bad_byte (Go: "illegal base64 data at input byte 3"; what
 * was decoded before it stays in out), or KE_TOO_LARGE. */
int base64_decode(struct buf *out, struct slice in, struct base64_form form, size_t *out_bad_byte);
