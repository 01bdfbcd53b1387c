#include "api/windows.h"

#include <stdlib.h>

#include "api/api_internal.h"
#include "base/check.h"
#include "base/wire.h"
#include "base/go_parse.h"

/* Who asks has so long to ask again. */
#define WANTED_NS (30 * NS_PER_S)

bool api_windows_are_wanted(const struct api *api) {
    return clock_now_ns() < api->windows.wanted_until_ns;
}

void api_windows_add(struct api *api, struct slice bytes) {
    struct api_windows *w = &api->windows;
    struct api_window *next = &w->ring[++w->last % API_WINDOWS];
    free(next->bytes);
    *next = (struct api_window){.number = w->last, .bytes = slice_dup(bytes), .len = bytes.len};
}

void api_windows_release(struct api_windows *w) {
    for (size_t i = 0; i < API_WINDOWS; i++)
        free(w->ring[i].bytes);
}

static void put_window(const struct api_window *w, struct buf *out) {
    wire_put_u32(out, (uint32_t)w->number);
    wire_put_u32(out, (uint32_t)(w->number >> 32));
    wire_put_u32(out, (uint32_t)w->len);
    buf_append(out, w->bytes, w->len);
}

void api_get_windows(struct api_call *call) {
    struct api_windows *w = &call->api->windows;
    struct buf body;
    int64_t after = 0;
    if (go_parse_int(slice_cstr(call->id), 10, &after, NULL) != 0 || after < 0) {
        api_answer_error(call, 400, "Invalid data", "expected the number of a window");
        return;
    }
    w->wanted_until_ns = clock_now_ns() + WANTED_NS;
    buf_init(&body, BUF_NO_CAP);
    uint64_t first = w->last < API_WINDOWS ? 1 : w->last - API_WINDOWS + 1;
    first = (uint64_t)after + 1 > first ? (uint64_t)after + 1 : first;
    for (uint64_t n = first; n <= w->last; n++)
        put_window(&w->ring[n % API_WINDOWS], &body);
    api_answer(call, 200, "application/octet-stream", &body);
    buf_release(&body);
}
