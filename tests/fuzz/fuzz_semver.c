/* layer: base
 * A constraint, a line break, a version: what parses is printed so that it parses again and means
 * the same. */
#include "fuzz.h"

#include <string.h>

#include "base/check.h"
#include "base/semver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct slice version = slice_from((const char *)data, bytes);
    struct slice text = slice_cut(&version, '\n');
    struct semver v = {0};
    struct error err;
    struct buf once, twice;
    bool has_version = version.ptr && semver_parse(version, &v);
    struct semver_constraints *c = semver_constraints_new(text.len ? text : SLICE(""), &err);
    if (!c)
        return 0;
    buf_init(&once, BUF_NO_CAP);
    buf_init(&twice, BUF_NO_CAP);
    semver_constraints_print(c, &once);
    struct semver_constraints *again = semver_constraints_new(buf_slice(&once), &err);
    /* Operators that take the place of words may make it too long. */
    CHECK(again || once.len > 512);
    if (again) {
        semver_constraints_print(again, &twice);
        CHECK(slice_eq(buf_slice(&once), buf_slice(&twice)));
        if (has_version)
            CHECK(semver_constraints_allow(c, &v) == semver_constraints_allow(again, &v));
    }
    semver_constraints_free(c);
    semver_constraints_free(again);
    buf_release(&once);
    buf_release(&twice);
    return 0;
}
