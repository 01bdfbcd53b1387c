#include "js/syntax_scan.h"

#include <ctype.h>
#include <stdio.h>

#include "base/check.h"

void scanner_init(struct scanner *s, struct slice source) {
    *s = (struct scanner){.source = source.ptr, .len = source.len};
}

void scanner_error(struct scanner *s, size_t at, const char *words) {
    if (s->n_errors++ == 0) {
        s->first.at = at;
        snprintf(s->first.words, sizeof s->first.words, "%s", words);
    }
}

static int peek_char(const struct scanner *s, size_t ahead) {
    return s->at + ahead < s->len ? (unsigned char)s->source[s->at + ahead] : -1;
}

static bool is_name_start(int c) {
    return isalpha(c) || c == '$' || c == '_' || c == '\\' || c >= 0x80;
}

static bool is_name_part(int c) {
    return is_name_start(c) || isdigit(c);
}

/* Skips blanks and line breaks; stops before a line break that may end a statement. */
static void skip_blank(struct scanner *s) {
    for (;;) {
        int c = peek_char(s, 0);
        if ((c == '\n' || c == '\r') && s->ends_statement)
            return;
        if (c == ' ' || (c >= '\t' && c <= '\r'))
            s->at++;
        else if (c == 0xc2 && peek_char(s, 1) == 0xa0)
            s->at += 2;
        else if (c == 0xef && peek_char(s, 1) == 0xbb && peek_char(s, 2) == 0xbf)
            s->at += 3;
        else
            return;
    }
}

/* Behind the opening quote. False when the line or the source ends first. */
static bool scan_string(struct scanner *s, int quote) {
    bool in_class = false;
    for (;;) {
        int c = peek_char(s, 0);
        if (c < 0 || c == '\n' || c == '\r') {
            if (c >= 0)
                s->at++;
            return false;
        }
        s->at++;
        if (c == '\\') {
            int next = peek_char(s, 0);
            if (quote == '/' && (next < 0 || next == '\n' || next == '\r')) {
                s->at += next >= 0;
                return false;
            }
            if (next == '\r' && peek_char(s, 1) == '\n')
                s->at++;
            if (next >= 0)
                s->at++;
        } else if (quote == '/' && c == '[') {
            in_class = true;
        } else if (quote == '/' && c == ']') {
            in_class = false;
        } else if (c == quote && !in_class) {
            return true;
        }
    }
}

static bool scan_number(struct scanner *s) {
    int c = peek_char(s, 0), base = tolower(peek_char(s, 1));
    if (c == '0' && (base == 'x' || base == 'o' || base == 'b')) {
        s->at += 2;
        while (isxdigit(peek_char(s, 0)) || peek_char(s, 0) == '_')
            s->at++;
    } else {
        while (isdigit(peek_char(s, 0)) || peek_char(s, 0) == '_')
            s->at++;
        if (peek_char(s, 0) == '.')
            do
                s->at++;
            while (isdigit(peek_char(s, 0)) || peek_char(s, 0) == '_');
        if (tolower(peek_char(s, 0)) == 'e') {
            s->at++;
            if (peek_char(s, 0) == '+' || peek_char(s, 0) == '-')
                s->at++;
            while (isdigit(peek_char(s, 0)))
                s->at++;
        }
    }
    if (peek_char(s, 0) == 'n')
        s->at++;
    return !is_name_start(peek_char(s, 0)) && !isdigit(peek_char(s, 0));
}

static bool in_list(struct slice word, const char *list) {
    const char *p = list;
    while (*p) {
        size_t len = strcspn(p, " ");
        if (len == word.len && memcmp(p, word.ptr, len) == 0)
            return true;
        p += len + (p[len] == ' ');
    }
    return false;
}

static void scan_name(struct scanner *s, size_t start) {
    static const char words[] =
        "if in do var for new try this else case void with while break catch throw return typeof "
        "delete switch default finally function continue debugger instanceof const class import "
        "extends export super";
    static const char ends[] = "this break throw return continue debugger yield";
    while (is_name_part(peek_char(s, 0)))
        s->at++;
    struct slice text = slice_from(s->source + start, s->at - start);
    s->token.text = text;
    s->token.kind = TOKEN_NAME;
    if (slice_eq(text, SLICE("enum"))) {
        s->token.kind = TOKEN_RESERVED;
        return;
    }
    if (in_list(text, "true false null"))
        s->token.kind = TOKEN_LITERAL;
    else if (in_list(text, words))
        s->token.kind = TOKEN_WORD;
    else if (in_list(text, "let static async await yield"))
        s->token.kind = TOKEN_LOOSE;
    if (s->token.kind <= TOKEN_NAME || in_list(text, ends))
        s->ends_statement = true;
    if (slice_eq(text, SLICE("async"))) {
        /* Before a line break it is a name like any other. */
        size_t at = s->at;
        while (at < s->len && (s->source[at] == ' ' || s->source[at] == '\t'))
            at++;
        if (at < s->len && (s->source[at] == '\n' || s->source[at] == '\r')) {
            s->ends_statement = true;
            s->token.kind = TOKEN_NAME;
        }
    }
}

