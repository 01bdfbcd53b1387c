/* Memory of JavaScript heaps. The VUs of a worker take small blocks from the same pages, by size
 * class in steps of 8 bytes, without headers: thousands of small heaps side by side then cost
 * little more than what they use. Nothing is locked: a VU belongs to one worker's thread for life.
 */
#pragma once

#include "js/quickjs_api.h"

struct js_alloc;

/* For JS_NewRuntime2, with the allocator of the calling thread as opaque. NULL functions never. */
extern const JSMallocFunctions js_alloc_functions;
/* The calling thread's allocator; a reference is held until js_alloc_unref. */
struct js_alloc *js_alloc_ref(void);
/* Bytes that all heaps of the process may take together: beyond it a script gets "out of memory" as
 * an error to catch, instead of the system ending the process. Before VUs run. */
void js_alloc_set_limit(size_t bytes);
/* Atoms that the thread's runtimes begin with: taken once from the first VU that ran the script's
 * init code. */
void js_alloc_use_atoms(struct js_alloc *a);
void js_alloc_keep_atoms(struct js_alloc *a, JSRuntime *rt);
/* The memory goes with the last reference. */
void js_alloc_unref(struct js_alloc *a);
