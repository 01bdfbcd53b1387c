/* layer: report
 * A saved run: the bytes as a file, and as contents of chunks whose checksums are right. */
#include "fuzz.h"

#include <string.h>
#include <zlib.h>

#include "base/check.h"
#include "base/wire.h"
#include "report/result_format.h"

static void on_window(void *arg, int64_t from_ms, int64_t length_ms, size_t series,
                      const struct sink *sink) {
    (void)arg;
    CHECK(from_ms >= 0 && length_ms >= 0 && series < 1000000 && sink->has_samples);
    if (sink->metric->type == METRIC_TREND)
        CHECK(!(trend_quantile(&sink->trend, 0.5) < sink->trend.min)); /* ±Inf: NaN */
}

static void parse_as(struct slice bytes, enum result_reading how) {
    struct result r;
    struct error err = {0};
    int rc = result_parse(bytes, "x", how, on_window, NULL, &r, &err);
    CHECK(rc != 0 || how != RESULT_WHOLE || r.is_complete);
    CHECK(rc == 0 || (rc == KE_INVALID && err.text[0]));
    for (size_t i = 0; i < r.series.len; i++) {
        const struct sink *s = &r.series.ptr[i]->total;
        if (s->has_samples && s->metric->type == METRIC_TREND)
            trend_quantile(&s->trend, 0.95);
    }
    result_release(&r);
}

static void parse(struct slice bytes) {
    parse_as(bytes, RESULT_WHOLE);
    parse_as(bytes, RESULT_PARTIAL);
    parse_as(bytes, RESULT_FACTS);
}

static void put_chunk(struct buf *out, const char *type, struct slice raw) {
    struct buf head;
    Bytef packed[1 << 14];
    uLongf bytes = sizeof packed;
    CHECK(compress2(packed, &bytes, (const Bytef *)raw.ptr, (uLong)raw.len, 1) == Z_OK);
    buf_init(&head, BUF_NO_CAP);
    buf_append(&head, type, 4);
    wire_put_u32(&head, (uint32_t)bytes);
    wire_put_u32(&head, (uint32_t)raw.len);
    uLong crc = crc32(crc32(0, (Bytef *)head.ptr, (uInt)head.len), packed, (uInt)bytes);
    wire_put_u32(&head, (uint32_t)crc);
    buf_append_slice(out, buf_slice(&head));
    buf_append(out, packed, bytes);
    buf_release(&head);
}

/* A byte for the type, two for the length, the content; again. */
static void parse_chunks(struct slice in) {
    static const char *const types[] = {CHUNK_META, CHUNK_DEFS,    CHUNK_WINDOWS, CHUNK_TOTALS,
                                        CHUNK_END,  CHUNK_OUTCOME, CHUNK_SO_FAR,  CHUNK_ARCHIVE};
    struct buf file;
    struct wire_reader r = {.rest = in};
    buf_init(&file, BUF_NO_CAP);
    buf_append(&file, RESULT_MAGIC, RESULT_MAGIC_BYTES);
    wire_put_u32(&file, RESULT_VERSION);
    wire_put_u32(&file, (uint32_t)crc32(0, (Bytef *)file.ptr, (uInt)file.len));
    while (!wire_at_end(&r)) {
        struct slice head = wire_bytes(&r, 3);
        if (r.is_bad)
            break;
        size_t n = ((size_t)(unsigned char)head.ptr[1] << 8 | (unsigned char)head.ptr[2]) % 8192;
        n = n < r.rest.len ? n : r.rest.len;
        put_chunk(&file, types[(unsigned char)head.ptr[0] % countof(types)], wire_bytes(&r, n));
    }
    parse(buf_slice(&file));
    buf_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct slice in = slice_from((const char *)data, bytes);
    parse(in);
    parse_chunks(in);
    return 0;
}
