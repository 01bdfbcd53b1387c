/* The first half of linking: imports, the table of symbols, and names that become pointers. */
#pragma once

#include "proto/descriptor.h"

/* Before link.c works out what is on the wire. KE_INVALID with protocompile's words: an import that
 * is missing, a name that is declared twice, one that nothing stands for. */
int resolve_names(struct proto_pool *pool, struct error *err);
