/* An HTTP/2 request's fields from the head that h1_request_build made: what goes out, its order and
 * its checks are the same for both protocols, and k6 shows the HTTP/1.1 form of either. */
#pragma once

#include <nghttp2/nghttp2.h>

#include "base/error.h"
#include "base/slice.h"

#define H2_FIELDS_INLINE 32

struct h2_fields { /* names and values are views; names in any case */
    nghttp2_nv inline_nv[H2_FIELDS_INLINE];
    nghttp2_nv *nv;
    size_t len, alloc;
};

/* head: "METHOD target HTTP/1.1\r\nHost: …\r\n…\r\n". 0, or KE_FAILED with Go's words for a header
 * that HTTP/2 does not have. Release in both cases. */
int h2_fields_init(struct h2_fields *f, struct slice head, bool is_https, struct error *err);
void h2_fields_release(struct h2_fields *f);
