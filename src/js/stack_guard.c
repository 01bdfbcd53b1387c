#include "js/stack_guard.h"

#include "base/check.h"

void js_stack_guard_init(struct vu *vu) {
    void *low;
    size_t bytes;
    fiber_stack_bounds(vu->fiber, &low, &bytes);
    char *here = __builtin_frame_address(0);
    char *limit = (char *)low + JS_STACK_HEADROOM;
    CHECK(here > limit);
    vu->stack_limit = limit;
    JS_UpdateStackTop(vu->rt);
    JS_SetMaxStackSize(vu->rt, (size_t)(here - limit));
}

bool js_stack_is_low(const struct vu *vu) {
    return (char *)__builtin_frame_address(0) < vu->stack_limit;
}
