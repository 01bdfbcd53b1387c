#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "js/go_args.h"
#include "js/js_promise.h"
#include "js/mod.h"
#include "js/mod/csv_internal.h"

/* ---- options ---- */

/* 1 and *out, 0 when there is no such property, -1 with an exception pending. */
static int get_option(JSContext *ctx, JSValueConst o, const char *name, JSValue *out) {
    JSAtom atom = JS_NewAtom(ctx, name);
    int has = JS_HasProperty(ctx, o, atom);
    *out = has > 0 ? JS_GetProperty(ctx, o, atom) : JS_UNDEFINED;
    JS_FreeAtom(ctx, atom);
    return JS_IsException(*out) ? -1 : has;
}

static int bool_option(JSContext *ctx, JSValueConst o, const char *name, bool *out) {
    JSValue v;
    int has = get_option(ctx, o, name, &v);
    if (has > 0)
        *out = JS_ToBool(ctx, v) > 0;
    JS_FreeValue(ctx, v);
    return has < 0 ? KE_JS : 0;
}

static int int_option(JSContext *ctx, JSValueConst o, const char *name, bool *out_has,
                      int64_t *out) {
    JSValue v;
    int has = get_option(ctx, o, name, &v);
    *out_has = has > 0;
    if (has > 0 && JS_ToInt64(ctx, out, v))
        has = -1;
    JS_FreeValue(ctx, v);
    return has < 0 ? KE_JS : 0;
}

static int delimiter_option(JSContext *ctx, JSValueConst o, uint32_t *out, struct error *err) {
    JSValue v;
    struct js_text text;
    int has = get_option(ctx, o, "delimiter", &v), rc = 0;
    if (has > 0 && js_text_get(ctx, v, &text)) {
        if (text.s.len != 1)
            rc = error_set(err, KE_INVALID, "delimiter must be a single character");
        else
            *out = (unsigned char)text.s.ptr[0];
        js_text_release(&text);
    }
    JS_FreeValue(ctx, v);
    return JS_HasException(ctx) ? KE_JS : rc;
}

/* 0; KE_JS with an exception pending; KE_INVALID with k6's words. */
static int read_options(JSContext *ctx, JSValueConst o, struct csv_options *out,
                        struct error *err) {
    if (JS_IsUndefined(o) || JS_IsNull(o)) {
        JS_ThrowTypeError(ctx, "Cannot convert undefined or null to object");
        return KE_JS;
    }
    if (!JS_IsObject(o))
        return 0;
    int rc = delimiter_option(ctx, o, &out->delimiter, err);
    if (rc == 0)
        rc = bool_option(ctx, o, "skipFirstLine", &out->skip_first_line);
    if (rc == 0)
        rc = int_option(ctx, o, "fromLine", &out->has_from, &out->from_line);
    if (rc == 0)
        rc = int_option(ctx, o, "toLine", &out->has_to, &out->to_line);
    if (rc == 0)
        rc = bool_option(ctx, o, "asObjects", &out->as_objects);
    if (rc == 0 && out->has_from && out->has_to && out->from_line >= out->to_line)
        rc = error_set(err, KE_INVALID, "fromLine must be less than or equal to toLine");
    return rc;
}

/* ---- arguments ---- */

/* How k6's JavaScript engine calls the type of a value that is no file. */
static const char *engine_type(JSContext *ctx, JSValueConst v) {
    double d = 0;
    if (JS_IsUndefined(v))
        return "sobek.valueUndefined";
    if (JS_IsNull(v))
        return "sobek.valueNull";
    if (JS_IsBool(v))
        return "sobek.valueBool";
    if (JS_IsNumber(v)) {
        JS_ToFloat64(ctx, &d, v);
        return d == (double)(int64_t)d ? "sobek.valueInt" : "sobek.valueFloat";
    }
    return JS_IsString(v) ? "sobek.asciiString" : "*sobek.Object";
}

/* False with an exception pending. An object that is no file gives NULL. */
static bool file_arg(JSContext *ctx, JSValueConst v, struct fs_file **out) {
    *out = fs_file_of(v);
    if (*out || JS_IsObject(v))
        return true;
    js_throw_go_error(ctx, "first argument expected to be a fs.File instance, got %s instead",
                      engine_type(ctx, v));
    return false;
}

/* ---- parse ---- */

static char *array_name(const struct fs_file *f, const struct csv_options *o) {
    return xasprintf("csv.parse.%u.%d.%d.%d.%lld.%d.%lld.%s", o->delimiter, o->skip_first_line,
                     o->as_objects, o->has_from, (long long)o->from_line, o->has_to,
                     (long long)o->to_line, f->path);
}

static JSValue parse_all(JSContext *ctx, struct csv_records *r, struct fs_file *f) {
    struct script *s = vu_from_ctx(ctx)->script;
    struct error err;
    char *name = array_name(f, &r->options);
    struct shared_array *a = shared_array_find(s, slice_cstr(name)), built = {0};
    JSValue promise;
    if (!a && csv_array_build(r, &built, &err)) {
        promise = js_promise_reject(ctx, js_new_go_error(ctx, err.text, strlen(err.text)));
    } else {
        if (!a) {
            a = xmalloc(sizeof *a);
            *a = built;
            a = shared_array_publish(s, slice_cstr(name), a);
        }
        promise = js_promise_resolve(ctx, shared_array_object(ctx, a));
    }
    free(name);
    return promise;
}

