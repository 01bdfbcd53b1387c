#include "base/json_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* A full buffer is found by the buffer's owner (len at cap); the writer goes on, as every later
 * append fails too. */

void json_write_init(struct json_writer *w, struct buf *out, const char *indent, bool html_escape) {
    *w = (struct json_writer){.out = out, .indent = indent, .html_escape = html_escape};
}

static void put_newline(struct json_writer *w) {
    if (w->indent == NULL)
        return;
    buf_append_char(w->out, '\n');
    for (unsigned i = 0; i < w->depth; i++)
        buf_append_str(w->out, w->indent);
}

/* Comma and line start before a value or key. */
static void before_item(struct json_writer *w) {
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->need_comma)
        buf_append_char(w->out, ',');
    if (w->depth > 0)
        put_newline(w);
    w->need_comma = true;
}

static void begin(struct json_writer *w, char c) {
    before_item(w);
    buf_append_char(w->out, c);
    w->depth++;
    w->need_comma = false;
}

static void end(struct json_writer *w, char c) {
    w->depth--;
    if (w->need_comma)
        put_newline(w);
    buf_append_char(w->out, c);
    w->need_comma = true;
}

void json_object_begin(struct json_writer *w) {
    begin(w, '{');
}

void json_object_end(struct json_writer *w) {
    end(w, '}');
}

void json_array_begin(struct json_writer *w) {
    begin(w, '[');
}

void json_array_end(struct json_writer *w) {
    end(w, ']');
}

static void put_escape(struct buf *out, unsigned char c) {
    switch (c) {
    case '"':
        buf_append_str(out, "\\\"");
        break;
    case '\\':
        buf_append_str(out, "\\\\");
        break;
    case '\b':
        buf_append_str(out, "\\b");
        break;
    case '\f':
        buf_append_str(out, "\\f");
        break;
    case '\n':
        buf_append_str(out, "\\n");
        break;
    case '\r':
        buf_append_str(out, "\\r");
        break;
    case '\t':
        buf_append_str(out, "\\t");
        break;
    default:
        buf_printf(out, "\\u%04x", c);
    }
}

static bool is_plain(unsigned char c, bool html_escape) {
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
        return false;
    return !(html_escape && (c == '<' || c == '>' || c == '&'));
}

static void put_string(struct buf *out, struct slice s, bool html_escape) {
    size_t i = 0, plain = 0;
    buf_append_char(out, '"');
    while (i < s.len) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (is_plain(c, html_escape)) {
            i++;
            continue;
        }
        uint32_t rune = c;
        size_t n = 1;
        if (c >= 0x80) {
            n = utf8_decode(slice_from(s.ptr + i, s.len - i), &rune);
            if (rune != UTF8_INVALID && rune != 0x2028 && rune != 0x2029) {
                i += n;
                continue;
            }
        }
        buf_append(out, s.ptr + plain, i - plain);
        if (c < 0x80)
            put_escape(out, c);
        else
            buf_printf(out, "\\u%04x", rune == UTF8_INVALID ? 0xfffdu : rune);
        i += n;
        plain = i;
    }
    if (i > plain)
        buf_append(out, s.ptr + plain, i - plain);
    buf_append_char(out, '"');
}

void json_key(struct json_writer *w, const char *key) {
    json_key_slice(w, slice_cstr(key));
}

void json_key_slice(struct json_writer *w, struct slice key) {
    before_item(w);
    put_string(w->out, key, w->html_escape);
    buf_append_str(w->out, w->indent ? ": " : ":");
    w->after_key = true;
}

void json_string(struct json_writer *w, struct slice s) {
    before_item(w);
    put_string(w->out, s, w->html_escape);
}

void json_cstr(struct json_writer *w, const char *s) {
    json_string(w, slice_cstr(s));
}

void json_int(struct json_writer *w, int64_t v) {
    before_item(w);
    buf_printf(w->out, "%lld", (long long)v);
}

void json_double(struct json_writer *w, double v) {
    char text[32];
    before_item(w);
    buf_append_str(w->out, isfinite(v) ? double_format_json(v, text) : "null");
}

void json_bool(struct json_writer *w, bool v) {
    before_item(w);
    buf_append_str(w->out, v ? "true" : "false");
}

void json_null(struct json_writer *w) {
    before_item(w);
    buf_append_str(w->out, "null");
}

void json_raw(struct json_writer *w, struct slice json) {
    before_item(w);
    buf_append_slice(w->out, json);
}

void json_pair_cstr(struct json_writer *w, const char *key, const char *value) {
    json_key(w, key);
    json_cstr(w, value);
}

void json_pair_int(struct json_writer *w, const char *key, int64_t value) {
    json_key(w, key);
    json_int(w, value);
}

void json_pair_bool(struct json_writer *w, const char *key, bool value) {
    json_key(w, key);
    json_bool(w, value);
}
