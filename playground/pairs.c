#include "pairs.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/json_write.h"
#include "base/vec.h"

struct collector {
    struct request *request;
    VEC(struct pair) all;
};

static void take(void *arg, const char *name, const char *value) {
    struct collector *c = arg;
    struct arena *arena = &c->request->arena;
    vec_push(&c->all, (struct pair){slice_cstr(arena_strndup(arena, name, strlen(name))),
                                    slice_cstr(arena_strndup(arena, value, strlen(value)))});
}

/* "x-foo-bar" becomes "X-Foo-Bar"; the name is a copy of ours. */
static void make_canonical(struct slice name) {
    char *p = (char *)name.ptr;
    bool is_first = true;
    for (size_t i = 0; i < name.len; i++) {
        if (is_first && p[i] >= 'a' && p[i] <= 'z')
            p[i] = (char)(p[i] - 32);
        else if (!is_first && p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 32);
        is_first = p[i] == '-';
    }
}

/* By name; by place among equals, for qsort() does not keep their order. */
static int compare(const void *a, const void *b) {
    const struct pair *const *left = a;
    const struct pair *const *right = b;
    const struct slice x = (*left)->name;
    const struct slice y = (*right)->name;
    int order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);
    if (order == 0 && x.len != y.len)
        order = x.len < y.len ? -1 : 1;
    return order != 0 ? order : *left < *right ? -1 : 1;
}

static void merge_value(struct request *r, struct pair *kept, struct slice value,
                        enum pairs_merge merge) {
    if (merge == PAIRS_LAST)
        kept->value = value;
    if (merge == PAIRS_JOIN)
        kept->value = slice_cstr(
            arena_printf(&r->arena, "%.*s,%.*s", SLICE_FMT(kept->value), SLICE_FMT(value)));
}

struct pairs pairs_collect(struct request *r, enum request_field field, enum pairs_merge merge) {
    struct collector c = {.request = r};
    struct pairs out = {0};
    r->each(r->source, field, take, &c);
    if (c.all.len == 0)
        return out;
    const struct pair **sorted = xmalloc(c.all.len * sizeof *sorted);
    for (size_t i = 0; i < c.all.len; i++) {
        if (field == FIELD_HEADER)
            make_canonical(c.all.ptr[i].name);
        sorted[i] = &c.all.ptr[i];
    }
    qsort(sorted, c.all.len, sizeof *sorted, compare);
    out.items = arena_alloc(&r->arena, c.all.len * sizeof *out.items);
    for (size_t i = 0; i < c.all.len; i++) {
        if (out.count > 0 && slice_eq(out.items[out.count - 1].name, sorted[i]->name))
            merge_value(r, &out.items[out.count - 1], sorted[i]->value, merge);
        else
            out.items[out.count++] = *sorted[i];
    }
    free(sorted);
    vec_release(&c.all);
    return out;
}

void pairs_write_json(const struct pairs *p, struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out, NULL, true);
    json_object_begin(&w);
    for (size_t i = 0; i < p->count; i++) {
        json_key_slice(&w, p->items[i].name);
        json_string(&w, p->items[i].value);
    }
    json_object_end(&w);
}
