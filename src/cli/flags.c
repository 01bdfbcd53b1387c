#include "cli/flags.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/go_parse.h"

static const struct flag_def *find_long(flag_sets sets, struct slice name) {
    for (; *sets; sets++)
        for (const struct flag_def *d = *sets; d->name; d++)
            if (slice_eq(slice_cstr(d->name), name))
                return d;
    return NULL;
}

static const struct flag_def *find_short(flag_sets sets, char c) {
    for (; *sets; sets++)
        for (const struct flag_def *d = *sets; d->name; d++)
            if (d->short_name == c)
                return d;
    return NULL;
}

static const char *bare_value(const struct flag_def *d) {
    return d->no_value ? d->no_value : d->type == FLAG_BOOL ? "true" : NULL;
}

static int check_value(const struct flag_def *d, const char *value, struct error *err) {
    struct error why = {0};
    int64_t number;
    bool yes;
    int rc = 0;
    struct slice s = slice_cstr(value);
    if (d->type == FLAG_INT)
        rc = go_parse_int(s, 0, &number, &why);
    else if (d->type == FLAG_DURATION)
        rc = go_parse_duration(s, &number, &why);
    else if (d->type == FLAG_BOOL)
        rc = go_parse_bool(s, &yes, &why);
    if (!rc)
        return 0;
    if (d->short_name)
        return error_set(err, KE_INVALID, "invalid argument \"%s\" for \"-%c, --%s\" flag: %s",
                         value, d->short_name, d->name, why.text);
    return error_set(err, KE_INVALID, "invalid argument \"%s\" for \"--%s\" flag: %s", value,
                     d->name, why.text);
}

static int use(struct flags *out, const struct flag_def *d, const char *value, struct error *err) {
    int rc = check_value(d, value, err);
    if (!rc)
        vec_push(&out->uses, (struct flag_use){d, value});
    return rc;
}

/* "--name", "--name=value"; may take the next argument. Returns how many arguments it took, or a
 * code. */
static int parse_long(flag_sets sets, char **argv, int left, struct flags *out, struct error *err) {
    struct slice rest = slice_cstr(argv[0] + 2);
    struct slice name = slice_cut(&rest, '=');
    const struct flag_def *d = find_long(sets, name);
    if (!name.len || name.ptr[0] == '-')
        return error_set(err, KE_INVALID, "bad flag syntax: %s", argv[0]);
    if (!d)
        return error_set(err, KE_INVALID, "unknown flag: --%.*s", SLICE_FMT(name));
    int rc;
    if (rest.ptr) {
        rc = use(out, d, rest.ptr, err);
        return rc ? rc : 1;
    }
    if (bare_value(d)) {
        rc = use(out, d, bare_value(d), err);
        return rc ? rc : 1;
    }
    if (left < 2)
        return error_set(err, KE_INVALID, "flag needs an argument: --%s", d->name);
    rc = use(out, d, argv[1], err);
    return rc ? rc : 2;
}

/* "-u5", "-u=5", "-u 5", "-qv". */
static int parse_short(flag_sets sets, char **argv, int left, struct flags *out,
                       struct error *err) {
    for (const char *p = argv[0] + 1; *p; p++) {
        const struct flag_def *d = find_short(sets, *p);
        int rc;
        if (!d)
            return error_set(err, KE_INVALID, "unknown shorthand flag: '%c' in %s", *p, argv[0]);
        if (p[1] == '=') {
            rc = use(out, d, p + 2, err);
            return rc ? rc : 1;
        }
        if (bare_value(d)) {
            rc = use(out, d, bare_value(d), err);
            if (rc)
                return rc;
            continue;
        }
        if (p[1]) {
            rc = use(out, d, p + 1, err);
            return rc ? rc : 1;
        }
        if (left < 2)
            return error_set(err, KE_INVALID, "flag needs an argument: '%c' in %s", *p, argv[0]);
        rc = use(out, d, argv[1], err);
        return rc ? rc : 2;
    }
    return 1;
}

int flags_parse(flag_sets sets, int argc, char **argv, struct flags *out, struct error *err) {
    memset(out, 0, sizeof *out);
    for (int i = 0; i < argc;) {
        const char *a = argv[i];
        int took = 1;
        if (strcmp(a, "--") == 0) {
            for (i++; i < argc; i++)
                vec_push(&out->args, argv[i]);
            break;
        }
        if (a[0] == '-' && a[1] == '-')
            took = parse_long(sets, argv + i, argc - i, out, err);
        else if (a[0] == '-' && a[1])
            took = parse_short(sets, argv + i, argc - i, out, err);
        else
            vec_push(&out->args, a);
        if (took < 0)
            return took;
        i += took;
    }
    return 0;
}

void flags_release(struct flags *f) {
    vec_release(&f->uses);
    vec_release(&f->args);
}

const char *flags_text(const struct flags *f, const char *name) {
    for (size_t i = f->uses.len; i-- > 0;)
        if (strcmp(f->uses.ptr[i].def->name, name) == 0)
            return f->uses.ptr[i].value;
    return NULL;
}

bool flags_has(const struct flags *f, const char *name) {
    return flags_text(f, name) != NULL;
}

bool flags_bool(const struct flags *f, const char *name, bool fallback) {
    const char *value = flags_text(f, name);
    bool yes = fallback;
    if (value)
        go_parse_bool(slice_cstr(value), &yes, NULL);
    return yes;
}

int64_t flags_int(const struct flags *f, const char *name, int64_t fallback) {
    const char *value = flags_text(f, name);
    int64_t n = fallback;
    if (value)
        go_parse_int(slice_cstr(value), 0, &n, NULL);
    return n;
}

#define HELP_WIDTH 120

static void describe_name(struct buf *out, const struct flag_def *d) {
    static const char *const type_names[] = {"", "int", "duration", "string", "string"};
    const char *value = d->value_name ? d->value_name : type_names[d->type];
    if (d->short_name)
        buf_printf(out, "  -%c, --%s", d->short_name, d->name);
    else
        buf_printf(out, "      --%s", d->name);
    if (*value && d->no_value)
        buf_printf(out, " %s[=\"%s\"]", value, d->no_value);
    else if (*value)
        buf_printf(out, " %s", value);
}

static void wrap(struct buf *out, const char *text, size_t indent) {
    size_t room = HELP_WIDTH - indent, len = strlen(text);
    while (len > room) {
        size_t cut = room;
        while (cut > 0 && text[cut] != ' ')
            cut--;
        if (!cut)
            cut = room;
        buf_append(out, text, cut);
        buf_printf(out, "\n%*s", (int)indent, "");
        text += cut + 1;
        len = strlen(text);
    }
    buf_printf(out, "%s\n", text);
}

void flags_describe(struct buf *out, const struct flag_def *set) {
    struct buf name;
    buf_init(&name, 4096);
    size_t width = 0;
    for (const struct flag_def *d = set; d->name; d++) {
        buf_reset(&name);
        describe_name(&name, d);
        width = name.len > width ? name.len : width;
    }
    for (const struct flag_def *d = set; d->name; d++) {
        buf_reset(&name);
        describe_name(&name, d);
        buf_printf(out, "%-*s   ", (int)width, buf_cstr(&name));
        wrap(out, d->help, width + 3);
    }
    buf_release(&name);
}
