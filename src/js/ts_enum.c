#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "js/ts.h"

/* enum E { A, B = 'x' } becomes var E = ((E) => { const A = 0; E[E["A"] = A] = "A"; … return E;
 * })(E || {}); on the line where it began; the line breaks it had follow, so that the lines below
 * keep their numbers. */

struct member {
    struct slice name; /* without quotes */
    bool is_name;      /* can be a const, too, for the initialisers behind it */
};

static struct member read_name(struct parser *p) {
    struct member m = {p->s.token.text, p->s.token.kind == TOKEN_NAME};
    if (p->s.token.kind == TOKEN_STRING)
        m.name = slice_from(m.name.ptr + 1, m.name.len - 2);
    else if (p->s.token.kind < TOKEN_NAME && p->s.token.kind != TOKEN_RESERVED &&
             p->s.token.kind != TOKEN_LITERAL)
        syntax_unexpected(p, &p->s.token);
    syntax_next(p);
    return m;
}

static void put_member(struct buf *out, struct slice name, const struct member *m,
                       struct slice value, bool is_text, const struct member *previous) {
    struct buf v;
    buf_init(&v, BUF_NO_CAP);
    if (value.ptr)
        buf_append_slice(&v, value);
    else if (!previous->name.ptr)
        buf_append_str(&v, "0");
    else if (previous->is_name)
        buf_printf(&v, "%.*s + 1", SLICE_FMT(previous->name));
    else
        buf_printf(&v, "%.*s[\"%.*s\"] + 1", SLICE_FMT(name), SLICE_FMT(previous->name));
    if (m->is_name) {
        buf_printf(out, "const %.*s = %.*s; ", SLICE_FMT(m->name), (int)v.len, v.ptr);
        buf_reset(&v);
        buf_append_slice(&v, m->name);
    }
    if (is_text)
        buf_printf(out, "%.*s[\"%.*s\"] = %.*s; ", SLICE_FMT(name), SLICE_FMT(m->name), (int)v.len,
                   v.ptr);
    else
        buf_printf(out, "%.*s[%.*s[\"%.*s\"] = %.*s] = \"%.*s\"; ", SLICE_FMT(name),
                   SLICE_FMT(name), SLICE_FMT(m->name), (int)v.len, v.ptr, SLICE_FMT(m->name));
    buf_release(&v);
}

void ts_enum(struct parser *p, size_t from) {
    struct buf out;
    struct member previous = {0};
    size_t n_edits = p->ts->edits.len;
    buf_init(&out, BUF_NO_CAP);
    syntax_next(p);
    struct slice name = p->s.token.text;
    syntax_as_binding_name(p);
    syntax_expect_name(p);
    buf_printf(&out, "var %.*s = ((%.*s) => { ", SLICE_FMT(name), SLICE_FMT(name));
    syntax_expect(p, "{");
    while (!syntax_at(p, "}") && !syntax_at_end(p)) {
        struct member m = read_name(p);
        struct slice value = {0};
        bool is_text = false;
        if (syntax_at(p, "=")) {
            syntax_next(p);
            size_t start = p->s.token.at;
            is_text = p->s.token.kind == TOKEN_STRING || syntax_at(p, "`");
            syntax_assignment(p);
            value = slice_from(p->s.source + start, p->s.prev_end - start);
        }
        put_member(&out, name, &m, value, is_text, &previous);
        previous = m;
        if (!syntax_at(p, ","))
            break;
        syntax_next(p);
    }
    p->s.ends_statement = true;
    syntax_expect(p, "}");
    size_t to = p->s.prev_end;
    buf_printf(&out, "return %.*s; })(%.*s || {});", SLICE_FMT(name), SLICE_FMT(name));
    for (size_t i = from; i < to; i++) {
        if (p->s.source[i] == '\n')
            buf_append_char(&out, '\n');
    }
    ts_erase_statement(p, from, from, n_edits); /* forgets edits inside the initialisers */
    p->ts->edits.len--;
    ts_replace(p, from, to, buf_detach(&out, NULL));
}
