/* Routes in the style of httpbin: what they answer follows from the request alone. */
#include "api.h"

#include <openssl/evp.h>
#include <strings.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "pairs.h"

#define DELAY_MAX_NS (24 * 3600 * NS_PER_S)

static struct blob ok = {.status = 200};

static void get_nothing(struct request *r) {
    reply_blob(r, &ok);
}

/* An answer of the informational kind is no end of the exchange: 200 is what follows it, and all
 * that clients show. */
static void any_status(struct request *r) {
    int64_t status;
    if (!request_param_int(r, 0, &status) || status < 100 || status > 599)
        status = 400;
    reply_empty(r, status < 200 ? 200 : (int)status);
}

static void get_bytes(struct request *r) {
    int64_t count;
    if (!request_param_int(r, 0, &count))
        count = 0;
    reply_empty(r, 200);
    r->response.content_type = "application/octet-stream";
    r->response.random_bytes = (uint64_t)count;
}

static void get_delay(struct request *r) {
    int64_t delay_ns;
    const char *text = arena_strndup(&r->arena, r->params[0].ptr, r->params[0].len);
    if (duration_parse_go(slice_cstr(text), &delay_ns) != 0 &&
        duration_parse_go(slice_cstr(arena_printf(&r->arena, "%ss", text)), &delay_ns) != 0) {
        reply_empty(r, 400);
        return;
    }
    reply_empty(r, 200);
    r->response.wait_ns += delay_ns < DELAY_MAX_NS ? delay_ns : DELAY_MAX_NS;
}

static void echo(struct request *r) {
    const char *type = request_header(r, "Content-Type");
    reply_empty(r, 200);
    if (type != NULL)
        r->response.content_type = arena_strndup(&r->arena, type, strlen(type));
    struct buf body = r->body;
    r->body = r->response.body;
    r->response.body = body;
}

/* ---------------------------------------------------------------- what the request said */

static void reply_pairs(struct request *r, const char *key, const struct pairs *pairs) {
    struct buf *body = &r->response.body;
    buf_printf(body, "{\"%s\":", key);
    pairs_write_json(pairs, body);
    buf_append_str(body, "}\n");
    reply_json(r, 200);
}

static void get_cookies(struct request *r) {
    struct pairs cookies = pairs_collect(r, FIELD_COOKIE, PAIRS_LAST);
    reply_pairs(r, "cookies", &cookies);
}

static void get_headers(struct request *r) {
    struct pairs headers = pairs_collect(r, FIELD_HEADER, PAIRS_JOIN);
    reply_pairs(r, "headers", &headers);
}

/* A token of RFC 7230: what a cookie's name may be. */
static bool is_token(struct slice text) {
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        const bool is_alnum =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_alnum && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return text.len > 0;
}

/* Bytes that a cookie's value may not have are left out; spaces and commas put it in quotes. */
static void append_cookie_value(struct buf *out, struct slice value) {
    const bool has_quotes =
        memchr(value.ptr, ' ', value.len) != NULL || memchr(value.ptr, ',', value.len) != NULL;
    if (has_quotes)
        buf_append_char(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        const unsigned char c = (unsigned char)value.ptr[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != ';' && c != '\\')
            buf_append_char(out, (char)c);
    }
    if (has_quotes)
        buf_append_char(out, '"');
}

static void post_cookies(struct request *r) {
    struct pairs wishes = pairs_collect(r, FIELD_QUERY, PAIRS_FIRST);
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    reply_empty(r, 200);
    for (size_t i = 0; i < wishes.count; i++) {
        if (!is_token(wishes.items[i].name))
            continue;
        buf_reset(&text);
        buf_append_slice(&text, wishes.items[i].name);
        buf_append_char(&text, '=');
        append_cookie_value(&text, wishes.items[i].value);
        reply_header(r, "Set-Cookie", buf_slice(&text));
    }
    buf_release(&text);
}

static void get_json(struct request *r) {
    struct pairs query = pairs_collect(r, FIELD_QUERY, PAIRS_FIRST);
    pairs_write_json(&query, &r->response.body);
    buf_append_char(&r->response.body, '\n');
    reply_json(r, 200);
}

