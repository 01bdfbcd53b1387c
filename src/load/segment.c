#include "load/segment.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

/* Stripes hold one number per index of a cycle. */
#define CYCLE_MAX (INT64_C(1) << 24)

static int64_t gcd(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

static bool ratio_make(int64_t num, int64_t den, struct ratio *out) {
    int64_t divisor = gcd(num, den);
    if (den <= 0 || divisor == 0)
        return false;
    *out = (struct ratio){num / divisor, den / divisor};
    return true;
}

static int ratio_cmp(struct ratio a, struct ratio b) {
    __int128 left = (__int128)a.num * b.den, right = (__int128)b.num * a.den;
    return left < right ? -1 : left > right;
}

static struct ratio ratio_sub(struct ratio a, struct ratio b) {
    __int128 num = (__int128)a.num * b.den - (__int128)b.num * a.den, den = (__int128)a.den * b.den;
    __int128 x = num, y = den;
    while (y != 0) {
        __int128 rest = x % y;
        x = y;
        y = rest;
    }
    if (x < 0)
        x = -x;
    return (struct ratio){(int64_t)(num / x), (int64_t)(den / x)};
}

/* Signed decimal digits into num; false when empty, not a number or too large. */
static bool parse_digits(struct slice s, int64_t *num) {
    bool is_negative = s.len > 0 && s.ptr[0] == '-';
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = slice_from(s.ptr + 1, s.len - 1);
    uint64_t value;
    if (!slice_to_u64(s, &value) || value > INT32_MAX)
        return false;
    *num = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static bool parse_decimal(struct slice s, struct ratio *out) {
    char digits[24];
    size_t len = 0;
    int64_t num, den = 1;
    bool in_fraction = false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '.' && !in_fraction) {
            in_fraction = true;
            continue;
        }
        if (len == sizeof digits || den > INT32_MAX)
            return false;
        digits[len++] = s.ptr[i];
        if (in_fraction)
            den *= 10;
    }
    return parse_digits(slice_from(digits, len), &num) && ratio_make(num, den, out);
}

static int ratio_parse(struct slice s, struct ratio *out, struct error *err) {
    int64_t num, den;
    if (slice_ends(s, SLICE("%"))) {
        if (parse_digits(slice_from(s.ptr, s.len - 1), &num) && ratio_make(num, 100, out))
            return 0;
        return error_set(err, KE_INVALID, "'%.*s' is not a valid percentage", SLICE_FMT(s));
    }
    struct slice rest = s, first = slice_cut(&rest, '/');
    bool is_ok = rest.ptr ? parse_digits(first, &num) && parse_digits(rest, &den) &&
                                ratio_make(num, den, out)
                          : parse_decimal(s, out);
    if (is_ok)
        return 0;
    return error_set(err, KE_INVALID,
                     "'%.*s' is not a valid percentage, decimal, fraction or interval value",
                     SLICE_FMT(s));
}

static int segment_check(const struct segment *s, struct error *err) {
    static const struct ratio zero = {0, 1}, one = {1, 1};
    double from = (double)s->from.num / (double)s->from.den;
    double to = (double)s->to.num / (double)s->to.den;
    if (ratio_cmp(s->from, zero) < 0)
        return error_set(err, KE_INVALID, "segment start value must be at least 0 but was %.2f",
                         from);
    if (ratio_cmp(s->from, s->to) >= 0)
        return error_set(err, KE_INVALID, "segment start(%.2f) must be less than its end(%.2f)",
                         from, to);
    if (ratio_cmp(s->to, one) > 0)
        return error_set(err, KE_INVALID, "segment end value can't be more than 1 but was %.2f",
                         to);
    return 0;
}

int segment_parse(struct slice text, struct segment *out, struct error *err) {
    struct slice to = text.len == 0 ? SLICE("1") : text, from = SLICE("0");
    if (to.len > 0 && memchr(to.ptr, ':', to.len) != NULL)
        from = slice_cut(&to, ':');
    int rc = ratio_parse(from, &out->from, err);
    if (rc == 0)
        rc = ratio_parse(to, &out->to, err);
    return rc != 0 ? rc : segment_check(out, err);
}

