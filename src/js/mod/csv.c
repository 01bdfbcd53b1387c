#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/json_write.h"
#include "js/csv_reader.h"
#include "js/go_args.h"
#include "js/js_promise.h"
#include "js/mod.h"
#include "js/mod/fs_file.h"
#include "js/mod/shared_array.h"

/* Go reads the file by blocks of this size: the file's offset moves by them. */
#define BLOCK_BYTES 4096

struct options {
    uint32_t delimiter;
    bool skip_first_line, as_objects, has_from, has_to;
    int64_t from_line, to_line;
};

/* Records of a file under the options of a script. */
struct records {
    struct csv_reader csv;
    struct options options;
    struct fs_file *file; /* valid during a call only: the script holds it */
    size_t start;         /* file offset at the beginning */
    int64_t line;         /* records read, header and skipped ones included */
    VEC(char *) names;    /* of columns, with asObjects */
};

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
static int read_options(JSContext *ctx, JSValueConst o, struct options *out, struct error *err) {
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

static int check_options(const struct options *o, struct error *err) {
    if (o->as_objects && o->skip_first_line)
        return error_set(err, KE_INVALID,
                         "the 'header' option cannot be enabled when 'skipFirstLine' is true");
    if (o->as_objects && o->has_from && o->from_line > 0)
        return error_set(err, KE_INVALID,
                         "the 'header' option cannot be enabled when 'fromLine' is set to a value "
                         "greater than 0");
    if (o->has_from && o->from_line < 0)
        return error_set(err, KE_INVALID,
                         "the 'fromLine' option must be greater than or equal to 0; got %lld",
                         (long long)o->from_line);
    if (o->has_to && o->to_line < 0)
        return error_set(err, KE_INVALID,
                         "the 'toLine' option must be greater than or equal to 0; got %lld",
                         (long long)o->to_line);
    return 0;
}

/* ---- records ---- */

static int read_record(struct records *r, struct error *err) {
    int rc = csv_read(&r->csv, err);
    size_t used = (r->csv.used / BLOCK_BYTES + 1) * BLOCK_BYTES;
    size_t left = r->file->content->len - r->start;
    r->file->offset = r->start + (used < left ? used : left);
    if (rc == KE_EOF)
        error_set(err, KE_EOF, "EOF");
    if (rc == 0)
        r->line++;
    return rc;
}

static void records_release(struct records *r) {
    csv_reader_release(&r->csv);
    for (size_t i = 0; i < r->names.len; i++)
        free(r->names.ptr[i]);
    vec_release(&r->names);
}

static int read_names(struct records *r, struct error *err) {
    struct error why;
    if (read_record(r, &why))
        return error_set(err, KE_INVALID, "failed to read the first line; reason: %s", why.text);
    for (size_t i = 0; i < csv_len(&r->csv); i++)
        vec_push(&r->names, slice_dup(csv_field(&r->csv, i)));
    return 0;
}

static long read_file(const void *content, size_t offset, void *out, size_t bytes) {
    return script_file_pread(content, offset, out, bytes);
}

/* Up to the first record that the options ask for. Release in each case. */
static int records_init(struct records *r, struct fs_file *f, const struct options *o,
                        struct error *err) {
    struct error why;
    *r = (struct records){.options = *o, .file = f};
    if (f)
        r->start = f->offset;
    csv_reader_init(&r->csv, read_file, f ? f->content : NULL, r->start, o->delimiter);
    if (!f)
        return error_set(err, KE_INVALID, "the reader cannot be nil");
    int rc = check_options(o, err);
    if (rc == 0 && o->as_objects)
        rc = read_names(r, err);
    if (rc == 0 && o->skip_first_line && !(o->has_from && o->from_line) && read_record(r, &why))
        rc = error_set(err, KE_INVALID, "failed to skip the first line; reason: %s", why.text);
    while (rc == 0 && o->has_from && r->line < o->from_line) {
        if (read_record(r, &why))
            rc = error_set(err, KE_INVALID, "failed to skip lines until line %lld; reason: %s",
                           (long long)o->from_line, why.text);
    }
    return rc;
}

/* 0, KE_EOF, KE_INVALID. */
static int records_next(struct records *r, struct error *err) {
    const struct options *o = &r->options;
    if (o->has_to && o->to_line > 0 && r->line > o->to_line)
        return KE_EOF;
    return read_record(r, err);
}

static int by_name(const void *a, const void *b) {
    return strcmp(**(char *const *const *)a, **(char *const *const *)b);
}

static void put_object(struct json_writer *w, const struct records *r) {
    /* As Go writes a map: by name, and of one name the last. */
    size_t n = r->names.len;
    char ***order = xmalloc((n + 1) * sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = &r->names.ptr[i];
    qsort(order, n, sizeof *order, by_name);
    json_object_begin(w);
    for (size_t i = 0; i < n; i++) {
        size_t column = (size_t)(order[i] - r->names.ptr);
        if (i + 1 < n && strcmp(*order[i], *order[i + 1]) == 0) {
            if (order[i] > order[i + 1]) {
                char **later = order[i];
                order[i] = order[i + 1];
                order[i + 1] = later;
            }
            continue;
        }
        json_key(w, *order[i]);
        json_string(w, csv_field(&r->csv, column));
    }
    json_object_end(w);
    free(order);
}

static void put_record(struct buf *out, const struct records *r) {
    struct json_writer w;
    json_write_init(&w, out, NULL, false);
    if (r->options.as_objects) {
        put_object(&w, r);
        return;
    }
    json_array_begin(&w);
    for (size_t i = 0; i < csv_len(&r->csv); i++)
        json_string(&w, csv_field(&r->csv, i));
    json_array_end(&w);
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

static int build(struct records *r, struct shared_array *a, struct error *err) {
    struct buf json;
    VEC(size_t) offsets = {0};
    struct error why;
    int rc;
    buf_init(&json, BUF_NO_CAP);
    while ((rc = records_next(r, &why)) == 0) {
        vec_push(&offsets, json.len);
        put_record(&json, r);
        buf_append_char(&json, '\0');
    }
    vec_push(&offsets, json.len);
    if (rc == KE_EOF) {
        a->len = offsets.len - 1;
        a->offsets = offsets.ptr;
        a->json = buf_detach(&json, NULL);
        return 0;
    }
    buf_release(&json);
    vec_release(&offsets);
    return error_set(err, KE_INVALID, "failed to read record; reason: %s", why.text);
}

static char *array_name(const struct fs_file *f, const struct options *o) {
    return xasprintf("csv.parse.%u.%d.%d.%d.%lld.%d.%lld.%s", o->delimiter, o->skip_first_line,
                     o->as_objects, o->has_from, (long long)o->from_line, o->has_to,
                     (long long)o->to_line, f->path);
}

static JSValue parse_all(JSContext *ctx, struct records *r, struct fs_file *f) {
    struct script *s = vu_from_ctx(ctx)->script;
    struct error err;
    char *name = array_name(f, &r->options);
    struct shared_array *a = shared_array_find(s, slice_cstr(name)), built = {0};
    JSValue promise;
    if (!a && build(r, &built, &err)) {
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
    struct options options = {.delimiter = ','};
    struct records r;
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
        records_init(&r, f, &options, &err)
            ? js_throw_go_error(ctx, "failed to create a new parser; reason: %s", err.text)
            : parse_all(ctx, &r, f);
    records_release(&r);
    return ret;
}

/* ---- Parser ---- */

static JSClassID parser_class;

struct parser {
    struct records records;
    JSValue file;
};

static void parser_finalizer(JSRuntime *rt, JSValue v) {
    struct parser *p = JS_GetOpaque(v, parser_class);
    if (!p)
        return;
    records_release(&p->records);
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

static JSValue new_record(JSContext *ctx, const struct records *r) {
    struct buf json;
    buf_init(&json, BUF_NO_CAP);
    put_record(&json, r);
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
    int rc = records_next(&p->records, &err);
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
    struct options options = {.delimiter = ','};
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
    rc = records_init(&p->records, f, &options, &err);
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
