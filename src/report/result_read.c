#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/check.h"
#include "metrics/sink_code.h"
#include "report/result_format.h"

#define FILE_BYTES_MAX ((size_t)4 << 30)
#define SERIES_MAX 1000000u
/* What the histograms of one file may take. */
#define TRENDS_BYTES_MAX ((size_t)2 << 30)
#define WINDOW_TREND_BYTES_MAX ((size_t)64 << 20)

struct parser {
    struct result *out;
    const char *name;
    result_window_fn *fn;
    void *arg;
    enum result_reading how;
    struct buf raw;    /* the chunk's content */
    struct buf so_far; /* the last checkpoint */
    size_t n_chunks, budget;
    bool has_meta, has_outcome, has_archive, is_complete;
    bool has_end; /* known from the beginning */
    struct error *err;
};

static int damaged(struct parser *p, const char *what) {
    return error_set(p->err, KE_INVALID, "%s is damaged: %s", p->name, what);
}

/* ---------------------------------------------------------------- chunks */

static int keep_text(struct parser *p, struct slice *to, bool *has) {
    if (*has)
        return damaged(p, "two chunks where one belongs");
    *has = true;
    *to = slice_from(arena_strndup(p->out->arena, p->raw.ptr, p->raw.len), p->raw.len);
    return 0;
}

/* Of several checkpoints only the last is of interest, and only when there is no end. */
static int keep_so_far(struct parser *p) {
    struct buf last = p->so_far;
    if (p->has_end)
        return 0;
    p->so_far = p->raw;
    p->raw = last;
    return 0;
}

static struct slice keep(struct parser *p, struct slice s) {
    return slice_from(arena_strndup(p->out->arena, s.ptr, s.len), s.len);
}

static int take_def(struct parser *p, struct wire_reader *r) {
    uint64_t kind = wire_varint(r), type = wire_varint(r), contains = wire_varint(r);
    uint64_t is_builtin = wire_varint(r);
    struct slice name = wire_text(r);
    size_t n_tags = wire_count(r, 2);
    if (r->is_bad || kind >= RESULT_KINDS || type > METRIC_TREND || contains > METRIC_DATA ||
        is_builtin > 1 || name.len == 0 || memchr(name.ptr, '\0', name.len))
        return damaged(p, "a series is not defined properly");
    if (p->out->series.len >= SERIES_MAX)
        return damaged(p, "it has too many series");
    struct result_series *s = arena_alloc(p->out->arena, sizeof *s);
    *s = (struct result_series){.kind = (enum result_kind)kind, .n_tags = n_tags};
    s->metric.name = keep(p, name).ptr;
    s->metric.type = (enum metric_type)type;
    s->metric.contains = (enum metric_contains)contains;
    s->metric.is_builtin = is_builtin;
    s->total.metric = &s->metric;
    s->tags = arena_alloc(p->out->arena, (n_tags + 1) * sizeof *s->tags);
    for (size_t i = 0; i < n_tags; i++) {
        struct slice key = wire_text(r), value = wire_text(r);
        s->tags[i] = (struct tag){keep(p, key), keep(p, value)};
    }
    vec_push(&p->out->series, s);
    return r->is_bad ? damaged(p, "a series is not defined properly") : 0;
}

static int take_defs(struct parser *p, struct wire_reader *r) {
    int rc = 0;
    while (rc == 0 && !wire_at_end(r))
        rc = take_def(p, r);
    return rc;
}

static struct result_series *take_reference(struct parser *p, struct wire_reader *r,
                                            size_t *out_index) {
    uint64_t i = wire_varint(r);
    *out_index = (size_t)i;
    return r->is_bad || i >= p->out->series.len ? NULL : p->out->series.ptr[i];
}

/* The totals of a file without an end. */
static int add_up(struct parser *p, struct result_series *s, const struct sink *window) {
    bool is_trend = s->metric.type == METRIC_TREND;
    size_t before = is_trend ? trend_memory_bytes(&s->total.trend) : 0;
    if (p->has_end || s->kind == RESULT_SERIES)
        return 0;
    sink_merge(&s->total, window);
    size_t more = is_trend ? trend_memory_bytes(&s->total.trend) - before : 0;
    if (more > p->budget)
        return damaged(p, "its histograms are too large");
    p->budget -= more;
    return 0;
}

static int take_window(struct parser *p, struct wire_reader *r) {
    uint64_t from = wire_varint(r), length = wire_varint(r);
    size_t n = wire_count(r, 2);
    if (r->is_bad || from > INT64_MAX / 2 || length > INT64_MAX / 2)
        return damaged(p, "a window has no proper time");
    for (size_t i = 0; i < n; i++) {
        size_t index, budget = WINDOW_TREND_BYTES_MAX;
        struct result_series *s = take_reference(p, r, &index);
        if (!s)
            return damaged(p, "a window names an unknown series");
        struct sink sink = {.metric = &s->metric};
        bool is_good = sink_decode(r, &sink, &budget);
        if (is_good && p->fn)
            p->fn(p->arg, (int64_t)from, (int64_t)length, index, &sink);
        int rc =
            is_good ? add_up(p, s, &sink) : damaged(p, "the values of a window cannot be read");
        sink_release(&sink);
        if (rc != 0)
            return rc;
    }
    p->out->n_windows++;
    return 0;
}

