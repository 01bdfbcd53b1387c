/* Functions that a script registered for events by name: socket.on("message", fn). They are called
 * in the order in which they came. */
#pragma once

#include "js/vu_internal.h"

struct js_handler {
    char *event;
    JSValue fn;
    bool is_property; /* set as onNAME: js_handlers_set */
};

struct js_handlers { /* {0} is empty */
    struct js_handler *list;
    size_t len;
};

void js_handlers_add(struct js_handlers *h, JSContext *ctx, struct slice event, JSValueConst fn);
/* The one function of an onNAME property, in the place of the former one; null or undefined takes
 * it away. */
void js_handlers_set(struct js_handlers *h, JSContext *ctx, struct slice event, JSValueConst fn);
/* What js_handlers_set set (a reference of the caller's), or null. */
JSValue js_handlers_get(const struct js_handlers *h, JSContext *ctx, struct slice event);
/* Takes a function that was added away again, if it is there. */
void js_handlers_remove(struct js_handlers *h, JSContext *ctx, struct slice event, JSValueConst fn);
bool js_handlers_has(const struct js_handlers *h, struct slice event);
/* Calls the functions that there are now for the event. arg (taken; undefined = no argument; an
 * exception is passed on). False with an exception pending: the rest was not called. */
bool js_handlers_emit(const struct js_handlers *h, JSContext *ctx, struct slice event, JSValue arg);

/* For the class's finalizer and gc_mark. */
void js_handlers_release(struct js_handlers *h, JSRuntime *rt);
void js_handlers_mark(const struct js_handlers *h, JSRuntime *rt, JS_MarkFunc *mark);
