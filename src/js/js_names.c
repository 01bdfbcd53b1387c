#include "js/js_util.h"

void js_free_names(JSContext *ctx, JSPropertyEnum *names, uint32_t len) {
    for (uint32_t i = 0; i < len; i++)
        JS_FreeAtom(ctx, names[i].atom);
    js_free(ctx, names);
}
