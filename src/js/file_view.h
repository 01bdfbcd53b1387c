/* open(path, 'b') of a big file: an ArrayBuffer of the VU's own that shares its memory with those
 * of all VUs until the VU writes to it (a private mapping, so the kernel copies what is written).
 */
#pragma once

#include "js/script_internal.h"
#include "js/vu_internal.h"

/* JS_UNDEFINED when the file is not of those that can be mapped. */
JSValue js_file_view_new(JSContext *ctx, const struct script_file *f);
/* The same bytes in the memory that all VUs share and that lives as long as the script, so that
 * nobody needs a copy of them to keep; ptr NULL when bytes are of no such view, or it was written
 * to. */
struct slice js_file_view_shared(struct vu *vu, struct slice bytes);
