/* EventSource (WHATWG HTML, section 9.2.2) in the VU's event loop: onopen, onmessage, onerror,
 * listeners for named events, reconnection with Last-Event-ID. An addition to k6, exported by
 * k6/x/sse. The iteration goes on until it is closed. */
#pragma once

#include "js/vu_internal.h"

/* Registers the class and gives its constructor: new EventSource(url, {headers, tags, timeout}). */
JSValue js_event_source_class(JSContext *ctx);
/* For the module's row: the iteration is over; the VU goes. */
void js_event_source_cancel(struct vu *vu);
void js_event_source_free(struct vu *vu);
