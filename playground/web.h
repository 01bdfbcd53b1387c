/* The page and what belongs to it, embedded in the program: see web/playground/. */
#pragma once

#include <stdbool.h>

#include "request.h"

/* Prepares the answers. Once, before the server starts. */
void web_prepare(void);
void web_release(void);

/* Answers a GET or HEAD for an embedded file: the path itself, or with ".html" after it, or
 * index.html for "/". False when there is no such file. */
bool web_serve(struct request *r);
