/* layer: redis
 * Replies of a Redis server in one piece and in many: both must give the same items, all of a
 * scanned reply must be readable, and nothing may be read out of bounds. The first byte says how
 * the pieces are cut. Then the same bytes as options in a URL. */
#include "fuzz.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "redis/redis_command.h"
#include "redis/redis_options.h"
#include "redis/resp.h"

static void describe(struct buf *out, struct slice reply) {
    struct resp_item item;
    int64_t left = 1;
    while (resp_next(&reply, &item)) {
        CHECK(left > 0);
        left--;
        if (item.type == RESP_ARRAY || item.type == RESP_PUSH)
            left += item.integer;
        else if (item.type == RESP_MAP)
            left += item.integer * 2;
        buf_printf(out, "%d %" PRId64 " %a ", item.type, item.integer, item.number);
        if (item.text.len)
            buf_append_slice(out, item.text);
        buf_append_char(out, '\n');
    }
    CHECK(reply.len == 0 && left == 0);
}

/* The bytes so far lie in a block of just that size. */
static void replies(struct buf *out, struct slice wire, size_t step) {
    struct resp_scan scan;
    struct error err = {.code = 0};
    size_t begin = 0, have = 0, len;
    int rc = 0;
    resp_scan_init(&scan);
    while (rc >= 0 && (have < wire.len || rc > 0)) {
        if (rc == 0)
            have = wire.len - have < step ? wire.len : have + step;
        size_t n = have - begin;
        char *block = xmalloc(n + 1);
        char *at = block + 1; /* the block ends where the bytes do */
        memcpy(at, wire.ptr + begin, n);
        rc = resp_scan(&scan, slice_from(at, n), &len, &err);
        CHECK(rc <= 0 || len <= n);
        if (rc > 0) {
            describe(out, slice_from(at, len));
            begin += len;
        }
        free(block);
    }
    if (rc < 0)
        buf_append_str(out, err.text);
}

static void url(struct slice text) {
    struct redis_options o;
    struct error err;
    redis_options_init(&o);
    if (redis_options_parse_url(text, &o, &err) == 0)
        redis_options_finish(&o);
    redis_options_release(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 1)
        return 0;
    struct slice wire = slice_from((const char *)data + 1, bytes - 1);
    struct buf whole, pieces;
    buf_init(&whole, BUF_NO_CAP);
    buf_init(&pieces, BUF_NO_CAP);
    replies(&whole, wire, SIZE_MAX);
    replies(&pieces, wire, (size_t)data[0] % 16 + 1);
    CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    buf_release(&whole);
    buf_release(&pieces);
    if (wire.len) {
        int slot = redis_slot(wire);
        CHECK(slot >= 0 && slot < REDIS_SLOTS);
        url(wire);
    }
    return 0;
}
