/* Making answers that never change, see struct blob in request.h. */
#pragma once

#include "base/buf.h"
#include "request.h"

/* A JSON answer with status 200; takes the memory out of `body`. */
void blob_set_json(struct blob *b, struct buf *body);

/* Frees a body set by blob_set_json(). The server must have stopped. */
void blob_release(struct blob *b);
