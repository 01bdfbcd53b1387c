/* The sanitizers' options, part of every program of a sanitizer build: also of those that a test
 * starts with an environment of its own. ASAN_OPTIONS and UBSAN_OPTIONS still override them. */

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_options(void);

const char *__asan_default_options(void) {
    /* A "fake stack" for stack-use-after-return cannot follow a fiber from stack to stack. */
    return "detect_stack_use_after_return=0:detect_leaks=1:strict_string_checks=1";
}

const char *__ubsan_default_options(void) {
    return "print_stacktrace=1:halt_on_error=1";
}

const char *__lsan_default_options(void) {
    return "print_suppressions=0";
}
