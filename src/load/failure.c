#include "load/failure.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"

int failure_set(struct failure *f, int exit_code, const char *hint, const char *fmt, ...) {
    struct buf text;
    va_list ap;
    buf_init(&text, BUF_NO_CAP);
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    char *copy = hint != NULL ? xstrdup(hint) : NULL;
    failure_release(f);
    *f = (struct failure){buf_detach(&text, NULL), copy, exit_code, false};
    return exit_code;
}

int failure_set_exception(struct failure *f, const char *text) {
    failure_set(f, EXIT_CODE_SCRIPT_EXCEPTION, "script exception", "%s", text);
    f->is_script_exception = true;
    return f->exit_code;
}

void failure_add_hint(struct failure *f, const char *fmt, ...) {
    struct buf text;
    va_list ap;
    buf_init(&text, BUF_NO_CAP);
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (f->hint != NULL)
        buf_printf(&text, " (%s)", f->hint);
    free(f->hint);
    f->hint = buf_detach(&text, NULL);
}

void failure_take_first(struct failure *to, struct failure *from) {
    if (failure_is_set(to)) {
        failure_release(from);
        return;
    }
    *to = *from;
    *from = (struct failure){0};
}

void failure_log(const struct failure *f) {
    struct log_field fields[2];
    size_t n = 0;
    if (f->hint != NULL)
        fields[n++] = LOG_STR("hint", f->hint);
    if (f->is_script_exception && !compat_is_v051())
        fields[n++] = LOG_STR("source", "stacktrace");
    log_write(LOG_ERROR, slice_cstr(f->text), fields, n);
}

void failure_release(struct failure *f) {
    free(f->text);
    free(f->hint);
    *f = (struct failure){0};
}
