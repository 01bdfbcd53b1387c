/* What the tests of the API share: a listening port, and a client with blocking sockets. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#undef run_test /* load/run.h has one */

#include "base/buf.h"
#include "base/error.h"

/* A socket that listens on a free loopback port. */
int listen_anywhere(uint16_t *out_port);
int dial_port(uint16_t port);
void say(int fd, const char *text);
/* All that comes until the peer closes. Heap. */
char *hear(int fd);
/* One request on a connection of its own; the whole answer. Heap. */
char *ask(uint16_t port, const char *request);
/* The same with "METHOD PATH", a body, and only the status and the answer's body: "200 {…}". */
char *call(uint16_t port, const char *line, const char *body);
void assert_contains(const char *text, const char *part);
