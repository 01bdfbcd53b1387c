#include "http/http_error.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/go_text.h"
#include "http/h2_error.h"

static const char *skip_prefix(const char *text, const char *prefix) {
    size_t len = strlen(prefix);
    return strncmp(text, prefix, len) == 0 ? text + len : text;
}

/* The words behind the last ": ": the system's name of an errno. */
static const char *last_words(const char *text) {
    const char *at = text;
    for (const char *p = strstr(text, ": "); p; p = strstr(p + 2, ": "))
        at = p + 2;
    return at;
}

/* "read" of "read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer". */
static int operation_len(const char *text) {
    return (int)strcspn(text, " :");
}

char *http_error_short(const struct error *err) {
    const char *text = err->text;
    switch (err->code) {
    case KE_TIMEOUT:
    case KE_DIAL_TIMEOUT:
    case KE_DIAL_REFUSED:
    case KE_DNS_NO_HOST:
        return xstrdup(error_text(err->code));
    case KE_IP_BLOCKED:
        return xstrdup("ip is blacklisted");
    case KE_HOST_BLOCKED:
        return xstrdup("hostname is blocked");
    case KE_X509_UNKNOWN_CA:
        return xstrdup("x509: unknown authority");
    case KE_X509_HOSTNAME:
        return xstrdup("x509: certificate doesn't match hostname");
    case KE_TCP_RESET:
        return xasprintf("%.*s: connection reset by peer", operation_len(text), text);
    case KE_TCP_BROKEN_PIPE:
        return xasprintf("%.*s: broken pipe", operation_len(text), text);
    case KE_DIAL_ERRNO:
        return xasprintf("dial: unknown errno %d error with msg `%s`", err->sys_errno,
                         last_words(text));
    case KE_TCP_ERRNO:
        return xasprintf("%.*s: unknown errno `%d` on linux with message `%s`", operation_len(text),
                         text, err->sys_errno, last_words(text));
    default:
        if (err->code <= KE_H2) {
            char *words = h2_error_short(err);
            if (words)
                return words;
        }
        /* Go's wrappers of an error that k6 has no name for. */
        text = skip_prefix(text, "net/http: HTTP/1.x transport connection broken: ");
        text = skip_prefix(text, "tls: failed to verify certificate: ");
        return xstrdup(text);
    }
}

const char *http_error_words(const struct error *err) {
    if (err->code == KE_TIMEOUT || err->code == KE_DIAL_TIMEOUT)
        return error_text(err->code);
    return err->text;
}

char *http_error_round_trip(struct slice first_method, const struct url *url, const char *words) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    size_t n = first_method.len;
    if (n == 0) {
        buf_append_str(&b, "Get");
    } else {
        buf_append_char(&b, first_method.ptr[0]);
        for (size_t i = 1; i < n; i++)
            buf_append_char(&b, (char)tolower((unsigned char)first_method.ptr[i]));
    }
    char *shown = url_hide_password(url);
    buf_append_char(&b, ' ');
    go_quote(&b, slice_cstr(shown));
    buf_printf(&b, ": %s", words);
    free(shown);
    return buf_detach(&b, NULL);
}
