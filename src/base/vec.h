/* Typed growable array as macros: struct { T *ptr; size_t len, alloc; }. Zero-initialised is empty.
 */
#pragma once

#include "base/check.h"

#include <string.h>

#define VEC(T)             \
    struct {               \
        T *ptr;            \
        size_t len, alloc; \
    }

#define vec_push(v, ...)                                                  \
    do {                                                                  \
        if ((v)->len == (v)->alloc) {                                     \
            (v)->alloc = (v)->alloc ? (v)->alloc * 2 : 8;                 \
            (v)->ptr = xrealloc((v)->ptr, (v)->alloc * sizeof *(v)->ptr); \
        }                                                                 \
        (v)->ptr[(v)->len++] = __VA_ARGS__;                               \
    } while (0)

/* The items themselves are not released. */
#define vec_release(v)             \
    do {                           \
        free((v)->ptr);            \
        (v)->ptr = NULL;           \
        (v)->len = (v)->alloc = 0; \
    } while (0)

#define vec_foreach(item, v) \
    for (size_t item##_i = 0; item##_i < (v)->len && ((item) = &(v)->ptr[item##_i], 1); item##_i++)
