/* Why a command failed: the words for the user, k6's hint and the exit code. An empty failure (text
 * NULL) is success. */
#pragma once

#include <stdbool.h>

/* k6's exit codes. */
enum failure_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_CLOUD_FAILED = 97,
    EXIT_CODE_THRESHOLDS = 99,
    EXIT_CODE_SETUP_TIMEOUT = 100,
    EXIT_CODE_TEARDOWN_TIMEOUT = 101,
    EXIT_CODE_TIMEOUT = 102,
    EXIT_CODE_STOPPED_BY_API = 103,
    EXIT_CODE_INVALID_CONFIG = 104,
    EXIT_CODE_EXTERNAL_ABORT = 105,
    EXIT_CODE_CANNOT_START_API = 106,
    EXIT_CODE_SCRIPT_EXCEPTION = 107,
    EXIT_CODE_SCRIPT_ABORTED = 108,
    EXIT_CODE_PANIC = 109,
    EXIT_CODE_MARKED_AS_FAILED = 110,
    EXIT_CODE_INCOMPLETE = 111, /* not k6's: results of instances are missing (kiln merge) */
    EXIT_CODE_GENERIC = 255,
};

struct failure {
    char *text; /* heap; NULL = none */
    char *hint; /* heap; NULL = none */
    int exit_code;
    bool is_script_exception;
};

/* Replaces what *f held; hint (may be NULL) is copied. Returns the exit code. */
int failure_set(struct failure *f, int exit_code, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* An exception of the script's own code, text with stack. */
int failure_set_exception(struct failure *f, const char *text);
/* A further hint around the one that is there, as k6 nests them: "outer (inner)". */
void failure_add_hint(struct failure *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline bool failure_is_set(const struct failure *f) {
    return f->text != 0;
}
/* Moves from to to when to is empty, otherwise drops it: the first failure counts. */
void failure_take_first(struct failure *to, struct failure *from);
/* One error record, as k6 writes it. */
void failure_log(const struct failure *f);
void failure_release(struct failure *f);
