/* JavaScript runs on the stack of the VU's fiber: QuickJS and C code that recurses over a script's
 * values stop while there is room for the C code that they call. */
#pragma once

#include "js/vu_internal.h"

/* Room below the limit that QuickJS checks. */
#define JS_STACK_HEADROOM (24 * 1024)

/* Sets QuickJS's limits for the running fiber. */
void js_stack_guard_init(struct vu *vu);
/* True when recursion must stop. */
bool js_stack_is_low(const struct vu *vu);
