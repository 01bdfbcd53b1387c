/* jansson for reading. Two of its constructors have the names of functions of base/json_write.h:
 * hidden here, so that both headers can be used together. Include this, never <jansson.h>. */
#pragma once

#define json_string jansson_string
#define json_null jansson_null
#include <jansson.h>
#undef json_string
#undef json_null
