/* Loading of modules into a VU: ES modules, CommonJS files and k6's own modules, resolved and
 * compiled once per process (VU 0) and instantiated per VU. */
#pragma once

#include "js/script_internal.h"
#include "js/vu_internal.h"

void js_loader_init(struct vu *vu);
void js_loader_release(struct vu *vu);

/* Loads the main module with everything it imports and evaluates it. *out_promise is its promise
 * (JS_UNDEFINED for CommonJS). 0; KE_JS with an exception pending; KE_INVALID when it cannot be
 * loaded (*out_text: heap string with k6's words), KE_CONFIG the same without its exit code. */
int js_loader_run_main(struct vu *vu, JSValue *out_promise, char **out_text);
/* Mode web, VU 0, after its init: loads what the script may come to import() by a plain name, so
 * that all VUs find it when the script is frozen. */
void js_loader_preload(struct vu *vu);
/* The object whose properties are the exports of the main module. */
JSValue js_loader_main_exports(struct vu *vu);

/* require(), import.meta.resolve and what open() needs. */
JSValue js_require(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
/* URL of the directory that open() is relative to. Heap string. */
char *js_loader_open_dir(struct vu *vu, bool *out_is_surprising, char **out_caller);

/* Compiles a file to a module or function value of ctx and keeps its bytecode; reads the bytecode
 * when it is there. NULL with *out_text (heap string): syntax error in the form "file:///x.js: Line
 * 3:13 Unexpected token ;" or a read error. */
struct script_module *js_module_compile(struct vu *vu, struct script_file *file, JSValue *out,
                                        char **out_text);

/* Text of a function of a module, which the code does not carry; undefined for what no file has. */
JSValue js_function_text(JSContext *ctx, const char *file, size_t at, size_t len);

/* Words of a parse error (a SyntaxError of QuickJS, pending) in the form of k6's parser. Heap
 * string. */
char *js_take_syntax_error(JSContext *ctx, const struct script_file *file);
