/* Runs scripts in-process on a worker of its own and keeps what they log. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "js/vu.h"
#include "metrics/aggregate.h"

struct fixture {
    struct worker *worker;
    struct tag_table *tags;
    struct shard *shard;
    struct vu_config config;
    struct instance_info instance;
    struct scenario_info scenario;
    struct script *script;
    struct map files; /* url -> struct slice *: read in place of the disk */
    struct buf log;   /* "level: message\n" per record */
    struct map env;
    int aborted, failed;
    char reason[200];
};

void fixture_init(struct fixture *f);
void fixture_release(struct fixture *f);
/* A file that scripts import or open, by path. */
void fixture_file(struct fixture *f, const char *path, const char *content);
/* Runs fn on a fiber and waits for it. */
void fixture_run(struct fixture *f, void (*fn)(void *), void *arg);
/* Loads source as /test/script.js. False when script_load failed. */
bool fixture_load(struct fixture *f, const char *source);
/* On a fiber: VU 0, freeze, then a VU with a shard, activated for scenario "default". NULL when one
 * of them failed (see vu_last_error_text). */
struct vu *fixture_vu(struct fixture *f);
/* Everything at once: loads source, runs n iterations of its default function. What was logged is
 * in f->log. */
void fixture_script(struct fixture *f, const char *source, int n);
const char *fixture_log(struct fixture *f);
