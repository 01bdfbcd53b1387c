#include "histogram.h"

#include "base/json_write.h"

void histogram_add(struct histogram *h, const struct histogram_shape *shape, int64_t value) {
    size_t i = 0;
    while (i < shape->bound_count && value > shape->bounds[i])
        i++;
    atomic_fetch_add_explicit(&h->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum, value, memory_order_relaxed);
}

static void write_bucket(const char *name, const char *labels, const char *bound, uint64_t count,
                         struct buf *out) {
    buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, labels, *labels != '\0' ? "," : "",
               bound, (unsigned long long)count);
}

static void write(struct histogram *h, const struct histogram_shape *shape, bool has_bounds,
                  const char *name, const char *labels, struct buf *out) {
    char number[32];
    uint64_t count = 0;
    for (size_t i = 0; i < shape->bound_count; i++) {
        count += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
        if (has_bounds)
            write_bucket(name, labels,
                         double_format_json((double)shape->bounds[i] / shape->scale, number), count,
                         out);
    }
    count += atomic_load_explicit(&h->counts[shape->bound_count], memory_order_relaxed);
    write_bucket(name, labels, "+Inf", count, out);
    const double sum = (double)atomic_load_explicit(&h->sum, memory_order_relaxed) / shape->scale;
    const char *open = *labels != '\0' ? "{" : "";
    const char *close = *labels != '\0' ? "}" : "";
    buf_printf(out, "%s_sum%s%s%s %s\n", name, open, labels, close,
               double_format_json(sum, number));
    buf_printf(out, "%s_count%s%s%s %llu\n", name, open, labels, close, (unsigned long long)count);
}

void histogram_write(struct histogram *h, const struct histogram_shape *shape, const char *name,
                     const char *labels, struct buf *out) {
    write(h, shape, true, name, labels, out);
}

void histogram_write_native(struct histogram *h, const struct histogram_shape *shape,
                            const char *name, const char *labels, struct buf *out) {
    write(h, shape, false, name, labels, out);
}
