/* The Go type that k6's JavaScript engine exports a value as: k6 shows these names in error texts
 * ("unknown request body type int64"). */
#pragma once

#include "js/quickjs_api.h"

/* Static string: "<nil>", "bool", "int64", "float64", "string", "map[string]interface {}",
 * "[]interface {}", "[]uint8" … */
const char *go_type_name(JSContext *ctx, JSValueConst v);
