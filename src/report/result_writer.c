#include <stdlib.h>
#include <zlib.h>

#include "base/check.h"
#include "base/vec.h"
#include "metrics/sink_code.h"
#include "report/result_format.h"

/* Enough for compression to pay. */
#define CHUNK_WANTED_BYTES ((size_t)256 << 10)
/* Series beyond it are not stored one by one; metrics and parts are. */
#define SERIES_MAX 100000u

struct result_writer {
    struct atomic_file file;
    struct buf *memory; /* instead of the file */
    struct buf defs, windows, totals, packed;
    VEC(struct sink) pending; /* of the definitions, since from_ns */
    int64_t period_ns, from_ns, to_ns;
    bool is_pending;
    size_t n_defs; /* of windows: definition i is the aggregate's window i */
    size_t n_chunks;
};

static void put_bytes(struct result_writer *w, struct slice bytes) {
    if (w->memory)
        buf_append_slice(w->memory, bytes);
    else
        atomic_file_write(&w->file, bytes);
}

static void put_chunk(struct result_writer *w, const char *type, struct slice raw) {
    struct buf head;
    uLongf bytes = compressBound((uLong)raw.len);
    buf_reset(&w->packed);
    buf_reserve(&w->packed, bytes);
    CHECK(compress2((Bytef *)w->packed.ptr, &bytes, (const Bytef *)raw.ptr, (uLong)raw.len,
                    Z_DEFAULT_COMPRESSION) == Z_OK);
    buf_init(&head, BUF_NO_CAP);
    buf_append(&head, type, 4);
    wire_put_u32(&head, (uint32_t)bytes);
    wire_put_u32(&head, (uint32_t)raw.len);
    uLong crc = crc32(0, (const Bytef *)head.ptr, (uInt)head.len);
    crc = crc32(crc, (const Bytef *)w->packed.ptr, (uInt)bytes);
    wire_put_u32(&head, (uint32_t)crc);
    put_bytes(w, buf_slice(&head));
    put_bytes(w, slice_from(w->packed.ptr, bytes));
    buf_release(&head);
    w->n_chunks++;
}

static void flush(struct result_writer *w, const char *type, struct buf *b) {
    if (b->len > 0)
        put_chunk(w, type, buf_slice(b));
    buf_reset(b);
}

static void put_header(struct result_writer *w) {
    struct buf head;
    buf_init(&head, BUF_NO_CAP);
    buf_append(&head, RESULT_MAGIC, RESULT_MAGIC_BYTES);
    wire_put_u32(&head, RESULT_VERSION);
    wire_put_u32(&head, (uint32_t)crc32(0, (const Bytef *)head.ptr, (uInt)head.len));
    put_bytes(w, buf_slice(&head));
    buf_release(&head);
}

static struct result_writer *writer_new(int64_t period_ns) {
    struct result_writer *w = xcalloc(1, sizeof *w);
    w->period_ns = period_ns;
    buf_init(&w->defs, BUF_NO_CAP);
    buf_init(&w->windows, BUF_NO_CAP);
    buf_init(&w->totals, BUF_NO_CAP);
    buf_init(&w->packed, BUF_NO_CAP);
    return w;
}

struct result_writer *result_writer_open(const char *path, struct slice meta, int64_t period_ns,
                                         struct error *err) {
    struct atomic_file file;
    if (atomic_file_open(&file, path, err))
        return NULL;
    struct result_writer *w = writer_new(period_ns);
    w->file = file;
    put_header(w);
    put_chunk(w, CHUNK_META, meta);
    return w;
}

void result_writer_archive(struct result_writer *w, struct slice tar) {
    put_chunk(w, CHUNK_ARCHIVE, tar);
}

/* ---------------------------------------------------------------- definitions */

static void put_def(struct buf *out, enum result_kind kind, const struct metric *m,
                    const struct tag *tags, size_t n_tags) {
    const struct metric *base = m->parent ? m->parent : m;
    wire_put_varint(out, kind);
    wire_put_varint(out, m->type);
    wire_put_varint(out, m->contains);
    wire_put_varint(out, base->is_builtin);
    wire_put_text(out, slice_cstr(m->name));
    wire_put_varint(out, n_tags);
    for (size_t i = 0; i < n_tags; i++) {
        wire_put_text(out, tags[i].key);
        wire_put_text(out, tags[i].value);
    }
}

static void define_windows(struct result_writer *w, const struct aggregate *a) {
    for (; w->n_defs < aggregate_window_count(a); w->n_defs++) {
        const struct aggregate_window *x = aggregate_window_at(a, w->n_defs);
        bool is_part = x->key.ptr != NULL;
        put_def(&w->defs, is_part ? RESULT_PART : RESULT_METRIC, x->metric,
                &(struct tag){x->key, x->value}, is_part);
    }
}

/* ---------------------------------------------------------------- content */

static void flush_windows(struct result_writer *w) {
    flush(w, CHUNK_DEFS, &w->defs);
    flush(w, CHUNK_WINDOWS, &w->windows);
}

