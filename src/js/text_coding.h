/* TextEncoder and TextDecoder of the global object, as k6 has them: UTF-8 and UTF-16 only. */
#pragma once

#include "js/quickjs_api.h"

/* Both constructors are made when a script first looks at them. */
void js_text_coding_register(JSContext *ctx, JSValueConst global);
