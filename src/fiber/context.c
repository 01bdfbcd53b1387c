#include "fiber/context.h"

#include <stdint.h>
#include <string.h>

/* The frames below are what fiber_context_switch of the same machine pops. */

#if defined(__x86_64__)

/* control words, r15, r14, r13, r12, rbx, rbp, return address */
enum { FRAME_WORDS = 8, FRAME_CONTROL = 0, FRAME_R12 = 4, FRAME_RBX = 5, FRAME_RETURN = 7 };

void *fiber_context_make(void *top, void (*entry)(void *arg), void *arg) {
    uintptr_t *frame = (uintptr_t *)top - FRAME_WORDS;
    memset(frame, 0, FRAME_WORDS * sizeof *frame);
    uint32_t mxcsr;
    uint16_t x87_control;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87_control));
    frame[FRAME_CONTROL] = (uintptr_t)mxcsr | (uintptr_t)x87_control << 32;
    frame[FRAME_R12] = (uintptr_t)arg;
    frame[FRAME_RBX] = (uintptr_t)entry;
    frame[FRAME_RETURN] = (uintptr_t)fiber_context_entry;
    return frame;
}

#elif defined(__aarch64__)

/* x19..x30, d8..d15 */
enum { FRAME_WORDS = 20, FRAME_X19 = 0, FRAME_X20 = 1, FRAME_X30 = 11 };

void *fiber_context_make(void *top, void (*entry)(void *arg), void *arg) {
    uintptr_t *frame = (uintptr_t *)top - FRAME_WORDS;
    memset(frame, 0, FRAME_WORDS * sizeof *frame);
    frame[FRAME_X19] = (uintptr_t)arg;
    frame[FRAME_X20] = (uintptr_t)entry;
    frame[FRAME_X30] = (uintptr_t)fiber_context_entry;
    return frame;
}

#else
#error "fibers know x86-64 and arm64: another machine needs its context_*.S"
#endif
