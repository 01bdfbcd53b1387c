#include "api/client.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/listen.h"
#include "js/json_error.h"
#include "load/jansson_read.h"

#define TIMEOUT_S 60
#define ANSWER_MAX_BYTES ((size_t)64 * 1024 * 1024)

static const char *reason(int number, char out[128]) {
    snprintf(out, 128, "%s", strerror(number));
    out[0] = (char)tolower((unsigned char)out[0]);
    return out;
}

/* ---- connecting */

static int connect_one(const struct addrinfo *info) {
    const struct timeval patience = {TIMEOUT_S, 0};
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, info->ai_addr, info->ai_addrlen) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* The first address' failure is told, as Go does. */
static int connect_any(const struct addrinfo *found, int *out_fd, struct error *err) {
    char host[64] = "", port[16] = "", why[128];
    int first_errno = 0;
    for (const struct addrinfo *i = found; i != NULL; i = i->ai_next) {
        *out_fd = connect_one(i);
        if (*out_fd >= 0)
            return 0;
        if (first_errno == 0)
            first_errno = errno;
    }
    getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    return error_set(err, KE_DIAL,
                     strchr(host, ':') ? "dial tcp [%s]:%s: connect: %s"
                                       : "dial tcp %s:%s: connect: %s",
                     host, port, reason(first_errno, why));
}

static int dial(const char *address, int *out_fd, struct error *err) {
    struct slice host, port;
    char host_text[256], port_text[16];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (address_split(slice_cstr(address), &host, &port, NULL) != 0) {
        host = slice_cstr(address);
        port = SLICE("80");
    }
    if (host.len == 0)
        host = SLICE("localhost");
    if (host.len >= sizeof host_text || port.len >= sizeof port_text)
        return error_set(err, KE_INVALID, "invalid address '%s'", address);
    snprintf(host_text, sizeof host_text, "%.*s", SLICE_FMT(host));
    snprintf(port_text, sizeof port_text, "%.*s", SLICE_FMT(port));
    if (getaddrinfo(host_text, port_text, &hints, &found) != 0)
        return error_set(err, KE_DNS_NO_HOST, "dial tcp: lookup %s: no such host", host_text);
    int rc = connect_any(found, out_fd, err);
    freeaddrinfo(found);
    return rc;
}

/* ---- one exchange */

/* HTTP/1.0: the answer is not chunked and ends with the connection. */
static int send_request(int fd, const char *address, const char *method, const char *path,
                        struct slice body, struct error *err) {
    struct buf text;
    char why[128];
    int rc = 0;
    buf_init(&text, BUF_NO_CAP);
    buf_printf(&text, "%s %s HTTP/1.0\r\nHost: %s\r\n", method, path, address);
    if (body.len > 0)
        buf_printf(&text, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.len);
    buf_append_str(&text, "\r\n");
    buf_append_slice(&text, body);
    while (text.len > 0 && rc == 0) {
        ssize_t n = send(fd, text.ptr, text.len, MSG_NOSIGNAL);
        if (n > 0)
            buf_consume(&text, (size_t)n);
        else if (n < 0 && errno != EINTR)
            rc = error_set(err, KE_IO, "write: %s", reason(errno, why));
    }
    buf_release(&text);
    return rc;
}

static int receive(int fd, struct buf *out, struct error *err) {
    char chunk[16384], why[128];
    for (;;) {
        ssize_t n = recv(fd, chunk, sizeof chunk, 0);
        if (n == 0)
            return out->len > 0 ? 0 : error_set(err, KE_EOF, "EOF");
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, KE_IO, "read: %s", reason(errno, why));
        if (buf_append(out, chunk, (size_t)n) != 0)
            return error_set(err, KE_TOO_LARGE, "the answer is too large");
    }
}

static int take_apart(const struct buf *answer, int *out_status, struct slice *out_body,
                      struct error *err) {
    struct slice text = buf_slice(answer), line = text;
    const char *end = memmem(text.ptr, text.len, "\r\n\r\n", 4);
    line = slice_trim(slice_cut(&line, '\n'));
    bool is_http = slice_starts(text, SLICE("HTTP/1.")) && line.len >= 12;
    for (size_t i = 9; i < 12 && is_http; i++)
        is_http = isdigit((unsigned char)line.ptr[i]);
    if (!is_http || end == NULL)
        return error_set(err, KE_HTTP_MALFORMED,
                         "net/http: HTTP/1.x transport connection broken: malformed HTTP response "
                         "\"%.*s\"",
                         line.len > 100 ? 100 : (int)line.len, line.ptr);
    *out_status = (line.ptr[9] - '0') * 100 + (line.ptr[10] - '0') * 10 + (line.ptr[11] - '0');
    size_t head = (size_t)(end - text.ptr) + 4;
    *out_body = slice_from(text.ptr + head, text.len - head);
    return 0;
}

/* {"errors":[{"title":…,"detail":…}]} */
static int api_failure(struct slice body, struct error *err) {
    struct json_syntax_error syntax;
    if (!json_valid(body, &syntax))
        return error_set(err, KE_FAILED, "%s", syntax.text);
    json_t *root = json_loadb(body.ptr, body.len, JSON_DECODE_ANY, NULL);
    const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
    const char *title = json_string_value(json_object_get(first, "title"));
    const char *detail = json_string_value(json_object_get(first, "detail"));
    int rc = error_set(err, KE_FAILED, "%s: %s", title != NULL ? title : "",
                       detail != NULL ? detail : "");
    json_decref(root);
    return rc;
}

int api_request(const char *address, const char *method, const char *path, struct slice body,
                struct buf *out, struct error *err) {
    struct error why = {0};
    struct buf answer;
    struct slice content;
    int fd = -1, status = 0;
    buf_init(&answer, ANSWER_MAX_BYTES);
    int rc = dial(address, &fd, &why);
    if (rc == 0)
        rc = send_request(fd, address, method, path, body, &why);
    if (rc == 0)
        rc = receive(fd, &answer, &why);
    if (rc == 0)
        rc = take_apart(&answer, &status, &content, &why);
    if (fd >= 0)
        close(fd);
    if (rc != 0)
        rc = error_set(err, rc, "%c%s \"http://%s%s\": %s", method[0],
                       strcmp(method, "GET") == 0 ? "et" : "atch", address, path, why.text);
    else if (status >= 400)
        rc = api_failure(content, err);
    else
        rc = buf_append_slice(out, content);
    buf_release(&answer);
    return rc;
}
