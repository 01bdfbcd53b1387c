#include "load/dependencies.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/go_text.h"
#include "base/utf8.h"
#include "load/jansson_read.h"

/* ---------------------------------------------------------------- the list */

static bool is_any(const struct semver_constraints *c) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    if (c)
        semver_constraints_print(c, &text);
    bool is_it = !c || slice_eq(buf_slice(&text), SLICE("*"));
    buf_release(&text);
    return is_it;
}

static void dependency_release(struct dependency *d) {
    free(d->name);
    semver_constraints_free(d->constraints);
    semver_constraints_free(d->manifest);
}

void dependencies_release(struct dependencies *d) {
    for (size_t i = 0; i < d->list.len; i++)
        dependency_release(&d->list.ptr[i]);
    vec_release(&d->list);
    d->is_collected = false;
}

static struct dependency *get(struct dependencies *d, struct slice name) {
    for (size_t i = 0; i < d->list.len; i++) {
        if (slice_eq(slice_cstr(d->list.ptr[i].name), name))
            return &d->list.ptr[i];
    }
    vec_push(&d->list, (struct dependency){.name = slice_dup(name)});
    return &d->list.ptr[d->list.len - 1];
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct dependency *)a)->name, ((const struct dependency *)b)->name);
}

/* ---------------------------------------------------------------- directives */

/* Go's unicode.IsSpace. */
static bool is_space(uint32_t rune) {
    return (rune >= '\t' && rune <= '\r') || rune == ' ' || rune == 0x85 || rune == 0xa0 ||
           rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 ||
           rune == 0x2029 || rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

/* Takes spaces, semicolons and comments off the front. False at the end, or in a comment without
 * one. */
static bool skip_blank(struct slice *text) {
    while (text->len) {
        uint32_t rune;
        const char *end = NULL;
        size_t n = utf8_decode(*text, &rune);
        if (text->ptr[0] == ';' || is_space(rune)) {
            end = text->ptr + n;
        } else if (slice_starts(*text, SLICE("//"))) {
            end = memchr(text->ptr, '\n', text->len);
            end = end ? end + 1 : NULL;
        } else if (slice_starts(*text, SLICE("/*"))) {
            end = memmem(text->ptr + 1, text->len - 1, "*/", 2);
            end = end ? end + 2 : NULL;
        } else {
            return true;
        }
        if (!end)
            return false;
        *text = slice_from(end, text->len - (size_t)(end - text->ptr));
    }
    return false;
}

/* The next string that stands before all code. */
static bool next_directive(struct slice *text, struct slice *out) {
    if (!skip_blank(text) || (text->ptr[0] != '"' && text->ptr[0] != '\''))
        return false;
    const char *end = memchr(text->ptr + 1, text->ptr[0], text->len - 1);
    if (!end)
        return false;
    *out = slice_from(text->ptr + 1, (size_t)(end - text->ptr) - 1);
    *text = slice_from(end + 1, text->len - out->len - 2);
    return true;
}

/* Two spaces are one, as in k6 once. Heap string. */
static char *squeeze(struct slice s) {
    char *out = xmalloc(s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        out[n++] = s.ptr[i];
        if (s.ptr[i] == ' ' && i + 1 < s.len && s.ptr[i + 1] == ' ')
            i++;
    }
    out[n] = '\0';
    return out;
}

static int fail_with(struct error *err, const char *before, struct slice what, const char *between,
                     struct slice whom, const char *after) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_append_str(&b, before);
    go_quote(&b, what);
    buf_append_str(&b, between);
    go_quote(&b, whom);
    buf_append_str(&b, after);
    error_set(err, KE_INVALID, "%s", buf_cstr(&b));
    buf_release(&b);
    return KE_INVALID;
}

/* What is said first counts, and must not be said twice. Takes c. */
static int update(struct dependencies *d, struct slice name, struct semver_constraints *c,
                  struct slice file, struct error *err) {
    struct dependency *dep = get(d, name);
    if (is_any(dep->constraints)) {
        semver_constraints_free(dep->constraints);
        dep->constraints = c;
        return 0;
    }
    if (!c)
        return 0;
    struct buf after;
    buf_init(&after, BUF_NO_CAP);
    buf_append_str(&after, ": already have constraint for ");
    go_quote(&after, name);
    buf_append_str(&after, ", when parsing ");
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    semver_constraints_print(c, &text);
    go_quote(&after, buf_slice(&text));
    buf_release(&text);
    semver_constraints_free(c);
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, file);
    error_set(err, KE_INVALID, "error while parsing use directives in %s%s", buf_cstr(&quoted),
              buf_cstr(&after));
    buf_release(&quoted);
    buf_release(&after);
    return KE_INVALID;
}

static int read_directive(struct dependencies *d, struct slice text, struct slice file,
                          struct error *err) {
    struct slice rest = text, name = SLICE("k6");
    struct semver_constraints *c = NULL;
    struct error why;
    if (!slice_starts(rest, SLICE("use k6")))
        return 0;
    rest = slice_trim(slice_from(rest.ptr + 6, rest.len - 6));
    if (slice_starts(rest, SLICE("with k6/x/"))) {
        rest = slice_trim(slice_from(rest.ptr + 5, rest.len - 5));
        name = slice_cut(&rest, ' ');
    }
    if (rest.ptr && rest.len && !(c = semver_constraints_new(rest, &why))) {
        char *after = NULL;
        struct buf quoted;
        buf_init(&quoted, BUF_NO_CAP);
        go_quote(&quoted, file);
        after = xasprintf(" in %s: %s", buf_cstr(&quoted), why.text);
        fail_with(err, "error while parsing use directives constraint ", rest, " for ", name,
                  after);
        buf_release(&quoted);
        free(after);
        return KE_INVALID;
    }
    return update(d, name, c, file, err);
}

