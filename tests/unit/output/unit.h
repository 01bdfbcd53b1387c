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
/* The content of <dir>/name, freed by the caller. A ".gz" is unpacked. */
char *world_read(struct world *w, const char *name);
