/* The aggregate's groups and checks. Not for other layers. */
#pragma once

#include "metrics/aggregate.h"
#include "metrics/shard_internal.h"

struct group_tree;

struct group_tree *group_tree_new(void);
void group_tree_free(struct group_tree *t);
void group_tree_add(struct group_tree *t, const struct noted *n);
/* Brings the public structs up to date. */
const struct group_stats *group_tree_root(struct group_tree *t);