int segment_sequence_parse(struct arena *a, struct slice text, struct segment_sequence *out,
                           struct error *err) {
    *out = (struct segment_sequence){0};
    if (text.len == 0)
        return 0;
    size_t n_points = 1;
    for (size_t i = 0; i < text.len; i++)
        n_points += text.ptr[i] == ',';
    if (n_points < 2)
        return error_set(
            err, KE_INVALID,
            "at least 2 points are needed for an execution segment sequence, %zu given", n_points);
    out->items = arena_alloc(a, n_points * sizeof *out->items);
    struct slice rest = text;
    struct ratio previous = {0, 1};
    for (size_t i = 0; i < n_points; i++) {
        struct ratio point;
        int rc = ratio_parse(slice_cut(&rest, ','), &point, err);
        if (rc != 0)
            return rc;
        if (i > 0) {
            out->items[i - 1] = (struct segment){previous, point};
            rc = segment_check(&out->items[i - 1], err);
            if (rc != 0)
                return rc;
            out->len = i;
        }
        previous = point;
    }
    return 0;
}

static void ratio_format(struct buf *out, struct ratio r) {
    if (r.den == 1)
        buf_printf(out, "%lld", (long long)r.num);
    else
        buf_printf(out, "%lld/%lld", (long long)r.num, (long long)r.den);
}

void segment_format(struct buf *out, const struct segment *s) {
    ratio_format(out, s->from);
    buf_append_char(out, ':');
    ratio_format(out, s->to);
}

void segment_sequence_format(struct buf *out, const struct segment_sequence *s) {
    for (size_t i = 0; i < s->len; i++) {
        if (i == 0)
            ratio_format(out, s->items[0].from);
        buf_append_char(out, ',');
        ratio_format(out, s->items[i].to);
    }
}

bool segment_equal(const struct segment *a, const struct segment *b) {
    return ratio_cmp(a->from, b->from) == 0 && ratio_cmp(a->to, b->to) == 0;
}

bool segment_sequence_has(const struct segment_sequence *seq, const struct segment *s) {
    for (size_t i = 0; i < seq->len; i++)
        if (segment_equal(&seq->items[i], s))
            return true;
    return false;
}

double segment_length(const struct segment *s) {
    struct ratio length = ratio_sub(s->to, s->from);
    return (double)length.num / (double)length.den;
}

/* The sequence with what is missing at both ends put there. */
static void fill_sequence(struct arena *a, const struct segment_sequence *given,
                          const struct segment *own, struct segment_sequence *out) {
    static const struct ratio zero = {0, 1}, one = {1, 1};
    const struct segment *items = given != NULL && given->len > 0 ? given->items : own;
    size_t len = given != NULL && given->len > 0 ? given->len : 1, n = 0;
    out->items = arena_alloc(a, (len + 2) * sizeof *out->items);
    if (ratio_cmp(items[0].from, zero) != 0)
        out->items[n++] = (struct segment){zero, items[0].from};
    for (size_t i = 0; i < len; i++)
        out->items[n++] = items[i];
    if (ratio_cmp(items[len - 1].to, one) != 0)
        out->items[n++] = (struct segment){items[len - 1].to, one};
    out->len = n;
}

static int64_t common_denominator(const struct segment_sequence *seq) {
    int64_t cycle = 1;
    for (size_t i = 0; i < seq->len; i++) {
        int64_t den = ratio_sub(seq->items[i].to, seq->items[i].from).den;
        if (__builtin_mul_overflow(cycle, den / gcd(cycle, den), &cycle) || cycle > CYCLE_MAX)
            return 0;
    }
    return cycle;
}

struct share {
    int64_t count; /* indices of a cycle that belong to the segment */
    int64_t taken;
    size_t segment;
};

static int by_count_descending(const void *left, const void *right) {
    const struct share *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->segment < b->segment ? -1 : a->segment > b->segment;
}

/* Index i goes to the first segment, largest share first, that is due: whose next index would
 * ideally stand at taken · cycle / count <= i. */
