/* layer: js. Input: a path, a zero byte, a document. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "js/gjson.h"
#include "js/json_error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    const uint8_t *zero = memchr(data, 0, bytes);
    if (!zero)
        return 0;
    struct slice path = slice_from((const char *)data, (size_t)(zero - data));
    struct slice json = slice_from((const char *)zero + 1, bytes - path.len - 1);
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    if (gjson_get(json, path, &out) && !json_valid(buf_slice(&out), NULL))
        abort();
    buf_release(&out);
    char words[256];
    json_error_describe(json, words, sizeof words);
    return 0;
}
