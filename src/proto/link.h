/* The first half of linking: imports, the table of symbols, and names that become pointers. */
#pragma once

#include "proto/descriptor.h"

int resolve_names(struct proto_pool *pool, struct error *err);
