#include "js/event_loop.h"
#include "js/mod.h"

/* k6/timers gives the functions that are global anyway. */

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExportList(ctx, m, js_timer_functions, js_timer_functions_len);
}

static int init(JSContext *ctx, JSModuleDef *m) {
    JSValue global = JS_GetGlobalObject(ctx);
    for (int i = 0; i < js_timer_functions_len; i++) {
        const char *name = js_timer_functions[i].name;
        JS_SetModuleExport(ctx, m, name, JS_GetPropertyStr(ctx, global, name));
    }
    JS_FreeValue(ctx, global);
    return 0;
}

const struct js_module js_mod_timers = {.specifier = "k6/timers", .declare = declare, .init = init};
