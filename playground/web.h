/* The page and what belongs to it, embedded in the program: see web/playground/. */
#pragma once

#include <stdbool.h>

#include "request.h"

/* Prepares the answers. Once, before the server starts. */
void web_prepare(void);
void web_release(void);

/* Answers a GET or HEAD for an embedded file: the path itself, or with ".html" after it, or
 * index.html for "/". A header Range with one range gets that part (RFC 9110, section 14); with
 * more than one, the whole. False when there is no such file. */
bool web_serve(struct request *r);

/* Answers with the embedded file of this name, whatever the method. */
void web_reply(struct request *r, const char *name);
