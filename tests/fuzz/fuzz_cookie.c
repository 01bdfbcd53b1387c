/* layer: http
 * Set-Cookie lines that a server answers with, one behind the other, each for the URL of a list
 * that its first byte chooses: whatever they are, what is sent back is a clean Cookie header. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/check.h"
#include "http/cookie.h"
#include "http/header.h"

static const char *const urls[] = {
    "http://a.example.co.uk/",
    "http://b.example.co.uk/dir/page?q",
    "https://127.0.0.1:8443/x",
    "https://[::1]/deep/er/",
    "http://co.uk",
};

static void append(void *arg, struct slice name, struct slice value) {
    cookie_append(arg, 0, name, value);
}

static void send(struct cookie_jar *jar, const struct url *u) {
    struct buf header;
    buf_init(&header, BUF_NO_CAP);
    cookie_jar_each(jar, u, append, &header);
    for (size_t i = 0; i < header.len; i++)
        CHECK(header.ptr[i] >= 0x20 && header.ptr[i] < 0x7f);
    CHECK(http_all_of(buf_slice(&header), HTTP_VALUE));
    buf_release(&header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct slice rest = slice_from((const char *)data, bytes);
    struct cookie_jar *jar = cookie_jar_new();
    struct url parsed[countof(urls)];
    for (size_t i = 0; i < countof(urls); i++)
        CHECK(url_parse(slice_cstr(urls[i]), &parsed[i], NULL) == 0);
    while (rest.ptr && rest.len) {
        struct slice line = slice_cut(&rest, '\n');
        if (!line.len)
            continue;
        const struct url *u = &parsed[(uint8_t)line.ptr[0] % countof(urls)];
        struct cookie c;
        if (cookie_parse(slice_from(line.ptr + 1, line.len - 1), &c)) {
            CHECK(c.name.len > 0);
            cookie_jar_set(jar, u, &c);
            if (line.len % 7 == 0)
                cookie_jar_delete(jar, u, c.name);
        }
        send(jar, u);
    }
    for (size_t i = 0; i < countof(urls); i++) {
        cookie_jar_clear(jar, &parsed[i]);
        send(jar, &parsed[i]);
        url_release(&parsed[i]);
    }
    cookie_jar_free(jar);
    return 0;
}
