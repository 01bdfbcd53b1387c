#include <openssl/rand.h>

#include "base/base64.h"
#include "base/check.h"
#include "js/crypto/digest.h"
#include "js/go_args.h"
#include "js/mod.h"

#define RANDOM_MAX_BYTES (INT64_C(1) << 30)

static JSClassID hasher_class;

static void put_hex(struct buf *out, struct slice s) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        char two[2] = {digits[c >> 4], digits[c & 15]};
        buf_append(out, two, 2);
    }
}

static JSValue new_hex(JSContext *ctx, struct slice s) {
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    put_hex(&out, s);
    JSValue ret = JS_NewStringLen(ctx, out.len ? out.ptr : "", out.len);
    buf_release(&out);
    return ret;
}

static JSValue new_base64(JSContext *ctx, struct slice s, struct base64_form form) {
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    base64_encode(&out, s, form);
    JSValue ret = JS_NewStringLen(ctx, out.ptr, out.len);
    buf_release(&out);
    return ret;
}

/* The sum in the form that a script names. */
static JSValue sum_as(JSContext *ctx, const struct digest *d, struct slice form) {
    uint8_t bytes[DIGEST_MAX_BYTES];
    struct slice sum = {(const char *)bytes, digest_sum(d, bytes)};
    if (slice_eq(form, SLICE("hex")))
        return new_hex(ctx, sum);
    if (slice_eq(form, SLICE("base64")))
        return new_base64(ctx, sum, (struct base64_form){BASE64_STD, false});
    if (slice_eq(form, SLICE("base64url")))
        return new_base64(ctx, sum, (struct base64_form){BASE64_URL, false});
    if (slice_eq(form, SLICE("base64rawurl")))
        return new_base64(ctx, sum, (struct base64_form){BASE64_URL, true});
    if (slice_eq(form, SLICE("binary")))
        return JS_NewArrayBufferCopy(ctx, bytes, sum.len);
    return js_throw_go_error(ctx, "invalid output encoding: %.*s", SLICE_FMT(form));
}

static bool feed(JSContext *ctx, struct digest *d, JSValueConst input, const char *prefix) {
    struct go_bytes data;
    if (!go_bytes_get(ctx, input, prefix, &data))
        return false;
    digest_update(d, data.s);
    go_bytes_release(&data);
    return true;
}

/* NULL with an exception pending. */
static struct digest *hmac_of_args(JSContext *ctx, int argc, JSValueConst *argv) {
    struct js_text name;
    struct go_bytes key;
    struct digest *d = NULL;
    if (!go_string_arg(ctx, argc, argv, 0, &name))
        return NULL;
    enum digest_alg alg = digest_find(name.s);
    if (alg == DIGEST_COUNT) {
        js_throw_go_error(ctx, "invalid algorithm: %.*s", SLICE_FMT(name.s));
    } else if (go_bytes_get(ctx, argc > 1 ? argv[1] : JS_UNDEFINED, "", &key)) {
        d = digest_new_hmac(alg, key.s);
        go_bytes_release(&key);
    }
    js_text_release(&name);
    return d;
}

/* ---- Hasher ---- */

static void hasher_finalizer(JSRuntime *rt, JSValue v) {
    (void)rt;
    digest_free(JS_GetOpaque(v, hasher_class));
}

static const JSClassDef hasher_def = {"Object", .finalizer = hasher_finalizer};

static JSValue js_update(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    struct digest *d = JS_GetOpaque2(ctx, this_val, hasher_class);
    if (!d || !feed(ctx, d, argc > 0 ? argv[0] : JS_UNDEFINED, ""))
        return JS_EXCEPTION;
    return JS_UNDEFINED;
}

static JSValue js_digest(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    const struct digest *d = JS_GetOpaque2(ctx, this_val, hasher_class);
    struct js_text form;
    if (!d || !go_string_arg(ctx, argc, argv, 0, &form))
        return JS_EXCEPTION;
    JSValue ret = sum_as(ctx, d, form.s);
    js_text_release(&form);
    return ret;
}

static const JSCFunctionListEntry hasher_functions[] = {
    JS_CFUNC_DEF("digest", 1, js_digest),
    JS_CFUNC_DEF("update", 1, js_update),
};

static JSValue new_hasher(JSContext *ctx, struct digest *d) {
    if (!d)
        return JS_EXCEPTION;
    JSValue o = JS_NewObjectClass(ctx, (int)hasher_class);
    JS_SetOpaque(o, d);
    return o;
}

static JSValue js_create_hash(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct js_text name;
    if (!go_string_arg(ctx, argc, argv, 0, &name))
        return JS_EXCEPTION;
    enum digest_alg alg = digest_find(name.s);
    if (alg == DIGEST_COUNT)
        js_throw_go_error(ctx, "invalid algorithm: %.*s", SLICE_FMT(name.s));
    js_text_release(&name);
    return new_hasher(ctx, alg == DIGEST_COUNT ? NULL : digest_new(alg));
}

