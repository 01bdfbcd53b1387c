#include "js/go_types.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "base/compat.h"

/* "[]uint8" of a Uint8Array … NULL when v is no typed array. */
static const char *typed_array_name(JSValueConst v) {
    static const char *const names[] = {"[]uint8",  "[]int8",    "[]uint8",  "[]int16",
                                        "[]uint16", "[]int32",   "[]uint32", "[]int64",
                                        "[]uint64", "[]float32", "[]float64"};
    int kind = JS_GetTypedArrayKind(v);
    return kind >= 0 ? names[kind] : NULL;
}

/* QuickJS does not tell Map and Set from other objects; their constructor's name does. */
static const char *collection_name(JSContext *ctx, JSValueConst v) {
    static const char *const names[][2] = {{"Map", "[][2]interface {}"}, {"Set", "[]interface {}"}};
    JSValue ctor = JS_GetPropertyStr(ctx, v, "constructor");
    JSValue name = JS_GetPropertyStr(ctx, ctor, "name");
    const char *text = JS_ToCString(ctx, name);
    const char *found = NULL;
    for (size_t i = 0; text && i < countof(names); i++)
        if (strcmp(text, names[i][0]) == 0)
            found = names[i][1];
    if (!text)
        JS_FreeValue(ctx, JS_GetException(ctx));
    JS_FreeCString(ctx, text);
    JS_FreeValue(ctx, name);
    JS_FreeValue(ctx, ctor);
    return found;
}

const char *go_type_name(JSContext *ctx, JSValueConst v) {
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return "<nil>";
    if (JS_IsBool(v))
        return "bool";
    if (JS_IsNumber(v)) {
        double d = 0;
        JS_ToFloat64(ctx, &d, v);
        bool is_integer = d == floor(d) && fabs(d) < 9007199254740992.0;
        return is_integer && !(d == 0 && signbit(d)) ? "int64" : "float64";
    }
    if (JS_IsString(v) || JS_IsSymbol(v))
        return "string";
    if (JS_IsBigInt(ctx, v))
        return "*big.Int";
    if (JS_IsFunction(ctx, v))
        return compat_text(COMPAT_GO_FUNCTION);
    const char *type = typed_array_name(v);
    if (type)
        return type;
    if (JS_IsArrayBufferObject(v))
        return compat_text(COMPAT_GO_ARRAY_BUFFER);
    if (JS_IsDateObject(v))
        return "time.Time";
    if (JS_IsPromiseObject(v))
        return compat_text(COMPAT_GO_PROMISE);
    if (JS_IsArray(ctx, v) > 0)
        return "[]interface {}";
    type = collection_name(ctx, v);
    return type ? type : "map[string]interface {}";
}
