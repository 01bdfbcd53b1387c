#include "blob.h"

#include <stdlib.h>

void blob_set_json(struct blob *b, struct buf *body) {
    *b = (struct blob){.status = 200, .content_type = "application/json"};
    size_t size;
    b->body.ptr = buf_detach(body, &size);
    b->body.len = size;
}

void blob_release(struct blob *b) {
    free((char *)b->body.ptr);
    *b = (struct blob){0};
}
