/* The header Range (RFC 9110, section 14), as far as one range goes. */
#pragma once

#include <stddef.h>

enum byte_range {
    BYTE_RANGE_NONE,   /* answer with the whole: no header, or more than one range */
    BYTE_RANGE_PART,   /* 206 with [*out_first, *out_last] */
    BYTE_RANGE_NOWHERE /* 416: not understood, or outside of the content */
};

/* `header` may be NULL. */
enum byte_range byte_range_parse(const char *header, size_t size, size_t *out_first,
                                 size_t *out_last);
