/* What browsers have and k6 has not: URL, URLSearchParams, atob, btoa, structuredClone,
 * queueMicrotask, performance, events, AbortController, Headers, FormData, Request, Response,
 * fetch. Written in JavaScript (url.js, web.js) and evaluated when a script first looks at one of
 * them. */
#pragma once

#include "js/vu_internal.h"

/* Defines them as globals; fetch, of which scripts know that k6 has none, only when `has_fetch`
 * (--compatibility-mode web). All are exports of k6/x/web, too. */
void js_web_register(JSContext *ctx, JSValueConst global, bool has_fetch);
