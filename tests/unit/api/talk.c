#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "api/listen.h"
#include "base/check.h"

#define PATIENCE_S 20

int listen_anywhere(uint16_t *out_port) {
    struct sockaddr_in own;
    socklen_t size = sizeof own;
    struct error err = {0};
    int fd = -1;
    if (api_listen("127.0.0.1:0", &fd, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    *out_port = ntohs(own.sin_port);
    return fd;
}

int dial_port(uint16_t port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct timeval patience = {PATIENCE_S, 0};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

void say(int fd, const char *text) {
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t n = send(fd, text, left, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the peer had enough */
        text += n;
        left -= (size_t)n;
    }
}

char *hear(int fd) {
    struct buf text;
    char chunk[4096];
    ssize_t n;
    buf_init(&text, BUF_NO_CAP);
    while ((n = recv(fd, chunk, sizeof chunk, 0)) > 0)
        buf_append(&text, chunk, (size_t)n);
    return buf_detach(&text, NULL);
}

char *ask(uint16_t port, const char *request) {
    int fd = dial_port(port);
    say(fd, request);
    char *answer = hear(fd);
    close(fd);
    return answer;
}

char *call(uint16_t port, const char *line, const char *body) {
    char *request = xasprintf("%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                              "Content-Length: %zu\r\n\r\n%s",
                              line, strlen(body), body);
    char *answer = ask(port, request);
    const char *content = strstr(answer, "\r\n\r\n");
    char *result = content != NULL ? xasprintf("%.3s %s", answer + strlen("HTTP/1.1 "), content + 4)
                                   : xstrdup("no answer");
    free(request);
    free(answer);
    return result;
}

void assert_contains(const char *text, const char *part) {
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in \"%s\"", part, text);
}
