/* A shard that streams into outputs, and a folder to write to. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/compat.h"
#include "metrics/aggregate.h"
#include "output/output.h"

#define S(literal) SLICE(literal)

struct world {
    char dir[64];
    struct tag_table *tags;
    struct shard *shard;
    struct output_params params;
    struct outputs *outputs;
    int stdout_pipe[2];
};

int world_setup(void **state);
int world_teardown(void **state);
#define world_test(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)

/* The environment of the outputs: NAME, VALUE, … NULL, which must stay. Before world_outputs. */
void world_environment(struct world *w, const char *const *pairs);
/* Adds by "TYPE[=ARG]"; must succeed. The description of it. */
const char *world_add_spec(struct world *w, const char *spec);
/* Must fail with KE_CONFIG and these words. */
void world_refuses(struct world *w, const char *spec, const char *words);
/* "TYPE=<dir>/name"; must succeed. */
void world_add(struct world *w, const char *type, const char *name);
/* Creates the outputs from params; later world_add may be called. */
void world_outputs(struct world *w);
/* Starts and attaches. */
void world_start(struct world *w);
/* Flushes the shard and stops the outputs. */
void world_stop(struct world *w);
const struct tagset *world_tags(struct world *w, const char *const *pairs);
void world_record(struct world *w, enum builtin_metric m, const struct tagset *tags, double value,
                  const struct sample_meta *meta);
/* What the shard has, as an aggregate with a value a series. Once, after shard_keep_series and the
 * records. */
struct aggregate *world_aggregate(struct world *w);
/* A UDP socket on a free port of loopback; its address is written to out. */
int world_udp(char *out, size_t size);
/* The datagrams that come until one ends with `end`, one after the other; the caller frees. */
char *world_udp_read(int fd, const char *end);
/* The content of <dir>/name, freed by the caller. A ".gz" is unpacked. */
char *world_read(struct world *w, const char *name);
