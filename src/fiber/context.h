/* The machine-dependent part of fibers: one switch between two stacks, in assembly
 * (context_x86_64.S, context_arm64.S). Everything the C ABI calls callee-saved is kept,
 * floating-point control included; nothing else is.
 *
 *     sp = fiber_context_make(stack_top, entry, arg);
 *     fiber_context_switch(&my_sp, sp);      runs entry(arg) until it switches to my_sp
 */
#pragma once

/* Prepares a stack so that the first switch to the returned stack pointer calls entry(arg). top is
 * the end of the stack memory, 16-byte aligned. entry must not return. */
void *fiber_context_make(void *top, void (*entry)(void *arg), void *arg);

/* Saves the registers on the running stack and its pointer in *out_save, then continues at `to`.
 * Returns when somebody switches back to *out_save. */
void fiber_context_switch(void **out_save, void *to);

/* Where a new stack begins; only its address matters to C. */
void fiber_context_entry(void);
