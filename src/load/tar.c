#include "load/tar.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

#define BLOCK 512

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is a block");

/* Octal, or big-endian binary behind a set top bit. */
static bool parse_number(const char *field, size_t len, uint64_t *out) {
    uint64_t value = 0;
    size_t i = 0;
    if ((unsigned char)field[0] & 0x80) {
        for (value = (unsigned char)field[0] & 0x3f, i = 1; i < len; i++)
            value = value << 8 | (unsigned char)field[i];
        *out = value;
        return value < UINT64_C(1) << 40;
    }
    while (i < len && field[i] == ' ')
        i++;
    for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (uint64_t)(field[i] - '0');
    *out = value;
    return i == len || field[i] == '\0' || field[i] == ' ';
}

static unsigned checksum(const struct header *h) {
    const unsigned char *bytes = (const unsigned char *)h;
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= offsetof(struct header, checksum) && i < offsetof(struct header, type)
                   ? ' '
                   : bytes[i];
    return sum;
}

static bool is_valid(const struct header *h) {
    uint64_t sum;
    return parse_number(h->checksum, sizeof h->checksum, &sum) && sum == checksum(h);
}

static bool is_zero(const struct header *h) {
    const char *bytes = (const char *)h;
    for (size_t i = 0; i < BLOCK; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

bool tar_is_archive(struct slice text) {
    return text.len >= BLOCK && is_valid((const struct header *)(const void *)text.ptr);
}

static struct slice field(const char *text, size_t cap) {
    return slice_from(text, strnlen(text, cap));
}

/* "27 path=some/long/name\n" records; only the path matters here. */
static char *pax_path(struct slice records) {
    char *path = NULL;
    while (records.len > 0) {
        struct slice rest = records, length = slice_cut(&rest, ' ');
        uint64_t n;
        if (rest.ptr == NULL || !slice_to_u64(length, &n) || n > records.len || n < length.len + 2)
            break;
        struct slice value = slice_from(rest.ptr, n - length.len - 2);
        struct slice key = slice_cut(&value, '=');
        if (slice_eq(key, SLICE("path")) && value.ptr != NULL) {
            free(path);
            path = slice_dup(value);
        }
        records = slice_from(records.ptr + n, records.len - n);
    }
    return path;
}

static char *full_name(const struct header *h) {
    struct slice name = field(h->name, sizeof h->name), prefix = field(h->prefix, sizeof h->prefix);
    bool is_ustar = memcmp(h->magic, "ustar", 5) == 0;
    if (is_ustar && prefix.len > 0)
        return xasprintf("%.*s/%.*s", SLICE_FMT(prefix), SLICE_FMT(name));
    return slice_dup(name);
}

static enum tar_type type_of(char c) {
    switch (c) {
    case '0':
    case '\0':
        return TAR_FILE;
    case '1':
        return TAR_LINK;
    case '5':
        return TAR_DIRECTORY;
    default:
        return TAR_OTHER;
    }
}

int tar_read(struct slice *rest, struct tar_entry *out, struct error *err) {
    char *long_name = NULL;
    for (;;) {
        const struct header *h = (const struct header *)(const void *)rest->ptr;
        uint64_t size, mode = 0, mtime = 0;
        if (rest->len == 0 || (rest->len >= BLOCK && is_zero(h))) {
            free(long_name);
            return 0;
        }
        if (rest->len < BLOCK) {
            free(long_name);
            return error_set(err, KE_INVALID, "unexpected EOF");
        }
        if (!is_valid(h) || !parse_number(h->size, sizeof h->size, &size)) {
            free(long_name);
            return error_set(err, KE_INVALID, "archive/tar: invalid tar header");
        }
        size_t room = rest->len - BLOCK;
        if (size > room) {
            free(long_name);
            return error_set(err, KE_INVALID, "unexpected EOF");
        }
        struct slice content = slice_from(rest->ptr + BLOCK, size);
        size_t padded = ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
        if (padded > room)
            padded = room;
        *rest = slice_from(rest->ptr + BLOCK + padded, room - padded);
        if (h->type == 'x' || h->type == 'L') {
            free(long_name);
            long_name =
                h->type == 'x' ? pax_path(content) : slice_dup(field(content.ptr, content.len));
            continue;
        }
        parse_number(h->mode, sizeof h->mode, &mode);
        parse_number(h->mtime, sizeof h->mtime, &mtime);
        *out = (struct tar_entry){.type = type_of(h->type),
                                  .name = long_name != NULL ? long_name : full_name(h),
                                  .content = content,
                                  .mode = (unsigned)mode,
                                  .mtime_s = (int64_t)mtime};
        return 1;
    }
}

static void put_octal(char *out, size_t len, uint64_t value) {
    out[--len] = '\0';
    while (len-- > 0) {
        out[len] = (char)('0' + (value & 7));
        value >>= 3;
    }
}

static int put_block(struct buf *out, const struct header *h, struct slice content) {
    static const char zeros[BLOCK];
    int rc = buf_append(out, h, BLOCK);
    if (rc == 0)
        rc = buf_append_slice(out, content);
    size_t rest = content.len % BLOCK;
    return rc != 0 || rest == 0 ? rc : buf_append(out, zeros, BLOCK - rest);
}

static void fill_header(struct header *h, char type, const struct tar_entry *e, size_t size) {
    memset(h, 0, sizeof *h);
    put_octal(h->mode, sizeof h->mode, e->mode);
    put_octal(h->uid, sizeof h->uid, 0);
    put_octal(h->gid, sizeof h->gid, 0);
    put_octal(h->size, sizeof h->size, size);
    put_octal(h->mtime, sizeof h->mtime, (uint64_t)e->mtime_s);
    h->type = type;
    memcpy(h->magic, "ustar", 6);
    memcpy(h->version, "00", 2);
}

static void seal(struct header *h) {
    put_octal(h->checksum, 7, checksum(h));
    h->checksum[7] = ' ';
}

/* Splits at a slash so that both parts fit; false when PAX is needed. */
static bool put_name(struct header *h, const char *name) {
    size_t len = strlen(name);
    if (len <= sizeof h->name) {
        memcpy(h->name, name, len);
        return true;
    }
    for (size_t i = len - sizeof h->name - 1; i < len && i <= sizeof h->prefix; i++) {
        if (name[i] != '/' || i == 0 || i + 1 == len)
            continue;
        memcpy(h->prefix, name, i);
        memcpy(h->name, name + i + 1, len - i - 1);
        return true;
    }
    return false;
}

static int put_pax(struct buf *out, const struct tar_entry *e) {
    struct header h;
    char record[64];
    size_t body = strlen(e->name) + strlen(" path=\n"), total = body + 1;
    while ((size_t)snprintf(record, sizeof record, "%zu", total) + body != total)
        total++;
    char *text = xasprintf("%zu path=%s\n", total, e->name);
    fill_header(&h, 'x', e, total);
    memcpy(h.name, "PaxHeaders.0/name", 17);
    seal(&h);
    int rc = put_block(out, &h, slice_from(text, total));
    free(text);
    return rc;
}

int tar_write(struct buf *out, const struct tar_entry *e) {
    struct header h;
    int rc = 0;
    fill_header(&h,
                e->type == TAR_LINK        ? '1'
                : e->type == TAR_DIRECTORY ? '5'
                                           : '0',
                e, e->content.len);
    if (!put_name(&h, e->name)) {
        rc = put_pax(out, e);
        memcpy(h.name, e->name, sizeof h.name);
    }
    if (e->link != NULL)
        memcpy(h.link, e->link, strnlen(e->link, sizeof h.link));
    seal(&h);
    return rc != 0 ? rc : put_block(out, &h, e->content);
}

int tar_finish(struct buf *out) {
    static const char zeros[2 * BLOCK];
    return buf_append(out, zeros, sizeof zeros);
}
