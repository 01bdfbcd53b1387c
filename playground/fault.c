#include "fault.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/random.h"

static const char *order(const struct request *r, const char *what, const char *operation,
                         const char *suffix) {
    char name[96];
    snprintf(name, sizeof name, "x-%s-%s%s", what, operation, suffix);
    return request_header(r, name);
}

static double percentage(const struct request *r, const char *what, const char *operation) {
    const char *text = order(r, what, operation, "-percentage");
    if (text == NULL || *text == '\0')
        return 100;
    char *end;
    double value = strtod(text, &end);
    return end != text && *end == '\0' ? value : 0;
}

struct fault fault_read(const struct request *r, const char *operation) {
    struct fault f = {0};
    const char *text = order(r, "error", operation, "");
    f.has_error = text != NULL && *text != '\0';
    if (f.has_error)
        f.error_percent = percentage(r, "error", operation);
    text = order(r, "delay", operation, "");
    if (text != NULL && duration_parse_go(slice_cstr(text), &f.delay_ns) == 0 && f.delay_ns > 0)
        f.delay_percent = percentage(r, "delay", operation);
    else
        f.delay_ns = 0;
    return f;
}

static bool happens(double percent) {
    return percent >= 100 || random_double() * 100 < percent;
}

bool fault_strikes(const struct fault *f) {
    return f->has_error && happens(f->error_percent);
}

int64_t fault_delay_ns(const struct fault *f) {
    return f->delay_ns > 0 && happens(f->delay_percent) ? f->delay_ns : 0;
}
