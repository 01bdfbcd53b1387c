#include "base/go_text.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "js/gjson_internal.h"

static size_t skip_string(struct slice json, size_t at) {
    for (at++; at < json.len; at++) {
        if (json.ptr[at] == '\\')
            at++;
        else if (json.ptr[at] == '"')
            return at + 1;
    }
    return json.len;
}

static size_t skip_container(struct slice json, size_t at) {
    size_t depth = 0;
    while (at < json.len) {
        switch (json.ptr[at]) {
        case '"':
            at = skip_string(json, at);
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (--depth == 0)
                return at + 1;
            break;
        default:
            break;
        }
        at++;
    }
    return json.len;
}

size_t gjson_skip(struct slice json, size_t at) {
    if (at >= json.len)
        return json.len;
    if (json.ptr[at] == '"')
        return skip_string(json, at);
    if (json.ptr[at] == '{' || json.ptr[at] == '[')
        return skip_container(json, at);
    for (at++; at < json.len; at++) {
        char c = json.ptr[at];
        if (gjson_is_space(c) || c == ',' || c == ']' || c == '}')
            break;
    }
    return at;
}

struct gjson_value gjson_typed(struct slice raw) {
    static const struct gjson_value none = {GJSON_NONE, {NULL, 0}};
    if (!raw.len)
        return none;
    switch (raw.ptr[0]) {
    case '{':
    case '[':
        return (struct gjson_value){GJSON_JSON, raw};
    case '"':
        return (struct gjson_value){GJSON_STRING, raw};
    case 't':
        return (struct gjson_value){GJSON_TRUE, raw};
    case 'f':
        return (struct gjson_value){GJSON_FALSE, raw};
    case 'n':
        return (struct gjson_value){GJSON_NULL, raw};
    case '-':
        return (struct gjson_value){GJSON_NUMBER, raw};
    default:
        if (raw.ptr[0] >= '0' && raw.ptr[0] <= '9')
            return (struct gjson_value){GJSON_NUMBER, raw};
        return none;
    }
}

struct slice gjson_trim(struct slice s) {
    while (s.len && gjson_is_space(s.ptr[0]))
        s.ptr++, s.len--;
    while (s.len && gjson_is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct gjson_value gjson_parse(struct slice json) {
    json = gjson_trim(json);
    if (json.len && json.ptr[0] != '{' && json.ptr[0] != '[')
        json.len = gjson_skip(json, 0);
    return gjson_typed(json);
}

static int hex4(struct slice s, size_t at) {
    int v = 0;
    if (at + 4 > s.len)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        int digit = hex_value(s.ptr[i]);
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

static size_t put_rune(char *out, uint32_t r) {
    if (r < 0x80) {
        out[0] = (char)r;
        return 1;
    }
    if (r < 0x800) {
        out[0] = (char)(0xc0 | r >> 6);
        out[1] = (char)(0x80 | (r & 0x3f));
        return 2;
    }
    if (r < 0x10000) {
        out[0] = (char)(0xe0 | r >> 12);
        out[1] = (char)(0x80 | (r >> 6 & 0x3f));
        out[2] = (char)(0x80 | (r & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | r >> 18);
    out[1] = (char)(0x80 | (r >> 12 & 0x3f));
    out[2] = (char)(0x80 | (r >> 6 & 0x3f));
    out[3] = (char)(0x80 | (r & 0x3f));
    return 4;
}

/* \uXXXX at s[at] ('u'), with the other half of a surrogate pair. Returns the position after it, or
 * 0. */
static size_t unescape_u(struct slice s, size_t at, uint32_t *out_rune) {
    int high = hex4(s, at + 1);
    if (high < 0)
        return 0;
    at += 5;
    *out_rune = (uint32_t)high;
    if (high < 0xd800 || high > 0xdfff)
        return at;
    *out_rune = 0xfffd;
    if (at + 6 > s.len || s.ptr[at] != '\\' || s.ptr[at + 1] != 'u')
        return at;
    int low = hex4(s, at + 2);
    if (high < 0xdc00 && low >= 0xdc00 && low <= 0xdfff)
        *out_rune = 0x10000 + (((uint32_t)high & 0x3ff) << 10 | ((uint32_t)low & 0x3ff));
    return at + 6;
}

struct slice gjson_unescape(struct gjson *g, struct slice s) {
    static const char codes[] = "bfnrt\"\\/";
    static const char meant[] = "\b\f\n\r\t\"\\/";
    if (!s.len || !memchr(s.ptr, '\\', s.len) || !gjson_may_write(g, s.len))
        return s;
    char *out = arena_alloc(&g->arena, s.len + 4);
    size_t n = 0;
    for (size_t at = 0; at < s.len;) {
        if (s.ptr[at] != '\\') {
            out[n++] = s.ptr[at++];
            continue;
        }
        char c = ++at < s.len ? s.ptr[at] : '\0';
        const char *code = c ? strchr(codes, c) : NULL;
        uint32_t rune;
        size_t next;
        if (code) {
            out[n++] = meant[code - codes];
            at++;
        } else if (c == 'u' && (next = unescape_u(s, at, &rune)) > 0) {
            n += put_rune(out + n, rune);
            at = next;
        } else {
            break;
        }
    }
    return slice_from(out, n);
}

struct slice gjson_string(struct gjson *g, struct slice raw) {
    if (raw.len && raw.ptr[0] == '"')
        raw.ptr++, raw.len--;
    if (raw.len && raw.ptr[raw.len - 1] == '"')
        raw.len--;
    return gjson_unescape(g, raw);
}

bool gjson_is_true(struct gjson *g, struct gjson_value v) {
    double number = 0;
    struct slice text;
    switch (v.type) {
    case GJSON_TRUE:
        return true;
    case GJSON_NUMBER:
        return go_parse_float(v.raw, &number, NULL) != 0 || number != 0;
    case GJSON_STRING:
        text = gjson_string(g, v.raw);
        return slice_eq(text, SLICE("1")) || slice_ieq(text, SLICE("t")) ||
               slice_ieq(text, SLICE("true"));
    default:
        return false;
    }
}

void gjson_iter_init(struct gjson_iter *it, struct gjson_value v) {
    *it = (struct gjson_iter){.json = v.raw};
    it->is_object = v.raw.len && v.raw.ptr[0] == '{';
    it->is_scalar = v.type != GJSON_JSON;
    it->at = it->is_scalar || !v.raw.len ? 0 : 1;
}

static void skip_between(struct gjson_iter *it) {
    while (it->at < it->json.len) {
        char c = it->json.ptr[it->at];
        if (!gjson_is_space(c) && c != ',' && c != ':')
            break;
        it->at++;
    }
}

static bool next_raw(struct gjson_iter *it, struct gjson_value *out) {
    skip_between(it);
    if (it->at >= it->json.len || it->json.ptr[it->at] == '}' || it->json.ptr[it->at] == ']')
        return false;
    size_t start = it->at;
    it->at = gjson_skip(it->json, start);
    *out = gjson_typed(slice_from(it->json.ptr + start, it->at - start));
    return out->type != GJSON_NONE;
}

bool gjson_next(struct gjson_iter *it, struct gjson_value *out_key, struct gjson_value *out_value) {
    *out_key = (struct gjson_value){GJSON_NONE, {NULL, 0}};
    if (it->is_object && (!next_raw(it, out_key) || out_key->type != GJSON_STRING))
        return false;
    return next_raw(it, out_value);
}
