/* Bodies of the kind multipart/form-data (RFC 7578), as Go's mime/multipart writes them. The data
 * of a part is not copied: the body is a list of pieces, for http_request.body_pieces, of which
 * every other one is data of the caller's.
 *
 *   multipart_init(&m); multipart_add(&m, …)…; multipart_end(&m);
 *   m.pieces.ptr, m.pieces.len, m.total_bytes, multipart_content_type(&m) */
#pragma once

#include "base/buf.h"
#include "base/vec.h"

#define MULTIPART_BOUNDARY_LEN 60

struct multipart {
    char boundary[MULTIPART_BOUNDARY_LEN + 1];
    struct buf text; /* what stands between the data */
    VEC(struct slice) pieces;
    size_t total_bytes;
};

/* With a random boundary. */
void multipart_init(struct multipart *m);
void multipart_release(struct multipart *m);
/* One part. filename NULL: a plain field, without a type. data must live as long as m; name,
 * filename and type need not. */
void multipart_add(struct multipart *m, struct slice name, const char *filename, const char *type,
                   struct slice data);
/* After the last part; the pieces are valid from here on. */
void multipart_end(struct multipart *m);
/* Heap string. */
char *multipart_content_type(const struct multipart *m);