static int take_windows(struct parser *p, struct wire_reader *r) {
    int rc = 0;
    while (rc == 0 && !wire_at_end(r))
        rc = take_window(p, r);
    return rc;
}

static int take_totals(struct parser *p, struct wire_reader *r) {
    if (!p->has_end) /* some are missing: the windows tell more */
        return 0;
    while (!wire_at_end(r)) {
        size_t index;
        struct result_series *s = take_reference(p, r, &index);
        if (!s || s->total.has_samples)
            return damaged(p, "a total belongs to no series");
        if (!sink_decode(r, &s->total, &p->budget))
            return damaged(p, "the values of a series cannot be read");
    }
    return 0;
}

static int take_end(struct parser *p, struct wire_reader *r) {
    uint64_t n = wire_varint(r);
    if (r->is_bad || n != p->n_chunks)
        return damaged(p, "chunks are missing");
    p->is_complete = true;
    return 0;
}

static bool is_type(struct slice type, const char *name) {
    return memcmp(type.ptr, name, 4) == 0;
}

static bool is_fact(struct slice type) {
    return is_type(type, CHUNK_META) || is_type(type, CHUNK_OUTCOME) ||
           is_type(type, CHUNK_SO_FAR) || is_type(type, CHUNK_END);
}

static int take_content(struct parser *p, struct slice type) {
    struct wire_reader r = {.rest = buf_slice(&p->raw)};
    int rc;
    if (is_type(type, CHUNK_META))
        return keep_text(p, &p->out->meta, &p->has_meta);
    if (is_type(type, CHUNK_OUTCOME))
        return keep_text(p, &p->out->outcome, &p->has_outcome);
    if (is_type(type, CHUNK_SO_FAR))
        return keep_so_far(p);
    if (is_type(type, CHUNK_ARCHIVE))
        return keep_text(p, &p->out->archive, &p->has_archive);
    if (is_type(type, CHUNK_DEFS))
        rc = take_defs(p, &r);
    else if (is_type(type, CHUNK_WINDOWS))
        rc = take_windows(p, &r);
    else if (is_type(type, CHUNK_TOTALS))
        rc = take_totals(p, &r);
    else if (is_type(type, CHUNK_END))
        rc = take_end(p, &r);
    else if (type.ptr[0] >= 'a' && type.ptr[0] <= 'z')
        rc = 0;
    else
        rc = error_set(p->err, KE_INVALID,
                       "%s has a part of a kind that this version does not know: use a newer kiln",
                       p->name);
    if (rc == 0 && r.is_bad)
        return damaged(p, "a part of it ends too early");
    return rc;
}

static int unpack(struct parser *p, struct slice packed, size_t raw_bytes) {
    uLongf bytes = (uLongf)raw_bytes;
    /* Deflate makes at most a thousandth of something. */
    if (raw_bytes > RESULT_CHUNK_BYTES_MAX || raw_bytes / 1100 > packed.len)
        return damaged(p, "a part of it is too large");
    buf_reset(&p->raw);
    buf_reserve(&p->raw, raw_bytes + 1);
    if (uncompress((Bytef *)p->raw.ptr, &bytes, (const Bytef *)packed.ptr, (uLong)packed.len) !=
            Z_OK ||
        bytes != raw_bytes)
        return damaged(p, "a part of it cannot be unpacked");
    p->raw.len = raw_bytes;
    return 0;
}

static int take_chunk(struct parser *p, struct wire_reader *file) {
    const char *start = file->rest.ptr;
    struct slice type = wire_bytes(file, 4);
    uint32_t packed_bytes = wire_u32(file), raw_bytes = wire_u32(file), crc = wire_u32(file);
    struct slice packed = wire_bytes(file, packed_bytes);
    if (file->is_bad)
        return error_set(p->err, KE_INVALID, "%s is cut off: its end is missing", p->name);
    uLong sum = crc32(0, (const Bytef *)start, 12);
    if (crc32(sum, (const Bytef *)packed.ptr, (uInt)packed.len) != crc)
        return damaged(p, "a checksum is wrong");
    if (p->how == RESULT_FACTS && !is_fact(type)) {
        p->n_chunks++;
        return 0;
    }
    int rc = unpack(p, packed, raw_bytes);
    if (rc == 0)
        rc = take_content(p, type);
    p->n_chunks++;
    return rc;
}

/* ---------------------------------------------------------------- the file */

static int take_header(struct parser *p, struct wire_reader *file) {
    struct slice head = file->rest;
    struct slice magic = wire_bytes(file, RESULT_MAGIC_BYTES);
    uint32_t version = wire_u32(file), crc = wire_u32(file);
    if (file->is_bad || memcmp(magic.ptr, RESULT_MAGIC, RESULT_MAGIC_BYTES) != 0)
        return error_set(p->err, KE_INVALID, "%s is no saved run: `kiln run --save` makes one",
                         p->name);
    if (crc32(0, (const Bytef *)head.ptr, 12) != crc)
        return damaged(p, "a checksum is wrong");
    if (version != RESULT_VERSION)
        return error_set(p->err, KE_INVALID,
                         "%s has version %u of the format, this kiln reads version %u", p->name,
                         version, RESULT_VERSION);
    return 0;
}