/* What was put together becomes a window. */
static void put_window(struct result_writer *w) {
    size_t n = 0;
    for (size_t i = 0; i < w->pending.len; i++)
        n += w->pending.ptr[i].has_samples;
    wire_put_varint(&w->windows, (uint64_t)(clock_mono_to_wall_ns(w->from_ns) / NS_PER_MS));
    wire_put_varint(&w->windows, (uint64_t)((w->to_ns - w->from_ns) / NS_PER_MS));
    wire_put_varint(&w->windows, n);
    for (size_t i = 0; i < w->pending.len; i++) {
        struct sink *s = &w->pending.ptr[i];
        struct metric *m = s->metric;
        if (!s->has_samples)
            continue;
        wire_put_varint(&w->windows, i);
        sink_encode(s, true, &w->windows);
        sink_release(s);
        *s = (struct sink){.metric = m};
    }
    w->is_pending = false;
    if (w->windows.len >= CHUNK_WANTED_BYTES)
        flush_windows(w);
}

void result_writer_window(struct result_writer *w, const struct aggregate *a, int64_t from_ns,
                          int64_t to_ns) {
    define_windows(w, a);
    while (w->pending.len < w->n_defs) {
        struct metric *m = aggregate_window_at(a, w->pending.len)->metric;
        vec_push(&w->pending, (struct sink){.metric = m});
    }
    for (size_t i = 0; i < w->n_defs; i++)
        sink_merge(&w->pending.ptr[i], &aggregate_window_at(a, i)->window);
    if (!w->is_pending)
        w->from_ns = from_ns;
    w->is_pending = true;
    w->to_ns = to_ns;
    /* Ticks come every second, not to the nanosecond. */
    if (to_ns - w->from_ns >= w->period_ns - NS_PER_S / 2)
        put_window(w);
}

void result_writer_checkpoint(struct result_writer *w, struct slice so_far) {
    flush_windows(w);
    put_chunk(w, CHUNK_SO_FAR, so_far);
}

static void put_total(struct result_writer *w, size_t def, const struct sink *s) {
    wire_put_varint(&w->totals, def);
    sink_encode(s, false, &w->totals);
    if (w->totals.len >= CHUNK_WANTED_BYTES)
        flush(w, CHUNK_TOTALS, &w->totals);
}

static void put_series(struct result_writer *w, struct aggregate *a) {
    size_t n = aggregate_series_count(a);
    n = n < SERIES_MAX ? n : SERIES_MAX;
    for (size_t i = 0; i < n; i++) {
        const struct aggregate_series *s = aggregate_series_at(a, i);
        put_def(&w->defs, RESULT_SERIES, s->metric, s->tags->tags, s->tags->len);
    }
    flush(w, CHUNK_DEFS, &w->defs);
    for (size_t i = 0; i < n; i++)
        put_total(w, w->n_defs + i, &aggregate_series_at(a, i)->sink);
}

static void writer_free(struct result_writer *w) {
    for (size_t i = 0; i < w->pending.len; i++)
        sink_release(&w->pending.ptr[i]);
    vec_release(&w->pending);
    buf_release(&w->defs);
    buf_release(&w->windows);
    buf_release(&w->totals);
    buf_release(&w->packed);
    free(w);
}

static void put_end(struct result_writer *w, struct slice result) {
    struct buf end;
    put_chunk(w, CHUNK_OUTCOME, result);
    buf_init(&end, BUF_NO_CAP);
    wire_put_varint(&end, w->n_chunks);
    put_chunk(w, CHUNK_END, buf_slice(&end));
    buf_release(&end);
}

void result_write_window(const struct aggregate *a, int64_t from_ns, int64_t to_ns,
                         struct slice meta, struct slice so_far, struct buf *out) {
    struct result_writer *w = writer_new(0);
    w->memory = out;
    put_header(w);
    put_chunk(w, CHUNK_META, meta);
    result_writer_window(w, a, from_ns, to_ns);
    if (w->is_pending) /* shorter than half a second */
        put_window(w);
    flush_windows(w);
    put_end(w, so_far);
    writer_free(w);
}

int result_writer_finish(struct result_writer *w, struct aggregate *a, struct slice result,
                         struct error *err) {
    if (w->is_pending)
        put_window(w);
    define_windows(w, a);
    flush_windows(w);
    for (size_t i = 0; i < w->n_defs; i++)
        if (aggregate_window_at(a, i)->total->has_samples)
            put_total(w, i, aggregate_window_at(a, i)->total);
    put_series(w, a);
    flush(w, CHUNK_TOTALS, &w->totals);
    put_end(w, result);
    int rc = atomic_file_commit(&w->file, err);
    writer_free(w);
    return rc;
}

void result_writer_abandon(struct result_writer *w) {
    if (!w)
        return;
    atomic_file_abandon(&w->file);
    writer_free(w);
}
