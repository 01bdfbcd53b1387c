/* k6/browser's part in the life of a VU (js/mod/browser.c). */
#pragma once

#include "js/vu_internal.h"

/* Starts the browser of a scenario that has options.browser, so that its start is not counted as
 * part of the iteration. Yields. When that fails, the test is aborted, as in k6, and the VU
 * interrupted. */
void js_browser_before_iteration(struct vu *vu);
/* Closes what the iteration left open; after an interruption the browser itself. Yields. */
void js_browser_after_iteration(struct vu *vu, bool is_interrupted);
