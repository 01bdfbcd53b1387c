/* The initialised VUs that no scenario uses now. Any scenario may take any of them; the lowest id
 * goes first. Main thread only. */
#pragma once

#include "base/vec.h"
#include "load/vu_handle.h"

struct vu_pool {
    VEC(struct vu_handle *) all;  /* in order of ids */
    VEC(struct vu_handle *) free; /* binary heap by id */
    struct fiber_cond available;
};

void vu_pool_init(struct vu_pool *pool);
void vu_pool_release(struct vu_pool *pool);
void vu_pool_put(struct vu_pool *pool, struct vu_handle *vu);
/* NULL when none is free. */
struct vu_handle *vu_pool_try_take(struct vu_pool *pool);
