/* What scripts find on the global object beside the language itself. */
#pragma once

#include "js/vu_internal.h"

/* console, timers, open, require, module, exports, global, __VU, __ENV. */
void js_globals_register(struct vu *vu);

/* __ENV of a VU: the script's environment with that of a scenario (may be NULL) over it, as an
 * object whose strings are made when they are looked at; a script may change it as it likes. */
JSValue js_env_new(struct vu *vu, const struct map *scenario_env);
void js_env_register(JSContext *ctx);
