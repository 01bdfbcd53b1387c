#include "cli/api_address.h"

#include <stdlib.h>

#include "base/compat.h"

const char *api_address(const struct flags *flags, bool *out_explicit) {
    const char *address = flags_text(flags, "address");
    if (out_explicit != NULL)
        *out_explicit = address != NULL;
    if (address == NULL && compat_on(COMPAT_API_BY_DEFAULT))
        address = "localhost:6565";
    else if (address == NULL)
        address = getenv("K6_ADDRESS");
    return address != NULL ? address : "";
}
