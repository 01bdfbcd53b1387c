#include "base/base64.h"
#include "base/check.h"
#include "js/go_args.h"
#include "js/mod.h"

/* "rawurl" and its like; standard base64 for any other word. */
static struct base64_form form_of(struct slice name) {
    struct base64_form form = {BASE64_STD, false};
    form.is_raw = slice_eq(name, SLICE("rawstd")) || slice_eq(name, SLICE("rawurl"));
    if (slice_eq(name, SLICE("url")) || slice_eq(name, SLICE("rawurl")))
        form.alphabet = BASE64_URL;
    return form;
}

static JSValue js_b64encode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct go_bytes data;
    struct js_text name;
    JSValue ret = JS_EXCEPTION;
    if (!go_string_arg(ctx, argc, argv, 1, &name))
        return ret;
    if (go_bytes_get(ctx, argc > 0 ? argv[0] : JS_UNDEFINED, "", &data)) {
        struct buf out;
        buf_init(&out, BUF_NO_CAP);
        base64_encode(&out, data.s, form_of(name.s));
        ret = JS_NewStringLen(ctx, out.len ? out.ptr : "", out.len);
        buf_release(&out);
        go_bytes_release(&data);
    }
    js_text_release(&name);
    return ret;
}

static JSValue decode(JSContext *ctx, struct slice text, struct slice variant, bool is_string) {
    struct buf out;
    size_t bad_byte;
    JSValue ret;
    buf_init(&out, BUF_NO_CAP);
    if (base64_decode(&out, text, form_of(variant), &bad_byte))
        ret = js_throw_go_error(ctx, "illegal base64 data at input byte %zu", bad_byte);
    else if (is_string)
        ret = go_string_new(ctx, buf_slice(&out));
    else
        ret = JS_NewArrayBufferCopy(ctx, (const uint8_t *)out.ptr, out.len);
    buf_release(&out);
    return ret;
}

static JSValue js_b64decode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct js_text args[3] = {{{0}, NULL}};
    JSValue ret = JS_EXCEPTION;
    int n = 0;
    while (n < 3 && go_string_arg(ctx, argc, argv, n, &args[n]))
        n++;
    if (n == 3)
        ret = decode(ctx, args[0].s, args[1].s, slice_eq(args[2].s, SLICE("s")));
    while (n > 0)
        js_text_release(&args[--n]);
    return ret;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("b64decode", 3, js_b64decode),
    JS_CFUNC_DEF("b64encode", 2, js_b64encode),
};

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExportList(ctx, m, functions, countof(functions));
}

static int init(JSContext *ctx, JSModuleDef *m) {
    return js_module_set_functions(ctx, m, functions, countof(functions));
}

const struct js_module js_mod_encoding = {
    .specifier = "k6/encoding", .declare = declare, .init = init};
