/* The head of an HTTP/2 response: fields come decoded, one by one, and become the same raw block
 * that HTTP/1.1 has ("HTTP/2.0 200 OK\r\nname: value\r\n…\r\n"), with notes of what the client
 * itself needs. No I/O. What is refused, and in which words, is as in Go. */
#pragma once

#include "base/buf.h"
#include "http/h1_parser.h"

struct h2_head {
    struct buf text;
    struct h1_head notes; /* status, lengths and the like; framing means nothing here */
    bool has_status, has_regular;
    bool has_length;
};

void h2_head_init(struct h2_head *h);
void h2_head_release(struct h2_head *h);
/* For the next block: the one before was informational (1xx). Memory stays. */
void h2_head_reset(struct h2_head *h);
/* 0, or KE_FAILED with the cause of a PROTOCOL_ERROR. */
int h2_head_add(struct h2_head *h, struct slice name, struct slice value, struct error *cause);
/* The block is complete. 0, or KE_FAILED as before. */
int h2_head_finish(struct h2_head *h, struct error *cause);
