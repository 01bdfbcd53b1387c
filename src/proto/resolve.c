#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "proto/link.h"

struct resolver {
    struct proto_pool *pool;
    struct proto_file *file;
    struct error *err;
    struct arena scratch;                    /* names that are tried */
    LIST(const struct proto_file *) visible; /* from file: itself, imports, their public imports */
};

static const char *const kind_words[] = {
    [SYMBOL_PACKAGE] = "a package", [SYMBOL_MESSAGE] = "a message",
    [SYMBOL_ENUM] = "an enum",      [SYMBOL_ENUM_VALUE] = "an enum value",
    [SYMBOL_FIELD] = "a field",     [SYMBOL_EXTENSION] = "an extension",
    [SYMBOL_ONEOF] = "a oneof",     [SYMBOL_SERVICE] = "a service",
    [SYMBOL_METHOD] = "a method"};

/* ---------------------------------------------------------------- imports */

static int resolve_imports(struct resolver *r) {
    for (uint32_t i = 0; i < r->file->imports.len; i++) {
        struct proto_import *import = &r->file->imports.ptr[i];
        import->file = pool_file(r->pool, import->name);
        if (import->file == NULL && builtin_has(import->name)) {
            int rc = proto_parse_text(r->pool, import->name, builtin_text(import->name),
                                      &import->file, r->err);
            if (rc != 0)
                return rc;
        }
        if (import->file == NULL && !import->is_weak)
            return r->file->is_parsed
                       ? proto_error_at(r->err, r->file, import->pos, "file not found: %.*s",
                                        SLICE_FMT(import->name))
                       : error_set(r->err, KE_INVALID,
                                   "proto: could not resolve import \"%.*s\": not found",
                                   SLICE_FMT(import->name));
    }
    return 0;
}

/* ---------------------------------------------------------------- the table of symbols */

static int declare(struct resolver *r, struct slice full_name, enum symbol_kind kind,
                   struct proto_pos pos, void *item) {
    struct symbol *old = map_get(&r->pool->symbols, full_name);
    if (old != NULL && old->kind == SYMBOL_PACKAGE && kind == SYMBOL_PACKAGE)
        return 0;
    if (old == NULL) {
        struct symbol *symbol = xmalloc(sizeof *symbol);
        *symbol = (struct symbol){.kind = kind,
                                  .file = kind == SYMBOL_PACKAGE ? NULL : r->file,
                                  .pos = pos,
                                  .item = item};
        map_set(&r->pool->symbols, full_name, symbol);
        return 0;
    }
    if (!r->file->is_parsed)
        return error_set(r->err, KE_INVALID, "proto: descriptor \"%.*s\" already declared",
                         SLICE_FMT(full_name));
    if (old->file == NULL)
        return proto_error_at(r->err, r->file, pos, "symbol \"%.*s\" already defined as a package",
                              SLICE_FMT(full_name));
    return proto_error_at(r->err, r->file, pos, "symbol \"%.*s\" already defined at %.*s:%u:%u%s",
                          SLICE_FMT(full_name), SLICE_FMT(old->file->name), old->pos.line,
                          old->pos.column,
                          kind == SYMBOL_ENUM_VALUE || old->kind == SYMBOL_ENUM_VALUE
                              ? "; protobuf uses C++ scoping rules for enum values, so they exist "
                                "in the scope enclosing the enum"
                              : "");
}

