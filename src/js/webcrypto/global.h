/* The global `crypto`. */
#pragma once

#include "js/quickjs_api.h"

/* The object is made when a script first looks at it. */
void js_webcrypto_register(JSContext *ctx, JSValueConst global);
