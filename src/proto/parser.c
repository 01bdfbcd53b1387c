#include "proto/parser_internal.h"

/* ---------------------------------------------------------------- services */

static int read_rpc_type(struct parser *p, struct slice *out, bool *out_stream,
                         struct proto_pos *out_pos) {
    TRY(parser_expect_char(p, '(', "'('"));
    *out_pos = parser_pos(p);
    struct parser before = *p;
    TRY(parser_take_word(p, "stream", out_stream));
    if (*out_stream && (parser_is_char(p, ')') || parser_is_char(p, '.'))) {
        /* `stream` may be the type, and `stream .a.B` a stream of .a.B */
        bool is_type = parser_is_char(p, ')') || before.token.text.ptr + 6 == p->token.text.ptr;
        if (is_type) {
            *p = before;
            *out_stream = false;
        }
    }
    if (*out_stream)
        *out_pos = parser_pos(p);
    TRY(parser_dotted(p, true, out));
    return parser_expect_char(p, ')', "')'");
}

static int read_rpc_options(struct parser *p) {
    while (!parser_is_char(p, '}')) {
        bool is_taken;
        TRY(parser_take_char(p, ';', &is_taken));
        if (is_taken)
            continue;
        if (!parser_is_word(p, "option"))
            return parser_unexpected(p, "\"option\", ';' or '}'");
        TRY(parser_advance(p));
        TRY(parser_option(p, &(struct option_target){0}));
    }
    return parser_advance(p);
}

/* Behind `rpc`. */
static int read_rpc(struct parser *p, struct proto_service *service) {
    struct proto_rpc rpc = {.name_pos = parser_pos(p)};
    TRY(parser_name(p, &rpc.name));
    TRY(read_rpc_type(p, &rpc.input_name, &rpc.is_client_stream, &rpc.input_pos));
    if (!parser_is_word(p, "returns"))
        return parser_unexpected(p, "\"returns\"");
    TRY(parser_advance(p));
    TRY(read_rpc_type(p, &rpc.output_name, &rpc.is_server_stream, &rpc.output_pos));
    list_push(p->arena, &service->rpcs, rpc);
    bool has_body;
    TRY(parser_take_char(p, '{', &has_body));
    return has_body ? read_rpc_options(p) : parser_semicolon(p);
}

/* At `service`. */
static int read_service(struct parser *p) {
    struct proto_service *service = arena_zalloc(p->arena, sizeof *service);
    TRY(parser_advance(p));
    service->name_pos = parser_pos(p);
    TRY(parser_name(p, &service->name));
    service->full_name = full_name_of(p->arena, p->file->package, service->name);
    list_push(p->arena, &p->file->services, service);
    TRY(parser_expect_char(p, '{', "'{'"));
    while (!parser_is_char(p, '}')) {
        bool is_taken;
        TRY(parser_take_char(p, ';', &is_taken));
        if (is_taken)
            continue;
        TRY(parser_take_word(p, "option", &is_taken));
        if (is_taken) {
            TRY(parser_option(p, &(struct option_target){0}));
            continue;
        }
        if (!parser_is_word(p, "rpc"))
            return parser_unexpected(p, NULL);
        TRY(parser_advance(p));
        TRY(read_rpc(p, service));
    }
    return parser_advance(p);
}

/* ---------------------------------------------------------------- files */

static int read_syntax(struct parser *p) {
    struct slice value;
    TRY(parser_advance(p));
    TRY(parser_expect_char(p, '=', "'='"));
    struct proto_pos pos = parser_pos(p);
    TRY(parser_string(p, &value));
    if (slice_eq(value, SLICE("proto3")))
        p->file->syntax = SYNTAX_PROTO3;
    else if (!slice_eq(value, SLICE("proto2")))
        return parser_fail(p, pos, "syntax value must be \"proto2\" or \"proto3\"");
    return parser_semicolon(p);
}

