/* TypeScript to JavaScript without looking at types: the recogniser of syntax_words reads the
 * source, and what only TypeScript has is replaced by blanks, so that lines and columns stay. What
 * has to become code (enum, parameter properties) is written on the line where it stood. In
 * TypeScript imports that nothing but types uses go, as k6's bundler does it. */
#pragma once

#include "base/vec.h"
#include "js/syntax_grammar.h"

enum ts_dialect { TS_TYPESCRIPT, TS_JAVASCRIPT };

/* JavaScript of a source, heap string with its length; NULL with *out_words, a heap string in the
 * bundler's form ("Line 2:18 Unexpected \";\""). JavaScript keeps its imports, used or not, and
 * loses only their attributes. */
char *ts_strip(struct slice source, enum ts_dialect dialect, const char *stack_limit,
               size_t *out_len, char **out_words);

/* ---- for the recogniser and the ts_*.c files ---- */

struct ts_edit {
    size_t from, to;
    char *text; /* NULL: blanks; heap */
};

struct ts_import {
    struct slice local;
    size_t from, to;  /* of the specifier, with the comma behind it */
    size_t statement; /* which import statement */
};

/* A name in an export list: it goes when it is that of a type and of nothing else. */
struct ts_export {
    struct slice name;
    size_t from, to; /* with the comma behind it */
};

struct ts {
    VEC(struct ts_export) exports;
    VEC(struct slice) types, values; /* names that the top level declares */
    VEC(struct ts_edit) edits;
    VEC(struct slice) uses; /* names that expressions use */
    VEC(struct ts_import) imports;
    VEC(struct ts_edit) statements; /* import statements that go when all their names are unused */
    size_t statement_start;         /* of the running statement */
    size_t member_start, member_edits;
    bool member_goes; /* abstract, declare, or a signature without body */
    bool in_constructor;
    VEC(struct slice) properties; /* parameter properties of the constructor being read */
    size_t body_start, super_end;
};

struct ts_mark {
    struct scanner s;
    size_t n_edits, n_uses;
};

struct ts_mark ts_mark(struct parser *p);
void ts_restore(struct parser *p, const struct ts_mark *mark);
void ts_erase(struct parser *p, size_t from, size_t to);
/* Erases whole statements or members: a semicolon takes their place, and edits inside are
 * forgotten. */
void ts_erase_statement(struct parser *p, size_t from, size_t to, size_t n_edits);
void ts_replace(struct parser *p, size_t from, size_t to, char *text);
void ts_note_use(struct parser *p, struct slice name);
/* A name that the top level declares; elsewhere nothing. */
void ts_note_value(struct parser *p, struct slice name);
void ts_note_type(struct parser *p, struct slice name);

/* types (ts_types.c): these read without erasing */
void ts_type(struct parser *p);
void ts_skip_brackets(struct parser *p);
void ts_type_arguments(struct parser *p);
void ts_close_angle(struct parser *p);

/* erasing (ts_types.c) */
void ts_annotation(struct parser *p);               /* ": T" when it is there */
void ts_type_parameters(struct parser *p);          /* "<T extends U>" when it is there */
bool ts_cast(struct parser *p);                     /* "as T", "satisfies T" */
void ts_assertion(struct parser *p);                /* "<T>" before an expression */
bool ts_postfix(struct parser *p, bool allow_call); /* "!" and type arguments of calls */
void ts_new_arguments(struct parser *p);            /* type arguments behind new X */
bool ts_is_arrow(struct parser *p);                 /* at parameters of an arrow function */
/* The same of an arrow function, where no line break may come before "(" and "=>". */
void ts_arrow_type_parameters(struct parser *p);
void ts_arrow_annotation(struct parser *p);
void ts_after_target(struct parser *p); /* "!", "?" and annotation behind a variable or parameter */

/* declarations (ts_declarations.c) */
bool ts_before_parameter(
    struct parser *p); /* modifiers; true when a `this` parameter was read away */
bool ts_signature_end(struct parser *p,
                      bool may_lack_body); /* return type; true when there is no body */
void ts_enter_body(struct parser *p);
void ts_after_super(struct parser *p);
bool ts_before_member(struct parser *p); /* true when the member was read away */
void ts_member_modifiers(struct parser *p);
void ts_after_key(struct parser *p, struct slice key);
void ts_field_annotation(struct parser *p, struct slice key);
void ts_after_method(struct parser *p);
void ts_end_member(struct parser *p);
void ts_heritage(struct parser *p);
bool ts_statement(struct parser *p); /* true when the statement was TypeScript's own */
void ts_import(struct parser *p);
bool ts_export(struct parser *p);
bool ts_default_export(struct parser *p);
bool ts_is_anonymous(struct parser *p);
void ts_enum(
    struct parser *p,
    size_t from); /* ts_enum.c; at the word enum; from: with `const` or `export` before it */