/* Whole chunks up to the last. *out_has_end: that is the end. */
static struct slice whole_chunks(struct slice bytes, bool *out_has_end) {
    struct wire_reader r = {.rest = bytes};
    size_t whole = RESULT_HEADER_BYTES;
    *out_has_end = false;
    wire_bytes(&r, RESULT_HEADER_BYTES);
    while (!wire_at_end(&r)) {
        struct slice type = wire_bytes(&r, 4);
        uint32_t packed_bytes = wire_u32(&r);
        wire_bytes(&r, RESULT_CHUNK_HEAD_BYTES - 8);
        wire_bytes(&r, packed_bytes);
        if (r.is_bad)
            break;
        whole = bytes.len - r.rest.len;
        if (is_type(type, CHUNK_END)) {
            *out_has_end = true;
            return bytes; /* whatever follows is for the parser to complain of */
        }
    }
    return slice_from(bytes.ptr, whole < bytes.len ? whole : bytes.len);
}

static int check_end(struct parser *p, struct slice rest) {
    bool may_be_partial = p->how != RESULT_WHOLE && !p->has_end;
    if (!p->has_meta || (!may_be_partial && (!p->is_complete || !p->has_outcome)))
        return error_set(p->err, KE_INVALID, "%s is cut off: its end is missing", p->name);
    return rest.len > 0 ? damaged(p, "something follows its end") : 0;
}

int result_parse(struct slice bytes, const char *name, enum result_reading how,
                 result_window_fn *fn, void *arg, struct result *out, struct error *err) {
    struct parser p = {.out = out,
                       .name = name,
                       .how = how,
                       .fn = fn,
                       .arg = arg,
                       .budget = TRENDS_BYTES_MAX,
                       .err = err};
    struct wire_reader file = {.rest = bytes};
    *out = (struct result){.arena = xcalloc(1, sizeof *out->arena)};
    arena_init(out->arena);
    buf_init(&p.raw, BUF_NO_CAP);
    buf_init(&p.so_far, BUF_NO_CAP);
    int rc = take_header(&p, &file);
    if (rc == 0) {
        struct slice whole = whole_chunks(bytes, &p.has_end);
        if (how != RESULT_WHOLE)
            file.rest.len -= bytes.len - whole.len;
    }
    while (rc == 0 && !p.is_complete && file.rest.len > 0)
        rc = take_chunk(&p, &file);
    if (rc == 0)
        rc = check_end(&p, file.rest);
    if (p.so_far.len > 0 && !p.has_outcome)
        out->outcome =
            slice_from(arena_strndup(out->arena, p.so_far.ptr, p.so_far.len), p.so_far.len);
    out->is_complete = p.is_complete;
    buf_release(&p.so_far);
    buf_release(&p.raw);
    return rc;
}

/* A temporary file may have been given its name since it was seen. */
static int open_file(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *name = fd < 0 && errno == ENOENT ? atomic_file_final_name(path) : NULL;
    if (name == NULL)
        return fd;
    fd = open(name, O_RDONLY | O_CLOEXEC);
    free(name);
    return fd;
}

static int read_file(const char *path, struct buf *out, struct error *err) {
    int fd = open_file(path);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0) {
        if (buf_reserve(out, (size_t)1 << 20) != 0) {
            close(fd);
            return error_set(err, KE_TOO_LARGE, "%s is too large", path);
        }
        n = read(fd, out->ptr + out->len, (size_t)1 << 20);
        out->len += n > 0 ? (size_t)n : 0;
    }
    int saved = errno;
    if (fd >= 0)
        close(fd);
    return n < 0 ? error_set(err, KE_IO, "cannot read %s: %s", path, strerror(saved)) : 0;
}

int result_read(const char *path, enum result_reading how, result_window_fn *fn, void *arg,
                struct result *out, struct error *err) {
    struct buf bytes;
    *out = (struct result){0};
    buf_init(&bytes, FILE_BYTES_MAX);
    int rc = read_file(path, &bytes, err);
    if (rc == 0)
        rc = result_parse(buf_slice(&bytes), path, how, fn, arg, out, err);
    buf_release(&bytes);
    return rc;
}

void result_release(struct result *r) {
    for (size_t i = 0; i < r->series.len; i++)
        sink_release(&r->series.ptr[i]->total);
    vec_release(&r->series);
    if (r->arena)
        arena_release(r->arena);
    free(r->arena);
    *r = (struct result){0};
}

const struct result_series *result_find(const struct result *r, const char *name) {
    for (size_t i = 0; i < r->series.len; i++)
        if (r->series.ptr[i]->kind == RESULT_METRIC &&
            strcmp(r->series.ptr[i]->metric.name, name) == 0)
            return r->series.ptr[i];
    return NULL;
}
