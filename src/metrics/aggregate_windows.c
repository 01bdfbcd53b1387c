#include "metrics/aggregate_windows.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"

struct window {
    struct aggregate_window public;
    struct sink own_total; /* of a part */
};

struct windows {
    VEC(struct window *) all;
    VEC(struct window *) by_metric; /* by id; NULL = none yet */
    struct map parts;               /* metric, key and value -> struct window * */
    struct buf name;
};

struct windows *windows_new(void) {
    struct windows *w = xcalloc(1, sizeof *w);
    map_init(&w->parts);
    buf_init(&w->name, BUF_NO_CAP);
    return w;
}

void windows_free(struct windows *w) {
    if (!w)
        return;
    for (size_t i = 0; i < w->all.len; i++) {
        struct window *x = w->all.ptr[i];
        sink_release(&x->public.window);
        sink_release(&x->own_total);
        free((char *)x->public.key.ptr);
        free((char *)x->public.value.ptr);
        free(x);
    }
    vec_release(&w->all);
    vec_release(&w->by_metric);
    map_release(&w->parts);
    buf_release(&w->name);
    free(w);
}

static struct window *new_window(struct windows *w, struct metric *m, const struct sink *total) {
    if (w->all.len >= AGGREGATE_WINDOWS_MAX)
        return NULL;
    struct window *x = xcalloc(1, sizeof *x);
    x->own_total.metric = m;
    x->public = (struct aggregate_window){
        .metric = m, .total = total ? total : &x->own_total, .window = {.metric = m}};
    vec_push(&w->all, x);
    return x;
}

void windows_add(struct windows *w, const struct sink *total, const struct sink *from) {
    struct metric *m = from->metric;
    while (w->by_metric.len <= m->id)
        vec_push(&w->by_metric, NULL);
    struct window **at = &w->by_metric.ptr[m->id];
    if (!*at)
        *at = new_window(w, m, total);
    if (*at)
        sink_merge(&(*at)->public.window, from);
}

static struct window *part(struct windows *w, const struct sink *from) {
    const struct tag *tag = from->part;
    buf_reset(&w->name);
    buf_printf(&w->name, "%u %zu ", (unsigned)from->metric->id, tag->key.len);
    buf_append_slice(&w->name, tag->key);
    buf_append_slice(&w->name, tag->value);
    struct window *x = map_get(&w->parts, buf_slice(&w->name));
    if (x)
        return x;
    x = new_window(w, from->metric, NULL);
    if (!x)
        return NULL;
    x->public.key = slice_from(slice_dup(tag->key), tag->key.len);
    x->public.value = slice_from(slice_dup(tag->value), tag->value.len);
    map_set(&w->parts, buf_slice(&w->name), x);
    return x;
}

void windows_add_part(struct windows *w, const struct sink *from) {
    struct window *x = part(w, from);
    if (!x)
        return;
    sink_merge(&x->own_total, from);
    sink_merge(&x->public.window, from);
}

size_t windows_count(const struct windows *w) {
    return w->all.len;
}

const struct aggregate_window *windows_at(const struct windows *w, size_t i) {
    return &w->all.ptr[i]->public;
}

void windows_reset(struct windows *w) {
    for (size_t i = 0; i < w->all.len; i++) {
        struct sink *s = &w->all.ptr[i]->public.window;
        struct metric *m = s->metric;
        if (!s->has_samples)
            continue;
        sink_release(s);
        *s = (struct sink){.metric = m};
    }
}