static JSValue js_create_hmac(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    return new_hasher(ctx, hmac_of_args(ctx, argc, argv));
}

/* ---- all at once ---- */

static JSValue js_hash(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                       int alg) {
    static const char *const prefixes[DIGEST_COUNT] = {
        "md4 failed: ",        "md5 failed: ",        "sha1 failed: ",
        "sha256 failed: ",     "sha384 failed: ",     "sha512 failed: ",
        "sha512_224 failed: ", "sha512_256 failed: ", "ripemd160 failed: "};
    (void)this_val;
    struct js_text form;
    JSValue ret = JS_EXCEPTION;
    if (!go_string_arg(ctx, argc, argv, 1, &form))
        return ret;
    struct digest *d = digest_new((enum digest_alg)alg);
    if (feed(ctx, d, argc > 0 ? argv[0] : JS_UNDEFINED, prefixes[alg]))
        ret = sum_as(ctx, d, form.s);
    digest_free(d);
    js_text_release(&form);
    return ret;
}

static JSValue js_hmac(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct js_text form;
    JSValue ret = JS_EXCEPTION;
    if (!go_string_arg(ctx, argc, argv, 3, &form))
        return ret;
    struct digest *d = hmac_of_args(ctx, argc, argv);
    if (d && feed(ctx, d, argc > 2 ? argv[2] : JS_UNDEFINED, ""))
        ret = sum_as(ctx, d, form.s);
    digest_free(d);
    js_text_release(&form);
    return ret;
}

static JSValue js_hex_encode(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    struct go_bytes data;
    if (!go_bytes_get(ctx, argc > 0 ? argv[0] : JS_UNDEFINED, "", &data))
        return JS_EXCEPTION;
    JSValue ret = new_hex(ctx, data.s);
    go_bytes_release(&data);
    return ret;
}

static void free_random(JSRuntime *rt, void *opaque, void *ptr) {
    (void)opaque;
    js_free_rt(rt, ptr);
}

static JSValue js_random_bytes(JSContext *ctx, JSValueConst this_val, int argc,
                               JSValueConst *argv) {
    (void)this_val;
    int64_t n;
    if (!go_int_arg(ctx, argc, argv, 0, &n))
        return JS_EXCEPTION;
    if (n < 1 || n > RANDOM_MAX_BYTES)
        return js_throw_go_error(ctx, "invalid size");
    uint8_t *bytes = js_malloc(ctx, (size_t)n);
    if (!bytes)
        return JS_EXCEPTION;
    if (RAND_bytes(bytes, (int)n) != 1) {
        js_free(ctx, bytes);
        return js_throw_go_error(ctx, "cannot get random bytes from the system");
    }
    return JS_NewArrayBuffer(ctx, bytes, (size_t)n, free_random, NULL, 0);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("createHash", 1, js_create_hash),
    JS_CFUNC_DEF("createHMAC", 2, js_create_hmac),
    JS_CFUNC_DEF("hmac", 4, js_hmac),
    JS_CFUNC_MAGIC_DEF("md4", 2, js_hash, DIGEST_MD4),
    JS_CFUNC_MAGIC_DEF("md5", 2, js_hash, DIGEST_MD5),
    JS_CFUNC_DEF("randomBytes", 1, js_random_bytes),
    JS_CFUNC_MAGIC_DEF("ripemd160", 2, js_hash, DIGEST_RIPEMD160),
    JS_CFUNC_MAGIC_DEF("sha1", 2, js_hash, DIGEST_SHA1),
    JS_CFUNC_MAGIC_DEF("sha256", 2, js_hash, DIGEST_SHA256),
    JS_CFUNC_MAGIC_DEF("sha384", 2, js_hash, DIGEST_SHA384),
    JS_CFUNC_MAGIC_DEF("sha512", 2, js_hash, DIGEST_SHA512),
    JS_CFUNC_MAGIC_DEF("sha512_224", 2, js_hash, DIGEST_SHA512_224),
    JS_CFUNC_MAGIC_DEF("sha512_256", 2, js_hash, DIGEST_SHA512_256),
    JS_CFUNC_DEF("hexEncode", 1, js_hex_encode),
};

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExportList(ctx, m, functions, countof(functions));
}

static int init(JSContext *ctx, JSModuleDef *m) {
    JSRuntime *rt = JS_GetRuntime(ctx);
    JS_NewClassID(&hasher_class);
    if (JS_NewClass(rt, hasher_class, &hasher_def) < 0)
        return -1;
    JSValue proto = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, proto, hasher_functions, countof(hasher_functions));
    JS_SetClassProto(ctx, hasher_class, proto);
    return js_module_set_functions(ctx, m, functions, countof(functions));
}

const struct js_module js_mod_crypto = {.specifier = "k6/crypto", .declare = declare, .init = init};
