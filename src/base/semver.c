#include "base/semver.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/go_text.h"
#include "base/vec.h"

#define TEXT_MAX 512
#define GROUPS_MAX 32

/* Without an operator a version with parts left open means all that fit. */
enum op { OP_NONE, OP_EQ, OP_NE, OP_GT, OP_LT, OP_GE, OP_LE, OP_TILDE, OP_CARET };

struct constraint {
    enum op op;
    const char *op_text;
    struct slice orig; /* the version as written */
    struct semver v;
    bool is_open; /* x for one of the parts: which */
    bool is_minor_open, is_patch_open;
    size_t group; /* one of these groups has to hold in full */
};

struct semver_constraints {
    char *text;
    VEC(struct constraint) list;
    size_t n_groups;
};

/* ---------------------------------------------------------------- versions */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_label(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Cuts what begins with one of these characters off the front: labels with dots between. False for
 * an empty label. */
static bool cut_labels(struct slice *rest, struct slice *out) {
    size_t i = 0;
    while (i < rest->len && (is_label(rest->ptr[i]) || rest->ptr[i] == '.'))
        i++;
    *out = slice_from(rest->ptr, i);
    *rest = slice_from(rest->ptr + i, rest->len - i);
    if (i == 0 || out->ptr[0] == '.' || out->ptr[i - 1] == '.')
        return false;
    return memmem(out->ptr, i, "..", 2) == NULL;
}

static bool is_part(char c) {
    return is_digit(c) || c == 'x' || c == 'X' || c == '*';
}

/* "1", "x": its number, or -1 when it is left open, or -2 for neither. */
static int64_t part_value(struct slice s) {
    uint64_t n;
    if (s.len == 1 && !is_digit(s.ptr[0]))
        return -1;
    return slice_to_u64(s, &n) && n <= INT64_MAX ? (int64_t)n : -2;
}

/* A version off the front of *rest: its parts (-1 = left open or missing) and prerelease. */
static bool cut_version(struct slice *rest, struct slice *orig, int64_t parts[3],
                        struct slice *pre) {
    struct slice start = *rest, meta;
    if (rest->len && rest->ptr[0] == 'v')
        *rest = slice_from(rest->ptr + 1, rest->len - 1);
    *pre = (struct slice){0};
    parts[0] = parts[1] = parts[2] = -1;
    for (int i = 0; i < 3; i++) {
        bool has_dot = i == 0 || (rest->len > 1 && rest->ptr[0] == '.' && is_part(rest->ptr[1]));
        size_t begin = i > 0, n = begin;
        if (!has_dot)
            break;
        while (n < rest->len && is_part(rest->ptr[n]))
            n++;
        parts[i] = part_value(slice_from(rest->ptr + begin, n - begin));
        if (n == begin || parts[i] == -2)
            return false;
        *rest = slice_from(rest->ptr + n, rest->len - n);
    }
    if (rest->len > 1 && rest->ptr[0] == '-') {
        *rest = slice_from(rest->ptr + 1, rest->len - 1);
        if (!cut_labels(rest, pre))
            return false;
    }
    if (rest->len > 1 && rest->ptr[0] == '+') {
        *rest = slice_from(rest->ptr + 1, rest->len - 1);
        if (!cut_labels(rest, &meta))
            return false;
    }
    *orig = slice_from(start.ptr, start.len - rest->len);
    return true;
}

bool semver_parse(struct slice text, struct semver *out) {
    struct slice orig;
    int64_t parts[3];
    if (!cut_version(&text, &orig, parts, &out->pre) || text.len || parts[0] < 0)
        return false;
    out->major = (uint64_t)parts[0];
    out->minor = parts[1] < 0 ? 0 : (uint64_t)parts[1];
    out->patch = parts[2] < 0 ? 0 : (uint64_t)parts[2];
    return true;
}

static int compare_u64(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

/* Numbers before words, a shorter list before the longer one that begins like it. */
static int compare_labels(struct slice a, struct slice b) {
    while (a.ptr && b.ptr) {
        struct slice x = slice_cut(&a, '.'), y = slice_cut(&b, '.');
        uint64_t m, n;
        bool is_m = slice_to_u64(x, &m), is_n = slice_to_u64(y, &n);
        if (is_m != is_n)
            return is_m ? -1 : 1;
        size_t shorter = x.len < y.len ? x.len : y.len;
        int d = is_m ? compare_u64(m, n) : memcmp(x.ptr, y.ptr, shorter);
        d = d || is_m ? d : compare_u64(x.len, y.len);
        if (d)
            return d;
    }
    return (a.ptr != NULL) - (b.ptr != NULL);
}

static int compare(const struct semver *a, const struct semver *b) {
    int d = compare_u64(a->major, b->major);
    d = d ? d : compare_u64(a->minor, b->minor);
    d = d ? d : compare_u64(a->patch, b->patch);
    if (d || (!a->pre.len && !b->pre.len))
        return d;
    if (!a->pre.len || !b->pre.len)
        return a->pre.len ? -1 : 1;
    return compare_labels(a->pre, b->pre);
}

/* ---------------------------------------------------------------- parsing */

static const struct {
    const char *text;
    enum op op;
} ops[] = {{"!=", OP_NE}, {">=", OP_GE},    {"=>", OP_GE},   {"<=", OP_LE},
           {"=<", OP_LE}, {"~>", OP_TILDE}, {"=", OP_EQ},    {">", OP_GT},
           {"<", OP_LT},  {"~", OP_TILDE},  {"^", OP_CARET}, {"", OP_NONE}};

static void skip_spaces(struct slice *rest) {
    while (rest->len && is_space(rest->ptr[0]))
        *rest = slice_from(rest->ptr + 1, rest->len - 1);
}

static bool cut_constraint(struct slice *rest, struct constraint *c) {
    int64_t parts[3];
    size_t i = 0;
    while (!slice_starts(*rest, slice_cstr(ops[i].text)))
        i++;
    c->op = ops[i].op;
    c->op_text = ops[i].text;
    *rest = slice_from(rest->ptr + strlen(ops[i].text), rest->len - strlen(ops[i].text));
    skip_spaces(rest);
    if (!cut_version(rest, &c->orig, parts, &c->v.pre))
        return false;
    c->is_open = parts[0] < 0 || parts[1] < 0 || parts[2] < 0;
    c->is_minor_open = parts[0] >= 0 && parts[1] < 0;
    c->is_patch_open = parts[0] >= 0 && parts[1] >= 0 && parts[2] < 0;
    c->v.major = parts[0] < 0 ? 0 : (uint64_t)parts[0];
    c->v.minor = parts[0] < 0 || parts[1] < 0 ? 0 : (uint64_t)parts[1];
    c->v.patch = c->is_open ? 0 : (uint64_t)parts[2];
    return true;
}

/* "1.2 - 1.4": the bounds. True when it is one; *rest is behind it then. */
static bool cut_range(struct slice *rest, const struct constraint *first, struct constraint *low,
                      struct constraint *high) {
    struct slice look = *rest;
    if (first->op != OP_NONE || !look.len || !is_space(look.ptr[0]))
        return false;
    skip_spaces(&look);
    if (look.len < 2 || look.ptr[0] != '-' || !is_space(look.ptr[1]))
        return false;
    look = slice_from(look.ptr + 1, look.len - 1);
    skip_spaces(&look);
    if (!cut_constraint(&look, high) || high->op != OP_NONE)
        return false;
    *low = *first;
    low->op = OP_GE;
    low->op_text = ">=";
    high->op = OP_LE;
    high->op_text = "<=";
    *rest = look;
    return true;
}

static bool parse_group(struct semver_constraints *c, struct slice rest) {
    size_t n = 0;
    skip_spaces(&rest);
    do {
        struct constraint one = {.group = c->n_groups}, low, high = {.group = c->n_groups};
        if (!cut_constraint(&rest, &one))
            return false;
        if (cut_range(&rest, &one, &low, &high)) {
            vec_push(&c->list, low);
            vec_push(&c->list, high);
        } else {
            vec_push(&c->list, one);
        }
        n++;
        bool has_separator = rest.len && (is_space(rest.ptr[0]) || rest.ptr[0] == ',');
        skip_spaces(&rest);
        if (rest.len && rest.ptr[0] == ',') {
            rest = slice_from(rest.ptr + 1, rest.len - 1);
            skip_spaces(&rest);
            if (!rest.len)
                return false;
        }
        if (rest.len && !has_separator)
            return false;
    } while (rest.len);
    c->n_groups++;
    return n > 0;
}

static struct semver_constraints *refuse(struct semver_constraints *c, struct slice text,
                                         struct error *err) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    go_quote(&b, text);
    error_set(err, KE_INVALID, "improper constraint: %s", buf_cstr(&b));
    buf_release(&b);
    semver_constraints_free(c);
    return NULL;
}

struct semver_constraints *semver_constraints_new(struct slice text, struct error *err) {
    if (text.len > TEXT_MAX) {
        error_set(err, KE_TOO_LARGE, "constraint string is too long (max %d bytes)", TEXT_MAX);
        return NULL;
    }
    struct semver_constraints *c = xcalloc(1, sizeof *c);
    c->text = slice_dup(text);
    struct slice rest = slice_from(c->text, text.len);
    while (rest.ptr) {
        const char *bars = rest.len > 1 ? memmem(rest.ptr, rest.len, "||", 2) : NULL;
        struct slice group = bars ? slice_from(rest.ptr, (size_t)(bars - rest.ptr)) : rest;
        rest = bars ? slice_from(bars + 2, rest.len - group.len - 2) : (struct slice){0};
        if (c->n_groups == GROUPS_MAX) {
            semver_constraints_free(c);
            error_set(err, KE_TOO_LARGE, "too many constraint groups (max %d)", GROUPS_MAX);
            return NULL;
        }
        if (!parse_group(c, group))
            return refuse(c, group, err);
    }
    return c;
}

void semver_constraints_free(struct semver_constraints *c) {
    if (!c)
        return;
    vec_release(&c->list);
    free(c->text);
    free(c);
}

/* ---------------------------------------------------------------- checking */

static bool is_not_equal(const struct constraint *c, const struct semver *v) {
    if (!c->is_open)
        return compare(v, &c->v) != 0;
    if (c->v.major != v->major)
        return true;
    if (c->is_minor_open)
        return false;
    if (c->v.minor != v->minor)
        return true;
    if (!c->is_patch_open) /* "*" of a 0.0.x version, whatever its patch */
        return c->v.patch != v->patch;
    return (v->pre.len || c->v.pre.len) && compare_labels(v->pre, c->v.pre) != 0;
}

/* Above an open version is above all that fit it. */
static bool is_greater(const struct constraint *c, const struct semver *v) {
    if (!c->is_open || v->major != c->v.major)
        return c->is_open ? v->major > c->v.major : compare(v, &c->v) > 0;
    if (c->is_minor_open)
        return false;
    if (c->is_patch_open)
        return v->minor > c->v.minor;
    return compare(v, &c->v) > 0;
}

static bool is_at_most(const struct constraint *c, const struct semver *v) {
    if (!c->is_open)
        return compare(v, &c->v) <= 0;
    return v->major < c->v.major ||
           (v->major == c->v.major && (v->minor <= c->v.minor || c->is_minor_open));
}

static bool fits_tilde(const struct constraint *c, const struct semver *v) {
    if (compare(v, &c->v) < 0)
        return false;
    bool is_any = c->v.major == 0 && c->v.minor == 0 && c->v.patch == 0 && !c->is_minor_open &&
                  !c->is_patch_open;
    return is_any || (v->major == c->v.major && (v->minor == c->v.minor || c->is_minor_open));
}

/* What changes left of the first part that is not 0 is too much. */
static bool fits_caret(const struct constraint *c, const struct semver *v) {
    if (compare(v, &c->v) < 0)
        return false;
    if (c->v.major > 0 || c->is_minor_open)
        return v->major == c->v.major;
    if (v->major > 0)
        return false;
    if (c->v.minor > 0 || c->is_patch_open)
        return v->minor == c->v.minor;
    return v->minor == 0 && v->patch == c->v.patch;
}

static bool holds(const struct constraint *c, const struct semver *v) {
    switch (c->op) {
    case OP_NONE:
    case OP_EQ:
        return c->is_open ? fits_tilde(c, v) : compare(v, &c->v) == 0;
    case OP_NE:
        return is_not_equal(c, v);
    case OP_GT:
        return is_greater(c, v);
    case OP_LT:
        return compare(v, &c->v) < 0;
    case OP_GE:
        return compare(v, &c->v) >= 0;
    case OP_LE:
        return is_at_most(c, v);
    case OP_TILDE:
        return fits_tilde(c, v);
    default:
        return fits_caret(c, v);
    }
}

bool semver_constraints_allow(const struct semver_constraints *c, const struct semver *v) {
    for (size_t group = 0; group < c->n_groups; group++) {
        bool is_good = true, wants_pre = false;
        for (size_t i = 0; i < c->list.len; i++) {
            const struct constraint *one = &c->list.ptr[i];
            if (one->group != group)
                continue;
            wants_pre = wants_pre || one->v.pre.len;
            is_good = is_good && holds(one, v);
        }
        /* Prereleases are for those who name one. */
        if (is_good && (!v->pre.len || wants_pre))
            return true;
    }
    return false;
}

void semver_constraints_print(const struct semver_constraints *c, struct buf *out) {
    for (size_t i = 0; i < c->list.len; i++) {
        const struct constraint *one = &c->list.ptr[i];
        if (i > 0)
            buf_append_str(out, one->group != c->list.ptr[i - 1].group ? " || " : " ");
        buf_printf(out, "%s%.*s", one->op_text, SLICE_FMT(one->orig));
    }
}