static JSValue js_parse(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct csv_options options = {.delimiter = ','};
    struct csv_records r;
    struct fs_file *f;
    struct error err;
    if (!file_arg(ctx, argc > 0 ? argv[0] : JS_UNDEFINED, &f))
        return JS_EXCEPTION;
    int rc = argc > 1 ? read_options(ctx, argv[1], &options, &err) : 0;
    if (rc == KE_JS)
        return JS_EXCEPTION;
    if (rc)
        return js_throw_go_error(ctx, "failed to interpret the provided Parser options; reason: %s",
                                 err.text);
    JSValue ret =
        csv_records_init(&r, f, &options, &err)
            ? js_throw_go_error(ctx, "failed to create a new parser; reason: %s", err.text)
            : parse_all(ctx, &r, f);
    csv_records_release(&r);
    return ret;
}

/* ---- Parser ---- */

static JSClassID parser_class;

struct parser {
    struct csv_records records;
    JSValue file;
};

static void parser_finalizer(JSRuntime *rt, JSValue v) {
    struct parser *p = JS_GetOpaque(v, parser_class);
    if (!p)
        return;
    csv_records_release(&p->records);
    JS_FreeValueRT(rt, p->file);
    free(p);
}

static void parser_mark(JSRuntime *rt, JSValueConst v, JS_MarkFunc *mark) {
    struct parser *p = JS_GetOpaque(v, parser_class);
    if (p)
        JS_MarkValue(rt, p->file, mark);
}

static const JSClassDef parser_def = {"Parser", .finalizer = parser_finalizer,
                                      .gc_mark = parser_mark};

static JSValue new_record(JSContext *ctx, const struct csv_records *r) {
    struct buf json;
    buf_init(&json, BUF_NO_CAP);
    csv_put_record(&json, &r->csv, r->names.ptr, r->names.len);
    JSValue v = JS_ParseJSON(ctx, buf_cstr(&json), json.len, "csv");
    buf_release(&json);
    return v;
}

static JSValue js_next(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)argc;
    (void)argv;
    struct parser *p = JS_GetOpaque2(ctx, this_val, parser_class);
    struct error err;
    if (!p)
        return JS_EXCEPTION;
    int rc = csv_records_next(&p->records, &err);
    if (rc && rc != KE_EOF)
        return js_promise_reject(ctx, go_error_value(ctx, NULL, err.text));
    JSValue result = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, result, "done", JS_NewBool(ctx, rc == KE_EOF));
    JS_SetPropertyStr(ctx, result, "value",
                      rc == KE_EOF ? JS_NewArray(ctx) : new_record(ctx, &p->records));
    return js_promise_resolve(ctx, result);
}

static JSValue js_parser(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv) {
    (void)new_target;
    struct csv_options options = {.delimiter = ','};
    struct fs_file *f;
    struct error err;
    JSValueConst file = argc > 0 ? argv[0] : JS_UNDEFINED;
    if (!vu_from_ctx(ctx)->is_init)
        return js_throw_go_error(ctx, "csv Parser constructor must be called in the init context");
    if (JS_IsUndefined(file) || JS_IsNull(file))
        return js_throw_go_error(
            ctx, "csv Parser constructor takes at least one non-nil source argument");
    if (!file_arg(ctx, file, &f))
        return JS_EXCEPTION;
    int rc = argc == 2 && !JS_IsUndefined(argv[1]) ? read_options(ctx, argv[1], &options, &err) : 0;
    if (rc == KE_JS)
        return JS_EXCEPTION;
    if (rc)
        return js_throw_go_error(
            ctx, "encountered an error while interpreting Parser options; reason: %s", err.text);
    struct parser *p = xcalloc(1, sizeof *p);
    p->file = JS_DupValue(ctx, file);
    rc = csv_records_init(&p->records, f, &options, &err);
    JSValue o = JS_NewObjectClass(ctx, (int)parser_class);
    JS_SetOpaque(o, p);
    if (rc == 0)
        return o;
    JS_FreeValue(ctx, o);
    return js_throw_go_error(ctx, "failed to create a new parser; reason: %s", err.text);
}

/* ---- the module ---- */

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExport(ctx, m, "parse") | JS_AddModuleExport(ctx, m, "Parser");
}

static int init(JSContext *ctx, JSModuleDef *m) {
    JS_NewClassID(&parser_class);
    JS_NewClass(JS_GetRuntime(ctx), parser_class, &parser_def);
    JSValue proto = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, proto, "next", JS_NewCFunction(ctx, js_next, "next", 0));
    JS_SetClassProto(ctx, parser_class, proto);
    JS_SetModuleExport(
        ctx, m, "Parser",
        JS_NewCFunction2(ctx, js_parser, "Parser", 1, JS_CFUNC_constructor_or_func, 0));
    return JS_SetModuleExport(ctx, m, "parse", JS_NewCFunction(ctx, js_parse, "parse", 2));
}

const struct js_module js_mod_csv = {
    .specifier = "k6/experimental/csv", .declare = declare, .init = init};
