#include "base/compat.h"

#include "base/error.h"
#include "base/slice.h"

static enum compat_version current = COMPAT_V2_2;

static const struct {
    bool v051, v2;
} behaviours[] = {
#define BEHAVIOUR(name, v051, v2, why) {v051, v2},
#define TEXT(name, v051, v2)
#include "base/compat.def"
#undef BEHAVIOUR
#undef TEXT
};

static const struct {
    const char *v051, *v2;
} texts[] = {
#define BEHAVIOUR(name, v051, v2, why)
#define TEXT(name, v051, v2) {v051, v2},
#include "base/compat.def"
#undef BEHAVIOUR
#undef TEXT
};

void compat_set(enum compat_version v) {
    current = v;
}

enum compat_version compat_get(void) {
    return current;
}

int compat_parse(const char *text, enum compat_version *out) {
    struct slice s = slice_cstr(text);
    if (slice_starts(s, SLICE("v"))) {
        s.ptr++;
        s.len--;
    }
    if (slice_eq(s, SLICE("0.51")) || slice_starts(s, SLICE("0.51.")))
        *out = COMPAT_V0_51;
    else if (slice_eq(s, SLICE("2")) || slice_eq(s, SLICE("2.2")) || slice_starts(s, SLICE("2.2.")))
        *out = COMPAT_V2_2;
    else
        return KE_INVALID;
    return 0;
}

bool compat_on(enum compat_behaviour b) {
    return compat_is_v051() ? behaviours[b].v051 : behaviours[b].v2;
}

const char *compat_text(enum compat_text t) {
    return compat_is_v051() ? texts[t].v051 : texts[t].v2;
}
