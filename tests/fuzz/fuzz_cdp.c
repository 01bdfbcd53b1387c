/* layer: cdp
 * Messages of a browser: whatever they are, what is read of them lies in them. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "cdp/cdp_message.h"

static void check_inside(struct slice json, struct slice view) {
    CHECK(view.len == 0 || (view.ptr >= json.ptr && view.ptr + view.len <= json.ptr + json.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char *copy = malloc(bytes ? bytes : 1);
    CHECK(copy != NULL);
    memcpy(copy, data, bytes);
    struct slice json = slice_from(copy, bytes);
    struct cdp_message m;
    struct slice early = cdp_message_method(json);
    check_inside(json, early);
    if (cdp_message_read(json, &m)) {
        CHECK(m.id >= 0);
        check_inside(json, m.method);
        check_inside(json, m.session);
        check_inside(json, m.payload);
    }
    free(copy);
    return 0;
}