static void deal_stripes(struct arena *a, struct execution_tuple *t) {
    size_t n = t->sequence.len;
    struct share *shares = xcalloc(n, sizeof *shares);
    t->stripes = arena_alloc(a, n * sizeof *t->stripes);
    for (size_t i = 0; i < n; i++) {
        struct ratio length = ratio_sub(t->sequence.items[i].to, t->sequence.items[i].from);
        shares[i] = (struct share){length.num * (t->cycle / length.den), 0, i};
        t->stripes[i].n_positions = 0;
        t->stripes[i].positions = arena_alloc(a, (size_t)shares[i].count * sizeof(int64_t));
    }
    qsort(shares, n, sizeof *shares, by_count_descending);
    for (int64_t i = 0; i < t->cycle; i++) {
        for (size_t k = 0; k < n; k++) {
            if (shares[k].taken == shares[k].count ||
                shares[k].taken * t->cycle > i * shares[k].count)
                continue;
            struct stripe *stripe = &t->stripes[shares[k].segment];
            stripe->positions[stripe->n_positions++] = i;
            shares[k].taken++;
            break;
        }
    }
    free(shares);
}

int execution_tuple_init(struct arena *a, const struct segment *segment,
                         const struct segment_sequence *sequence, struct execution_tuple *out,
                         struct error *err) {
    static const struct segment full = {{0, 1}, {1, 1}};
    const struct segment *own = segment != NULL ? segment : &full;
    *out = (struct execution_tuple){0};
    fill_sequence(a, sequence, own, &out->sequence);
    while (out->index < out->sequence.len && !segment_equal(&out->sequence.items[out->index], own))
        out->index++;
    if (out->index == out->sequence.len) {
        struct buf text;
        buf_init(&text, BUF_NO_CAP);
        segment_format(&text, own);
        buf_append_str(&text, " in sequence ");
        segment_sequence_format(&text, &out->sequence);
        error_set(err, KE_CONFIG, "couldn't find segment %s", buf_cstr(&text));
        buf_release(&text);
        return KE_CONFIG;
    }
    out->cycle = common_denominator(&out->sequence);
    if (out->cycle == 0)
        return error_set(
            err, KE_CONFIG,
            "the execution segments are too fine: their common denominator exceeds %lld",
            (long long)CYCLE_MAX);
    deal_stripes(a, out);
    return 0;
}

static int64_t scale_for(const struct execution_tuple *t, size_t index, int64_t value) {
    const struct stripe *stripe = &t->stripes[index];
    int64_t result = value / t->cycle * stripe->n_positions, rest = value % t->cycle;
    for (int64_t i = 0; i < stripe->n_positions && stripe->positions[i] < rest; i++)
        result++;
    return result;
}

int64_t execution_scale(const struct execution_tuple *t, int64_t value) {
    return t->sequence.len == 1 ? value : scale_for(t, t->index, value);
}

int64_t execution_global_index(const struct execution_tuple *t, int64_t k) {
    const struct stripe *stripe = &t->stripes[t->index];
    return k / stripe->n_positions * t->cycle + stripe->positions[k % stripe->n_positions];
}

int execution_tuple_from_value(struct arena *a, const struct execution_tuple *t, int64_t value,
                               struct execution_tuple *out) {
    if (value < 1)
        return KE_CONFIG;
    *out = *t;
    if (value % t->cycle == 0)
        return 0;
    struct segment_sequence seq = {arena_alloc(a, t->sequence.len * sizeof *seq.items), 0};
    int64_t before = 0;
    size_t index = SIZE_MAX;
    for (size_t i = 0; i < t->sequence.len; i++) {
        int64_t share = scale_for(t, i, value);
        if (share == 0)
            continue;
        struct segment s;
        CHECK(ratio_make(before, value, &s.from) && ratio_make(before + share, value, &s.to));
        if (i == t->index)
            index = seq.len;
        seq.items[seq.len++] = s;
        before += share;
    }
    if (index == SIZE_MAX)
        return KE_CONFIG;
    struct segment own = seq.items[index];
    return execution_tuple_init(a, &own, &seq, out, NULL);
}

double execution_scale_rate(const struct execution_tuple *t, double rate) {
    return rate * segment_length(&t->sequence.items[t->index]);
}
