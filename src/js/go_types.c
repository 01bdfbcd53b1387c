#include "js/go_types.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/check.h"

/* "[]uint8" of a Uint8Array … NULL when v is no typed array. QuickJS gives no type; the
 * constructor's name tells it. */
static const char *typed_array_name(JSContext *ctx, JSValueConst v) {
    static const char *const names[][2] = {
        {"Uint8Array", "[]uint8"},      {"Uint8ClampedArray", "[]uint8"},
        {"Int8Array", "[]int8"},        {"Uint16Array", "[]uint16"},
        {"Int16Array", "[]int16"},      {"Uint32Array", "[]uint32"},
        {"Int32Array", "[]int32"},      {"Float32Array", "[]float32"},
        {"Float64Array", "[]float64"},  {"BigInt64Array", "[]int64"},
        {"BigUint64Array", "[]uint64"},
    };
    size_t offset, len, element;
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, v, &offset, &len, &element);
    if (JS_IsException(buffer)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return NULL;
    }
    JS_FreeValue(ctx, buffer);
    JSValue ctor = JS_GetPropertyStr(ctx, v, "constructor");
    JSValue name = JS_GetPropertyStr(ctx, ctor, "name");
    const char *text = JS_ToCString(ctx, name);
    const char *found = "[]interface {}";
    for (size_t i = 0; text && i < countof(names); i++)
        if (strcmp(text, names[i][0]) == 0)
            found = names[i][1];
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
        return d == floor(d) && fabs(d) < 9007199254740992.0 ? "int64" : "float64";
    }
    if (JS_IsString(v))
        return "string";
    if (JS_IsSymbol(v))
        return "*sobek.Symbol";
    if (JS_IsFunction(ctx, v))
        return "func(sobek.FunctionCall) sobek.Value";
    const char *typed = typed_array_name(ctx, v);
    if (typed)
        return typed;
    size_t len;
    if (JS_GetArrayBuffer(ctx, &len, v))
        return "sobek.ArrayBuffer";
    JS_FreeValue(ctx, JS_GetException(ctx));
    return JS_IsArray(ctx, v) > 0 ? "[]interface {}" : "map[string]interface {}";
}
