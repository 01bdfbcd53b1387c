#include "http/http_auth.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/check.h"
#include "base/random.h"

char *http_basic_authorization(const struct url *url) {
    struct buf plain;
    buf_init(&plain, BUF_NO_CAP);
    buf_append_slice(&plain, url->user);
    buf_append_char(&plain, ':');
    buf_append_slice(&plain, url->password);
    char *out = xmalloc(6 + (plain.len + 2) / 3 * 4 + 1);
    memcpy(out, "Basic ", 6);
    EVP_EncodeBlock((unsigned char *)out + 6, (const unsigned char *)plain.ptr, (int)plain.len);
    buf_release(&plain);
    return out;
}

/* ---------------------------------------------------------------- digest */

#define MD5_HEX 33

static void md5_hex(struct slice s, char out[MD5_HEX]) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    out[0] = 0;
    if (!EVP_Digest(s.ptr, s.len, digest, &len, EVP_md5(), NULL))
        return;
    for (unsigned i = 0; i < len && i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* MD5 of the parts with ":" between them. */
static void md5_of(const struct slice *parts, size_t n, char out[MD5_HEX]) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_append_char(&b, ':');
        buf_append_slice(&b, parts[i]);
    }
    md5_hex(slice_from(b.ptr ? b.ptr : "", b.len), out);
    buf_release(&b);
}

/* The next name=value or name="value" of a challenge. */
static bool next_param(struct slice *rest, struct slice *name, struct slice *value) {
    const char *p = rest->ptr, *end = p + rest->len;
    while (p < end && (*p == ' ' || *p == ',' || *p == '\t'))
        p++;
    const char *start = p;
    while (p < end && *p != '=' && *p != ',' && *p != ' ')
        p++;
    *name = slice_from(start, (size_t)(p - start));
    if (p == end || *p != '=')
        return false;
    p++;
    if (p < end && *p == '"') {
        start = ++p;
        while (p < end && *p != '"')
            p++;
        *value = slice_from(start, (size_t)(p - start));
        p += p < end;
    } else {
        start = p;
        while (p < end && *p != ',' && *p != ' ')
            p++;
        *value = slice_from(start, (size_t)(p - start));
    }
    *rest = slice_from(p, (size_t)(end - p));
    return true;
}

static void put_param(struct buf *out, const char *name, struct slice value, bool is_quoted) {
    const char *quote = is_quoted ? "\"" : "";
    buf_printf(out, ", %s=%s%.*s%s", name, quote, SLICE_FMT(value), quote);
}

/* One of the offered protection modes, "auth" if there is a choice. */
static struct slice choose_qop(struct slice offered) {
    struct slice chosen = offered;
    while (offered.ptr) {
        struct slice name = slice_trim(slice_cut(&offered, ','));
        if (slice_eq(name, SLICE("auth")))
            return name;
        chosen = name;
    }
    return chosen;
}

char *http_digest_authorization(struct slice challenge, struct slice method, struct slice uri,
                                struct slice user, struct slice password, struct slice body) {
    struct slice rest = challenge, name, value;
    struct slice realm = {"", 0}, nonce = realm, qop = realm, opaque = realm, algorithm = realm;
    slice_cut(&rest, ' ');
    while (rest.ptr && next_param(&rest, &name, &value)) {
        if (slice_ieq(name, SLICE("realm")))
            realm = value;
        else if (slice_ieq(name, SLICE("nonce")))
            nonce = value;
        else if (slice_ieq(name, SLICE("qop")))
            qop = choose_qop(value);
        else if (slice_ieq(name, SLICE("opaque")))
            opaque = value;
        else if (slice_ieq(name, SLICE("algorithm")))
            algorithm = value;
    }
    char ha1[MD5_HEX], ha2[MD5_HEX], entity[MD5_HEX], response[MD5_HEX], cnonce[33];
    snprintf(cnonce, sizeof cnonce, "%016llx%016llx", (unsigned long long)random_u64(),
             (unsigned long long)random_u64());
    md5_hex(body, entity);
    md5_of((struct slice[]){user, realm, password}, 3, ha1);
    bool is_int = slice_eq(qop, SLICE("auth-int"));
    md5_of((struct slice[]){method, uri, slice_cstr(entity)}, is_int ? 3 : 2, ha2);
    struct slice nc = SLICE("00000001");
    if (is_int || slice_eq(qop, SLICE("auth")))
        md5_of(
            (struct slice[]){slice_cstr(ha1), nonce, nc, slice_cstr(cnonce), qop, slice_cstr(ha2)},
            6, response);
    else
        md5_of((struct slice[]){slice_cstr(ha1), nonce, slice_cstr(ha2)}, 3, response);

    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    buf_printf(&out, "Digest username=\"%.*s\"", SLICE_FMT(user));
    put_param(&out, "realm", realm, true);
    put_param(&out, "nonce", nonce, true);
    put_param(&out, "uri", uri, true);
    if (algorithm.len)
        put_param(&out, "algorithm", algorithm, true);
    if (opaque.len)
        put_param(&out, "opaque", opaque, true);
    if (qop.len)
        put_param(&out, "qop", qop, false);
    put_param(&out, "nc", nc, false);
    put_param(&out, "cnonce", slice_cstr(cnonce), true);
    put_param(&out, "response", slice_cstr(response), true);
    return buf_detach(&out, NULL);
}
