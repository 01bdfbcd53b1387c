#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "fiber/internal.h"

#define SIGNAL_STACK_BYTES ((size_t)16 << 10)

static bool is_in_guard(const struct fiber *f, const void *address) {
    uintptr_t low = (uintptr_t)f->stack->low, at = (uintptr_t)address;
    return at < low && at >= low - f->worker->stacks.guard_bytes;
}

/* Says why, then returns with the default action in place: the instruction faults again and ends
 * the process. */
static void fault_happened(int number, siginfo_t *info, void *context) {
    (void)context;
    struct worker *w = worker_self();
    if (w && w->current && is_in_guard(w->current, info->si_addr)) {
        static const char text[] = "stack overflow: a fiber has used up its C stack\n";
        ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);
        (void)n;
    }
    signal(number, SIG_DFL);
}

static void handler_install(void) {
    static const int faults[] = {SIGSEGV, SIGBUS};
    for (size_t i = 0; i < countof(faults); i++) {
        struct sigaction before, mine = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
        mine.sa_sigaction = fault_happened;
        /* A sanitizer or a debugger that was here first knows better. */
        if (sigaction(faults[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(faults[i], &mine, NULL);
    }
}

void stack_overflow_watch(struct worker *w) {
    handler_install();
    stack_t before;
    if (sigaltstack(NULL, &before) == 0 && !(before.ss_flags & SS_DISABLE))
        return;
    w->signal_stack = xmalloc(SIGNAL_STACK_BYTES);
    stack_t mine = {.ss_sp = w->signal_stack, .ss_size = SIGNAL_STACK_BYTES};
    sigaltstack(&mine, NULL);
}

void stack_overflow_unwatch(struct worker *w) {
    if (!w->signal_stack)
        return;
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    free(w->signal_stack);
    w->signal_stack = NULL;
}