/* Text of an element as Go escapes it. */
static void append_xml(struct buf *out, struct slice text) {
    static const struct {
        char c;
        const char *escaped;
    } escapes[] = {
        {'"', "&#34;"}, {'\'', "&#39;"}, {'&', "&amp;"},  {'<', "&lt;"},
        {'>', "&gt;"},  {'\t', "&#x9;"}, {'\n', "&#xA;"}, {'\r', "&#xD;"},
    };
    while (text.len > 0) {
        uint32_t rune;
        const size_t size = utf8_decode(text, &rune);
        const char *escaped = NULL;
        for (size_t i = 0; i < countof(escapes); i++) {
            if (rune == (unsigned char)escapes[i].c)
                escaped = escapes[i].escaped;
        }
        if (escaped == NULL &&
            (rune < 0x20 || rune == UTF8_INVALID || rune == 0xfffe || rune == 0xffff))
            escaped = "\xef\xbf\xbd";
        if (escaped != NULL)
            buf_append_str(out, escaped);
        else
            buf_append(out, text.ptr, size);
        text = slice_from(text.ptr + size, text.len - size);
    }
}

static void get_xml(struct request *r) {
    struct pairs query = pairs_collect(r, FIELD_QUERY, PAIRS_FIRST);
    struct buf *body = &r->response.body;
    buf_append_str(body, "<response>");
    for (size_t i = 0; i < query.count; i++) {
        buf_append_str(body, "<params><key>");
        append_xml(body, query.items[i].name);
        buf_append_str(body, "</key><value>");
        append_xml(body, query.items[i].value);
        buf_printf(body, "</value><index>%zu</index></params>", i);
    }
    buf_append_str(body, "</response>");
    r->response.status = 200;
    r->response.content_type = "application/xml";
}

/* ---------------------------------------------------------------- basic auth */

/* Decodes "Basic <base64>" into "user:password" in the arena. False when it is something else. */
static bool read_basic(struct request *r, const char *header, struct slice *out_user,
                       struct slice *out_password) {
    if (header == NULL || strncasecmp(header, "Basic ", 6) != 0)
        return false;
    const struct slice code = slice_cstr(header + 6);
    if (code.len == 0 || code.len % 4 != 0)
        return false;
    unsigned char *text = arena_alloc(&r->arena, code.len);
    int size = EVP_DecodeBlock(text, (const unsigned char *)code.ptr, (int)code.len);
    for (size_t i = code.len; size > 0 && i > code.len - 2 && code.ptr[i - 1] == '='; i--)
        size--; /* the padding decodes to zero bytes */
    struct slice rest = slice_from((const char *)text, size > 0 ? (size_t)size : 0);
    *out_user = slice_cut(&rest, ':');
    *out_password = rest;
    return rest.ptr != NULL;
}

static void get_basic_auth(struct request *r) {
    struct slice user = SLICE("");
    struct slice password = SLICE("");
    const bool is_known = read_basic(r, request_header(r, "Authorization"), &user, &password) &&
                          slice_eq(user, r->params[0]) && slice_eq(password, r->params[1]);
    struct json_writer w;
    json_write_init(&w, &r->response.body, NULL, true);
    json_object_begin(&w);
    json_key(&w, "authenticated");
    json_bool(&w, is_known);
    json_key(&w, "password");
    json_string(&w, r->params[1]);
    json_key(&w, "user");
    json_string(&w, r->params[0]);
    json_object_end(&w);
    buf_append_char(&r->response.body, '\n');
    reply_json(r, 200);
}

static const struct route routes[] = {
    {METHOD_ANY, "/api/status/{status:int}", any_status, 0},
    {METHOD_GET, "/api/bytes/{n:int}", get_bytes, 0},
    {METHOD_GET, "/api/delay/{delay}", get_delay, 0},
    {METHOD_GET, "/api/get", get_nothing, 0},
    {METHOD_DELETE, "/api/delete", get_nothing, 0},
    {METHOD_POST, "/api/post", echo, ROUTE_LARGE_BODY},
    {METHOD_PUT, "/api/put", echo, ROUTE_LARGE_BODY},
    {METHOD_PATCH, "/api/patch", echo, ROUTE_LARGE_BODY},
    {METHOD_GET, "/api/cookies", get_cookies, 0},
    {METHOD_POST, "/api/cookies", post_cookies, 0},
    {METHOD_GET, "/api/headers", get_headers, 0},
    {METHOD_GET, "/api/basic-auth/{user}/{password}", get_basic_auth, 0},
    {METHOD_GET, "/api/json", get_json, 0},
    {METHOD_GET, "/api/xml", get_xml, 0},
};

void api_testing_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
