#include "base/go_parse.h"

#include "base/buf.h"
#include "base/duration.h"
#include "base/go_text.h"

/* Go quotes what it could not parse; absurdly long input is cut. */
#define SHOWN_MAX 200

static int fail_quoted(struct error *err, const char *before, struct slice s, const char *after) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, slice_from(s.ptr, s.len > SHOWN_MAX ? SHOWN_MAX : s.len));
    error_set(err, KE_INVALID, "%s%s%s", before, buf_cstr(&quoted), after);
    buf_release(&quoted);
    return KE_INVALID;
}

static int digit_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}

/* The base that a prefix names, with the prefix cut from *s. */
static int detect_base(struct slice *s) {
    if (s->len < 2 || s->ptr[0] != '0')
        return 10;
    char c = (char)(s->ptr[1] | 0x20);
    int base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
    size_t cut = c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
    *s = slice_from(s->ptr + cut, s->len - cut);
    return base;
}

int go_parse_int(struct slice s, int base, int64_t *out, struct error *err) {
    struct slice rest = s;
    bool is_negative = rest.len > 0 && rest.ptr[0] == '-';
    if (rest.len > 0 && (rest.ptr[0] == '-' || rest.ptr[0] == '+'))
        rest = slice_from(rest.ptr + 1, rest.len - 1);
    bool has_separators = base == 0;
    if (base == 0)
        base = detect_base(&rest);
    bool is_bad = rest.len == 0, is_over = false;
    uint64_t value = 0;
    for (size_t i = 0; i < rest.len && !is_bad; i++) {
        if (has_separators && rest.ptr[i] == '_' && i + 1 < rest.len)
            continue;
        int digit = digit_value(rest.ptr[i]);
        is_bad = digit >= base;
        is_over |= __builtin_mul_overflow(value, (uint64_t)base, &value) ||
                   __builtin_add_overflow(value, (uint64_t)digit, &value);
    }
    if (is_bad)
        return fail_quoted(err, "strconv.ParseInt: parsing ", s, ": invalid syntax");
    uint64_t limit = is_negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    if (is_over || value > limit)
        return fail_quoted(err, "strconv.ParseInt: parsing ", s, ": value out of range");
    *out = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}

int go_parse_bool(struct slice s, bool *out, struct error *err) {
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        bool is_yes = slice_eq(s, slice_cstr(yes[i]));
        if (is_yes || slice_eq(s, slice_cstr(no[i]))) {
            *out = is_yes;
            return 0;
        }
    }
    return fail_quoted(err, "strconv.ParseBool: parsing ", s, ": invalid syntax");
}

static bool is_number_char(char c) {
    return (c >= '0' && c <= '9') || c == '.';
}

/* Says which of Go's three complaints a text earns that duration_parse_go refused. */
static int explain_duration(struct slice s, struct error *err) {
    struct slice rest = s;
    if (rest.len > 0 && (rest.ptr[0] == '-' || rest.ptr[0] == '+'))
        rest = slice_from(rest.ptr + 1, rest.len - 1);
    while (rest.len > 0) {
        size_t digits = 0, unit, dots = 0;
        while (digits < rest.len && is_number_char(rest.ptr[digits]))
            dots += rest.ptr[digits++] == '.';
        if (digits == 0 || dots > 1 || dots == digits)
            break;
        for (unit = digits; unit < rest.len && !is_number_char(rest.ptr[unit]);)
            unit++;
        if (unit == digits)
            return fail_quoted(err, "time: missing unit in duration ", s, "");
        int64_t ignored;
        char probe[16] = "1";
        size_t unit_len = unit - digits;
        if (unit_len < sizeof probe - 1)
            memcpy(probe + 1, rest.ptr + digits, unit_len);
        if (unit_len >= sizeof probe - 1 ||
            duration_parse_go(slice_from(probe, 1 + unit_len), &ignored) != 0) {
            struct buf before;
            buf_init(&before, BUF_NO_CAP);
            buf_append_str(&before, "time: unknown unit ");
            go_quote(&before, slice_from(rest.ptr + digits, unit_len));
            buf_append_str(&before, " in duration ");
            fail_quoted(err, buf_cstr(&before), s, "");
            buf_release(&before);
            return KE_INVALID;
        }
        rest = slice_from(rest.ptr + unit, rest.len - unit);
    }
    return fail_quoted(err, "time: invalid duration ", s, "");
}

int go_parse_duration(struct slice s, int64_t *out_ns, struct error *err) {
    return duration_parse_go(s, out_ns) == 0 ? 0 : explain_duration(s, err);
}

int go_parse_duration_extended(struct slice s, int64_t *out_ns, struct error *err) {
    if (duration_parse(s, out_ns) == 0)
        return 0;
    const char *d = s.len ? memchr(s.ptr, 'd', s.len) : NULL;
    if (d == NULL)
        return explain_duration(s, err);
    struct slice rest = slice_from(d + 1, s.len - (size_t)(d + 1 - s.ptr));
    int64_t value;
    if (rest.len > 0) {
        int rc = go_parse_duration(rest, &value, err);
        if (rc != 0)
            return rc;
        if (value < 0)
            return error_set(err, KE_INVALID, "invalid time format '%.*s'", SLICE_FMT(rest));
    }
    int rc = go_parse_int(slice_from(s.ptr, (size_t)(d - s.ptr)), 10, &value, err);
    return rc != 0 ? rc : fail_quoted(err, "time: invalid duration ", s, "");
}
