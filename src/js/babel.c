#include "js/babel.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/vec.h"
#include "js/syntax_scan.h"

bool babel_refuses(struct slice source, size_t *out_at) {
    struct scanner s;
    VEC(char) brackets = {0};
    bool found = false;
    struct token before = {.kind = TOKEN_EOF};
    scanner_init(&s, source);
    for (scanner_next(&s); s.token.kind != TOKEN_EOF && !found; scanner_next(&s)) {
        struct token t = s.token;
        char open = t.kind == TOKEN_PUNCTUATION ? t.text.ptr[0] : '\0';
        if (open == '/' && before.kind == TOKEN_PUNCTUATION && !token_is(&before, ")") &&
            !token_is(&before, "]") && !token_is(&before, "}")) {
            scanner_regexp(&s);
            t = s.token;
            open = t.kind == TOKEN_PUNCTUATION ? t.text.ptr[0] : '\0';
        }
        if (t.kind == TOKEN_EOF)
            break;
        if (open == '{' || open == '(' || open == '[') {
            vec_push(&brackets, open);
        } else if (open == '}' || open == ')' || open == ']') {
            if (brackets.len > 0 && brackets.ptr[--brackets.len] == '`' && !scanner_template(&s))
                vec_push(&brackets, '`');
        } else if (open == '`') {
            if (!scanner_template(&s))
                vec_push(&brackets, '`');
        } else if (token_is(&t, "?.") || token_is(&t, "?\?")) {
            found = true;
        } else if (token_is(&t, "...")) {
            found = brackets.len > 0 && brackets.ptr[brackets.len - 1] == '{';
        }
        *out_at = t.at;
        before = t;
    }
    vec_release(&brackets);
    return found;
}

/* The line with the error, two before it and three after it. */
static void put_frame(struct buf *out, struct slice source, size_t line, size_t column) {
    size_t n = 1;
    while (source.ptr) {
        struct slice text = slice_cut(&source, '\n');
        if (n + 2 >= line && n <= line + 3) {
            buf_printf(out, "%s %zu | %.*s\n", n == line ? ">" : " ", n, SLICE_FMT(text));
            if (n == line)
                buf_printf(out, "    | %*s^\n", (int)column, "");
        }
        n++;
    }
}

char *babel_error(const struct script_file *file, size_t at) {
    size_t line = 1, start = 0;
    struct buf out;
    for (size_t i = 0; i < at && i < file->len; i++) {
        if (file->ptr[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    buf_init(&out, BUF_NO_CAP);
    buf_printf(&out, "SyntaxError: %s: Unexpected token (%zu:%zu)\n", file->url, line, at - start);
    put_frame(&out, slice_from(file->ptr, file->len), line, at - start);
    return buf_detach(&out, NULL);
}