static int read_edition(struct parser *p) {
    struct slice value;
    TRY(parser_advance(p));
    TRY(parser_expect_char(p, '=', "'='"));
    struct proto_pos pos = parser_pos(p);
    TRY(parser_string(p, &value));
    p->file->syntax = SYNTAX_EDITIONS;
    if (slice_eq(value, SLICE("2023")))
        p->file->edition = 1000;
    else if (slice_eq(value, SLICE("2024")))
        p->file->edition = 1001;
    else
        return proto_error_at(p->err, p->file, pos,
                              "edition value \"%.*s\" not recognized; should be one of [\"2023\"]",
                              SLICE_FMT(value));
    return parser_semicolon(p);
}

static int read_import(struct parser *p) {
    struct proto_import import = {0};
    TRY(parser_advance(p));
    TRY(parser_take_word(p, "public", &import.is_public));
    TRY(parser_take_word(p, "weak", &import.is_weak));
    import.pos = parser_pos(p);
    if (p->token.kind != TOKEN_STRING)
        return parser_unexpected(p, import.is_public || import.is_weak
                                        ? "string literal"
                                        : "string literal, \"weak\", or \"public\"");
    TRY(parser_string(p, &import.name));
    for (uint32_t i = 0; i < p->file->imports.len; i++)
        if (slice_eq(p->file->imports.ptr[i].name, import.name))
            return proto_error_at(p->err, p->file, import.pos,
                                  "\"%.*s\" was already imported (first seen at %.*s:%u:%u)",
                                  SLICE_FMT(import.name), SLICE_FMT(p->file->name),
                                  p->file->imports.ptr[i].pos.line,
                                  p->file->imports.ptr[i].pos.column);
    list_push(p->arena, &p->file->imports, import);
    return parser_semicolon(p);
}

static int read_package(struct parser *p) {
    struct proto_pos pos = parser_pos(p);
    TRY(parser_advance(p));
    if (p->file->package.len > 0)
        return parser_fail(p, pos, "files should have only one package declaration");
    p->file->package_pos = parser_pos(p);
    TRY(parser_dotted(p, false, &p->file->package));
    return parser_semicolon(p);
}

static int read_file_element(struct parser *p) {
    struct proto_pos pos = parser_pos(p);
    if (parser_is_char(p, ';'))
        return parser_advance(p);
    if (parser_is_word(p, "import"))
        return read_import(p);
    if (parser_is_word(p, "package"))
        return read_package(p);
    if (parser_is_word(p, "message"))
        return parser_message(p, NULL);
    if (parser_is_word(p, "service"))
        return read_service(p);
    if (parser_is_word(p, "enum")) {
        struct proto_enum *e;
        TRY(parser_enum(p, p->file->package, &e));
        list_push(p->arena, &p->file->enums, e);
        return 0;
    }
    bool is_taken;
    TRY(parser_take_word(p, "option", &is_taken));
    if (is_taken)
        return parser_option(p, &(struct option_target){.features = &p->file->features});
    TRY(parser_take_word(p, "extend", &is_taken));
    if (is_taken)
        return parser_extend(p, NULL, pos);
    return parser_unexpected(p, NULL);
}

int proto_parse_text(struct proto_pool *pool, struct slice name, struct slice text,
                     struct proto_file **out_file, struct error *err) {
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_from(text.ptr + 3, text.len - 3);
    struct proto_file *file = *out_file = pool_new_file(pool, name);
    file->is_parsed = true;
    struct parser p = {.pool = pool, .file = file, .arena = &pool->arena, .err = err};
    p.lexer = (struct lexer){.text = text, .file = file, .arena = &pool->arena};
    TRY(parser_advance(&p));
    if (parser_is_word(&p, "syntax"))
        TRY(read_syntax(&p));
    else if (parser_is_word(&p, "edition"))
        TRY(read_edition(&p));
    while (p.token.kind != TOKEN_END)
        TRY(read_file_element(&p));
    return proto_validate(pool, file, err);
}