/* True when the comment has a line break. */
static bool skip_block_comment(struct scanner *s) {
    const char *close =
        s->len - s->at > 2 ? memmem(s->source + s->at + 2, s->len - s->at - 2, "*/", 2) : NULL;
    size_t end = close ? (size_t)(close - s->source) + 2 : s->len;
    bool has_break = memchr(s->source + s->at, '\n', end - s->at) != NULL;
    s->at = end;
    if (!close)
        scanner_error(s, s->len, "Unexpected end of input");
    return has_break;
}

static const char *const operators[] = {
    ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "?\?=", "=>",
    "==",   "!=",  "<=",  ">=",  "&&",  "||",  "??",  "?.",  "++",  "--",  "+=",   "-=",
    "*=",   "/=",  "%=",  "&=",  "|=",  "^=",  "<<",  ">>",  "**",  "{",   "}",    "(",
    ")",    "[",   "]",   ";",   ",",   "<",   ">",   "+",   "-",   "*",   "/",    "%",
    "&",    "|",   "^",   "!",   "~",   "?",   ":",   "=",   ".",   "`",   NULL};

static void scan_operator(struct scanner *s) {
    for (const char *const *op = operators; *op; op++) {
        size_t len = strlen(*op);
        if (s->len - s->at < len || memcmp(s->source + s->at, *op, len) != 0)
            continue;
        if (strcmp(*op, "?.") == 0 && isdigit(peek_char(s, 2)))
            continue;
        s->token.kind =
            strcmp(*op, "=>") == 0 && s->implicit_end ? TOKEN_ILLEGAL : TOKEN_PUNCTUATION;
        s->token.text = slice_from(s->source + s->at, len);
        s->at += len;
        s->ends_statement = in_list(s->token.text, ") ] } ++ -- / /=");
        return;
    }
    size_t at = s->at++;
    while (peek_char(s, 0) >= 0x80 && peek_char(s, 0) < 0xc0)
        s->at++;
    scanner_error(s, at, "Unexpected token ILLEGAL");
    s->token.kind = TOKEN_ILLEGAL;
    s->ends_statement = false;
}

void scanner_next(struct scanner *s) {
    s->prev_end = s->at;
    s->implicit_end = false;
    for (;;) {
        skip_blank(s);
        int c = peek_char(s, 0), next = peek_char(s, 1);
        size_t start = s->token.at = s->at;
        s->token.text = slice_from(s->source + start, 0);
        if (c < 0) {
            s->implicit_end |= s->ends_statement;
            s->ends_statement = false;
            s->token.kind = TOKEN_EOF;
            return;
        }
        if (c == '\n' || c == '\r') {
            s->at++;
            s->ends_statement = false;
            s->implicit_end = true;
        } else if ((c == '/' && next == '/') || (c == '#' && next == '!' && start == 0)) {
            while (peek_char(s, 0) >= 0 && peek_char(s, 0) != '\n')
                s->at++;
        } else if (c == '/' && next == '*') {
            if (skip_block_comment(s)) {
                s->ends_statement = false;
                s->implicit_end = true;
            }
        } else if (is_name_start(c)) {
            scan_name(s, start);
            return;
        } else if (c == '#' && is_name_start(next)) {
            s->at++;
            scan_name(s, s->at);
            s->token.kind = TOKEN_PRIVATE;
            s->ends_statement = true;
            return;
        } else if (isdigit(c) || (c == '.' && isdigit(next))) {
            s->token.kind = scan_number(s) ? TOKEN_NUMBER : TOKEN_ILLEGAL;
            s->token.text = slice_from(s->source + start, s->at - start);
            s->ends_statement = true;
            return;
        } else if (c == '"' || c == '\'') {
            s->at++;
            s->token.kind = scan_string(s, c) ? TOKEN_STRING : TOKEN_ILLEGAL;
            s->token.text = slice_from(s->source + start, s->at - start);
            s->ends_statement = true;
            return;
        } else {
            scan_operator(s);
            return;
        }
    }
}

struct token scanner_peek(struct scanner *s) {
    struct scanner saved = *s;
    scanner_next(s);
    struct token t = s->token;
    /* An error of the token ahead is counted when it is read, and now: k6's parser sees it twice,
     * too. */
    saved.first = s->first;
    saved.n_errors = s->n_errors;
    *s = saved;
    return t;
}

void scanner_regexp(struct scanner *s) {
    size_t start = s->token.at;
    s->at = start + 1;
    if (!scan_string(s, '/'))
        scanner_error(s, start, "Invalid regular expression: missing /");
    int c = peek_char(s, 0);
    bool has_flags = is_name_part(c);
    scanner_next(s);
    if (has_flags && s->token.kind >= TOKEN_NAME)
        scanner_next(s);
}

bool scanner_template(struct scanner *s) {
    for (;;) {
        int c = peek_char(s, 0);
        if (c < 0) {
            scanner_error(s, s->len, "Unexpected end of input");
            return true;
        }
        s->at++;
        if (c == '\\' && peek_char(s, 0) >= 0) {
            s->at++;
        } else if (c == '`' || (c == '$' && peek_char(s, 0) == '{')) {
            if (c == '$')
                s->at++;
            s->ends_statement = true;
            return c == '`';
        }
    }
}
