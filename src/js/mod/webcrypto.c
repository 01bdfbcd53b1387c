/* The global `crypto`, and k6/experimental/webcrypto, which v0.51 has in its place. */
#include <openssl/rand.h>

#include <stdio.h>

#include "base/check.h"
#include "js/mod.h"
#include "js/webcrypto/global.h"
#include "js/webcrypto/webcrypto.h"

#define RANDOM_MAX_VALUES 65536

static JSValue js_get_random_values(JSContext *ctx, JSValueConst this_val, int argc,
                                    JSValueConst *argv) {
    (void)this_val;
    JSValueConst v = argc > 0 ? argv[0] : JS_UNDEFINED;
    size_t offset, len, element, whole;
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return JS_ThrowTypeError(ctx, "Cannot convert undefined or null to object");
    int kind = JS_GetTypedArrayKind(v);
    if (kind < 0 || kind > JS_TYPED_ARRAY_UINT32)
        return js_throw_go_error(
            ctx, "TypeMismatchError: typedArray parameter isn't a TypedArray instance");
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, v, &offset, &len, &element);
    if (JS_IsException(buffer))
        return buffer;
    uint8_t *bytes = JS_GetArrayBuffer(ctx, &whole, buffer);
    JS_FreeValue(ctx, buffer);
    if (len / element > RANDOM_MAX_VALUES)
        return js_throw_go_error(ctx,
                                 "QuotaExceededError: typedArray parameter is too big; maximum "
                                 "length is %d",
                                 RANDOM_MAX_VALUES);
    if (!bytes || offset + len > whole || RAND_bytes(bytes + offset, (int)len) != 1)
        return JS_HasException(ctx) ? JS_EXCEPTION
                                    : js_throw_go_error(ctx, "cannot get random values");
    return JS_DupValue(ctx, v);
}

static JSValue js_random_uuid(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv) {
    (void)this_val;
    (void)argc;
    (void)argv;
    uint8_t b[16];
    char text[37];
    if (RAND_bytes(b, sizeof b) != 1)
        return js_throw_go_error(ctx, "cannot get random values");
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(text, sizeof text,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    return JS_NewString(ctx, text);
}

static const JSCFunctionListEntry crypto_functions[] = {
    WEB_FUNCTION("getRandomValues", 1, js_get_random_values),
    WEB_FUNCTION("randomUUID", 0, js_random_uuid),
    JS_OBJECT_DEF("subtle", web_subtle_functions, WEB_SUBTLE_FUNCTIONS, JS_PROP_ENUMERABLE),
    JS_OBJECT_DEF("CryptoKey", web_subtle_functions, 0, JS_PROP_ENUMERABLE),
};

static const JSCFunctionListEntry global_objects[] = {
    JS_OBJECT_DEF("crypto", crypto_functions, countof(crypto_functions), JS_PROP_C_W_E),
};

void js_webcrypto_register(JSContext *ctx, JSValueConst global) {
    JS_SetPropertyFunctionList(ctx, global, global_objects, countof(global_objects));
}

/* ---- the module ---- */

static int declare(JSContext *ctx, JSModuleDef *m) {
    return JS_AddModuleExport(ctx, m, "crypto");
}

static int init(JSContext *ctx, JSModuleDef *m) {
    JSValue crypto = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, crypto, crypto_functions, countof(crypto_functions));
    return JS_SetModuleExport(ctx, m, "crypto", crypto);
}

const struct js_module js_mod_webcrypto = {
    .specifier = "k6/experimental/webcrypto", .declare = declare, .init = init};
