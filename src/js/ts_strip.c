#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "js/ts.h"

struct ts_mark ts_mark(struct parser *p) {
    return (struct ts_mark){p->s, p->ts->edits.len, p->ts->uses.len};
}

static void forget_edits(struct ts *ts, size_t keep) {
    while (ts->edits.len > keep)
        free(ts->edits.ptr[--ts->edits.len].text);
}

void ts_restore(struct parser *p, const struct ts_mark *mark) {
    p->s = mark->s;
    forget_edits(p->ts, mark->n_edits);
    p->ts->uses.len = mark->n_uses;
}

void ts_replace(struct parser *p, size_t from, size_t to, char *text) {
    vec_push(&p->ts->edits, (struct ts_edit){from, to, text});
}

void ts_erase(struct parser *p, size_t from, size_t to) {
    ts_replace(p, from, to, NULL);
}

void ts_erase_statement(struct parser *p, size_t from, size_t to, size_t n_edits) {
    struct ts *ts = p->ts;
    if (n_edits == 0) { /* those inside: the last ones */
        n_edits = ts->edits.len;
        while (n_edits > 0 && ts->edits.ptr[n_edits - 1].from >= from)
            n_edits--;
    }
    forget_edits(ts, n_edits);
    if (to > from) {
        ts_erase(p, from + 1, to);
        ts_replace(p, from, from + 1, xstrdup(";"));
    } else {
        ts_erase(p, from, to);
    }
}

void ts_note_use(struct parser *p, struct slice name) {
    vec_push(&p->ts->uses, name);
}

static bool is_top_level(const struct parser *p) {
    return p->scope->outer == NULL && !p->scope->in_parameters;
}

void ts_note_value(struct parser *p, struct slice name) {
    if (is_top_level(p))
        vec_push(&p->ts->values, name);
}

void ts_note_type(struct parser *p, struct slice name) {
    if (is_top_level(p))
        vec_push(&p->ts->types, name);
}

/* ---- imports and exports ---- */

static int cmp_slices(const void *a, const void *b) {
    const struct slice *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int c = len ? memcmp(x->ptr, y->ptr, len) : 0;
    return c ? c : (x->len > y->len) - (x->len < y->len);
}

static bool is_used(const struct ts *ts, struct slice name) {
    return name.ptr && ts->uses.len > 0 &&
           bsearch(&name, ts->uses.ptr, ts->uses.len, sizeof(struct slice), cmp_slices);
}

/* Names that only types use; statements none of whose names is used go as a whole. */
static void drop_unused_imports(struct parser *p) {
    struct ts *ts = p->ts;
    if (ts->uses.len > 0)
        qsort(ts->uses.ptr, ts->uses.len, sizeof(struct slice), cmp_slices);
    for (size_t s = 0; s < ts->statements.len; s++) {
        size_t n = 0, used = 0;
        for (size_t i = 0; i < ts->imports.len; i++) {
            if (ts->imports.ptr[i].statement == s) {
                n++;
                used += is_used(ts, ts->imports.ptr[i].local);
            }
        }
        if (n > 0 && used == 0) {
            ts_erase(p, ts->statements.ptr[s].from, ts->statements.ptr[s].to);
            continue;
        }
        for (size_t i = 0; i < ts->imports.len; i++) {
            const struct ts_import *x = &ts->imports.ptr[i];
            if (x->statement == s && !is_used(ts, x->local))
                ts_erase(p, x->from, x->to);
        }
    }
}

#define HAS_NAME(list, name) has_name((list)->ptr, (list)->len, name)

static bool has_name(const struct slice *list, size_t len, struct slice name) {
    for (size_t i = 0; i < len; i++)
        if (slice_eq(list[i], name))
            return true;
    return false;
}

static void drop_exported_types(struct parser *p) {
    const struct ts *ts = p->ts;
    for (size_t i = 0; i < ts->exports.len; i++) {
        const struct ts_export *x = &ts->exports.ptr[i];
        if (HAS_NAME(&ts->types, x->name) && !HAS_NAME(&ts->values, x->name))
            ts_erase(p, x->from, x->to);
    }
}

/* ---- the result ---- */

static int cmp_edits(const void *a, const void *b) {
    const struct ts_edit *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

static void put_blanks(struct buf *out, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' || text[i] == '\r' || text[i] == '\t')
            buf_append_char(out, text[i]);
        else if (((unsigned char)text[i] & 0xc0) != 0x80)
            buf_append_char(out, ' ');
    }
}

static void apply(struct buf *out, struct ts *ts, struct slice source) {
    size_t at = 0;
    if (ts->edits.len > 0)
        qsort(ts->edits.ptr, ts->edits.len, sizeof *ts->edits.ptr, cmp_edits);
    for (size_t i = 0; i < ts->edits.len; i++) {
        const struct ts_edit *e = &ts->edits.ptr[i];
        size_t from = e->from > at ? e->from : at;
        if (e->to < at)
            continue;
        buf_append(out, source.ptr + at, from - at);
        if (e->text)
            buf_append_str(out, e->text);
        else
            put_blanks(out, source.ptr + from, e->to - from);
        at = e->to;
    }
    buf_append(out, source.ptr + at, source.len - at);
}

char *ts_strip(struct slice source, enum ts_dialect dialect, const char *stack_limit,
               size_t *out_len, char **out_words) {
    struct ts ts = {0};
    struct parser p = {.is_bundler = true, .ts = &ts};
    char *result = NULL;
    scanner_init(&p.s, source);
    syntax_program(&p, stack_limit);
    *out_words = syntax_describe(&p);
    if (!*out_words) {
        struct buf out;
        buf_init(&out, BUF_NO_CAP);
        if (dialect == TS_TYPESCRIPT) {
            drop_unused_imports(&p);
            drop_exported_types(&p);
        }
        apply(&out, &ts, source);
        result = buf_detach(&out, out_len);
        if (!result)
            result = xstrdup("");
    }
    forget_edits(&ts, 0);
    vec_release(&ts.edits);
    vec_release(&ts.uses);
    vec_release(&ts.imports);
    vec_release(&ts.exports);
    vec_release(&ts.types);
    vec_release(&ts.values);
    vec_release(&ts.statements);
    vec_release(&ts.properties);
    return result;
}