static int read_file(struct dependencies *d, struct slice text, struct slice file,
                     struct error *err) {
    struct slice directive;
    int rc = 0;
    if (slice_starts(text, SLICE("#!")))
        slice_cut(&text, '\n');
    while (rc == 0 && text.ptr && next_directive(&text, &directive)) {
        char *squeezed = squeeze(directive);
        rc = read_directive(d, slice_cstr(squeezed), file, err);
        free(squeezed);
    }
    return rc;
}

/* ---------------------------------------------------------------- collecting */

static int read_manifest(struct dependencies *d, const char *text, struct error *err) {
    json_error_t why;
    const char *name;
    json_t *value, *all = json_loads(text, 0, &why);
    int rc = 0;
    if (!all)
        return error_set(err, KE_INVALID, "invalid dependencies manifest: %s", why.text);
    if (!json_is_object(all))
        rc = error_set(err, KE_INVALID, "invalid dependencies manifest: it is no object");
    json_object_foreach(all, name, value) {
        const char *constraint = json_string_value(value);
        struct semver_constraints *c = NULL;
        if (rc == 0 && !constraint)
            rc = error_set(err, KE_INVALID, "invalid dependencies manifest: '%s' is no string",
                           name);
        if (rc == 0 && *constraint && !(c = semver_constraints_new(slice_cstr(constraint), err)))
            rc = KE_INVALID;
        for (size_t i = 0; i < d->list.len && c; i++) {
            struct dependency *dep = &d->list.ptr[i];
            if (strcmp(dep->name, name) == 0 && is_any(dep->constraints) && !dep->manifest) {
                dep->manifest = c;
                c = NULL;
            }
        }
        semver_constraints_free(c);
    }
    json_decref(all);
    return rc;
}

int dependencies_collect(struct dependencies *d, const struct script *s, const char *manifest,
                         struct error *err) {
    size_t n;
    int rc = 0;
    const char **imports = script_imports(s, &n);
    dependencies_release(d);
    get(d, SLICE("k6"));
    for (size_t i = 0; i < n; i++) {
        struct slice name = slice_cstr(imports[i]);
        if (slice_starts(name, SLICE("k6/x/")) ||
            (script_is_builtin(name) && !script_has_module(name)))
            get(d, name);
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct slice text = script_import_source(s, imports[i]);
        if (text.ptr)
            rc = read_file(d, text, slice_cstr(imports[i]), err);
    }
    free(imports);
    if (rc == 0 && manifest && *manifest)
        rc = read_manifest(d, manifest, err);
    qsort(d->list.ptr, d->list.len, sizeof *d->list.ptr, by_name);
    d->is_collected = rc == 0;
    return rc;
}

/* ---------------------------------------------------------------- what there is */

/* Modules of extensions that kiln has, and which version they are like; NULL: any will do. */
static const struct {
    const char *name, *version;
} extensions[] = {{"k6/x/redis", "0.4.3"}, {"k6/x/sse", NULL}, {"k6/x/web", NULL}};

static const struct semver_constraints *effective(const struct dependency *d) {
    return d->manifest ? d->manifest : d->constraints;
}

static bool is_unknown(const struct dependency *d) {
    return strcmp(d->name, "k6") != 0 && !script_has_module(slice_cstr(d->name));
}

bool dependency_is_satisfied(const struct dependency *d) {
    const char *version = strcmp(d->name, "k6") == 0 ? compat_text(COMPAT_K6_VERSION) : NULL;
    struct semver v;
    for (size_t i = 0; i < countof(extensions); i++) {
        if (strcmp(extensions[i].name, d->name) == 0)
            version = extensions[i].version;
    }
    if (is_unknown(d))
        return false;
    return !effective(d) || !version || !semver_parse(slice_cstr(version), &v) ||
           semver_constraints_allow(effective(d), &v);
}

bool dependencies_are_satisfied(const struct dependencies *d, bool unknown_matters) {
    for (size_t i = 0; i < d->list.len; i++) {
        const struct dependency *dep = &d->list.ptr[i];
        if (!dependency_is_satisfied(dep) && (unknown_matters || !is_unknown(dep)))
            return false;
    }
    return true;
}

void dependency_print(const struct dependency *d, bool with_manifest, struct buf *out) {
    const struct semver_constraints *c = with_manifest ? effective(d) : d->constraints;
    if (c)
        semver_constraints_print(c, out);
    else
        buf_append_char(out, '*');
}

void dependencies_print(const struct dependencies *d, struct buf *out) {
    for (size_t i = 0; i < d->list.len; i++) {
        buf_printf(out, "%s%s", i ? ";" : "", d->list.ptr[i].name);
        if (effective(&d->list.ptr[i]))
            semver_constraints_print(effective(&d->list.ptr[i]), out);
    }
}
