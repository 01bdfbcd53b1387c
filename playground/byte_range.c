#include "byte_range.h"

#include "base/slice.h"

enum byte_range byte_range_parse(const char *header, size_t size, size_t *out_first,
                                 size_t *out_last) {
    if (header == NULL || *header == '\0')
        return BYTE_RANGE_NONE;
    struct slice rest = slice_cstr(header);
    if (!slice_starts(rest, SLICE("bytes=")))
        return BYTE_RANGE_NOWHERE;
    rest = slice_from(rest.ptr + 6, rest.len - 6);
    if (memchr(rest.ptr, ',', rest.len) != NULL)
        return BYTE_RANGE_NONE;
    const struct slice first_text = slice_trim(slice_cut(&rest, '-'));
    if (rest.ptr == NULL)
        return BYTE_RANGE_NOWHERE;
    const struct slice last_text = slice_trim(rest);
    uint64_t first = 0;
    uint64_t last = size > 0 ? size - 1 : 0;
    if (first_text.len == 0) {
        uint64_t count; /* of bytes at the end */
        if (!slice_to_u64(last_text, &count) || count == 0 || size == 0)
            return BYTE_RANGE_NOWHERE;
        first = count < size ? size - count : 0;
    } else {
        if (!slice_to_u64(first_text, &first) || first >= size)
            return BYTE_RANGE_NOWHERE;
        if (last_text.len > 0 && (!slice_to_u64(last_text, &last) || last < first))
            return BYTE_RANGE_NOWHERE;
        if (last >= size)
            last = size - 1;
    }
    *out_first = (size_t)first;
    *out_last = (size_t)last;
    return BYTE_RANGE_PART;
}
