#include "grpc/grpc_metadata.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/go_text.h"

void grpc_metadata_release(struct grpc_metadata *md) {
    for (size_t i = 0; i < md->len; i++) {
        free((char *)(uintptr_t)md->pairs[i].name.ptr);
        free((char *)(uintptr_t)md->pairs[i].value.ptr);
    }
    free(md->pairs);
    *md = (struct grpc_metadata){0};
}

void grpc_metadata_add(struct grpc_metadata *md, struct slice name, struct slice value) {
    if (md->len == md->alloc) {
        md->alloc = md->alloc ? md->alloc * 2 : 4;
        md->pairs = xrealloc(md->pairs, md->alloc * sizeof *md->pairs);
    }
    char *lower = slice_dup(name);
    for (size_t i = 0; i < name.len; i++) {
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    }
    md->pairs[md->len++] =
        (struct grpc_pair){slice_from(lower, name.len), slice_from(slice_dup(value), value.len)};
}

bool grpc_name_is_binary(struct slice name) {
    return name.len >= 4 && memcmp(name.ptr + name.len - 4, "-bin", 4) == 0;
}

bool grpc_name_is_reserved(struct slice name) {
    static const struct slice names[] = {SLICE("content-type"),      SLICE("user-agent"),
                                         SLICE("grpc-message-type"), SLICE("te"),
                                         SLICE("grpc-status"),       SLICE("grpc-encoding"),
                                         SLICE("grpc-message"),      SLICE("grpc-timeout")};
    if (name.len && name.ptr[0] == ':')
        return true;
    for (size_t i = 0; i < countof(names); i++) {
        if (slice_eq(name, names[i]))
            return true;
    }
    return false;
}

static bool is_name(struct slice name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
            return false;
    }
    return true;
}

static bool is_printable(struct slice value) {
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < 0x20 || value.ptr[i] > 0x7e)
            return false;
    }
    return true;
}

char *grpc_metadata_problem(const struct grpc_metadata *md) {
    for (size_t i = 0; md && i < md->len; i++) {
        const struct grpc_pair *p = &md->pairs[i];
        const char *what = NULL;
        if (p->name.len == 0)
            return xstrdup("there is an empty key in the header");
        if (p->name.ptr[0] == ':')
            continue;
        if (!is_name(p->name))
            what = "contains illegal characters not in [0-9a-z-_.]";
        else if (!grpc_name_is_binary(p->name) && !is_printable(p->value))
            what = "contains value with non-printable ASCII characters";
        if (what) {
            struct buf text;
            buf_init(&text, BUF_NO_CAP);
            buf_append_str(&text, "header key ");
            go_quote(&text, p->name);
            buf_printf(&text, " %s", what);
            buf_cstr(&text);
            return buf_detach(&text, NULL);
        }
    }
    return NULL;
}

void grpc_value_encode(struct buf *out, struct slice name, struct slice value) {
    if (grpc_name_is_binary(name))
        base64_encode(out, value, (struct base64_form){BASE64_STD, true});
    else
        buf_append_slice(out, value);
}

bool grpc_value_decode(struct buf *out, struct slice name, struct slice value) {
    size_t bad;
    if (!grpc_name_is_binary(name))
        return buf_append_slice(out, value) == 0;
    return base64_decode(out, value, (struct base64_form){BASE64_STD, value.len % 4 != 0}, &bad) ==
           0;
}

/* Eight digits at most: the finest unit that holds it, rounded up. */
void grpc_timeout_text(int64_t timeout_ns, char out[24]) {
    static const struct {
        int64_t ns;
        char name;
    } units[] = {{1, 'n'},
                 {INT64_C(1000), 'u'},
                 {INT64_C(1000000), 'm'},
                 {INT64_C(1000000000), 'S'},
                 {INT64_C(60000000000), 'M'},
                 {INT64_C(3600000000000), 'H'}};
    if (timeout_ns <= 0) {
        snprintf(out, 24, "0n");
        return;
    }
    for (size_t i = 0; i < countof(units); i++) {
        int64_t n = timeout_ns / units[i].ns + (timeout_ns % units[i].ns != 0);
        if (n <= 99999999 || i == countof(units) - 1) {
            snprintf(out, 24, "%lld%c", (long long)n, units[i].name);
            return;
        }
    }
}
