/* Faults that a client orders by request headers, to rehearse trouble:
 *
 *   x-error-<operation>: <text>       the operation fails
 *   x-delay-<operation>: <duration>   the operation takes that much longer ("300ms")
 *
 * each with a header of the same name and "-percentage" after it (0-100, may be fractional) when it
 * is to happen not every time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "request.h"

struct fault {
    bool has_error;
    double error_percent;
    int64_t delay_ns;
    double delay_percent;
};

/* The faults ordered for an operation, such as "get-ingredients". */
struct fault fault_read(const struct request *r, const char *operation);

/* Throws the dice for one run of the operation: whether it fails, and by how much it is late. */
bool fault_strikes(const struct fault *f);
int64_t fault_delay_ns(const struct fault *f);
