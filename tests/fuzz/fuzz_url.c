/* layer: http
 * Any text as a URL and as a Location: parsed or refused, printed, resolved, masked. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "http/url.h"

static void look_at(const struct url *u) {
    CHECK(strlen(u->text) == u->text_len);
    const struct slice parts[] = {u->scheme, u->user,        u->password,    u->userinfo,
                                  u->host,   u->host_header, u->request_uri, u->path,
                                  u->query,  u->fragment};
    for (size_t i = 0; i < countof(parts); i++)
        CHECK(parts[i].ptr >= u->text && parts[i].ptr + parts[i].len <= u->text + u->block_bytes);
    CHECK(u->request_uri.len > 0);
    char *masked = url_masked(u), *hidden = url_hide_password(u);
    CHECK(!u->has_user || strstr(masked, "****@"));
    free(masked);
    free(hidden);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct url u, copy, base, resolved;
    struct error err = {.code = 0};
    struct slice text = slice_from((const char *)data, bytes);
    if (url_parse(text, &u, &err)) {
        CHECK(err.code == KE_URL && err.text[0]);
        return 0;
    }
    look_at(&u);
    url_copy(&u, &copy);
    look_at(&copy);
    url_release(&copy);
    url_copy_without_user(&u, &copy);
    CHECK(!copy.has_user);
    url_release(&copy);
    CHECK(url_parse(SLICE("http://u:p@h:8080/a/b?c#d"), &base, NULL) == 0);
    if (url_resolve(&base, text, &resolved, &err) == 0) {
        look_at(&resolved);
        url_release(&resolved);
    }
    if (url_resolve(&u, SLICE("../x?y"), &resolved, &err) == 0) {
        look_at(&resolved);
        url_release(&resolved);
    }
    url_release(&base);
    url_release(&u);
    return 0;
}