static int declare_package(struct resolver *r) {
    struct slice package = r->file->package;
    for (size_t i = 1; i <= package.len; i++) {
        if (i < package.len && package.ptr[i] != '.')
            continue;
        int rc = declare(r, slice_from(package.ptr, i), SYMBOL_PACKAGE, r->file->package_pos, NULL);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int declare_enum(struct resolver *r, struct proto_enum *e) {
    int rc = declare(r, e->full_name, SYMBOL_ENUM, e->name_pos, e);
    struct slice scope = parent_name(e->full_name);
    for (uint32_t i = 0; rc == 0 && i < e->values.len; i++) {
        struct proto_enum_value *v = &e->values.ptr[i];
        rc =
            declare(r, full_name_of(&r->pool->arena, scope, v->name), SYMBOL_ENUM_VALUE, v->pos, v);
    }
    return rc;
}

static int declare_type(struct resolver *r, struct proto_type *type) {
    int rc = declare(r, type->full_name, SYMBOL_MESSAGE, type->name_pos, type);
    for (uint32_t i = 0; rc == 0 && i < type->fields.len; i++) {
        struct proto_field *f = type->fields.ptr[i];
        rc = declare(r, f->full_name, SYMBOL_FIELD, f->name_pos, f);
    }
    for (uint32_t i = 0; rc == 0 && i < type->oneofs.len; i++) {
        struct proto_oneof *o = type->oneofs.ptr[i];
        rc = declare(r, o->full_name, SYMBOL_ONEOF, o->name_pos, o);
    }
    for (uint32_t i = 0; rc == 0 && i < type->declared_extensions.len; i++) {
        struct proto_field *f = type->declared_extensions.ptr[i];
        rc = declare(r, f->full_name, SYMBOL_EXTENSION, f->name_pos, f);
    }
    for (uint32_t i = 0; rc == 0 && i < type->enums.len; i++)
        rc = declare_enum(r, type->enums.ptr[i]);
    for (uint32_t i = 0; rc == 0 && i < type->messages.len; i++)
        rc = declare_type(r, type->messages.ptr[i]);
    return rc;
}

static int declare_service(struct resolver *r, struct proto_service *service) {
    int rc = declare(r, service->full_name, SYMBOL_SERVICE, service->name_pos, service);
    for (uint32_t i = 0; rc == 0 && i < service->rpcs.len; i++) {
        struct proto_rpc *rpc = &service->rpcs.ptr[i];
        rc = declare(r, full_name_of(&r->pool->arena, service->full_name, rpc->name), SYMBOL_METHOD,
                     rpc->name_pos, rpc);
    }
    return rc;
}

static int declare_file(struct resolver *r) {
    struct proto_file *file = r->file;
    int rc = declare_package(r);
    for (uint32_t i = 0; rc == 0 && i < file->messages.len; i++)
        rc = declare_type(r, file->messages.ptr[i]);
    for (uint32_t i = 0; rc == 0 && i < file->enums.len; i++)
        rc = declare_enum(r, file->enums.ptr[i]);
    for (uint32_t i = 0; rc == 0 && i < file->extensions.len; i++) {
        struct proto_field *f = file->extensions.ptr[i];
        rc = declare(r, f->full_name, SYMBOL_EXTENSION, f->name_pos, f);
    }
    for (uint32_t i = 0; rc == 0 && i < file->services.len; i++)
        rc = declare_service(r, file->services.ptr[i]);
    return rc;
}

/* ---------------------------------------------------------------- looking a name up */

static void see(struct resolver *r, struct proto_file *file, bool is_direct, unsigned depth) {
    if (file == NULL || file->seen == r->pool->stamp || depth > PROTO_DEPTH_MAX)
        return;
    file->seen = r->pool->stamp;
    list_push(&r->pool->arena, &r->visible, file);
    for (uint32_t i = 0; i < file->imports.len; i++)
        if (is_direct || file->imports.ptr[i].is_public)
            see(r, file->imports.ptr[i].file, false, depth + 1);
}

static bool is_package_visible(const struct resolver *r, struct slice name) {
    for (uint32_t i = 0; i < r->visible.len; i++) {
        struct slice package = r->visible.ptr[i]->package;
        if (slice_starts(package, name) &&
            (package.len == name.len || package.ptr[name.len] == '.'))
            return true;
    }
    return false;
}

static const struct symbol *visible_symbol(const struct resolver *r, struct slice full_name) {
    const struct symbol *symbol = map_get(&r->pool->symbols, full_name);
    if (symbol == NULL)
        return NULL;
    bool is_visible = symbol->file != NULL ? symbol->file->seen == r->pool->stamp
                                           : is_package_visible(r, full_name);
    return is_visible ? symbol : NULL;
}

static bool is_type(const struct symbol *symbol) {
    return symbol->kind == SYMBOL_MESSAGE || symbol->kind == SYMBOL_ENUM;
}

/* May something be declared inside it? */
static bool is_scope(const struct symbol *symbol) {
    return is_type(symbol) || symbol->kind == SYMBOL_PACKAGE || symbol->kind == SYMBOL_SERVICE;
}

struct found {
    const struct symbol *symbol;
    struct slice full_name; /* of the symbol, or what a name with dots came to and is not defined */
};

/* From the innermost scope outwards; the first part of a name with dots decides the scope. */
static struct found look_up(struct resolver *r, struct slice scope, struct slice name,
                            bool only_types) {
    struct found best = {0};
    arena_reset(&r->scratch);
    if (name.len > 0 && name.ptr[0] == '.') {
        best.full_name = slice_from(name.ptr + 1, name.len - 1);
        best.symbol = visible_symbol(r, best.full_name);
        if (best.symbol == NULL)
            best.full_name = SLICE("");
        return best;
    }
    struct slice rest = name, first = slice_cut(&rest, '.');
    for (;; scope = parent_name(scope)) {
        const struct symbol *symbol = visible_symbol(r, full_name_of(&r->scratch, scope, first));
        if (symbol != NULL && first.len < name.len && is_scope(symbol)) {
            struct slice full_name = full_name_of(&r->scratch, scope, name);
            return (struct found){visible_symbol(r, full_name), full_name};
        }
        if (symbol != NULL && first.len == name.len) {
            struct found found = {symbol, full_name_of(&r->scratch, scope, name)};
            if (symbol->kind == SYMBOL_PACKAGE)
                found.symbol = NULL;
            else if (is_type(symbol) || !only_types)
                return found;
            if (best.symbol == NULL)
                best = found;
        }
        if (scope.len == 0)
            return best;
    }
}

static int not_found(struct resolver *r, struct proto_pos pos, struct slice name,
                     struct found found, const char *what, const char *descriptor_what,
                     struct slice owner) {
    struct slice bare =
        name.len > 0 && name.ptr[0] == '.' ? slice_from(name.ptr + 1, name.len - 1) : name;
    if (!r->file->is_parsed)
        return error_set(r->err, KE_INVALID,
                         "proto: %s \"%.*s\" cannot resolve %s: \"%.*s\" not found",
                         descriptor_what, SLICE_FMT(owner), what, SLICE_FMT(bare));
    char guess[160] = "";
    if (found.full_name.len > 0)
        snprintf(guess, sizeof guess,
                 "; resolved to %.*s which is not defined; consider using a leading dot",
                 found.full_name.len > 80 ? 80 : (int)found.full_name.len, found.full_name.ptr);
    return proto_error_at(r->err, r->file, pos, "%sunknown %s %.*s%s",
                          owner.len ? arena_printf(&r->pool->arena, "%.*s: ", SLICE_FMT(owner))
                                    : "",
                          what, SLICE_FMT(name), guess);
}

static int resolve_field_type(struct resolver *r, struct proto_field *f) {
    if (f->kind != KIND_UNKNOWN && f->kind != KIND_MESSAGE && f->kind != KIND_GROUP &&
        f->kind != KIND_ENUM)
        return 0;
    const char *what = f->is_extension ? "extension" : "field";
    struct found found = look_up(r, f->scope, f->type_name, true);
    if (found.symbol == NULL) {
        if (!r->file->is_parsed)
            return not_found(r, f->type_pos, f->type_name, found, "type",
                             f->is_extension ? "extension field" : "message field", f->full_name);
        char *owner = arena_printf(&r->pool->arena, "%s %.*s", what, SLICE_FMT(f->full_name));
        return not_found(r, f->type_pos, f->type_name, found, "type", NULL, slice_cstr(owner));
    }
    if (!is_type(found.symbol) ||
        (f->kind == KIND_ENUM) != (f->kind != KIND_UNKNOWN && found.symbol->kind == SYMBOL_ENUM)) {
        if (!r->file->is_parsed)
            return error_set(r->err, KE_INVALID,
                             "proto: message field \"%.*s\" cannot resolve type: \"%.*s\" is %s",
                             SLICE_FMT(f->full_name), SLICE_FMT(found.full_name),
                             kind_words[found.symbol->kind]);
        return proto_error_at(r->err, r->file, f->type_pos,
                              "%s %.*s: invalid type: %.*s is %s, not a message or enum", what,
                              SLICE_FMT(f->full_name), SLICE_FMT(found.full_name),
                              kind_words[found.symbol->kind]);
    }
    if (found.symbol->kind == SYMBOL_ENUM) {
        f->enumeration = found.symbol->item;
        f->kind = KIND_ENUM;
        return 0;
    }
    f->message = found.symbol->item;
    if (f->kind != KIND_GROUP)
        f->kind = KIND_MESSAGE;
    if (f->message->is_map_entry && (f->label != LABEL_REPEATED || f->kind == KIND_GROUP ||
                                     !slice_eq(parent_name(f->message->full_name), f->scope)))
        return error_set(r->err, KE_INVALID, "proto: message field \"%.*s\" is an invalid map",
                         SLICE_FMT(f->full_name));
    return 0;
}

static bool is_in_ranges(const proto_range_list *ranges, uint32_t number) {
    for (uint32_t i = 0; i < ranges->len; i++)
        if (number >= ranges->ptr[i].start && number <= ranges->ptr[i].end)
            return true;
    return false;
}

static int resolve_extension(struct resolver *r, struct proto_field *f) {
    int rc = resolve_field_type(r, f);
    if (rc != 0)
        return rc;
    struct found found = look_up(r, f->scope, f->extendee, false);
    if (found.symbol == NULL)
        return r->file->is_parsed ? not_found(r, f->extendee_pos, f->extendee, found,
                                              "extendee type", NULL, SLICE(""))
                                  : not_found(r, f->extendee_pos, f->extendee, found, "extendee",
                                              "extension field", f->full_name);
    if (found.symbol->kind != SYMBOL_MESSAGE)
        return proto_error_at(r->err, r->file, f->extendee_pos,
                              "extendee is invalid: %.*s is %s, not a message",
                              SLICE_FMT(found.full_name), kind_words[found.symbol->kind]);
    const struct proto_type *extended = found.symbol->item;
    f->extended_name = extended->full_name;
    if (!is_in_ranges(&extended->extension_ranges, f->number))
        return proto_error_at(r->err, r->file, f->number_pos,
                              "extension %.*s: tag %u is not in valid range for extended type %.*s",
                              SLICE_FMT(f->full_name), f->number, SLICE_FMT(extended->full_name));
    char *key = arena_printf(&r->pool->arena, "%.*s/%u", SLICE_FMT(extended->full_name), f->number);
    const struct proto_field *other = map_set(&r->pool->extensions, slice_cstr(key), f);
    if (other != NULL)
        return proto_error_at(
            r->err, r->file, f->number_pos,
            "extension with tag %u for message %.*s already defined at %.*s:%u:%u", f->number,
            SLICE_FMT(extended->full_name), SLICE_FMT(r->file->name), other->number_pos.line,
            other->number_pos.column);
    return 0;
}

static int resolve_type(struct resolver *r, struct proto_type *type) {
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < type->fields.len; i++)
        rc = resolve_field_type(r, type->fields.ptr[i]);
    for (uint32_t i = 0; rc == 0 && i < type->declared_extensions.len; i++)
        rc = resolve_extension(r, type->declared_extensions.ptr[i]);
    for (uint32_t i = 0; rc == 0 && i < type->messages.len; i++)
        rc = resolve_type(r, type->messages.ptr[i]);
    return rc;
}

static int resolve_method_type(struct resolver *r, const struct proto_service *service,
                               const struct proto_rpc *rpc, struct slice name, struct proto_pos pos,
                               bool is_input, const struct proto_type **out) {
    struct slice full = full_name_of(&r->pool->arena, service->full_name, rpc->name);
    const char *what = is_input ? "request" : "response";
    struct found found = look_up(r, full, name, false);
    if (found.symbol == NULL && !r->file->is_parsed)
        return not_found(r, pos, name, found, is_input ? "input" : "output", "service method",
                         full);
    if (found.symbol == NULL)
        return not_found(r, pos, name, found, is_input ? "request type" : "response type", NULL,
                         slice_cstr(arena_printf(&r->pool->arena, "method %.*s", SLICE_FMT(full))));
    if (found.symbol->kind != SYMBOL_MESSAGE)
        return proto_error_at(
            r->err, r->file, pos, "method %.*s: invalid %s type: %.*s is %s, not a message",
            SLICE_FMT(full), what, SLICE_FMT(found.full_name), kind_words[found.symbol->kind]);
    *out = found.symbol->item;
    return 0;
}

static int resolve_service(struct resolver *r, const struct proto_service *service) {
    for (uint32_t i = 0; i < service->rpcs.len; i++) {
        struct proto_rpc *rpc = &service->rpcs.ptr[i];
        int rc = resolve_method_type(r, service, rpc, rpc->input_name, rpc->input_pos, true,
                                     &rpc->input);
        if (rc == 0)
            rc = resolve_method_type(r, service, rpc, rpc->output_name, rpc->output_pos, false,
                                     &rpc->output);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int resolve_file(struct resolver *r) {
    struct proto_file *file = r->file;
    int rc = 0;
    r->visible.len = 0;
    r->pool->stamp++;
    see(r, file, true, 0);
    for (uint32_t i = 0; rc == 0 && i < file->messages.len; i++)
        rc = resolve_type(r, file->messages.ptr[i]);
    for (uint32_t i = 0; rc == 0 && i < file->extensions.len; i++)
        rc = resolve_extension(r, file->extensions.ptr[i]);
    for (uint32_t i = 0; rc == 0 && i < file->services.len; i++)
        rc = resolve_service(r, file->services.ptr[i]);
    return rc;
}

int resolve_names(struct proto_pool *pool, struct error *err) {
    static int (*const steps[])(struct resolver * r) = {resolve_imports, declare_file,
                                                        resolve_file};
    struct resolver r = {.pool = pool, .err = err};
    int rc = 0;
    for (size_t step = 0; rc == 0 && step < countof(steps); step++) {
        for (uint32_t i = 0; rc == 0 && i < pool->files.len; i++) {
            r.file = pool->files.ptr[i];
            rc = steps[step](&r);
        }
    }
    arena_release(&r.scratch);
    return rc;
}
