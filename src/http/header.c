#include "http/header.h"

#define T (HTTP_TOKEN | HTTP_VALUE)
#define V HTTP_VALUE

const uint8_t http_char_class[256] = {
    ['\t'] = V,        [' '] = V,           ['!'] = T,         ['"'] = V, ['#' ... '\''] = T,
    ['('] = V,         [')'] = V,           ['*'] = T,         ['+'] = T, [','] = V,
    ['-'] = T,         ['.'] = T,           ['/'] = V,         [':'] = V, ['0' ... '9'] = T,
    [';' ... '@'] = V, ['A' ... 'Z'] = T,   ['[' ... ']'] = V, ['^'] = T, ['_'] = T,
    ['`'] = T,         ['a' ... 'z'] = T,   ['{'] = V,         ['|'] = T, ['}'] = V,
    ['~'] = T,         [0x80 ... 0xff] = V,
};

#undef T
#undef V

bool http_is_host(struct slice host) {
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i], lower = (char)(c | 0x20);
        bool is_alnum = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
        if (!is_alnum && (c == 0 || !strchr("!$%&()*+,-.:;=['_]~", c)))
            return false;
    }
    return true;
}

void http_canonical_name(char *name, size_t len) {
    if (!http_all_of(slice_from(name, len), HTTP_TOKEN))
        return;
    bool is_first = true;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        if (is_first && c >= 'a' && c <= 'z')
            name[i] = (char)(c - 32);
        else if (!is_first && c >= 'A' && c <= 'Z')
            name[i] = (char)(c + 32);
        is_first = c == '-';
    }
}

bool http_header_next(struct slice block, size_t *pos, struct http_header *out) {
    while (*pos < block.len) {
        const char *line = block.ptr + *pos;
        size_t left = block.len - *pos;
        const char *lf = memchr(line, '\n', left);
        size_t len = lf ? (size_t)(lf - line) : left;
        *pos += lf ? len + 1 : len;
        if (len && line[len - 1] == '\r')
            len--;
        if (len == 0)
            return false;
        const char *colon = memchr(line, ':', len);
        if (!colon)
            continue;
        out->name = slice_from(line, (size_t)(colon - line));
        out->value = slice_trim(slice_from(colon + 1, len - out->name.len - 1));
        return true;
    }
    return false;
}

struct slice http_header_find(struct slice block, struct slice name) {
    struct http_header h;
    for (size_t pos = 0; http_header_next(block, &pos, &h);) {
        if (slice_ieq(h.name, name))
            return h.value;
    }
    return slice_from(NULL, 0);
}

bool http_value_has_token(struct slice value, struct slice token) {
    while (value.ptr) {
        if (slice_ieq(slice_trim(slice_cut(&value, ',')), token))
            return true;
    }
    return false;
}

const char *http_status_text(int status) {
    switch (status) {
    case 100:
        return "Continue";
    case 101:
        return "Switching Protocols";
    case 102:
        return "Processing";
    case 103:
        return "Early Hints";
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 203:
        return "Non-Authoritative Information";
    case 204:
        return "No Content";
    case 205:
        return "Reset Content";
    case 206:
        return "Partial Content";
    case 207:
        return "Multi-Status";
    case 208:
        return "Already Reported";
    case 226:
        return "IM Used";
    case 300:
        return "Multiple Choices";
    case 301:
        return "Moved Permanently";
    case 302:
        return "Found";
    case 303:
        return "See Other";
    case 304:
        return "Not Modified";
    case 305:
        return "Use Proxy";
    case 307:
        return "Temporary Redirect";
    case 308:
        return "Permanent Redirect";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 402:
        return "Payment Required";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 406:
        return "Not Acceptable";
    case 407:
        return "Proxy Authentication Required";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 410:
        return "Gone";
    case 411:
        return "Length Required";
    case 412:
        return "Precondition Failed";
    case 413:
        return "Request Entity Too Large";
    case 414:
        return "Request URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 416:
        return "Requested Range Not Satisfiable";
    case 417:
        return "Expectation Failed";
    case 418:
        return "I'm a teapot";
    case 421:
        return "Misdirected Request";
    case 422:
        return "Unprocessable Entity";
    case 423:
        return "Locked";
    case 424:
        return "Failed Dependency";
    case 425:
        return "Too Early";
    case 426:
        return "Upgrade Required";
    case 428:
        return "Precondition Required";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 451:
        return "Unavailable For Legal Reasons";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    case 505:
        return "HTTP Version Not Supported";
    case 506:
        return "Variant Also Negotiates";
    case 507:
        return "Insufficient Storage";
    case 508:
        return "Loop Detected";
    case 510:
        return "Not Extended";
    case 511:
        return "Network Authentication Required";
    default:
        return "";
    }
}
